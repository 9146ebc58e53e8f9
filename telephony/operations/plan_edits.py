"""A person's edit of the plan: kept whole, refused whole, or looked at without being kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from django.db import transaction
from django.db.models import Model, RestrictedError

from curbe.companies.models import Company
from telephony.core.loops import find_loop
from telephony.models import CallQueue, Menu, MenuOption
from telephony.operations.plans import publish, published_once
from telephony.queries.plans import compile_plan

Row = TypeVar("Row")
Seen = TypeVar("Seen")


class GoesInCircles(ValueError):
    """With this edit a caller who does nothing would never arrive; nothing was kept. ``names``: of the circle."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(" → ".join((*names, *names[:1])))
        self.names = names


class UnableToDelete(ValueError):
    """Something still leads there; nothing was deleted. ``used_by``: what does, as its rows say it."""

    def __init__(self, used_by: tuple[str, ...]) -> None:
        super().__init__(", ".join(used_by))
        self.used_by = used_by


def keep(company: Company, write: Callable[[], Row]) -> Row:
    """Write an edit, and let calls be routed by it. Raises GoesInCircles."""
    with transaction.atomic(), published_once():
        row = write()
        _refuse_circles(company)
        publish(company.pk)
    return row


def look(company: Company, write: Callable[[], Row], see: Callable[[Row], Seen]) -> Seen:
    """Return what ``see`` sees while the edit is written, and take the edit back. Raises GoesInCircles."""
    try:
        with transaction.atomic(), published_once():
            row = write()
            _refuse_circles(company)
            # Leaving by an exception is what takes it back, and publishes nothing.
            raise _Seen(see(row))
    except _Seen as seen:
        return cast(Seen, seen.value)


class _Seen(Exception):
    def __init__(self, value: object) -> None:
        self.value: object = value


def _refuse_circles(company: Company) -> None:
    names = find_loop(compile_plan(company))
    if names:
        raise GoesInCircles(names)


def delete(company: Company, row: CallQueue | Menu) -> None:
    """Delete a queue or a menu to which nothing leads. Raises UnableToDelete."""
    numbers = tuple(row.numbers.order_by("e164").values_list("e164", flat=True))
    if numbers:
        raise UnableToDelete(numbers)
    try:
        with transaction.atomic(), published_once():
            row.delete()
            publish(company.pk)
    except RestrictedError as err:
        raise UnableToDelete(tuple(sorted({_owner(one) for one in err.restricted_objects}))) from err


def _owner(row: Model) -> str:
    """Return the name of what leads to a place: a digit's is its menu's."""
    return str(row.menu if isinstance(row, MenuOption) else row)
