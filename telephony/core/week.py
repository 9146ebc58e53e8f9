"""Business hours as people write them: ``mon-fri``, ``09:00-18:00``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCKS: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", re.ASCII)


class NotHours(ValueError):
    """The text is neither days nor hours. The text of the error completes "… ", in English."""


def days_of(text: str) -> tuple[str, ...]:
    """Return the days of ``mon`` or ``mon-fri``; ``sat-mon`` goes over the week's end. Raises NotHours."""
    first, dash, last = text.strip().lower().partition("-")
    last = last if dash else first
    if first not in DAYS or last not in DAYS:
        raise NotHours(f"must be a day such as {DAYS[0]}, or days such as mon-fri, not {text}")
    start, length = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7 + 1
    return tuple(DAYS[(start + step) % 7] for step in range(length))


def interval_of(text: str) -> str:
    """Return hours as they are stored: ``9:00 – 18:00`` is ``09:00-18:00``. Raises NotHours."""
    found = _CLOCKS.fullmatch(text.strip())
    if found:
        from_hour, from_minute, until_hour, until_minute = map(int, found.groups())
        starts = from_hour < 24 and from_minute < 60
        ends = (until_hour < 24 and until_minute < 60) or (until_hour, until_minute) == (24, 0)
        if starts and ends:
            return f"{from_hour:02}:{from_minute:02}-{until_hour:02}:{until_minute:02}"
    raise NotHours(f"must be hours such as 09:00-18:00, not {text}")


def open_days(weekly: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the days on which there are hours, Monday first."""
    return {day: hours for day in DAYS if (hours := list(weekly.get(day, ())))}


def as_ranges(weekly: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the week with neighbouring days of the same hours together: ``{"mon-fri": ["09:00-18:00"]}``."""
    runs: list[tuple[list[str], list[str]]] = []
    for day in DAYS:
        hours = list(weekly.get(day, ()))
        if runs and runs[-1][1] == hours:
            runs[-1][0].append(day)
        else:
            runs.append(([day], hours))
    return {days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}": hours for days, hours in runs if hours}
