"""Business hours: whether a place is open at a moment, why, and when that changes. Pure; IANA time zones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY: Final = 24 * 60


class Switch(StrEnum):
    """What a person decided by hand; it goes before every rule."""

    NONE = ""
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Interval:
    """Wall time in minutes of the day, the end exclusive; past 1440 it reaches into the next day (22:00–02:00)."""

    from_min: int
    until_min: int


@dataclass(frozen=True, slots=True)
class SpecialDate:
    """One date on which other hours hold; none means closed. Without a year it comes back every year."""

    month: int
    day: int
    intervals: tuple[Interval, ...] = ()
    year: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    id: int
    name: str
    #: IANA name.
    timezone: str
    #: Monday first, seven of them.
    weekly: tuple[tuple[Interval, ...], ...]
    special: tuple[SpecialDate, ...] = ()
    switch: Switch = Switch.NONE


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a calendar is open at a moment. ``why`` is ``switch``, ``special`` or ``weekly``."""

    is_open: bool
    why: str
    #: The name of the special date, if it was one that has a name.
    name: str = ""


def standing(calendar: Calendar, at: datetime) -> Standing:
    """Return how the calendar stands at an aware moment: the switch before special dates before the week.

    What reaches over midnight belongs to the day on which it began. Wall time counts, also on the days on which the
    clocks change.
    """
    if calendar.switch is not Switch.NONE:
        return Standing(calendar.switch is Switch.OPEN, "switch")
    local = at.astimezone(zone(calendar.timezone))
    minute = local.hour * 60 + local.minute
    today, why, name = hours_of(calendar, local.date())
    if any(one.from_min <= minute < one.until_min for one in today):
        return Standing(True, why, name)
    before, why_before, name_before = hours_of(calendar, local.date() - timedelta(days=1))
    if any(one.from_min <= minute + MINUTES_OF_A_DAY < one.until_min for one in before):
        return Standing(True, why_before, name_before)
    return Standing(False, why, name)


def hours_of(calendar: Calendar, date: date) -> tuple[tuple[Interval, ...], str, str]:
    """Return the intervals that begin on a date, why, and the special date's name. A dated one beats a yearly one."""
    matching = [one for one in calendar.special if (one.month, one.day) == (date.month, date.day)]
    for special in sorted(matching, key=lambda one: one.year is None):
        if special.year in {None, date.year}:
            return special.intervals, "special", special.name
    return calendar.weekly[date.weekday()], "weekly", ""


def zone(name: str) -> ZoneInfo:
    """Return the time zone; UTC for a name that nobody knows, so that a bad row stops no call."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
