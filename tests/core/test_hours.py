"""Business hours: how they stand at a moment, and when that changes. Cases first, then what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from telephony.core.hours import (
    Calendar,
    Change,
    Fault,
    Interval,
    Problem,
    SpecialDate,
    Standing,
    Switch,
    is_zone,
    next_change,
    overlaps,
    problems,
    standing,
)
from telephony.core.hours_text import DAYS, intervals_of

NEW_YORK, MADRID = "America/New_York", "Europe/Madrid"


def calendar(zone: str = NEW_YORK, *, special: tuple[SpecialDate, ...] = (), switch: str = "", **week: str) -> Calendar:
    """Return a calendar; ``mon="09:00-14:00 16:00-19:00"``, ``daily="…"`` for every day that is not named."""
    daily = week.pop("daily", "")
    weekly = tuple(intervals_of(week.get(day, daily).split()) for day in DAYS)
    return Calendar(1, "oficina", zone, weekly, special, Switch(switch))


def special(date: str, hours: str = "", name: str = "") -> SpecialDate:
    """Return a special date; ``12-25`` comes back every year."""
    *year, month, day = map(int, date.split("-"))
    return SpecialDate(month, day, intervals_of(hours.split()), year[0] if year else None, name)


def wall(zone: str, text: str, *, second_time: bool = False) -> datetime:
    """Return the moment at which the clocks there show this; the second time in an hour that comes twice."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=int(second_time))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = calendar(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-14:00 16:00-19:00"))  # type: ignore[arg-type]


# 2026-11-20 is a Friday.
@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-20 08:59:59.999999", False),
        ("2026-11-20 09:00", True),
        ("2026-11-20 13:59:59.999999", True),
        ("2026-11-20 14:00", False),
        ("2026-11-20 16:00", True),
        ("2026-11-20 19:00", False),
        ("2026-11-21 10:00", False),
        ("2026-11-22 10:00", False),
        ("2026-11-23 10:00", True),
    ],
)
def test_a_place_is_open_from_the_begin_until_just_before_the_end(at: str, is_open: bool) -> None:
    assert standing(OFFICE, wall(NEW_YORK, at)) == Standing(is_open, "weekly")


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        # Friday's night belongs to Friday.
        ({"fri": "22:00-02:00"}, "2026-11-20 22:00", True),
        ({"fri": "22:00-02:00"}, "2026-11-20 23:59:59", True),
        ({"fri": "22:00-02:00"}, "2026-11-21 00:00", True),
        ({"fri": "22:00-02:00"}, "2026-11-21 01:59:59", True),
        ({"fri": "22:00-02:00"}, "2026-11-21 02:00", False),
        ({"fri": "22:00-02:00"}, "2026-11-20 01:00", False),
        # Sunday's reaches into Monday, and Monday's does not reach into Sunday.
        ({"sun": "22:00-02:00"}, "2026-11-23 01:00", True),
        ({"mon": "22:00-02:00"}, "2026-11-23 01:00", False),
        # 24:00 is the end of the day, and not one second more.
        ({"fri": "18:00-24:00"}, "2026-11-20 23:59:59", True),
        ({"fri": "18:00-24:00"}, "2026-11-21 00:00", False),
        ({"fri": "00:00-24:00"}, "2026-11-20 00:00", True),
        ({"fri": "00:00-24:00"}, "2026-11-19 23:59:59", False),
        ({"daily": "00:00-24:00"}, "2026-11-21 00:00", True),
        # Almost a day, from the evening on.
        ({"fri": "18:00-17:59"}, "2026-11-21 17:58", True),
        ({"fri": "18:00-17:59"}, "2026-11-21 17:59", False),
        ({}, "2026-11-20 12:00", False),
    ],
)
def test_hours_reach_over_midnight_and_up_to_it(hours: dict[str, str], at: str, is_open: bool) -> None:
    assert standing(calendar(**hours), wall(NEW_YORK, at)).is_open is is_open  # type: ignore[arg-type]


CHRISTMAS = special("12-25", name="Navidad")
CHRISTMAS_OF_2026 = special("2026-12-25", "10:00-12:00", "Navidad con guardia")


@pytest.mark.parametrize(
    ("dates", "at", "stands"),
    [
        # 2026-12-25 is a Friday.
        ((CHRISTMAS,), "2026-12-25 10:00", Standing(False, "special", "Navidad")),
        ((CHRISTMAS,), "2026-12-24 10:00", Standing(True, "weekly")),
        ((CHRISTMAS,), "2027-12-25 10:00", Standing(False, "special", "Navidad")),
        # The dated one goes before the yearly one, in whatever order they stand, and in its year only.
        ((CHRISTMAS, CHRISTMAS_OF_2026), "2026-12-25 10:00", Standing(True, "special", "Navidad con guardia")),
        ((CHRISTMAS_OF_2026, CHRISTMAS), "2026-12-25 10:00", Standing(True, "special", "Navidad con guardia")),
        ((CHRISTMAS_OF_2026, CHRISTMAS), "2026-12-25 12:00", Standing(False, "special", "Navidad con guardia")),
        ((CHRISTMAS_OF_2026, CHRISTMAS), "2028-12-25 10:00", Standing(False, "special", "Navidad")),
        ((CHRISTMAS_OF_2026,), "2028-12-25 10:00", Standing(True, "weekly")),
        # It can open what the week keeps closed: 2026-11-29 is a Sunday.
        ((special("2026-11-29", "10:00-20:00"),), "2026-11-29 15:00", Standing(True, "special")),
        # Its own night reaches into the next day.
        ((special("2026-11-29", "20:00-03:00", "x"),), "2026-11-30 02:59", Standing(True, "special", "x")),
        ((special("2026-11-29", "20:00-03:00", "x"),), "2026-11-30 03:00", Standing(False, "weekly")),
        # 29 February comes back in leap years, and moves to no other day in the others.
        ((special("02-29"),), "2028-02-29 10:00", Standing(False, "special")),
        ((special("02-29"),), "2027-03-01 10:00", Standing(True, "weekly")),
        ((special("02-29"),), "2028-02-28 10:00", Standing(True, "weekly")),
        ((special("2028-02-29", "07:00-08:00"),), "2028-02-29 07:30", Standing(True, "special")),
    ],
)
def test_special_dates_go_before_the_week(dates: tuple[SpecialDate, ...], at: str, stands: Standing) -> None:
    assert standing(replace(OFFICE, special=dates), wall(NEW_YORK, at)) == stands


def test_the_night_before_a_closed_day_is_worked_to_its_end() -> None:
    bar = calendar(daily="20:00-02:00", special=(CHRISTMAS,))

    assert standing(bar, wall(NEW_YORK, "2026-12-25 01:00")) == Standing(True, "weekly")
    assert standing(bar, wall(NEW_YORK, "2026-12-25 02:00")) == Standing(False, "special", "Navidad")
    assert standing(bar, wall(NEW_YORK, "2026-12-26 01:00")) == Standing(False, "weekly")


@pytest.mark.parametrize(("switch", "is_open"), [("open", True), ("closed", False)])
@pytest.mark.parametrize("at", ["2026-11-20 10:00", "2026-11-20 03:00", "2026-12-25 10:00"])
def test_the_switch_goes_before_everything(switch: str, is_open: bool, at: str) -> None:
    switched = replace(OFFICE, special=(CHRISTMAS, CHRISTMAS_OF_2026), switch=Switch(switch))

    assert standing(switched, wall(NEW_YORK, at)) == Standing(is_open, "switch")
    assert next_change(switched, wall(NEW_YORK, at)) is None


@pytest.mark.parametrize(
    ("zone", "is_open"),
    [
        ("America/New_York", True),  # 12:00
        ("Europe/Madrid", True),  # 18:00
        ("America/Los_Angeles", True),  # 9:00
        ("Asia/Kolkata", False),  # 22:30
        ("Asia/Tokyo", False),  # 2:00 on Saturday
        ("Pacific/Auckland", False),  # 6:00 on Saturday
        ("No/Where", True),  # as UTC: 17:00
    ],
)
def test_the_clock_on_the_wall_there_counts(zone: str, is_open: bool) -> None:
    there = calendar(zone, fri="09:00-18:30")

    assert standing(there, utc("2026-11-20 17:00")).is_open is is_open


# --- The days on which the clocks change --------------------------------------------------------------------------

# New York: 2026-03-08 2:00 → 3:00, 2026-11-01 2:00 → 1:00. Madrid: 2026-03-29 2:00 → 3:00, 2026-10-25 3:00 → 2:00.


@pytest.mark.parametrize(
    ("zone", "hours", "at", "is_open"),
    [
        # The hour that is skipped was never there: at 6:59 UTC it is 1:59, at 7:00 UTC 3:00.
        (NEW_YORK, "02:00-03:00", "2026-03-08 06:59", False),
        (NEW_YORK, "02:00-03:00", "2026-03-08 07:00", False),
        (NEW_YORK, "02:30-05:00", "2026-03-08 06:59", False),
        (NEW_YORK, "02:30-05:00", "2026-03-08 07:00", True),
        (NEW_YORK, "02:30-05:00", "2026-03-08 09:00", False),
        (MADRID, "02:00-03:00", "2026-03-29 00:59", False),
        (MADRID, "02:00-03:00", "2026-03-29 01:00", False),
        (MADRID, "01:00-02:30", "2026-03-29 00:59", True),
        (MADRID, "01:00-02:30", "2026-03-29 01:00", False),
        # The hour that comes twice is open twice.
        (NEW_YORK, "01:00-02:00", "2026-11-01 05:30", True),
        (NEW_YORK, "01:00-02:00", "2026-11-01 06:30", True),
        (NEW_YORK, "01:00-02:00", "2026-11-01 07:00", False),
        (MADRID, "02:15-02:45", "2026-10-25 00:30", True),
        (MADRID, "02:15-02:45", "2026-10-25 00:50", False),
        (MADRID, "02:15-02:45", "2026-10-25 01:30", True),
        (MADRID, "02:15-02:45", "2026-10-25 01:45", False),
        # The working day is where it always is on the wall.
        (NEW_YORK, "09:00-18:00", "2026-03-08 13:00", True),
        (NEW_YORK, "09:00-18:00", "2026-03-07 13:00", False),
        (MADRID, "09:00-18:00", "2026-10-25 07:30", False),
        (MADRID, "09:00-18:00", "2026-10-25 08:00", True),
        # A night over the change.
        (NEW_YORK, "22:00-02:30", "2026-03-08 06:59", True),
        (NEW_YORK, "22:00-02:30", "2026-03-08 07:00", False),
        (MADRID, "22:00-02:30", "2026-10-25 00:29", True),
        (MADRID, "22:00-02:30", "2026-10-25 00:30", False),
        (MADRID, "22:00-02:30", "2026-10-25 01:15", True),
        (MADRID, "22:00-02:30", "2026-10-25 01:30", False),
    ],
)
def test_wall_time_counts_when_the_clocks_change(zone: str, hours: str, at: str, is_open: bool) -> None:
    assert standing(calendar(zone, daily=hours), utc(at)).is_open is is_open


@pytest.mark.parametrize(
    ("zone", "hours", "at", "changes"),
    [
        # Spring: what would begin within the gap begins behind it, what would end within it ends before it.
        (NEW_YORK, "02:30-05:00", "2026-03-08 05:00", ["+07:00", "-09:00"]),
        (NEW_YORK, "00:30-02:30", "2026-03-08 05:00", ["+05:30", "-07:00"]),
        (NEW_YORK, "02:10-02:50", "2026-03-08 05:00", []),
        (MADRID, "22:00-02:30", "2026-03-28 20:00", ["+21:00", "-01:00"]),
        # Autumn: an hour that comes twice opens and closes twice; between them the clocks change.
        (NEW_YORK, "01:00-01:30", "2026-11-01 04:00", ["+05:00", "-05:30", "+06:00", "-06:30"]),
        (NEW_YORK, "00:00-01:30", "2026-11-01 03:00", ["+04:00", "-05:30", "+06:00", "-06:30"]),
        (NEW_YORK, "00:00-02:00", "2026-11-01 03:00", ["+04:00", "-07:00"]),
        (NEW_YORK, "01:30-05:00", "2026-11-01 04:00", ["+05:30", "-06:00", "+06:30", "-10:00"]),
        (MADRID, "02:00-03:00", "2026-10-24 23:00", ["+00:00", "-02:00"]),
        (MADRID, "09:00-18:00", "2026-10-24 23:00", ["+08:00", "-17:00"]),
    ],
)
def test_each_change_of_such_a_day_is_told(zone: str, hours: str, at: str, changes: list[str]) -> None:
    place, moment, told = calendar(zone, daily=hours), utc(at), []
    until = moment + timedelta(hours=20)
    while change := next_change(place, moment, until - moment):
        moment = change.at
        told.append(f"{'+' if change.opens else '-'}{moment:%H:%M}")

    assert told == changes


# --- The next change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "at", "change"),
    [
        (OFFICE, "2026-11-20 10:00", ("2026-11-20 14:00", False)),
        (OFFICE, "2026-11-20 14:00", ("2026-11-20 16:00", True)),
        (OFFICE, "2026-11-20 13:59:59.5", ("2026-11-20 14:00", False)),
        # Over the week-end.
        (OFFICE, "2026-11-20 19:00", ("2026-11-23 09:00", True)),
        # Over a holiday.
        (replace(OFFICE, special=(special("11-23"),)), "2026-11-20 19:00", ("2026-11-24 09:00", True)),
        # Hours that touch are one stretch; days that touch as well.
        (calendar(daily="09:00-14:00 14:00-18:00"), "2026-11-20 10:00", ("2026-11-20 18:00", False)),
        (calendar(fri="18:00-24:00", sat="00:00-03:00"), "2026-11-20 20:00", ("2026-11-21 03:00", False)),
        (calendar(fri="18:00-02:00", sat="01:00-04:00"), "2026-11-20 20:00", ("2026-11-21 04:00", False)),
        # A night that began yesterday.
        (calendar(fri="22:00-02:00"), "2026-11-21 01:00", ("2026-11-21 02:00", False)),
        # Always, and never.
        (calendar(daily="00:00-24:00"), "2026-11-20 10:00", None),
        (calendar(), "2026-11-20 10:00", None),
        # The first closed day of those who never close.
        (calendar(daily="00:00-24:00", special=(CHRISTMAS,)), "2026-12-20 10:00", ("2026-12-25 00:00", False)),
        # In a fortnight it is told, a minute later it is too far off.
        (calendar(special=(special("2026-12-04", "10:00-11:00"),)), "2026-11-20 10:00", ("2026-12-04 10:00", True)),
        (calendar(special=(special("2026-12-04", "10:01-11:00"),)), "2026-11-20 10:00", None),
        # 29 February.
        (calendar(daily="00:00-24:00", special=(special("02-29"),)), "2028-02-20 10:00", ("2028-02-29 00:00", False)),
        (calendar(daily="00:00-24:00", special=(special("02-29"),)), "2027-02-20 10:00", None),
    ],
)
def test_the_next_change_is_told(place: Calendar, at: str, change: tuple[str, bool] | None) -> None:
    expected = Change(wall(NEW_YORK, change[0]).astimezone(UTC), opens=change[1]) if change else None

    assert next_change(place, wall(NEW_YORK, at)) == expected


def test_a_zone_that_skipped_a_day_is_walked_through() -> None:
    """Samoa had no 30 December 2011 (a Friday): it went from Thursday to Saturday, 24 hours forward."""
    samoa = calendar("Pacific/Apia", thu="00:00-24:00", fri="00:00-24:00")

    assert next_change(samoa, wall("Pacific/Apia", "2011-12-29 12:00")) == Change(utc("2011-12-30 10:00"), opens=False)


# --- What holds for all of them -----------------------------------------------------------------------------------

ZONES = [NEW_YORK, MADRID, "UTC", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns"]
#: Moments near the changes of the clocks come up as often as the others.
CLOCKS_CHANGE = [
    utc(text)
    for text in (
        "2026-03-08 07:00",
        "2026-11-01 06:00",
        "2026-03-29 01:00",
        "2026-10-25 01:00",
        "2026-04-04 15:00",
        "2026-10-03 15:30",
    )
]


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    begin = draw(st.integers(0, 1439))
    return Interval(begin, begin + draw(st.integers(1, 1440)))


days = st.lists(intervals(), max_size=3).map(tuple)
specials = st.builds(
    lambda day, year, hours: SpecialDate(day.month, day.day, hours, year),
    st.dates(utc("2026-02-01").date(), utc("2026-11-30").date()),
    st.sampled_from([None, 2026, 2027]),
    days,
)
calendars = st.builds(
    Calendar,
    id=st.just(1),
    name=st.just("oficina"),
    timezone=st.sampled_from(ZONES),
    weekly=st.tuples(*[days] * 7),
    special=st.lists(specials, max_size=4).map(tuple),
)
moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC)),
    st.builds(
        lambda at, delta: at + delta,
        st.sampled_from(CLOCKS_CHANGE),
        st.timedeltas(timedelta(days=-2), timedelta(days=2)),
    ),
)


@given(calendars, moments, st.floats(0, 1, exclude_max=True))
@example(calendar(daily="01:00-01:30"), utc("2026-11-01 05:00"), 0.5)
@example(calendar(daily="00:00-24:00"), utc("2026-11-01 05:00"), 0.5)
def test_nothing_changes_until_the_next_change_and_then_it_does(place: Calendar, at: datetime, between: float) -> None:
    change = next_change(place, at)
    now = standing(place, at).is_open
    end = change.at if change else at + timedelta(days=14)

    assert standing(place, at + (end - at) * between).is_open is now or at + (end - at) * between >= end
    assert standing(place, max(at, end - timedelta(microseconds=1))).is_open is now
    if change:
        assert standing(place, change.at).is_open is change.opens is not now
        assert at < change.at <= at + timedelta(days=14)


@given(calendars, moments)
def test_every_minute_until_the_next_change_is_alike(place: Calendar, at: datetime) -> None:
    change = next_change(place, at, timedelta(hours=30))
    now = standing(place, at).is_open
    end = change.at if change else at + timedelta(hours=30)
    minute = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute < end:
        assert standing(place, minute).is_open is now
        minute += timedelta(minutes=1)


@given(calendars, moments, st.integers(-14 * 60, 14 * 60), st.sampled_from(ZONES))
def test_a_moment_is_the_same_moment_in_every_zone(place: Calendar, at: datetime, offset_min: int, zone: str) -> None:
    elsewhere = [at.astimezone(timezone(timedelta(minutes=offset_min))), at.astimezone(ZoneInfo(zone))]

    assert {standing(place, moment) for moment in elsewhere} == {standing(place, at)}
    assert {next_change(place, moment) for moment in elsewhere} == {next_change(place, at)}


@given(calendars, moments)
def test_hours_that_are_said_twice_stand_as_those_that_are_said_once(place: Calendar, at: datetime) -> None:
    """Overlapping is untidy, and harms nobody: a place is open while any of its hours says so."""
    doubled = replace(place, weekly=tuple((*day, *day) for day in place.weekly))

    assert standing(doubled, at) == standing(place, at)
    assert next_change(doubled, at) == next_change(place, at)


# --- Problems -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (OFFICE, []),
        (calendar(daily="00:00-24:00"), []),
        (calendar(fri="22:00-02:00", sat="02:00-10:00"), []),
        (
            calendar(fri="09:00-14:00 13:00-18:00"),
            [Problem(Fault.OVERLAP, weekday=4, intervals=(Interval(540, 840), Interval(780, 1080)))],
        ),
        (
            calendar(fri="22:00-02:00", sat="01:00-10:00"),
            [Problem(Fault.OVERLAP, weekday=5, intervals=(Interval(1320, 1560), Interval(60, 600)))],
        ),
        (
            calendar(sun="22:00-02:00", mon="01:59-10:00"),
            [Problem(Fault.OVERLAP, weekday=0, intervals=(Interval(1320, 1560), Interval(119, 600)))],
        ),
        (
            replace(OFFICE, weekly=((Interval(600, 540),), *OFFICE.weekly[1:])),
            [Problem(Fault.ENDS_BEFORE_IT_BEGINS, weekday=0, intervals=(Interval(600, 540),))],
        ),
        (
            replace(OFFICE, weekly=((Interval(600, 600),), *OFFICE.weekly[1:])),
            [Problem(Fault.ENDS_BEFORE_IT_BEGINS, weekday=0, intervals=(Interval(600, 600),))],
        ),
        (
            replace(OFFICE, weekly=((Interval(1440, 1500),), *OFFICE.weekly[1:])),
            [Problem(Fault.OUTSIDE_THE_DAY, weekday=0, intervals=(Interval(1440, 1500),))],
        ),
        (
            replace(OFFICE, weekly=((Interval(600, 2041),), (), *OFFICE.weekly[2:])),
            [Problem(Fault.OUTSIDE_THE_DAY, weekday=0, intervals=(Interval(600, 2041),))],
        ),
        (
            replace(OFFICE, special=(special("2026-12-24", "09:00-14:00 13:00-15:00"),)),
            [Problem(Fault.OVERLAP, special=0, intervals=(Interval(540, 840), Interval(780, 900)))],
        ),
        (replace(OFFICE, special=(SpecialDate(2, 30),)), [Problem(Fault.NO_SUCH_DATE, special=0)]),
        (replace(OFFICE, special=(SpecialDate(2, 29, year=2027),)), [Problem(Fault.NO_SUCH_DATE, special=0)]),
        (replace(OFFICE, special=(special("02-29"), special("2028-02-29"))), []),
        (replace(OFFICE, special=(CHRISTMAS, CHRISTMAS)), [Problem(Fault.DATE_TWICE, special=1)]),
        (replace(OFFICE, special=(CHRISTMAS, CHRISTMAS_OF_2026)), []),
        (replace(OFFICE, timezone="America/Miami"), [Problem(Fault.UNKNOWN_ZONE)]),
        (replace(OFFICE, switch=Switch.OPEN), [Problem(Fault.SWITCHED)]),
        (calendar(), [Problem(Fault.NEVER_OPEN)]),
        (calendar(special=(special("2026-12-04", "10:00-11:00"),)), []),
    ],
)
def test_problems_are_found_and_nothing_else(place: Calendar, found: list[Problem]) -> None:
    assert list(problems(place)) == found


def test_only_what_is_allowed_is_a_warning() -> None:
    assert {fault for fault in Fault if Problem(fault).is_warning} == {Fault.SWITCHED, Fault.NEVER_OPEN}


@pytest.mark.parametrize("name", ["", "America", "America/New_York/", "../etc/passwd", "/etc/passwd", "\0", "x" * 300])
def test_a_name_that_is_no_zone_harms_nobody(name: str) -> None:
    assert not is_zone(name)
    assert standing(calendar(name, daily="12:00-13:00"), utc("2026-11-20 12:30")).is_open


@given(st.tuples(*[days] * 7))
def test_an_overlap_is_a_minute_of_the_week_that_is_open_twice(weekly: tuple[tuple[Interval, ...], ...]) -> None:
    week = 7 * 1440
    opened = [
        minute % week
        for weekday, day in enumerate(weekly)
        for one in day
        for minute in range(weekday * 1440 + one.from_min, weekday * 1440 + one.until_min)
    ]

    assert bool(overlaps(weekly)) is (len(opened) > len(set(opened)))
