"""A busy quarter of a minute in the whole house: every strategy, a menu, two languages, agents by script.

A small `python -m benchmarks calls`. Nothing here asks how long anything took.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks import centre, many_calls
from curbe.dev.stack import Stack

pytestmark = pytest.mark.browser

#: A machine that is late is late; what must hold holds all the same.
PATIENCE: dict[str, Any] = {"over_within_s": 300.0, "settled_within_s": 120.0}


@pytest.mark.parametrize(
    ("kind", "calls", "trouble"),
    [("house", 120, {}), ("troubled", 60, many_calls.TROUBLE)],
    ids=["a good day", "a bad day at the provider"],
)
def test_nobody_is_rung_twice_at_once_and_the_books_balance(
    stack: Stack, kind: str, calls: int, trouble: Mapping[str, Any]
) -> None:
    with centre.opened(stack, kind, agents=10) as bench:
        books = many_calls.run(bench, calls=calls, seconds=15, trouble=trouble, **PATIENCE)

    assert books.wrong == [], books
    assert books.most_legs_at_once == 1
    assert books.outcomes["answered"] > 0
    assert sum(books.outcomes.values()) == calls, books.complaints
