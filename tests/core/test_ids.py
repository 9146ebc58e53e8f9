"""Ids sort by time, also within a millisecond."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

import pytest

from curbe.lib import ids


@pytest.mark.parametrize(
    ("earlier_ns", "later_ns"),
    [(1_000_000, 2_000_000), (1_000_000, 1_000_500), (1_999_999, 2_000_000), (1_790_000_000_000_000_000, 2**62)],
)
def test_the_later_id_sorts_behind(monkeypatch: pytest.MonkeyPatch, earlier_ns: int, later_ns: int) -> None:
    made = []
    for at_ns in (earlier_ns, later_ns):
        monkeypatch.setattr(time, "time_ns", lambda at_ns=at_ns: at_ns)
        made.append(ids.uuid7())

    assert made == sorted(made)


def test_an_id_is_of_version_7_and_names_its_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_790_000_000_123_000_000)

    made = ids.uuid7()

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_790_000_000_123


def test_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_790_000_000_123_456_789)

    assert len({ids.uuid7() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("moment", "unix_ms"),
    [
        (datetime(2026, 11, 21, 9, 0, 0, 123_000, UTC), 1_795_251_600_123),
        (datetime(1, 1, 1, tzinfo=UTC), 0),
        (datetime(9999, 12, 31, tzinfo=UTC), 253_402_214_400_000),
    ],
)
def test_the_bound_of_a_moment_is_its_millisecond_and_never_below_the_first_key(moment: datetime, unix_ms: int) -> None:
    assert ids.first_id_at(moment).int == unix_ms << 80


def test_ids_that_are_made_together_ascend_and_differ() -> None:
    made = ids.uuid7s(50)

    assert made == sorted(set(made))
    assert {one.version for one in made} == {7}
    assert {one.int >> 64 for one in made} == {made[0].int >> 64}
