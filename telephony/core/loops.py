"""Ways in which a plan leads round in circles, found before a caller does. Pure.

A loop is a circle that a caller goes round without doing anything: menus that time out into each other, queues that
overflow into each other. A digit is the caller's own step, so "0 to go back" is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from telephony.core.plan import NOWHERE, CompanyPlan, Destination, DestinationKind

_INNER: Final = frozenset({DestinationKind.QUEUE, DestinationKind.MENU})


def find_loop(plan: CompanyPlan) -> tuple[str, ...] | None:
    """Return the names of the menus and queues of a circle, in the order in which a caller meets them; None if there
    is none. The last leads to the first."""
    places = places_in_loop(plan)
    return None if places is None else tuple(name_of(place, plan) for place in places)


def places_in_loop(plan: CompanyPlan) -> tuple[Destination, ...] | None:
    """Return the same as places."""
    done: set[Destination] = set()
    for start in _inner_places(plan):
        found = _walk(start, plan, done)
        if found is not None:
            return found
    return None


def _walk(start: Destination, plan: CompanyPlan, done: set[Destination]) -> tuple[Destination, ...] | None:
    """Follow every way from ``start``, depth first and without recursion: a chain of menus may be long."""
    if start in done:
        return None
    path = [start]
    ways = [leads_by_itself(start, plan)]
    while path:
        place = next(ways[-1], None)
        if place is None:
            ways.pop()
            done.add(path.pop())
        elif place in path:
            return tuple(path[path.index(place) :])
        elif place not in done:
            path.append(place)
            ways.append(leads_by_itself(place, plan))
    return None


def leads_by_itself(place: Destination, plan: CompanyPlan) -> Iterator[Destination]:
    """Yield the menus and queues to which a place sends a caller who does nothing."""
    ways: tuple[Destination, ...] = ()
    if place.kind is DestinationKind.QUEUE and place.id in plan.queues:
        queue = plan.queues[place.id]
        # Without hours it is never closed.
        closed = () if queue.hours_id is None or queue.when_closed == NOWHERE else (queue.when_closed,)
        ways = (queue.overflow, *closed)
    elif place.kind is DestinationKind.MENU and place.id in plan.menus:
        menu = plan.menus[place.id]
        ways = (menu.on_timeout, menu.on_wrong)
    yield from (way for way in ways if way.kind in _INNER)


def name_of(place: Destination, plan: CompanyPlan) -> str:
    """Return the name of a queue or menu of the plan; empty for anything else."""
    named = plan.queues if place.kind is DestinationKind.QUEUE else plan.menus
    found = named.get(place.id) if place.kind in _INNER else None
    return found.name if found else ""


def _inner_places(plan: CompanyPlan) -> Iterator[Destination]:
    yield from (Destination(DestinationKind.MENU, key) for key in sorted(plan.menus))
    yield from (Destination(DestinationKind.QUEUE, key) for key in sorted(plan.queues))
