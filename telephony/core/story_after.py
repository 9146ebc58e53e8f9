"""The story of a call, told by what came after it: repairs, recordings, how it sounded, what nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from telephony.core import quality as sound
from telephony.core import repair_words
from telephony.core.story_entry import Entry, Part
from telephony.core.story_words import say
from telephony.core.told import RecordingTold, Told


def corrections(told: Told, language: str) -> Iterator[Entry]:
    legs = {leg.call_sid: leg.who for leg in told.legs}
    for event in told.events:
        if event.source != "reconciler" or event.kind in repair_words.NOT_REPAIRS:
            continue
        who = legs.get(repair_words.leg_of(event.payload), "")
        who = who or told.agents.get(repair_words.agent_of(event.payload) or 0, "")
        words = repair_words.in_words(event.kind, who, language)
        yield Entry(
            event.received_at or event.at,
            Part.CORRECTION,
            say("who.reconciler", language),
            f"{words.title}.",
            f"{words.believed} → {words.true} → {words.did}.",
            event.kind,
            (event.id,),
        )


def recordings(told: Told, language: str) -> Iterator[Entry]:
    for recording in told.recordings:
        about = _about(recording, language)
        kind = "voicemail" if recording.kind == "voicemail" else "recording"
        what = ", ".join((say(f"{kind}.{recording.state}", language), *about)) + "."
        channels = recording.channels
        why = say("channels", language, left=channels[0], right=channels[1]) if channels else ""
        error = recording.error if recording.state == "failed" else ""
        who = say("who.we", language)
        yield Entry(recording.at, Part.RECORDING, who, what, why, error, (recording.id,))
    for event in told.events:
        # Whoever reads the words finds them at the recording; that nothing came is no news.
        if event.kind == "transcription.completed" and event.source != "reconciler":
            what = say("transcription", language)
            yield Entry(event.at, Part.RECORDING, say("who.telnyx", language), what, ids=(event.id,))


def _about(recording: RecordingTold, language: str) -> Iterator[str]:
    if recording.of > 1:
        yield say("segment", language, place=recording.place, of=recording.of)
    if recording.duration_s is not None:
        yield f"{recording.duration_s // 60}:{recording.duration_s % 60:02}"


def quality(told: Told, language: str) -> Iterator[Entry]:
    for one in told.quality:
        word = sound.sound_in_words(one.mos, language) if one.mos is not None else ""
        what = (
            say("quality", language, word=word.lower(), mos=_number(f"{one.mos:.1f}", language))
            if one.mos is not None
            else ""
        )
        measures = (("loss", one.loss_percent), ("jitter", one.jitter_ms), ("rtt", one.rtt_ms))
        numbers = [
            say(code, language, value=_number(f"{value:g}", language)) for code, value in measures if value is not None
        ]
        heard = [f"{sound.warning_in_words(code, language)} ×{count}" for code, count in one.warnings]
        yield Entry(
            one.at,
            Part.QUALITY,
            one.who,
            what or say("quality.unrated", language),
            ", ".join(heard),
            " · ".join(numbers),
            (one.leg_id,),
        )


#: Families of events that the tellers above tell, or whose rows do.
_KNOWN: Final = (
    "instruction.",
    "status.",
    "talk.",
    "conference.",
    "hangup.",
    "offer.",
    "reconciler.",
    "recording.",
    "call.recording.",
    "transcription.",
    "voicemail.deleted",
    "call.end_requested",
    "agent.",
)


def others(told: Told, language: str) -> Iterator[Entry]:
    for event in told.events:
        if event.source != "reconciler" and not event.kind.startswith(_KNOWN):
            what = say("other", language, kind=event.kind)
            yield Entry(event.at, Part.OTHER, say("who.telnyx", language), what, ids=(event.id,))


def _number(written: str, language: str) -> str:
    return written.replace(".", ",") if language == "es" else written
