"""Identifiers that sort by time."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime


def uuid7() -> uuid.UUID:
    """Return a UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, 12 bits of their fraction, 62 random bits.

    Rows keyed by it land at the right-hand end of their index, which keeps growing tables quick to write. The fraction
    (a quarter of a microsecond, section 6.2 method 3) keeps the order of what happens within one millisecond.
    """
    (made,) = uuid7s(1)
    return made


def uuid7s(count: int) -> list[uuid.UUID]:
    """Return so many of one moment, ascending, for one request to the system for random bits.

    Each such request lets go of the GIL, and who waits for it is served first.
    """
    unix_ms, rest_ns = divmod(time.time_ns(), 1_000_000)
    moment = (unix_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (rest_ns * 4096 // 1_000_000) << 64 | 0b10 << 62
    drawn = os.urandom(8 * count)
    bits = sorted(int.from_bytes(drawn[at : at + 8], "big") & 0x3FFF_FFFF_FFFF_FFFF for at in range(0, 8 * count, 8))
    return [uuid.UUID(int=moment | one) for one in bits]


def first_id_at(moment: datetime) -> uuid.UUID:
    """Return the smallest key of that moment: a bound for reading only the newer end of a growing table.

    Moments before 1970 are bounded by the first key, those past the last 48-bit millisecond by the last one's.
    """
    unix_ms = max(0, min(int(moment.timestamp() * 1000), 2**48 - 1))
    return uuid.UUID(int=unix_ms << 80)
