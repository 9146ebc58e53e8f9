"""Which stretch of a call a recording has, whether others have it too, and where the gaps lie in the sound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recordings.covering import Cut, Gap, Span, cuts, is_covered, uncovered

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def span(first: float, last: float) -> Span:
    return Span(at(first), at(last))


@pytest.mark.parametrize(
    ("others", "left_s"),
    [
        ([], 100),
        ([span(0, 100)], 0),
        ([span(-10, 200)], 0),
        ([span(0, 40), span(40, 100)], 0),
        ([span(60, 100), span(0, 50)], 10),
        ([span(0, 60), span(20, 70)], 30),
        ([span(200, 300)], 100),
        ([span(-50, 0)], 100),
    ],
)
def test_what_no_other_recording_has(others: list[Span], left_s: float) -> None:
    assert uncovered(span(0, 100), others).total_seconds() == left_s


@pytest.mark.parametrize(
    ("others", "talked_from", "covered"),
    [
        ([span(2, 98)], None, True),
        ([span(20, 98)], None, False),
        # The net has the ringing too.
        ([span(20, 98)], 20, True),
        # The call went into a room, and the segment of the Dial was lost.
        ([span(60, 100)], 20, False),
        ([span(20, 58), span(61, 100)], 20, True),
        ([], None, False),
    ],
)
def test_the_net_is_spare_where_the_others_have_the_talk(
    others: list[Span], talked_from: float | None, covered: bool
) -> None:
    assert is_covered(span(0, 100), others, talked_from=at(talked_from) if talked_from else None) is covered


def test_gaps_are_marked_where_the_sound_goes_on() -> None:
    gaps = [Gap(at(60), at(90)), Gap(at(10), at(20)), Gap(at(500), at(600))]

    assert cuts(at(0), 100, gaps) == [Cut(10, 10), Cut(50, 30)]
    assert cuts(at(0), 100, [Gap(at(40), None)]) == [Cut(40, 0)]


def test_a_recording_that_began_in_a_gap_lacks_the_rest_of_it_and_marks_the_later_ones_where_they_are() -> None:
    into_it, later = Gap(at(-10), at(20)), Gap(at(50), at(60))

    assert cuts(at(0), 100, [into_it, later]) == [Cut(30, 10)]
    assert cuts(at(0), 100, [Gap(at(-50), at(-20)), later]) == [Cut(50, 10)]
