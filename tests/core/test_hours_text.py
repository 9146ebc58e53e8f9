"""Business hours as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core.hours import Interval
from telephony.core.hours_text import (
    DAYS,
    Fault,
    WrongHours,
    days_of,
    format_weekly,
    parse_hours,
    parse_interval,
    parse_weekly,
    text_of,
)


@pytest.mark.parametrize(
    ("text", "interval", "in_the_one_form"),
    [
        ("09:00-18:00", Interval(540, 1080), "09:00-18:00"),
        ("9:00-18:00", Interval(540, 1080), "09:00-18:00"),
        ("9-18", Interval(540, 1080), "09:00-18:00"),
        ("9.30-18.15", Interval(570, 1095), "09:30-18:15"),
        (" 09:00 – 18:00 ", Interval(540, 1080), "09:00-18:00"),
        ("09:00—18:00", Interval(540, 1080), "09:00-18:00"),
        ("18:00-24:00", Interval(1080, 1440), "18:00-24:00"),
        ("18:00-00:00", Interval(1080, 1440), "18:00-24:00"),
        ("00:00-24:00", Interval(0, 1440), "00:00-24:00"),
        ("0-0", Interval(0, 1440), "00:00-24:00"),
        ("22:00-02:00", Interval(1320, 1560), "22:00-02:00"),
        ("18:00-17:59", Interval(1080, 2519), "18:00-17:59"),
    ],
)
def test_hours_are_read_and_written_in_one_form(text: str, interval: Interval, in_the_one_form: str) -> None:
    assert parse_interval(text) == interval
    assert text_of(interval) == in_the_one_form
    assert parse_interval(in_the_one_form) == interval


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.NO_HOURS),
        ("9", Fault.NO_HOURS),
        ("nine to five", Fault.NO_HOURS),
        ("09:00", Fault.NO_HOURS),
        ("09:00-", Fault.NO_HOURS),
        ("09:60-10:00", Fault.NO_HOURS),
        ("25:00-26:00", Fault.NO_HOURS),
        ("09:00-24:01", Fault.NO_HOURS),
        ("24:00-02:00", Fault.NO_HOURS),
        ("009:00-10:00", Fault.NO_HOURS),
        ("٠٩:٠٠-١٨:٠٠", Fault.NO_HOURS),
        ("09:00-18:00-20:00", Fault.NO_HOURS),
        ("-09:00-18:00", Fault.NO_HOURS),
        ("09:00-09:00", Fault.NO_LENGTH),
        ("9-9:00", Fault.NO_LENGTH),
    ],
)
def test_what_is_no_hours_is_refused(text: str, fault: Fault) -> None:
    assert parse_interval(text) is fault


@pytest.mark.parametrize(
    ("key", "days"),
    [
        ("mon", "mon"),
        ("Mon", "mon"),
        ("mon-fri", "mon tue wed thu fri"),
        ("mon - fri", "mon tue wed thu fri"),
        ("sat-mon", "sat sun mon"),
        ("mon-sun", "mon tue wed thu fri sat sun"),
        ("tue-tue", "tue"),
        ("tue-mon", "tue wed thu fri sat sun mon"),
        ("monday", ""),
        ("mon-", ""),
        ("-mon", ""),
        ("mon-fry", ""),
        ("", ""),
    ],
)
def test_days_are_named_alone_or_as_a_range(key: str, days: str) -> None:
    assert days_of(key) == tuple(days.split())


NINE_TO_SIX = ["09:00-18:00"]


@pytest.mark.parametrize(
    ("written", "kept", "said"),
    [
        # The company file of the contract.
        (
            {"mon-fri": ["09:00-18:00"], "sat": ["10:00-14:00"]},
            {**dict.fromkeys(DAYS[:5], NINE_TO_SIX), "sat": ["10:00-14:00"]},
            {"mon-fri": ["09:00-18:00"], "sat": ["10:00-14:00"]},
        ),
        ({}, {}, {}),
        ({"mon": []}, {}, {}),
        ({"mon": None}, {}, {}),
        ({"mon": "9-18"}, {"mon": NINE_TO_SIX}, {"mon": NINE_TO_SIX}),
        # Out of order.
        (
            {"tue": ["16:00-19:00", "09:00-14:00"], "mon": ["9-18"]},
            {"mon": NINE_TO_SIX, "tue": ["09:00-14:00", "16:00-19:00"]},
            {"mon": NINE_TO_SIX, "tue": ["09:00-14:00", "16:00-19:00"]},
        ),
        # Only neighbours are one range.
        (
            {"mon": ["9-18"], "wed": ["9-18"], "thu": ["9-18"]},
            {"mon": NINE_TO_SIX, "wed": NINE_TO_SIX, "thu": NINE_TO_SIX},
            {"mon": NINE_TO_SIX, "wed-thu": NINE_TO_SIX},
        ),
        (
            {"sat-mon": ["9-18"]},
            dict.fromkeys(("mon", "sat", "sun"), NINE_TO_SIX),
            {"mon": NINE_TO_SIX, "sat-sun": NINE_TO_SIX},
        ),
        ({"mon-sun": ["0-24"]}, dict.fromkeys(DAYS, ["00:00-24:00"]), {"mon-sun": ["00:00-24:00"]}),
        # Nights that touch the next morning.
        ({"fri": ["22:00-02:00"], "sat": ["02:00-04:00"]},) * 3,
    ],
)
def test_a_week_is_read_and_said_shortly(written: Any, kept: Any, said: Any) -> None:
    assert parse_weekly(written) == kept
    assert list(parse_weekly(written)) == [day for day in DAYS if day in kept]
    assert format_weekly(kept) == said
    assert parse_weekly(said) == kept


@pytest.mark.parametrize(
    ("written", "reasons"),
    [
        (None, ['must be days with their hours, such as {mon-fri: ["09:00-18:00"]}']),
        (["mon"], ['must be days with their hours, such as {mon-fri: ["09:00-18:00"]}']),
        (
            {"lunes": ["9-18"]},
            ["lunes must be a day such as mon, or days such as mon-fri, not lunes"],
        ),
        ({"mon-fri": ["9-18"], "wed": []}, ["wed says wed twice"]),
        ({"mon": 9}, ['mon must be a list of hours, such as ["09:00-18:00"]']),
        ({"mon-fri": ["9-18", "x"]}, ["mon-fri[1] must be hours such as 09:00-18:00, not x"]),
        ({"mon": [{"from": 9}]}, ["mon[0] must be hours such as 09:00-18:00, not {'from': 9}"]),
        ({"mon": ["9-9"]}, ["mon[0] must not end when it begins (9-9); a whole day is 00:00-24:00"]),
        ({"mon": ["9-14", "13-18"]}, ["mon[1] has 13:00-18:00, which overlaps 09:00-14:00"]),
        ({"mon": ["13-18", "9-14"]}, ["mon[0] has 13:00-18:00, which overlaps 09:00-14:00"]),
        ({"fri": ["22-2"], "sat-sun": ["1-3"]}, ["sat-sun has 01:00-03:00, which overlaps 22:00-02:00"]),
        ({"sun": ["22-2"], "mon": ["1-3"]}, ["mon has 01:00-03:00, which overlaps 22:00-02:00"]),
        ({"mon": ["9-10"] * 13}, ["mon must have at most 12 intervals"]),
        (
            {"x": [], "mon": ["y"]},
            [
                "x must be a day such as mon, or days such as mon-fri, not x",
                "mon[0] must be hours such as 09:00-18:00, not y",
            ],
        ),
    ],
)
def test_everything_that_is_wrong_is_named_with_its_field(written: Any, reasons: list[str]) -> None:
    with pytest.raises(WrongHours) as error:
        parse_weekly(written)

    assert [str(one) for one in error.value.wrong] == reasons


def test_the_hours_of_one_day_are_read_alone() -> None:
    assert parse_hours(["16-19", "9-14"]) == ["09:00-14:00", "16:00-19:00"]
    with pytest.raises(WrongHours) as error:
        parse_hours(["9-14", "10-11"])
    assert error.value.wrong[0].path == (1,)


hours = st.builds(
    lambda begin, length: text_of(Interval(begin, begin + length)), st.integers(0, 1439), st.integers(1, 1439)
)


@given(st.dictionaries(st.sampled_from(DAYS), st.lists(hours, max_size=2)))
def test_what_is_written_back_reads_as_the_same(week: dict[str, list[str]]) -> None:
    try:
        kept = parse_weekly(week)
    except WrongHours as error:
        assert {one.fault for one in error.wrong} == {Fault.OVERLAP}
        return

    assert parse_weekly(kept) == kept
    assert parse_weekly(format_weekly(kept)) == kept
    assert format_weekly(parse_weekly(format_weekly(kept))) == format_weekly(kept)
