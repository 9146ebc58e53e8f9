"""Where a company's calls can be sent, as people choose it: ``user:7``, ``queue:3``, ``menu:4``, or a kind alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from agents.models import Agent
from curbe.companies.models import Company
from telephony.core.plan import NOWHERE, WITH_TARGET, Destination, DestinationKind
from telephony.models import CallQueue, Menu, PhoneNumber

_CODES: Final = frozenset(str(kind) for kind in DestinationKind if kind is not DestinationKind.NONE)


@dataclass(frozen=True)
class PlaceChoices:
    """Everything of one company that a place can be, by id, in the order of names."""

    company_id: int
    users: dict[int, str]
    queues: dict[int, str]
    menus: dict[int, str]

    @cached_property
    def by_kind(self) -> dict[DestinationKind, dict[int, str]]:
        return {
            DestinationKind.USER: self.users,
            DestinationKind.QUEUE: self.queues,
            DestinationKind.MENU: self.menus,
        }

    def has(self, destination: Destination) -> bool:
        """Say whether a destination with a target leads to something of this company that is still there."""
        return destination.id in self.by_kind.get(destination.kind, {})

    def is_own_number(self, e164: str) -> bool:
        return PhoneNumber.objects.filter(company=self.company_id, e164=e164).exists()


def place_choices(company: Company) -> PlaceChoices:
    """Return what there is to choose from. Three queries."""
    users = Agent.objects.filter(company=company, is_active=True, user__is_active=True).select_related("user")
    return PlaceChoices(
        company_id=company.pk,
        users={agent.pk: f"{agent.user} ({agent.user.username})" for agent in users.order_by("user__name", "id")},
        queues=_by_id(CallQueue.objects.filter(company=company).order_by("name").values_list("id", "name")),
        menus=_by_id(Menu.objects.filter(company=company).order_by("name").values_list("id", "name")),
    )


def _by_id(rows: Iterable[tuple[int, str]]) -> dict[int, str]:
    return dict(rows)


def code_of(destination: Destination) -> str:
    """Return the code of a destination; empty for nowhere."""
    if destination == NOWHERE:
        return ""
    return f"{destination.kind}:{destination.id}" if destination.kind in WITH_TARGET else str(destination.kind)


def destination_of_code(code: str) -> Destination | None:
    """Return what a code means, without its text; None for a code that means nothing."""
    kind, _colon, key = code.partition(":")
    if not kind:
        return NOWHERE
    if kind not in _CODES:
        return None
    if DestinationKind(kind) not in WITH_TARGET:
        return None if key else Destination(DestinationKind(kind))
    # Longer ones are no ids, and a database would refuse them.
    is_id = key.isascii() and key.isdigit() and len(key) < 19
    return Destination(DestinationKind(kind), int(key)) if is_id else None
