"""Business hours as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core.week import DAYS, NotHours, as_ranges, days_of, interval_of, open_days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", ("mon",)),
        (" Mon ", ("mon",)),
        ("mon-fri", ("mon", "tue", "wed", "thu", "fri")),
        ("sat-mon", ("sat", "sun", "mon")),
        ("mon-sun", DAYS),
        ("sun-sun", ("sun",)),
    ],
)
def test_days_are_read(text: str, days: tuple[str, ...]) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize("text", ["", "-", "mon-", "-fri", "lunes", "mon-fri-sun", "mon fri", "monday"])
def test_what_names_no_day_is_refused(text: str) -> None:
    with pytest.raises(NotHours):
        days_of(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("09:00-18:00", "09:00-18:00"),
        ("9:00 – 18:30", "09:00-18:30"),
        ("22:00-02:00", "22:00-02:00"),
        ("00:00-24:00", "00:00-24:00"),
    ],
)
def test_hours_are_stored_in_one_way(text: str, stored: str) -> None:
    assert interval_of(text) == stored


@pytest.mark.parametrize(
    "text", ["", "9-18", "09:00", "09:60-10:00", "24:00-25:00", "10:00-24:01", "٠٩:٠٠-١٨:٠٠", "09:00-18:00-19:00", "x"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(NotHours):
        interval_of(text)


weeks = st.dictionaries(st.sampled_from(DAYS), st.sampled_from([[], ["09:00-18:00"], ["22:00-02:00", "10:00-11:00"]]))


@given(weeks)
def test_ranges_say_the_same_week(weekly: dict[str, list[str]]) -> None:
    read = {day: hours for key, hours in as_ranges(weekly).items() for day in days_of(key)}

    assert open_days(read) == open_days(weekly)
