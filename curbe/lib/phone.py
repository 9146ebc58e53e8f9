"""Telephone numbers: what counts as one, and how a person reads it. Pure."""

from __future__ import annotations

import re
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


def for_people(e164: str) -> str:
    """Return the number as people write it (``+1 305-555-0100``); what is not a number comes back as it is."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
