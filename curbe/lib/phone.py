"""Telephone numbers: what counts as one, and how a person reads it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers

#: ITU-T E.164: a plus, no leading zero, fifteen digits at the most; fewer than seven is nobody's number.
E164: Final = re.compile(r"^\+[1-9][0-9]{6,14}$")


class NotANumber(ValueError):
    """The text is not a telephone number that can be written as E.164."""


def is_e164(text: str) -> bool:
    return E164.fullmatch(text) is not None


def to_e164(text: str, *, region: str | None = None) -> str:
    """Return ``text`` as E.164 (``+13055550100``).

    ``region`` (ISO 3166 alpha-2) is where a number without a plus is dialled from. Raises NotANumber.
    """
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as err:
        raise NotANumber(f"{text!r} is not a telephone number") from err
    formatted = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not is_e164(formatted):
        raise NotANumber(f"{text!r} is not a telephone number")
    return formatted


@dataclass(frozen=True, slots=True)
class Described:
    """A number as it may be dialled, with what it is. ``region`` (ISO 3166 alpha-2) is empty for one of no country."""

    e164: str
    country_code: int
    region: str
    #: Premium-rate and shared-cost numbers: they cost whoever calls them more than a call.
    is_costly: bool


_COSTLY: Final = frozenset({phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST})


def describe(text: str, *, region: str | None = None) -> Described:
    """Return what a number is, read as people of ``region`` write it. Raises NotANumber, also for an impossible one."""
    e164 = to_e164(text, region=region)
    parsed = phonenumbers.parse(e164, None)
    if not phonenumbers.is_possible_number(parsed):
        raise NotANumber(f"{text!r} is not a telephone number")
    return Described(
        e164,
        parsed.country_code or 0,
        phonenumbers.region_code_for_number(parsed) or "",
        phonenumbers.number_type(parsed) in _COSTLY,
    )


def region_of(e164: str) -> str:
    """Return the country of a number; of one whose area nobody assigned the first of its code (+1: US). Empty: none."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return ""
    main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return phonenumbers.region_code_for_number(parsed) or ("" if main in {"ZZ", "001"} else main)


def regions_of_code(country_code: int) -> tuple[str, ...]:
    """Return the countries that share a country code (1: US, CA, …)."""
    return tuple(phonenumbers.region_codes_for_country_code(country_code))


def is_emergency(digits: str, region: str) -> bool:
    """Say whether these digits reach the emergency services of a country."""
    return bool(region) and bool(digits) and phonenumbers.is_emergency_number(digits, region)


def for_people(e164: str) -> str:
    """Return the number as people write it (``+1 305-555-0100``); what is not a number comes back as it is."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
