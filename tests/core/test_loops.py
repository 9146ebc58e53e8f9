"""Plans that lead round in circles, and plans that only look like it."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core.loops import find_loop, leads_by_itself, places_in_loop
from telephony.core.plan import (
    COMPANY,
    NOWHERE,
    VOICEMAIL,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    QueuePlan,
)

MAIN, BILLING, OPENING = (Destination(DestinationKind.MENU, key) for key in (1, 2, 3))
SALES, SUPPORT = (Destination(DestinationKind.QUEUE, key) for key in (1, 2))
NAMES = {MAIN: "main", BILLING: "billing", OPENING: "opening", SALES: "sales", SUPPORT: "support"}


def menu(
    place: Destination,
    *,
    on_timeout: Destination = NOWHERE,
    on_wrong: Destination = NOWHERE,
    digits: dict[str, Destination] | None = None,
) -> MenuPlan:
    options = tuple(MenuOption(digit, leads) for digit, leads in (digits or {}).items())
    return MenuPlan(place.id, NAMES[place], {"en": "Press"}, options, on_timeout=on_timeout, on_wrong=on_wrong)


def queue(
    place: Destination,
    *,
    overflow: Destination = NOWHERE,
    when_closed: Destination = NOWHERE,
    hours_id: int | None = None,
) -> QueuePlan:
    return QueuePlan(place.id, NAMES[place], overflow=overflow, when_closed=when_closed, hours_id=hours_id)


def plan(*rows: MenuPlan | QueuePlan) -> CompanyPlan:
    return CompanyPlan(
        version=1,
        language="en",
        menus=MappingProxyType({row.id: row for row in rows if isinstance(row, MenuPlan)}),
        queues=MappingProxyType({row.id: row for row in rows if isinstance(row, QueuePlan)}),
    )


@pytest.mark.parametrize(
    ("rows", "loop"),
    [
        pytest.param([menu(MAIN, on_timeout=MAIN)], ("main",), id="a menu that times out into itself"),
        pytest.param([menu(MAIN, on_wrong=MAIN)], ("main",), id="a menu whose wrong digit leads to itself"),
        pytest.param(
            [menu(MAIN, on_timeout=BILLING), menu(BILLING, on_wrong=MAIN)],
            ("main", "billing"),
            id="menus that give up into each other",
        ),
        pytest.param([queue(SALES, overflow=SALES)], ("sales",), id="a queue that overflows into itself"),
        pytest.param(
            [queue(SALES, overflow=SUPPORT), queue(SUPPORT, overflow=SALES)],
            ("sales", "support"),
            id="queues that overflow into each other",
        ),
        pytest.param(
            [queue(SALES, when_closed=SUPPORT, hours_id=1), queue(SUPPORT, overflow=SALES)],
            ("sales", "support"),
            id="a closed queue that leads to one that overflows back",
        ),
        pytest.param(
            [menu(MAIN, on_timeout=SALES), queue(SALES, overflow=MAIN)],
            ("main", "sales"),
            id="a menu and a queue",
        ),
        pytest.param(
            [menu(OPENING, on_timeout=MAIN), menu(MAIN, on_timeout=BILLING), menu(BILLING, on_timeout=MAIN)],
            ("main", "billing"),
            id="a way into the circle is no part of it",
        ),
    ],
)
def test_a_circle_that_nobody_stops_is_found(rows: list[MenuPlan | QueuePlan], loop: tuple[str, ...]) -> None:
    assert find_loop(plan(*rows)) == loop


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="nothing"),
        pytest.param([menu(MAIN, digits={"0": MAIN})], id="a digit that says the menu again"),
        pytest.param(
            [menu(MAIN, digits={"1": BILLING}), menu(BILLING, digits={"0": MAIN})], id="zero leads back to the parent"
        ),
        pytest.param(
            [menu(MAIN, digits={"1": BILLING}), menu(BILLING, on_timeout=MAIN)],
            id="a menu that gives up into its parent, which a digit leaves",
        ),
        pytest.param(
            [menu(MAIN, digits={"1": SALES}, on_timeout=VOICEMAIL), queue(SALES, overflow=MAIN)],
            id="a queue that overflows into the menu before it",
        ),
        pytest.param(
            [queue(SALES, when_closed=SUPPORT), queue(SUPPORT, overflow=SALES)],
            id="a queue without hours is never closed",
        ),
        pytest.param([menu(MAIN, on_timeout=BILLING)], id="what it leads to is gone"),
        pytest.param(
            [menu(MAIN, on_timeout=SALES, on_wrong=SALES), queue(SALES, overflow=COMPANY)], id="two ways to one place"
        ),
        pytest.param(
            [menu(MAIN, on_timeout=Destination(DestinationKind.USER, 1))], id="a user with the number of the menu"
        ),
    ],
)
def test_what_ends_or_is_the_callers_own_step_is_no_loop(rows: list[MenuPlan | QueuePlan]) -> None:
    assert find_loop(plan(*rows)) is None


def test_a_chain_of_a_thousand_menus_is_walked_to_its_end() -> None:
    menus = [
        MenuPlan(key, str(key), {"en": "Press"}, (), on_timeout=Destination(DestinationKind.MENU, key + 1))
        for key in range(1, 1001)
    ]

    assert find_loop(plan(*menus)) is None


places = st.sampled_from([*NAMES, NOWHERE, VOICEMAIL])


@given(st.lists(places, min_size=10, max_size=10))
def test_without_a_loop_everybody_who_does_nothing_comes_to_an_end(leads: list[Destination]) -> None:
    whole = plan(
        *(menu(place, on_timeout=leads[i], on_wrong=leads[i + 5]) for i, place in enumerate((MAIN, BILLING, OPENING))),
        *(
            queue(place, overflow=leads[i], when_closed=leads[i + 5], hours_id=1)
            for i, place in enumerate((SALES, SUPPORT), start=3)
        ),
    )
    here = set(NAMES)

    for _step in NAMES:
        here = {way for place in here for way in leads_by_itself(place, whole)}

    loop = places_in_loop(whole)
    assert (loop is None) == (not here)
    for place, after in zip(loop or (), (*(loop or ())[1:], *(loop or ())[:1]), strict=True):
        assert after in leads_by_itself(place, whole)
