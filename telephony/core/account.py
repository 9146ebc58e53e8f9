"""What Curbe wants of a Telnyx account, as plain data, and where a row that is there differs from it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

#: What our rows are called in the account; found by this name before one is made.
NAME: Final = "Curbe Voice"


class Part(StrEnum):
    """The three rows of a set, by the collection in which they stand. In the order in which they are made."""

    PROFILE = "outbound_voice_profiles"
    APPLICATION = "texml_applications"
    CONNECTION = "credential_connections"


#: Under which field each collection keeps its name.
NAME_FIELDS: Final = {
    Part.PROFILE: "name",
    Part.APPLICATION: "friendly_name",
    Part.CONNECTION: "connection_name",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What calls out may do. Empty: that field is left as somebody set it in the portal."""

    #: Countries, ISO 3166 alpha-2.
    destinations: tuple[str, ...] = ()
    daily_spend_usd: Decimal | None = None
    concurrent_calls: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not as wanted; ``field`` is dotted where it stands inside another."""

    field: str
    found: str
    wanted: str


def name_of(company: str = "") -> str:
    """Return what the rows of a company's own set are called (by its public id), or those of the platform's."""
    return f"{NAME} {company}" if company else NAME


def profile(company: str, limits: Limits) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": name_of(company),
        "enabled": True,
        # The net below TeXML's own recordings: whatever leg to a number they miss is kept all the same.
        "call_recording": {
            "call_recording_type": "all",
            "call_recording_channels": "dual",
            "call_recording_format": "mp3",
        },
    }
    if limits.destinations:
        wanted["whitelisted_destinations"] = list(limits.destinations)
    if limits.daily_spend_usd is not None:
        wanted["daily_spend_limit_enabled"] = True
        wanted["daily_spend_limit"] = f"{limits.daily_spend_usd:.2f}"
    if limits.concurrent_calls is not None:
        wanted["concurrent_call_limit"] = limits.concurrent_calls
    return wanted


def application(company: str, *, origin: str, profile_id: str) -> dict[str, Any]:
    voice_url = address(origin, "voice" if company else "inbound", company)
    return {
        "friendly_name": name_of(company),
        "active": True,
        "voice_url": voice_url,
        # The same address again: a request that failed once is asked once more, and the same step gets the same bytes.
        "voice_fallback_url": voice_url,
        # Sources disagree on the default method, and only a POST has a body to sign: never left to a default.
        "voice_method": "post",
        "status_callback": address(origin, "status", company),
        "status_callback_method": "post",
        "outbound": {"outbound_voice_profile_id": profile_id},
    }


def connection(company: str, *, origin: str, profile_id: str) -> dict[str, Any]:
    return {
        "connection_name": name_of(company),
        "active": True,
        # Off by default; without it <Sip> cannot ring our own credentials (texml.md section 1).
        "sip_uri_calling_preference": "internal",
        # webhook_api_version texml is accepted only together with call_parking_enabled, in the same request.
        "webhook_api_version": "texml",
        "webhook_event_url": address(origin, "outbound", company),
        # One phone per agent: the last browser to register has it.
        "inbound": {"simultaneous_ringing": "disabled"},
        "outbound": {"outbound_voice_profile_id": profile_id, "call_parking_enabled": True},
    }


def address(origin: str, what: str, company: str = "") -> str:
    """Return an address of the contract (section 3) that Telnyx is to call."""
    return f"{origin}/webhooks/telnyx/{what}" + (f"/{company}" if company else "")


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any], under: str = "") -> Iterator[Difference]:
    """Yield the fields that we care about and that are not as wanted. What we did not ask for is not ours to judge."""
    for name, value in wanted.items():
        there = found.get(name)
        if isinstance(value, Mapping):
            yield from differences(value, there if isinstance(there, Mapping) else {}, f"{under}{name}.")
        elif not _alike(value, there):
            yield Difference(f"{under}{name}", spoken(there), spoken(value))


def _alike(wanted: object, found: object) -> bool:
    if isinstance(wanted, list):
        # The lists that we write (countries) are sets.
        return isinstance(found, Sequence) and not isinstance(found, str) and set(wanted) == set(found)
    if isinstance(wanted, str) and not isinstance(found, bool | None):
        return wanted == str(found) or _is_same_amount(wanted, str(found))
    return wanted == found


def _is_same_amount(wanted: str, found: str) -> bool:
    """Say whether both are the same amount of money: "50.00" is "50.0"."""
    try:
        return Decimal(wanted) == Decimal(found)
    except InvalidOperation:
        return False


def spoken(value: object) -> str:
    """Return a value of Telnyx's as a person reads it; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return ", ".join(sorted(map(str, value)))
    return str(value)
