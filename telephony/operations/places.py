"""Places: the rows behind destinations. Each is a value, made once in a company and shared by all that lead there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import Model

from agents.models import Agent
from curbe.companies.models import Company
from telephony.core.plan import Destination, DestinationKind
from telephony.models import CallQueue, Menu, Place


class UnableToLead(ValueError):
    """Nothing of this company is meant by the destination: its target is gone, or another company's."""


#: What the id of a destination is the id of, and the column of a place that holds it.
TARGETS: Final[Mapping[DestinationKind, tuple[type[Model], str]]] = {
    DestinationKind.USER: (Agent, "agent_id"),
    DestinationKind.QUEUE: (CallQueue, "queue_id"),
    DestinationKind.MENU: (Menu, "menu_id"),
}


def place_for(company: Company, destination: Destination) -> Place | None:
    """Return the company's place of this value, made if it is new; None for nowhere. Raises UnableToLead.

    Two that make the same one at once make two rows of one value, which harms nobody.
    """
    if destination.kind is DestinationKind.NONE:
        return None
    columns: dict[str, object] = {"agent_id": None, "queue_id": None, "menu_id": None, "e164": "", "words": ""}
    match destination.kind:
        case DestinationKind.USER | DestinationKind.QUEUE | DestinationKind.MENU:
            columns[TARGETS[destination.kind][1]] = destination.id
        case DestinationKind.NUMBER:
            columns["e164"] = destination.text
        case DestinationKind.SAY:
            columns["words"] = destination.text
    found = Place.objects.filter(company=company, kind=destination.kind, **columns).order_by("id").first()
    if found is not None:
        return found
    _check(company, destination)
    return Place.objects.create(company=company, kind=destination.kind, **columns)


def _check(company: Company, destination: Destination) -> None:
    if destination.kind in TARGETS:
        model, _column = TARGETS[destination.kind]
        if not model._default_manager.filter(pk=destination.id, company=company).exists():
            raise UnableToLead(f"{destination.kind} {destination.id} is not of company {company.pk}")
    elif destination.kind in {DestinationKind.NUMBER, DestinationKind.SAY} and not destination.text:
        raise UnableToLead(f"{destination.kind} without a text leads nowhere")
