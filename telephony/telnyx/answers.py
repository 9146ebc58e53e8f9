"""What Telnyx answers, as plain frozen data. Fields that no source promises are optional and read leniently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self


def text(value: object, limit: int = 255) -> str:
    """Return ``value`` as text of at most ``limit`` characters; what is no scalar becomes empty."""
    return str(value)[:limit] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def moment(value: object) -> datetime | None:
    """Return an ISO 8601 moment, aware; None for what is not one."""
    if not isinstance(value, str) or not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def texml_moment(value: object) -> datetime | None:
    """Return a moment of the TeXML resources: RFC 2822 (rest-api.md section 1), or ISO 8601 all the same."""
    if not isinstance(value, str) or not value:
        return None
    try:
        parsed = parsedate_to_datetime(value)
    except ValueError:
        return moment(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def whole(value: object) -> int | None:
    """Return a whole number of zero or more, also when it came as text; None for what is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(float(value))
    except (ValueError, OverflowError):
        return None
    return number if number >= 0 else None


@dataclass(frozen=True)
class LiveCall:
    """A leg that is up (``GET /connections/{id}/active_calls``). ``call_control_id`` is TeXML's CallSid."""

    call_sid: str
    leg_id: str
    session_id: str
    duration_s: int | None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            call_sid=text(data.get("call_control_id")),
            leg_id=text(data.get("call_leg_id")),
            session_id=text(data.get("call_session_id")),
            duration_s=whole(data.get("call_duration")),
        )


@dataclass(frozen=True)
class LegReport:
    """What Telnyx knows of one leg, from whichever of its two resources answered."""

    call_sid: str
    is_alive: bool
    #: False when Telnyx knows no such leg: probably over for long, perhaps only not readable at that address.
    is_known: bool = True
    #: TeXML's word (ringing, in-progress, completed, busy, no-answer, canceled, failed); empty from Call Control.
    status: str = ""
    leg_id: str = ""
    session_id: str = ""
    ended_at: datetime | None = None
    #: Seconds of talk; 0 for a leg that nobody answered; None where the resource does not say.
    duration_s: int | None = None


@dataclass(frozen=True)
class FoundCall:
    """A leg in a list of the TeXML resource."""

    call_sid: str
    status: str
    started_at: datetime | None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            call_sid=text(data.get("sid"), 160),
            status=text(data.get("status")),
            started_at=texml_moment(data.get("start_time")) or texml_moment(data.get("date_created")),
        )


@dataclass(frozen=True)
class Participant:
    """Somebody in a room."""

    call_sid: str
    label: str
    is_held: bool
    is_muted: bool

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            call_sid=text(data.get("call_sid"), 160),
            label=text(data.get("label")),
            is_held=data.get("hold") is True,
            is_muted=data.get("muted") is True,
        )


@dataclass(frozen=True)
class LegRecording:
    """A recording of a leg that may be running (``GET …/Calls/{sid}/Recordings.json``)."""

    sid: str
    #: in-progress, paused, completed, ….
    status: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(sid=text(data.get("sid"), 64), status=text(data.get("status"), 32))


@dataclass(frozen=True)
class RemoteRecording:
    """A recording as ``GET /recordings`` lists it. The links in ``urls`` live 10 minutes."""

    id: str
    call_sid: str
    leg_id: str
    session_id: str
    connection_id: str
    channels: str
    duration_ms: int | None
    status: str
    initiated_by: str
    created_at: datetime | None
    mp3_url: str
    wav_url: str
    from_: str = ""
    to: str = ""
    #: When the audio begins, where Telnyx says it.
    started_at: datetime | None = None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        urls = data.get("download_urls")
        urls = urls if isinstance(urls, Mapping) else {}
        return cls(
            id=text(data.get("id")),
            call_sid=text(data.get("call_control_id")),
            leg_id=text(data.get("call_leg_id")),
            session_id=text(data.get("call_session_id")),
            connection_id=text(data.get("connection_id")),
            channels=text(data.get("channels")),
            duration_ms=whole(data.get("duration_millis")),
            status=text(data.get("status")),
            initiated_by=text(data.get("initiated_by")),
            created_at=moment(data.get("created_at")),
            mp3_url=text(urls.get("mp3"), 4000),
            wav_url=text(urls.get("wav"), 4000),
            from_=text(data.get("from"), 64),
            to=text(data.get("to"), 64),
            started_at=moment(data.get("recording_started_at")),
        )

    @property
    def url(self) -> str:
        return self.mp3_url or self.wav_url


@dataclass(frozen=True)
class Credential:
    """A telephony credential. Its SIP password is left in the answer: nobody here needs it."""

    id: str
    sip_username: str
    #: The tag is not in the answer (SDK 4.189.0, TelephonyCredential): the name is what a credential is known by.
    name: str
    expired: bool

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            id=text(data.get("id")),
            sip_username=text(data.get("sip_username")),
            name=text(data.get("name")),
            expired=bool(data.get("expired")),
        )


@dataclass(frozen=True)
class RemoteNumber:
    """A number of the account, and what it is wired to."""

    id: str
    e164: str
    connection_id: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            id=text(data.get("id")), e164=text(data.get("phone_number")), connection_id=text(data.get("connection_id"))
        )
