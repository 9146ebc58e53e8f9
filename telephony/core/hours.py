"""Business hours: whether a place is open at a moment, why, and when that changes. Pure; IANA time zones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY: Final = 24 * 60
#: How far ahead people ask when a place opens or closes.
HORIZON: Final = timedelta(days=14)

#: A date that comes back every year may be 29 February.
_A_LEAP_YEAR: Final = 2000
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


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


@dataclass(frozen=True, slots=True)
class Change:
    """The moment (UTC) at which a calendar opens or closes."""

    at: datetime
    opens: bool


class Fault(StrEnum):
    """What can be the matter with a calendar."""

    OVERLAP = "overlap"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    OUTSIDE_THE_DAY = "outside_the_day"
    NO_SUCH_DATE = "no_such_date"
    DATE_TWICE = "date_twice"
    UNKNOWN_ZONE = "unknown_zone"
    # The rest is allowed, but people should know of it.
    SWITCHED = "switched"
    NEVER_OPEN = "never_open"


WARNINGS: Final = frozenset({Fault.SWITCHED, Fault.NEVER_OPEN})


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, and where it is: a weekday (Monday is 0), or the index of a special date, or neither."""

    fault: Fault
    weekday: int | None = None
    special: int | None = None
    intervals: tuple[Interval, ...] = ()

    @property
    def is_warning(self) -> bool:
        return self.fault in WARNINGS


def standing(calendar: Calendar, at: datetime) -> Standing:
    """Return how the calendar stands at an aware moment: the switch before special dates before the week.

    What reaches over midnight belongs to the day on which it began. Wall time counts, also on the days on which the
    clocks change: an hour that is skipped is never open, one that comes twice is open twice.
    """
    if calendar.switch is not Switch.NONE:
        return Standing(calendar.switch is Switch.OPEN, "switch")
    local = at.astimezone(zone(calendar.timezone))
    minute = local.hour * 60 + local.minute
    today, why, name = hours_of(calendar, local.date())
    if any(one.from_min <= minute < one.until_min for one in today):
        return Standing(True, why, name)
    before, why_before, name_before = hours_of(calendar, local.date() - _DAY)
    if any(one.from_min <= minute + MINUTES_OF_A_DAY < one.until_min for one in before):
        return Standing(True, why_before, name_before)
    return Standing(False, why, name)


def next_change(calendar: Calendar, at: datetime, within: timedelta = HORIZON) -> Change | None:
    """Return when the calendar next opens or closes after an aware moment; None if it does neither ``within``."""
    if calendar.switch is not Switch.NONE:
        return None
    is_open = standing(calendar, at).is_open
    for moment in _moments(calendar, at.astimezone(UTC), at.astimezone(UTC) + within):
        if standing(calendar, moment).is_open is not is_open:
            return Change(moment, opens=not is_open)
    return None


def _moments(calendar: Calendar, after: datetime, until: datetime) -> list[datetime]:
    """Return every moment at which the calendar could change, in order: edges of its hours, and changes of the clocks.

    An edge in an hour that comes twice is two moments. One in an hour that is skipped is none, whatever it is taken
    for here: who asks looks at how the calendar stands at each.
    """
    here = zone(calendar.timezone)
    found = set(_clock_changes(here, after, until))
    # What began on the day before may end on the first.
    day, last = after.astimezone(here).date() - _DAY, until.astimezone(here).date()
    while day <= last:
        midnight = datetime.combine(day, time())
        intervals, _why, _name = hours_of(calendar, day)
        for minute in {minute for one in intervals for minute in (one.from_min, one.until_min)}:
            wall = (midnight + timedelta(minutes=minute)).replace(tzinfo=here)
            found |= {wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        day += _DAY
    return sorted(moment for moment in found if after < moment <= until)


def _clock_changes(here: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the seconds at which the clocks change, looking day by day: no zone changes them back within one."""
    first = after.replace(microsecond=0)
    while first < until:
        last = first + _DAY
        if _offset(here, first) != _offset(here, last):
            yield _first_with_the_offset_of(here, first, last)
        first = last


def _first_with_the_offset_of(here: ZoneInfo, before: datetime, after: datetime) -> datetime:
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(here, middle) == _offset(here, before):
            before = middle
        else:
            after = middle
    return after


def _offset(here: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(here).utcoffset()


def hours_of(calendar: Calendar, day: date) -> tuple[tuple[Interval, ...], str, str]:
    """Return the intervals that begin on a date, why, and the special date's name. A dated one beats a yearly one."""
    yearly = None
    for special in calendar.special:
        if special.day != day.day or special.month != day.month:
            continue
        if special.year == day.year:
            return special.intervals, "special", special.name
        if special.year is None:
            yearly = yearly or special
    if yearly is not None:
        return yearly.intervals, "special", yearly.name
    return calendar.weekly[day.weekday()], "weekly", ""


def problems(calendar: Calendar) -> tuple[Problem, ...]:
    """Return what is the matter with a calendar, week before special dates, errors before warnings."""
    found: list[Problem] = []
    for weekday, intervals in enumerate(calendar.weekly):
        found += [Problem(fault, weekday=weekday, intervals=(one,)) for one, fault in _impossible(intervals)]
    found += [Problem(Fault.OVERLAP, weekday=weekday, intervals=pair) for weekday, pair in overlaps(calendar.weekly)]
    seen: set[tuple[int, int, int | None]] = set()
    for index, special in enumerate(calendar.special):
        key = (special.month, special.day, special.year)
        if not _is_a_date(special):
            found.append(Problem(Fault.NO_SUCH_DATE, special=index))
        elif key in seen:
            found.append(Problem(Fault.DATE_TWICE, special=index))
        seen.add(key)
        found += [Problem(fault, special=index, intervals=(one,)) for one, fault in _impossible(special.intervals)]
        found += [Problem(Fault.OVERLAP, special=index, intervals=pair) for pair in _overlaps_within(special.intervals)]
    if not is_zone(calendar.timezone):
        found.append(Problem(Fault.UNKNOWN_ZONE))
    if calendar.switch is not Switch.NONE:
        found.append(Problem(Fault.SWITCHED))
    if not any(calendar.weekly) and not any(one.intervals for one in calendar.special):
        found.append(Problem(Fault.NEVER_OPEN))
    return tuple(found)


def _impossible(intervals: Sequence[Interval]) -> Iterator[tuple[Interval, Fault]]:
    for one in intervals:
        if one.until_min <= one.from_min:
            yield one, Fault.ENDS_BEFORE_IT_BEGINS
        elif not 0 <= one.from_min < MINUTES_OF_A_DAY or one.until_min > one.from_min + MINUTES_OF_A_DAY:
            yield one, Fault.OUTSIDE_THE_DAY


def _is_a_date(special: SpecialDate) -> bool:
    try:
        date(special.year or _A_LEAP_YEAR, special.month, special.day)
    except ValueError:
        return False
    return True


def overlaps(weekly: Sequence[Sequence[Interval]]) -> list[tuple[int, tuple[Interval, Interval]]]:
    """Return each pair that overlaps, with the weekday of the second: within a day, or over midnight into it."""
    found: list[tuple[int, tuple[Interval, Interval]]] = []
    for weekday, intervals in enumerate(weekly):
        # Before Monday comes Sunday.
        reaching = [one for one in weekly[weekday - 1] if one.until_min > MINUTES_OF_A_DAY]
        found += [
            (weekday, (late, one))
            for late in reaching
            for one in intervals
            if one.from_min < late.until_min - MINUTES_OF_A_DAY
        ]
        found += [(weekday, pair) for pair in _overlaps_within(intervals)]
    return found


def _overlaps_within(intervals: Sequence[Interval]) -> Iterator[tuple[Interval, Interval]]:
    """Yield each interval that begins before one with an earlier begin has ended, behind that one."""
    in_order = sorted(intervals, key=lambda one: (one.from_min, one.until_min))
    if not in_order:
        return
    longest = in_order[0]
    for one in in_order[1:]:
        if one.from_min < longest.until_min:
            yield longest, one
        longest = max(longest, one, key=lambda either: either.until_min)


def zone(name: str) -> ZoneInfo:
    """Return the time zone; UTC for a name that nobody knows, so that a bad row stops no call."""
    return _zone_or_none(name) or ZoneInfo("UTC")


def is_zone(name: str) -> bool:
    return _zone_or_none(name) is not None


def _zone_or_none(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
