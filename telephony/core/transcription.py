"""What Telnyx tells of a transcription, understood. Pure, and as lenient as ``telephony.core.events``.

Fields: webhooks.md sections 4 (form) and 6 (JSON). Nothing that Telnyx publishes has times; where a text comes with
segments all the same, in the shape that its engines use elsewhere, they are read (assumption V-11).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from telephony.core import events
from telephony.core.events import KIND_LENGTH, Notice, Payload

#: ``calling_party_type`` → who it is in our words: the network's leg is the customer's, the browser's the agent's.
PARTIES: Final[Mapping[str, str]] = {"pstn": "customer", "sip": "agent"}
MOST_SEGMENTS: Final = 5_000


class Segment(NamedTuple):
    from_s: float
    until_s: float
    #: ``customer``, ``agent``, or empty.
    party: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A text of one recording, or of one party in it."""

    recording_id: str
    text: str
    party: str = ""
    is_failed: bool = False
    #: Telnyx is done with it, even if it understood no word.
    is_done: bool = False
    segments: tuple[Segment, ...] = ()


def transcription_notice(payload: Payload) -> Notice:
    """Return how the ledger takes a form at the address of transcriptions."""
    status = events.word(payload.get("TranscriptionStatus")) or "unknown"
    parts = [events.text(payload.get(name), 64) for name in ("TranscriptionSid", "RecordingSid")]
    is_named = any(parts)
    return Notice(
        kind=f"transcription.{status}"[:KIND_LENGTH],
        dedupe_key=events.key("transcription", *parts, status)
        if is_named
        else events.key("transcription", events.fingerprint(payload)),
        occurred_at=events.moment(payload.get("Timestamp")),
    )


def said_in(payload: Payload) -> Said:
    """Read a form, or ``call.recording.transcription.saved``."""
    if "data" in payload:
        return said_of_resource(events.json_payload(payload))
    segments = _segments(payload.get("TranscriptionSegments"))
    return Said(
        recording_id=events.text(payload.get("RecordingSid"), 64),
        text=_words(payload.get("TranscriptionText")) or _joined(segments),
        is_failed=events.word(payload.get("TranscriptionStatus")) == "failed",
        is_done=events.word(payload.get("TranscriptionStatus")) == "completed",
        segments=segments,
    )


def said_of_resource(body: Mapping[str, Any]) -> Said:
    """Read the payload of the JSON event, or an entry of ``GET /recording_transcriptions``: they share their names."""
    segments = _segments(body.get("segments"))
    return Said(
        recording_id=events.text(body.get("recording_id"), 64),
        text=_words(body.get("transcription_text")) or _joined(segments),
        party=PARTIES.get(events.word(body.get("calling_party_type")), ""),
        is_failed=events.word(body.get("status")) == "failed",
        is_done=events.word(body.get("status")) == "completed",
        segments=segments,
    )


#: Where a payload has what was said: in a form, and in the body of a JSON event.
_TEXTS: Final = ("TranscriptionText", "TranscriptionSegments", "transcription_text", "segments")


def text_id(payload: Payload) -> str:
    """Return Telnyx's id of the text itself, by which it can be deleted; empty where none is told."""
    if "data" in payload:
        return events.text(events.json_payload(payload).get("recording_transcription_id"), 64)
    return events.text(payload.get("TranscriptionSid"), 64)


def without_words(payload: Payload) -> dict[str, Any]:
    """Return the payload without what was said: that something was written down stays."""
    kept = {name: value for name, value in payload.items() if name not in _TEXTS}
    if "data" in payload:
        body = {name: value for name, value in events.json_payload(payload).items() if name not in _TEXTS}
        kept["data"] = {**events.json_event(payload), "payload": body}
    return kept


def _words(value: object) -> str:
    # JSON may name half of a character (a lone surrogate), which PostgreSQL does not keep.
    return events.text(value, 1_000_000).encode("utf-8", "replace").decode("utf-8").strip()


def _joined(segments: Iterable[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def _segments(value: object) -> tuple[Segment, ...]:
    """Return the segments in order; none where anything about them is strange, for the whole text is there."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            return ()
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_SEGMENTS:
        return ()
    found = []
    for one in value:
        if not isinstance(one, Mapping):
            return ()
        start, end, text = _seconds(one.get("start")), _seconds(one.get("end")), _words(one.get("text"))
        if start is None or end is None or end < start or not text:
            return ()
        found.append(Segment(start, end, PARTIES.get(events.word(one.get("speaker")), ""), text))
    return tuple(sorted(found))


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return round(number, 2) if 0 <= number < 100_000 else None
