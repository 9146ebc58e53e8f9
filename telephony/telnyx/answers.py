"""What Telnyx answers, as plain frozen data. Fields that no source promises are optional and read leniently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Self


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


def money(value: object) -> Decimal | None:
    """Return an amount (``"1.00000"``); None for what is not one, or could not be kept."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 100_000 else None


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
    #: The credential connection that it registers with.
    connection_id: str = ""
    #: Of the account: what callbacks call AccountSid.
    account_sid: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            id=text(data.get("id")),
            sip_username=text(data.get("sip_username")),
            name=text(data.get("name")),
            expired=bool(data.get("expired")),
            connection_id=text(data.get("resource_id")).removeprefix("connection:"),
            account_sid=text(data.get("user_id")),
        )


@dataclass(frozen=True)
class RemoteNumber:
    """A number of the account, and what it is wired to."""

    id: str
    e164: str
    connection_id: str
    connection_name: str = ""
    #: active, purchase-pending, port-pending, …
    status: str = ""
    #: Of the order that bought it.
    customer_reference: str = ""

    #: Statuses of numbers that the account has no more, or never got; Telnyx lists them all the same.
    GONE: ClassVar = frozenset({"deleted", "purchase-failed", "port-failed", "ported-out"})

    @property
    def is_gone(self) -> bool:
        return self.status in self.GONE

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            id=text(data.get("id")),
            e164=text(data.get("phone_number")),
            connection_id=text(data.get("connection_id")),
            connection_name=text(data.get("connection_name"), 120),
            status=text(data.get("status"), 32),
            customer_reference=text(data.get("customer_reference"), 64),
        )


# --- Numbers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AvailableNumber:
    """A number that can be bought (``GET /available_phone_numbers``)."""

    e164: str
    monthly_cost: Decimal | None
    upfront_cost: Decimal | None
    currency: str
    #: The city, else the state; empty for a number of no place.
    place: str
    features: tuple[str, ...]
    #: Not quite what was asked for: Telnyx's best guess.
    best_effort: bool

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        cost = data.get("cost_information")
        cost = cost if isinstance(cost, Mapping) else {}
        return cls(
            e164=text(data.get("phone_number"), 16),
            monthly_cost=money(cost.get("monthly_cost")),
            upfront_cost=money(cost.get("upfront_cost")),
            currency=text(cost.get("currency"), 3),
            place=_place(data.get("region_information")),
            features=tuple(text(one.get("name"), 40) for one in _mappings(data.get("features"))),
            best_effort=data.get("best_effort") is True,
        )


def _place(regions: object) -> str:
    """Return ``Miami, FL`` of the regions that Telnyx lists."""
    named = {text(one.get("region_type")): text(one.get("region_name"), 80) for one in _mappings(regions)}
    city = (named.get("location") or named.get("rate_center") or "").title()
    return ", ".join(part for part in (city, named.get("state", "")) if part)


@dataclass(frozen=True)
class RemoteOrder:
    """A number order as Telnyx has it."""

    id: str
    #: pending, success, failure; the guides also know cancelled and deleted.
    status: str
    customer_reference: str
    connection_id: str
    #: False: Telnyx waits for documents or data.
    requirements_met: bool
    #: Of each number in it: (E.164, pending | success | failure, the word for its requirements).
    numbers: tuple[tuple[str, str, str], ...]
    #: The ids of its sub-orders, by which it is cancelled.
    parts: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        lines = tuple(_mappings(data.get("phone_numbers")))
        unmet = [line for line in lines if line.get("requirements_met") is False]
        return cls(
            id=text(data.get("id"), 64),
            status=text(data.get("status"), 40),
            customer_reference=text(data.get("customer_reference")),
            connection_id=text(data.get("connection_id"), 32),
            requirements_met=data.get("requirements_met") is not False and not unmet,
            numbers=tuple(
                (text(one.get("phone_number"), 16), text(one.get("status")), text(one.get("requirements_status")))
                for one in lines
            ),
            parts=_texts(data.get("sub_number_orders_ids")),
        )

    def status_of(self, e164: str) -> str:
        """Return how one number of the order stands: its own word, else the order's."""
        return next((status for number, status, _ in self.numbers if number == e164 and status), self.status)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text(one, 64) for one in value if text(one, 64)) if isinstance(value, list) else ()


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


@dataclass(frozen=True)
class Balance:
    """What is left to spend; None where Telnyx does not say."""

    available: Decimal | None
    currency: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        try:
            available = Decimal(text(data.get("available_credit")) or text(data.get("balance")))
        except InvalidOperation:
            available = None
        return cls(available, text(data.get("currency"), 8))
