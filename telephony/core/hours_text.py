"""Business hours as people write them, ``mon-fri: ["09:00-18:00"]``: read, checked, and written back. Pure.

What is kept has one form only: ``{"mon": ["09:00-14:00", "16:00-24:00"], …}``, days and hours in their order, a closed
day left out. What the company file says is shorter (``format_weekly``), and reads back as the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from telephony.core.hours import MINUTES_OF_A_DAY, Interval, overlaps

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: More in one day is a slip of the pen.
MAX_INTERVALS: Final = 12

#: Where in what was given something is wrong: keys and indexes, outermost first.
Path = tuple[str | int, ...]


class Fault(StrEnum):
    NO_TABLE = "no_table"
    NO_DAY = "no_day"
    DAY_TWICE = "day_twice"
    NO_LIST = "no_list"
    NO_HOURS = "no_hours"
    NO_LENGTH = "no_length"
    OVERLAP = "overlap"
    TOO_MANY = "too_many"


_REASONS: Final = {
    Fault.NO_TABLE: 'must be days with their hours, such as {{mon-fri: ["09:00-18:00"]}}',
    Fault.NO_DAY: "must be a day such as mon, or days such as mon-fri, not {value}",
    Fault.DAY_TWICE: "says {value} twice",
    Fault.NO_LIST: 'must be a list of hours, such as ["09:00-18:00"]',
    Fault.NO_HOURS: "must be hours such as 09:00-18:00, not {value}",
    Fault.NO_LENGTH: "must not end when it begins ({value}); a whole day is 00:00-24:00",
    Fault.OVERLAP: "has {value}, which overlaps {other}",
    Fault.TOO_MANY: f"must have at most {MAX_INTERVALS} intervals",
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that cannot be read, and where it stands."""

    path: Path
    fault: Fault
    value: str = ""
    other: str = ""

    @property
    def field(self) -> str:
        """``mon-fri[0]``."""
        return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in self.path).lstrip(".")

    @property
    def reason(self) -> str:
        return _REASONS[self.fault].format(value=self.value, other=self.other)

    def __str__(self) -> str:
        return f"{self.field} {self.reason}".strip()


class WrongHours(ValueError):
    """What was written are no hours. ``wrong`` has every reason, in the order of the text."""

    def __init__(self, wrong: Iterable[Wrong]) -> None:
        self.wrong = tuple(wrong)
        super().__init__("; ".join(map(str, self.wrong)))


# --- The week -----------------------------------------------------------------------------------------------------


def parse_weekly(data: object) -> dict[str, list[str]]:
    """Return a week in the one form. Keys are days or ranges (``mon``, ``mon-fri``, ``sat-mon``); values are lists.

    Raises WrongHours, whose paths are a key, or a key and the index of the hours in its list.
    """
    if not isinstance(data, Mapping):
        raise WrongHours([Wrong((), Fault.NO_TABLE)])
    wrong: list[Wrong] = []
    week: dict[str, list[str]] = {}
    named_by: dict[str, str] = {}
    for key, value in data.items():
        days = days_of(key) if isinstance(key, str) else ()
        if not days:
            wrong.append(Wrong((str(key),), Fault.NO_DAY, str(key)))
        texts = _parse_list(value, (str(key),), wrong)
        for day in days:
            if day in named_by:
                wrong.append(Wrong((str(key),), Fault.DAY_TWICE, day))
                continue
            named_by[day] = str(key)
            week[day] = texts
    if not wrong:
        # Over midnight; within a day each list has been looked at.
        for weekday, (first, second) in overlaps([intervals_of(week.get(day, ())) for day in DAYS]):
            wrong.append(Wrong((named_by[DAYS[weekday]],), Fault.OVERLAP, text_of(second), text_of(first)))
    if wrong:
        raise WrongHours(wrong)
    return {day: list(week[day]) for day in DAYS if week.get(day)}


def format_weekly(weekly: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return a week as short as it can be said: neighbours with the same hours as one range, closed days not at all."""
    runs = groupby(DAYS, key=lambda day: tuple(weekly.get(day, ())))
    return {_range(tuple(days)): list(texts) for texts, days in runs if texts}


def _range(days: tuple[str, ...]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"


def days_of(key: str) -> tuple[str, ...]:
    """Return the days of ``mon``, ``mon-fri`` or ``sat-mon``, in the order of the range; none for anything else."""
    first, dash, last = (part.strip() for part in key.lower().partition("-"))
    if first not in DAYS or (dash and last not in DAYS):
        return ()
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return tuple(DAYS[number % 7] for number in range(begin, end + 1 if end >= begin else end + 8))


# --- The hours of a day -------------------------------------------------------------------------------------------

#: 9, 9:00, 09.00, 09:00, 24:00.
_CLOCK: Final = r"([0-9]{1,2})(?:[:.]([0-9]{2}))?"
_HOURS: Final = re.compile(rf"\s*{_CLOCK}\s*[-\u2013\u2014]\s*{_CLOCK}\s*")


def parse_hours(data: object) -> list[str]:
    """Return a list of hours in the one form, in their order. Raises WrongHours; its paths are an index, or empty."""
    wrong: list[Wrong] = []
    texts = _parse_list(data, (), wrong)
    if wrong:
        raise WrongHours(wrong)
    return texts


def _parse_list(data: object, path: Path, wrong: list[Wrong]) -> list[str]:
    """Return the hours in their order; add to ``wrong`` what cannot be read. Nothing at all is closed."""
    if data is None:
        return []
    texts = [data] if isinstance(data, str) else data
    if not isinstance(texts, Sequence) or isinstance(texts, bytes):
        wrong.append(Wrong(path, Fault.NO_LIST))
        return []
    if len(texts) > MAX_INTERVALS:
        wrong.append(Wrong(path, Fault.TOO_MANY))
        return []
    at_first = len(wrong)
    read: list[tuple[Interval, int]] = []
    for index, text in enumerate(texts):
        one = parse_interval(text) if isinstance(text, str) else Fault.NO_HOURS
        if isinstance(one, Interval):
            read.append((one, index))
        else:
            wrong.append(Wrong((*path, index), one, str(text)))
    read.sort(key=lambda pair: (pair[0].from_min, pair[0].until_min))
    for (before, _index), (one, index) in zip(read, read[1:], strict=False):
        if len(wrong) == at_first and one.from_min < before.until_min:
            wrong.append(Wrong((*path, index), Fault.OVERLAP, text_of(one), text_of(before)))
    return [text_of(one) for one, _index in read]


def parse_interval(text: str) -> Interval | Fault:
    """Return ``09:00-18:00`` as minutes, or why not. An end before the begin is on the next day; 00:00 ends a day."""
    match = _HOURS.fullmatch(text)
    if match is None:
        return Fault.NO_HOURS
    begin, end = _minutes(match[1], match[2]), _minutes(match[3], match[4])
    if begin is None or end is None or begin == MINUTES_OF_A_DAY:
        return Fault.NO_HOURS
    end = end or MINUTES_OF_A_DAY
    if begin == end:
        return Fault.NO_LENGTH
    return Interval(begin, end if end > begin else end + MINUTES_OF_A_DAY)


def _minutes(hour: str, minute: str | None) -> int | None:
    minutes = int(hour) * 60 + int(minute or 0)
    return minutes if int(minute or 0) < 60 and minutes <= MINUTES_OF_A_DAY else None


def intervals_of(texts: Iterable[str]) -> tuple[Interval, ...]:
    """Return texts in the one form as minutes. Raises WrongHours for a text in none."""
    intervals = []
    for index, text in enumerate(texts):
        one = parse_interval(text)
        if not isinstance(one, Interval):
            raise WrongHours([Wrong((index,), one, text)])
        intervals.append(one)
    return tuple(intervals)


def text_of(interval: Interval) -> str:
    """Return the interval in the one form: 22:00-02:00 past midnight, 24:00 at it."""
    end = interval.until_min
    return f"{_clock(interval.from_min)}-{_clock(end if end <= MINUTES_OF_A_DAY else end - MINUTES_OF_A_DAY)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
