"""Which numbers may be called. Pure: countries by the company's list, costly ones never, emergencies always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from curbe.lib.phone import NotANumber, describe, is_emergency, region_of, regions_of_code

_KEYS: Final = frozenset("0123456789*#")


class NotAllowed(ValueError):
    """The number may not be called; ``code`` says why: not_a_number, country, costly, itself."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def checked(written: str, *, our_number: str, countries: Sequence[str]) -> str:
    """Return what is to be dialled: E.164, or an emergency number as it is, which nothing blocks.

    A number without a plus is read as people in the country of ``our_number`` write it. ``countries`` are those that
    the company calls. Raises NotAllowed.
    """
    home = region_of(our_number)
    short = "".join(character for character in written if character in _KEYS)
    if is_emergency(short, home):
        return short
    try:
        number = describe(written, region=home or None)
    except NotANumber as err:
        raise NotAllowed("not_a_number") from err
    if number.e164 == our_number:
        raise NotAllowed("itself")
    if number.is_costly:
        raise NotAllowed("costly")
    # Numbers of no country (satellites, +882 …) are where toll fraud goes; one whose area nobody assigned (555 …)
    # counts as one of its code that the company calls.
    regions = (number.region,) if number.region else regions_of_code(number.country_code)
    if not any(region in countries for region in regions):
        raise NotAllowed("country")
    return number.e164
