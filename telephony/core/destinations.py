"""Which numbers may be called. Pure: E.164 by phonenumbers, countries by the company's list, emergencies always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import phonenumbers

from curbe.lib.phone import is_e164

#: Kinds of numbers that cost whoever calls them more than a call: nobody reaches a customer there.
_COSTLY: Final = frozenset({phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST})
_KEYS: Final = frozenset("0123456789*#")


class NotAllowed(ValueError):
    """The number may not be called; ``code`` says why: not_a_number, country, costly, itself."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def is_emergency(number: str, our_number: str) -> bool:
    """Say whether these digits reach the emergency services where ``our_number`` belongs."""
    region = region_of(our_number)
    return bool(region) and bool(number) and phonenumbers.is_emergency_number(number, region)


def region_of(e164: str) -> str:
    """Return the country (ISO 3166 alpha-2) of a number; empty if it has none."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return ""
    # Of a number whose area nobody assigned: the first country of its code (+1: US).
    main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return phonenumbers.region_code_for_number(parsed) or ("" if main in {"ZZ", "001"} else main)


def checked(written: str, *, our_number: str, countries: Sequence[str]) -> str:
    """Return what is to be dialled: E.164, or an emergency number as it is, which nothing blocks.

    A number without a plus is read as people in the country of ``our_number`` write it. ``countries`` are those that
    the company calls. Raises NotAllowed.
    """
    short = "".join(character for character in written if character in _KEYS)
    if short and is_emergency(short, our_number):
        return short
    try:
        parsed = phonenumbers.parse(written, region_of(our_number) or None)
    except phonenumbers.NumberParseException as err:
        raise NotAllowed("not_a_number") from err
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(parsed) or not is_e164(e164):
        raise NotAllowed("not_a_number")
    if e164 == our_number:
        raise NotAllowed("itself")
    if phonenumbers.number_type(parsed) in _COSTLY:
        raise NotAllowed("costly")
    # Numbers of no country (satellites, +882 …) are where toll fraud goes.
    region = phonenumbers.region_code_for_number(parsed) or _region_by_code(parsed.country_code or 0, countries)
    if region not in countries:
        raise NotAllowed("country")
    return e164


def _region_by_code(country_code: int, countries: Sequence[str]) -> str:
    """Return the country of a number whose area nobody assigned (555 …): one of its code that the company calls."""
    regions = phonenumbers.region_codes_for_country_code(country_code)
    return next((region for region in regions if region in countries), "")
