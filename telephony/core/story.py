"""The story of a call: everything that happened, in the order in which it happened, in words.

Pure. A leg is told once, however many callbacks spoke of it and in whatever order they came: its moments stand in its
row. What nothing else tells (wishes, rooms, repairs) is told by its event. Every entry names the rows behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from telephony.core import hangup_words, quality, repair_words, talk_words
from telephony.core.call_state import Phase
from telephony.core.ended import By, How, ended_by
from telephony.core.story_words import WORDS, say
from telephony.core.told import EventTold, LegTold, RecordingTold, Told

#: Two events that say the same within this time are one happening that was told twice.
SAME_MOMENT: Final = timedelta(seconds=2)


class Part(StrEnum):
    """What an entry is about; also its place among entries of one moment."""

    ARRIVED = "arrived"
    DECISION = "decision"
    QUEUE = "queue"
    OFFER = "offer"
    RANG = "rang"
    ANSWERED = "answered"
    TALK = "talk"
    HOLD = "hold"
    TRANSFER = "transfer"
    ROOM = "room"
    WISH = "wish"
    LEFT = "left"
    ENDED = "ended"
    CORRECTION = "correction"
    QUALITY = "quality"
    RECORDING = "recording"
    OTHER = "other"


ORDER: Final = {part: place for place, part in enumerate(Part)}


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    part: Part
    who: str
    what: str
    why: str = ""
    #: Codes and numbers behind the words.
    detail: str = ""
    #: Ids of the events and rows that say so.
    ids: tuple[str, ...] = ()


def tell(told: Told, language: str) -> tuple[Entry, ...]:
    """Return the story, oldest first."""
    entries = [entry for teller in TELLERS for entry in teller(told, language)]
    return _folded(sorted(entries, key=lambda entry: (entry.at, ORDER[entry.part])))


def _folded(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries with those that say the same at once as one."""
    kept: list[Entry] = []
    for entry in entries:
        said = (entry.part, entry.who, entry.what, entry.why, entry.detail)
        for place in range(len(kept) - 1, -1, -1):
            before = kept[place]
            if entry.at - before.at > SAME_MOMENT:
                kept.append(entry)
                break
            if said == (before.part, before.who, before.what, before.why, before.detail):
                kept[place] = replace(before, ids=tuple(dict.fromkeys((*before.ids, *entry.ids))))
                break
        else:
            kept.append(entry)
    return tuple(kept)


# --- How it begins, and where the plan sends it -------------------------------------------------------------------


def _beginning(told: Told, language: str) -> Iterator[Entry]:
    call = told.call
    kinds = ("instruction.outbound",) if call.is_outbound else ("instruction.voice",)
    events = [event for event in told.events if event.kind.startswith(kinds)]
    who = call.customer
    if call.is_outbound:
        who = next((leg.who for leg in told.legs if leg.agent_id is not None), say("who.agent", language))
    what = say("placed" if call.is_outbound else "arrived", language, ours=call.our_number, theirs=call.customer_number)
    yield Entry(call.started_at, Part.ARRIVED, who, what, ids=_ids(events))


def _decisions(told: Told, language: str) -> Iterator[Entry]:
    version = 0
    for step in told.steps:
        ended_at = told.call.ended_at
        # A call that is over is told to hang up, should Telnyx still ask: that decides nothing.
        if not step.sentences or (step.verb == "hangup" and ended_at is not None and step.at >= ended_at):
            continue
        first, *others = step.sentences
        asked = [event for event in told.events if _asked_for(event, step.at)]
        # Named once, and again only when the plan was changed in the middle of the call.
        plan = say("plan", language, version=step.plan_version) if step.plan_version not in {0, version} else ""
        version = step.plan_version or version
        who, ids = say("who.plan", language), (step.id, *_ids(asked))
        yield Entry(step.at, Part.DECISION, who, first, " ".join(others), plan, ids)


def _asked_for(event: EventTold, at: datetime) -> bool:
    return event.kind in CONTINUATIONS and abs(event.at - at) < SAME_MOMENT


#: Telnyx asks how the call goes on: what it is told is the decision.
CONTINUATIONS: Final = frozenset({"instruction.step", "instruction.dial_complete", "instruction.voicemail"})


def _visits(told: Told, language: str) -> Iterator[Entry]:
    for visit in told.visits:
        came = say("queued", language, queue=visit.queue)
        yield Entry(visit.entered_at, Part.QUEUE, told.call.customer, came, ids=(visit.id,))
        code = f"visit.{visit.outcome}"
        if visit.ended_at is not None and code in WORDS:
            went = say(code, language, queue=visit.queue)
            yield Entry(visit.ended_at, Part.QUEUE, told.call.customer, went, ids=(visit.id,))


def _offers(told: Told, language: str) -> Iterator[Entry]:
    for offer in told.offers:
        what = say("offered", language)
        yield Entry(offer.offered_at, Part.OFFER, offer.who, what, detail=offer.queue, ids=(offer.id,))
        code = f"offer.{offer.outcome}"
        if offer.ended_at is not None and code in WORDS:
            said = [one for one in told.events if one.kind == code and one.payload.get("agent") == offer.agent_id]
            what = say(code, language)
            yield Entry(offer.ended_at, Part.OFFER, offer.who, what, ids=(offer.id, *_ids(said)))


# --- Legs ---------------------------------------------------------------------------------------------------------


def _legs(told: Told, language: str) -> Iterator[Entry]:
    for leg in told.legs:
        news = [event for event in told.events if event.payload.get("CallSid") == leg.call_sid]
        if leg.call_sid != told.call.customer_sid or told.call.is_outbound:
            yield from _leg_begins(leg, news, told, language)
        if leg.ended_at is not None and leg.call_sid != told.call.customer_sid:
            yield from _leg_ends(leg, news, told, language)


def _leg_begins(leg: LegTold, news: Sequence[EventTold], told: Told, language: str) -> Iterator[Entry]:
    # The leg of who places a call is up before anybody rings.
    placed = told.call.is_outbound and leg.answered_at is not None and leg.answered_at <= told.call.started_at
    ringing = [event for event in news if event.kind == "status.ringing"]
    if ringing:
        yield Entry(
            min(event.at for event in ringing),
            Part.RANG,
            leg.who,
            say("rang", language),
            ids=(leg.id, *_ids(ringing)),
        )
    if leg.answered_at is not None and not placed:
        answers = [event for event in news if event.kind == "status.in-progress"]
        facts = _of_talk(told, "talk.customer_answered", "talk.target_answered", "talk.agent_joined")
        same = [event for event in facts if abs(event.at - leg.answered_at) < SAME_MOMENT]
        yield Entry(
            leg.answered_at,
            Part.ANSWERED,
            leg.who,
            say("answered", language),
            ids=(leg.id, *_ids(answers), *_ids(same)),
        )


def _leg_ends(leg: LegTold, news: Sequence[EventTold], told: Told, language: str) -> Iterator[Entry]:
    if leg.ended_at is None or (leg.answered_at is None and _was_offered(leg, told)):
        # What became of a ringing, its offer says.
        return
    ends = [event for event in news if event.kind in _ENDS]
    what = say("left" if leg.answered_at is not None else "unanswered", language)
    yield Entry(
        leg.ended_at,
        Part.LEFT,
        leg.who,
        what,
        hangup_words.cause(leg.hangup_cause, language),
        _codes(leg, language),
        (leg.id, *_ids(ends)),
    )


_ENDS: Final = frozenset({"status.completed", "status.busy", "status.no-answer", "status.canceled", "status.failed"})


def _was_offered(leg: LegTold, told: Told) -> bool:
    return any(offer.agent_id == leg.agent_id for offer in told.offers)


def _codes(leg: LegTold, language: str) -> str:
    return " · ".join(filter(None, (leg.hangup_cause, hangup_words.sip(leg.sip_code, language))))


# --- Conversations ------------------------------------------------------------------------------------------------

#: Facts that a leg's own entry tells already.
_TOLD_BY_LEGS: Final = frozenset({"talk.customer_answered", "talk.target_answered"})
_PARTS: Final = {
    **dict.fromkeys(("talk.hold", "talk.unhold"), Part.HOLD),
    **dict.fromkeys(
        ("talk.transfer", "talk.consult", "talk.complete", "talk.cancel", "talk.merge", "talk.swap"), Part.TRANSFER
    ),
    **dict.fromkeys(("talk.room_opened", "talk.room_failed"), Part.ROOM),
}


def _talk(told: Told, language: str) -> Iterator[Entry]:
    for event in _of_talk(told):
        if "error" in event.payload and event.kind.endswith("_failed"):
            yield _refused(event, language)
        elif event.kind in WORDS and event.kind not in _TOLD_BY_LEGS and event.payload.get("to") != Phase.ENDED:
            yield _happened(event, told, language)


def _of_talk(told: Told, *kinds: str) -> list[EventTold]:
    return [event for event in told.events if event.kind.startswith("talk.") and (not kinds or event.kind in kinds)]


def _refused(event: EventTold, language: str) -> Entry:
    wish = f"wish.{event.kind.removeprefix('talk.').removesuffix('_failed')}"
    words = say(wish, language) if wish in WORDS else event.kind
    error = str(event.payload.get("error", ""))
    return Entry(
        event.at, Part.TALK, say("who.telnyx", language), say("refused", language, wish=words), error, ids=(event.id,)
    )


def _happened(event: EventTold, told: Told, language: str) -> Entry:
    payload = event.payload
    message = payload.get("message")
    return Entry(
        event.at,
        _PARTS.get(event.kind, Part.TALK),
        _who(event, told, language),
        say(event.kind, language, target=_target(event, told, language)),
        talk_words.text(message, language) if isinstance(message, str) and message else "",
        ids=(event.id,),
    )


def _who(event: EventTold, told: Told, language: str) -> str:
    """Return who did it, or to whom it happened."""
    if event.kind in {"talk.customer_left", "talk.customer_answered"}:
        return told.call.customer
    if event.kind in {"talk.target_left", "talk.target_answered"}:
        return _target(event, told, language)
    if event.kind in {"talk.room_opened", "talk.room_failed", "talk.routed_on"}:
        return say("who.we", language)
    named = told.agents.get(_whole(event.payload.get("agent")))
    return named or _on_the_call(told, event.at) or say("who.agent", language)


def _target(event: EventTold, told: Told, language: str) -> str:
    payload = event.payload
    agent, queue = _whole(payload.get("target_agent")), _whole(payload.get("target_queue"))
    number = payload.get("target_number")
    return (
        told.agents.get(agent)
        or told.queues.get(queue)
        or (number if isinstance(number, str) else "")
        or say("somebody", language)
    )


def _on_the_call(told: Told, at: datetime) -> str:
    """Return which agent talked at that moment; the one who had been there for longest."""
    there = [
        leg
        for leg in told.legs
        if leg.agent_id is not None
        and leg.answered_at is not None
        and leg.answered_at <= at
        and (leg.ended_at is None or at <= leg.ended_at + SAME_MOMENT)
    ]
    return min(there, key=lambda leg: (leg.answered_at, leg.call_sid)).who if there else ""


_ROOM: Final = {"conference.participant-join": "room.join", "conference.participant-leave": "room.leave"}


def _rooms(told: Told, language: str) -> Iterator[Entry]:
    who = {leg.call_sid: leg.who for leg in told.legs}
    for event in told.events:
        code = _ROOM.get(event.kind)
        name = who.get(str(event.payload.get("CallSid", "")))
        if code and name:
            yield Entry(event.at, Part.ROOM, name, say(code, language), ids=(event.id,))


# --- Wishes, and the end ------------------------------------------------------------------------------------------


#: Kind of event → the code of its words.
_WISHES: Final = {
    "hangup.requested": "hangup.requested",
    "hangup.failed": "hangup.failed",
    "call.end_requested": "call.end_requested",
    "agent.released": "agent.released",
    "voicemail.deleted": "voicemail.deletes",
}


def _wishes(told: Told, language: str) -> Iterator[Entry]:
    for event in told.events:
        code = _WISHES.get(event.kind)
        if code is None:
            continue
        person = told.people.get(_whole(event.payload.get("by")))
        who = person.name if person else say("who.we", language)
        agent = told.agents.get(_whole(event.payload.get("agent")), say("somebody", language))
        errors = event.payload.get("errors")
        why = " ".join(map(str, errors)) if isinstance(errors, list) else str(event.payload.get("reason", ""))
        yield Entry(event.at, Part.WISH, who, say(code, language, agent=agent), why, ids=(event.id,))


def _end(told: Told, language: str) -> Iterator[Entry]:
    ended = ended_by(told)
    if ended is None:
        return
    leg = told.customer_leg
    news = [
        event for event in told.events if event.kind in _ENDS and leg and event.payload.get("CallSid") == leg.call_sid
    ]
    facts = [event for event in _of_talk(told) if event.payload.get("to") == Phase.ENDED]
    ids = (*((leg.id,) if leg else ()), *_ids(news), *_ids(facts), *ended.verdict.events)
    yield Entry(
        ended.at,
        Part.ENDED,
        _ender(told, ended.verdict.by, ended.verdict.who, language),
        ended.in_words(language),
        "" if ended.verdict.how in _SAID_ALL else ended.why_in_words(language),
        ended.codes(language),
        tuple(dict.fromkeys(ids)),
    )


#: Ends whose cause would only say the same once more.
_SAID_ALL: Final = frozenset({How.BUSY, How.NO_ANSWER, How.REJECTED, How.TIME_LIMIT, How.NO_SUCH_NUMBER})


def _ender(told: Told, by: By, who: str, language: str) -> str:
    if by is By.CUSTOMER:
        return told.call.customer
    code = {By.TELNYX: "who.telnyx", By.PLAN: "who.plan", By.UNKNOWN: "who.telnyx", By.WE: "who.reconciler"}.get(by)
    return say(code, language) if code else who or say("who.agent", language)


# --- What came after ----------------------------------------------------------------------------------------------


def _corrections(told: Told, language: str) -> Iterator[Entry]:
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


def _recordings(told: Told, language: str) -> Iterator[Entry]:
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


def _quality(told: Told, language: str) -> Iterator[Entry]:
    for one in told.quality:
        word = quality.sound_in_words(one.mos, language) if one.mos is not None else ""
        what = (
            say("quality", language, word=word.lower(), mos=_number(f"{one.mos:.1f}", language))
            if one.mos is not None
            else ""
        )
        measures = (("loss", one.loss_percent), ("jitter", one.jitter_ms), ("rtt", one.rtt_ms))
        numbers = [
            say(code, language, value=_number(f"{value:g}", language)) for code, value in measures if value is not None
        ]
        heard = [f"{quality.warning_in_words(code, language)} ×{count}" for code, count in one.warnings]
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


def _others(told: Told, language: str) -> Iterator[Entry]:
    for event in told.events:
        if event.source != "reconciler" and not event.kind.startswith(_KNOWN):
            what = say("other", language, kind=event.kind)
            yield Entry(event.at, Part.OTHER, say("who.telnyx", language), what, ids=(event.id,))


TELLERS: Final[tuple[Callable[[Told, str], Iterator[Entry]], ...]] = (
    _beginning,
    _decisions,
    _visits,
    _offers,
    _legs,
    _talk,
    _rooms,
    _wishes,
    _end,
    _corrections,
    _recordings,
    _quality,
    _others,
)


# --- Means --------------------------------------------------------------------------------------------------------


def _ids(events: Iterable[EventTold]) -> tuple[str, ...]:
    return tuple(event.id for event in events)


def _number(written: str, language: str) -> str:
    return written.replace(".", ",") if language == "es" else written


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
