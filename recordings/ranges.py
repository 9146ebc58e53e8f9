"""Which part of a file a ``Range`` header asks for (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)


class Unsatisfiable(ValueError):
    """The part that was asked for is not there: 416."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``first`` to ``last``, both inclusive."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def part_of(header: str, size_bytes: int) -> Part | None:
    """Return the part that is asked for; None for the whole file. Raises Unsatisfiable.

    Several parts at once, other units and what cannot be read count as no ``Range`` at all, which the RFC allows.
    """
    match = _ONE_RANGE.fullmatch(header)
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size_bytes)
        if length == 0:
            raise Unsatisfiable
        return Part(size_bytes - length, size_bytes - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        raise Unsatisfiable
    return Part(int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1)
