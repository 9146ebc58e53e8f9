"""What Telnyx tells us, understood: forms and JSON become frozen facts and a key that makes two deliveries one.

Pure. Everything that arrives is a text until it was read here, and nothing here raises: what cannot be read is left
empty, and an event of an unknown kind is still an event. Fields: webhooks.md, sections 3, 4 and 6.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

#: The ledger keeps this much of an event's kind and of its key.
KIND_LENGTH: Final = 48
KEY_LENGTH: Final = 255
SID_LENGTH: Final = 160

#: Our own words beside the provider's in a stored payload: what the address of the callback said.
ADDRESS: Final = "_url"

#: ``RecordingSource`` of what an outbound voice profile, or a number, records by itself: the net below TeXML's own.
SOURCE_NET: Final = "Trunking"

_WORD: Final = re.compile(r"[^a-z0-9_.-]+")

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """An event as the ledger takes it."""

    kind: str
    dedupe_key: str
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class LegProgress:
    """A status callback: where one leg stands."""

    call_sid: str
    parent_call_sid: str = ""
    #: Whom the leg rings: a number, or a SIP address.
    to: str = ""
    #: Telnyx's word: initiated, ringing, in-progress, completed, busy, no-answer, canceled, failed, dtmf, ….
    status: str = ""
    account_sid: str = ""
    connection_id: str = ""
    leg_id: str = ""
    session_id: str = ""
    occurred_at: datetime | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    #: Seconds from start to end, where Telnyx knows both; 0 for a leg that nobody answered.
    duration_s: int | None = None
    hangup_cause: str = ""
    hangup_source: str = ""
    sip_code: str = ""
    #: From the address of the callback: whose browser this leg rings. A hint, to be checked against the offers.
    agent_id: int | None = None
    #: From the address too: ``customer`` or ``target`` of a leg that we had made, and which target it was.
    role: str = ""
    target: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingProgress:
    """A recording callback of TeXML, or ``call.recording.saved``."""

    recording_id: str
    #: in-progress, completed, absent; "completed" for the JSON event.
    status: str
    call_sid: str = ""
    leg_id: str = ""
    session_id: str = ""
    url: str = ""
    duration_s: int | None = None
    channels: int = 1
    #: Who made it: DialVerb, RecordVerb, Trunking, ….
    source: str = ""
    #: From the address of the callback: ``voicemail``, ``room``, or empty.
    purpose: str = ""
    #: When the audio begins, where the event says it.
    started_at: datetime | None = None
    #: Of one that belongs to no call of ours these tell whose it may be.
    connection_id: str = ""
    from_number: str = ""
    to_number: str = ""


# --- Status callbacks (TeXML form) --------------------------------------------------------------------------------


def status_notice(payload: Payload) -> Notice:
    """Return how the ledger takes a status callback.

    TeXML callbacks carry no event id. The address counts in the key where it names an agent: the application and the
    noun may both report a leg, and only the noun's report says whose it is.
    """
    status = word(payload.get("CallStatus")) or "unknown"
    parts = (
        "status",
        text(payload.get("CallSid"), SID_LENGTH),
        text(payload.get("CallbackSource")),
        status,
        text(payload.get("SequenceNumber")),
        text(address(payload).get("agent")),
    )
    return Notice(
        kind=f"status.{status}"[:KIND_LENGTH],
        dedupe_key=key(*parts) if parts[1] else key("status", fingerprint(payload)),
        occurred_at=_occurred_at(payload),
    )


def leg_progress(payload: Payload) -> LegProgress:
    ended = text(payload.get("CallStatus")) in END_STATUSES
    occurred_at = _occurred_at(payload)
    return LegProgress(
        call_sid=text(payload.get("CallSid"), SID_LENGTH),
        parent_call_sid=text(payload.get("ParentCallSid"), SID_LENGTH),
        to=text(payload.get("To"), 160),
        status=word(payload.get("CallStatus")),
        account_sid=text(payload.get("AccountSid"), 64),
        connection_id=text(payload.get("ConnectionId"), 32),
        leg_id=text(payload.get("CallLegId"), SID_LENGTH),
        session_id=text(payload.get("CallSessionId"), SID_LENGTH),
        occurred_at=occurred_at,
        started_at=moment(payload.get("StartTime")) or moment(payload.get("CallInitiatedAt")),
        answered_at=moment(payload.get("AnsweredTime")),
        ended_at=(moment(payload.get("EndTime")) or occurred_at) if ended else None,
        duration_s=whole(payload.get("CallDuration")),
        hangup_cause=text(payload.get("HangupCause"), 40),
        hangup_source=text(payload.get("HangupSource"), 16),
        sip_code=text(payload.get("SipHangupCause"), 16),
        agent_id=whole(address(payload).get("agent")),
        role=word(address(payload).get("role")),
        target=whole(address(payload).get("target")),
    )


def dialled_leg(payload: Payload) -> LegProgress | None:
    """Return what the ``action`` request of a ``<Dial>`` says of the leg that was connected; None if none was.

    Instructions are asked for until they are answered, so this news is surer to arrive than the leg's own callbacks.
    """
    call_sid, lasted_s = text(payload.get("DialCallSid"), SID_LENGTH), whole(payload.get("DialCallDuration"))
    if payload.get("DialCallStatus") != "completed" or not call_sid or not lasted_s:
        return None
    return LegProgress(
        call_sid=call_sid,
        parent_call_sid=text(payload.get("CallSid"), SID_LENGTH),
        status="completed",
        account_sid=text(payload.get("AccountSid"), 64),
        duration_s=lasted_s,
    )


#: CallStatus of a leg that is over (webhooks.md section 3).
END_STATUSES: Final = frozenset({"completed", "busy", "no-answer", "canceled", "failed"})


# --- Conference callbacks -----------------------------------------------------------------------------------------


def conference_notice(payload: Payload) -> Notice:
    """Return how the ledger takes the callback of a room. Its fields are not published (S-50): read leniently."""
    event = word(payload.get("StatusCallbackEvent")) or "unknown"
    sid, leg = text(payload.get("ConferenceSid"), 64), text(payload.get("CallSid"), SID_LENGTH)
    return Notice(
        kind=f"conference.{event}"[:KIND_LENGTH],
        dedupe_key=key("conference", sid, event, leg, text(payload.get("SequenceNumber")))
        if sid
        else key("conference", fingerprint(payload)),
        occurred_at=_occurred_at(payload),
    )


# --- Recording callbacks ------------------------------------------------------------------------------------------


def recording_notice(payload: Payload) -> Notice:
    status = word(payload.get("RecordingStatus")) or "unknown"
    recording_id = text(payload.get("RecordingSid"), 64)
    return Notice(
        kind=f"recording.{status}"[:KIND_LENGTH],
        dedupe_key=key("recording", recording_id, status) if recording_id else key("recording", fingerprint(payload)),
        occurred_at=moment(payload.get("Timestamp")),
    )


def recording_progress(payload: Payload) -> RecordingProgress:
    """Read a recording callback, TeXML's form or the JSON event; the latter knows fewer ids (webhooks.md section 6)."""
    if "data" in payload:
        return _recording_saved(payload)
    return RecordingProgress(
        recording_id=text(payload.get("RecordingSid"), 64),
        status=word(payload.get("RecordingStatus")),
        call_sid=text(payload.get("CallSid"), SID_LENGTH),
        url=text(payload.get("RecordingUrl"), 4000),
        duration_s=whole(payload.get("RecordingDuration")),
        channels=2 if whole(payload.get("RecordingChannels")) == 2 else 1,
        source=text(payload.get("RecordingSource"), 40),
        purpose=word(address(payload).get("kind")),
        started_at=moment(payload.get("RecordingStartTime")),
        connection_id=text(payload.get("ConnectionId"), 32),
        from_number=text(payload.get("From"), 64),
        to_number=text(payload.get("To"), 64),
    )


def _recording_saved(payload: Payload) -> RecordingProgress:
    body = json_payload(payload)
    urls = body.get("recording_urls")
    urls = urls if isinstance(urls, Mapping) else {}
    started, ended = moment(body.get("recording_started_at")), moment(body.get("recording_ended_at"))
    lasted_s = max(0, round((ended - started).total_seconds())) if started and ended else None
    event_id = json_event(payload).get("id")
    return RecordingProgress(
        # The SDK's schema has no recording_id, the documentation's sample has: without it the event's own id serves.
        recording_id=text(body.get("recording_id"), 64) or text(event_id, 64),
        status="completed",
        call_sid=text(body.get("call_control_id"), SID_LENGTH),
        leg_id=text(body.get("call_leg_id"), SID_LENGTH),
        session_id=text(body.get("call_session_id"), SID_LENGTH),
        url=text(urls.get("mp3"), 4000) or text(urls.get("wav"), 4000),
        duration_s=lasted_s,
        started_at=started,
        channels=2 if body.get("channels") == "dual" else 1,
        # TeXML's own recordings are told by forms; by this event, those of an outbound profile (assumption S-21).
        source=SOURCE_NET,
        connection_id=text(body.get("connection_id"), 32),
        from_number=text(body.get("from"), 64),
        to_number=text(body.get("to"), 64),
    )


# --- JSON events --------------------------------------------------------------------------------------------------


def json_notice(payload: Payload) -> Notice:
    """Return how the ledger takes a JSON v2 event; ``data.id`` is Telnyx's own key (webhooks.md section 7)."""
    event = json_event(payload)
    event_id = text(event.get("id"), 200)
    return Notice(
        kind=(word(event.get("event_type")) or "unknown")[:KIND_LENGTH],
        dedupe_key=key("event", event_id or fingerprint(payload)),
        occurred_at=moment(event.get("occurred_at")),
    )


def json_event(payload: Payload) -> Payload:
    data = payload.get("data")
    return data if isinstance(data, Mapping) else {}


def json_payload(payload: Payload) -> Payload:
    body = json_event(payload).get("payload")
    return body if isinstance(body, Mapping) else {}


# --- Which call an event is about ---------------------------------------------------------------------------------


def leg_ids(payload: Payload) -> tuple[str, ...]:
    """Return every id in the event that may name a call, the surest first: the leg, its parent, leg id, session."""
    found: tuple[object, ...]
    if "data" in payload:
        body = json_payload(payload)
        # A text may name no leg, only the recording, whose id we learned when that came.
        of_text = body.get("recording_id") if body.get("recording_transcription_id") else None
        found = (body.get("call_control_id"), body.get("call_leg_id"), body.get("call_session_id"), of_text)
    else:
        names = ("CallSid", "CallSidLegacy", "ParentCallSid", "ParentCallSidLegacy", "CallLegId", "CallSessionId")
        of_text = payload.get("RecordingSid") if "TranscriptionSid" in payload else None
        found = (*(payload.get(name) for name in names), of_text)
    return tuple(dict.fromkeys(sid for sid in (text(value, SID_LENGTH) for value in found) if sid))


def root_sid(payload: Payload) -> str:
    """Return the CallSid of the leg that opened the call, as far as the event tells: its parent's, else its own."""
    if "data" in payload:
        return text(json_payload(payload).get("call_control_id"), SID_LENGTH)
    return text(payload.get("ParentCallSid"), SID_LENGTH) or text(payload.get("CallSid"), SID_LENGTH)


def address(payload: Payload) -> Payload:
    """Return what the callback's address said. Nobody signs an address: it may only point, never prove."""
    said = payload.get(ADDRESS)
    return said if isinstance(said, Mapping) else {}


# --- Reading texts ------------------------------------------------------------------------------------------------


def text(value: object, limit: int = 255) -> str:
    """Return a text of at most ``limit`` characters; a NUL, which PostgreSQL cannot keep, is dropped."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).replace("\x00", "")[:limit]


def word(value: object) -> str:
    """Return a status word: lower case, nothing but letters, digits and ``_.-``."""
    return _WORD.sub("", text(value, KIND_LENGTH).lower())


def whole(value: object) -> int | None:
    """Return a whole number from 0 to 2³¹-1; None for anything else."""
    try:
        number = int(float(text(value, 20)))
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 2**31 else None


def moment(value: object) -> datetime | None:
    """Return the moment that a text names, in UTC; None when it names none.

    ISO 8601 by the specification; older pages show ``2021-04-28 21:51:18.731479Z`` and RFC 2822 (webhooks.md, 3).
    """
    written = text(value, 64).strip()
    if not written:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = read(written)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError, IndexError, TypeError):
            continue
    return None


#: A clock that is further from ours than this is wrong: the time of receipt is nearer to the truth.
BELIEVABLE: Final = timedelta(days=1)


def believable(claimed: datetime | None, now: datetime) -> datetime:
    """Return the claimed moment, or ``now`` where there is none or it cannot be; never a moment in the future."""
    if claimed is None or abs(claimed - now) > BELIEVABLE:
        return now
    return min(claimed, now)


def key(*parts: str) -> str:
    """Join the parts to a key that fits its column; what is too long keeps its beginning and a digest."""
    joined = "|".join(parts)
    if len(joined) <= KEY_LENGTH:
        return joined
    return f"{joined[:180]}|{hashlib.sha256(joined.encode()).hexdigest()}"


def fingerprint(payload: Payload) -> str:
    """Return a digest of everything in the payload: the key of an event that brings no usable id."""
    lines = "\n".join(f"{name}={payload[name]!r}" for name in sorted(payload))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def _occurred_at(payload: Payload) -> datetime | None:
    return moment(payload.get("OccurredAt")) or moment(payload.get("Timestamp"))
