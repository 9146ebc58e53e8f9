"""Which part of a file a header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.ranges import Part, Unsatisfiable, part_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-", Part(0, 999)),
        ("bytes=0-0", Part(0, 0)),
        ("bytes=200-299", Part(200, 299)),
        ("bytes=900-5000", Part(900, 999)),
        ("bytes=-100", Part(900, 999)),
        ("bytes=-5000", Part(0, 999)),
        (" bytes = 5-6 ", Part(5, 6)),
        ("bytes=-", None),
        ("bytes=7-3", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_a_header_asks_for_a_part_or_for_the_whole(header: str, part: Part | None) -> None:
    assert part_of(header, 1000) == part


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_a_part_beyond_the_end_is_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        part_of(header, 1000)


def test_nothing_can_be_asked_of_an_empty_file() -> None:
    with pytest.raises(Unsatisfiable):
        part_of("bytes=0-", 0)


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), st.integers(1, 10_000))
def test_a_part_always_lies_within_the_file(header: str, size_bytes: int) -> None:
    try:
        part = part_of(header, size_bytes)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part.first <= part.last < size_bytes
