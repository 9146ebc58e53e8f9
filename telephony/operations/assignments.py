"""Where numbers lead: the one way to change it, and the one place that keeps companies apart in it."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from agents.models import Agent
from telephony.core.plan import Destination, DestinationKind
from telephony.models import BusinessHours, CallQueue, Menu, PhoneNumber
from telephony.queries.destinations import destination_of_code


class UnableToAssign(ValueError):
    """The numbers cannot lead there, and none was changed. ``reason`` is a code: unknown, other_company."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(NamedTuple):
    """Where numbers shall lead; ``company_id`` is None where numbers of any company can."""

    destination: Destination
    company_id: int | None = None


def target_of(code: str) -> Target:
    """Return what a code of ``telephony.queries.destinations`` means. Raises UnableToAssign."""
    destination = destination_of_code(code)
    if destination is None:
        raise UnableToAssign("unknown")
    row: Agent | CallQueue | Menu | None
    match destination.kind:
        case DestinationKind.USER:
            row = Agent.objects.filter(pk=destination.id, is_active=True).first()
        case DestinationKind.QUEUE:
            row = CallQueue.objects.filter(pk=destination.id).first()
        case DestinationKind.MENU:
            row = Menu.objects.filter(pk=destination.id).first()
        case _:
            return Target(destination)
    if row is None:
        raise UnableToAssign("unknown")
    return Target(destination, row.company_id)


def columns_of(destination: Destination) -> dict[str, Any]:
    """Return the columns of a number that lead it there."""
    kind, target, text = destination.kind, destination.id, destination.text
    return {
        "destination": kind.value,
        "agent_id": target if kind is DestinationKind.USER else None,
        "queue_id": target if kind is DestinationKind.QUEUE else None,
        "menu_id": target if kind is DestinationKind.MENU else None,
        "forward_to": text if kind is DestinationKind.NUMBER else "",
        "words": text if kind is DestinationKind.SAY else "",
    }


class HoursWish(NamedTuple):
    """Which business hours numbers shall have; None: they are always open."""

    hours: BusinessHours | None


def assign(numbers: QuerySet[PhoneNumber], target: Target, wish: HoursWish | None = None) -> int:
    """Let all these numbers lead to ``target``, by these hours if a wish says so; return how many there are.

    Raises UnableToAssign: then none does.
    """
    with transaction.atomic():
        companies = {target.company_id, wish.hours.company_id if wish and wish.hours else None} - {None}
        if any(numbers.exclude(company=company_id).exists() for company_id in companies):
            raise UnableToAssign("other_company")
        ids = numbers.order_by().values("pk")
        hours = {"hours": wish.hours} if wish else {}
        return PhoneNumber.objects.filter(pk__in=ids).update(**columns_of(target.destination), **hours)
