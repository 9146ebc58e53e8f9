"""The numbers of a company, page by page: by key and never by offset, narrowed by what a person remembers of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db.models import Q, QuerySet

from agents.models import Agent
from curbe.lib.phone import NotANumber, is_e164, to_e164
from telephony.models import CallQueue, Menu, PhoneNumber

PAGE_SIZE: Final = 50
#: Queues, menus and users whose names match: past this the text says too little.
MOST_TARGETS: Final = 200


class Leads(StrEnum):
    """What the list can be narrowed to."""

    ALL = ""
    NOWHERE = "none"
    USER = "user"
    QUEUE = "queue"
    MENU = "menu"
    COMPANY = "company"
    OTHER = "other"


_NARROWED: Final[dict[Leads, Q]] = {
    # SET_NULL leaves a destination without its row: to a caller that number is not assigned.
    Leads.NOWHERE: Q(destination="none")
    | Q(destination="user", agent=None)
    | Q(destination="queue", queue=None)
    | Q(destination="menu", menu=None),
    Leads.USER: Q(destination="user", agent__isnull=False),
    Leads.QUEUE: Q(destination="queue", queue__isnull=False),
    Leads.MENU: Q(destination="menu", menu__isnull=False),
    Leads.COMPANY: Q(destination="company"),
    Leads.OTHER: Q(destination__in=["number", "voicemail", "say"]),
}


@dataclass(frozen=True)
class Page:
    numbers: tuple[PhoneNumber, ...]
    #: The number that the next page starts above; empty on the last one.
    after: str


def page(
    numbers: QuerySet[PhoneNumber], *, company_id: int, text: str, leads: Leads, after: str, size: int = PAGE_SIZE
) -> Page:
    """Return up to ``size`` numbers above ``after``, in their order, narrowed by what the person asked for."""
    found = narrowed(numbers, company_id=company_id, text=text, leads=leads)
    if after:
        found = found.filter(e164__gt=after)
    rows = tuple(found.select_related("hours", "when_closed").order_by("e164")[: size + 1])
    return Page(rows[:size], rows[size - 1].e164 if len(rows) > size else "")


def narrowed(numbers: QuerySet[PhoneNumber], *, company_id: int, text: str, leads: Leads) -> QuerySet[PhoneNumber]:
    """Return the numbers that match. ``text``: digits of the number, its label, or the name of what it leads to."""
    if leads in _NARROWED:
        numbers = numbers.filter(_NARROWED[leads])
    return numbers.filter(_matching(company_id, text)) if text else numbers


def _matching(company_id: int, text: str) -> Q:
    try:
        whole = to_e164(text, region="US")
    except NotANumber:
        whole = ""
    if is_e164(whole) and len(whole) >= 11:
        # A whole number is looked up, which reads one row; a part of one is searched for.
        return Q(e164=whole)
    digits = "".join(character for character in text if character.isdigit())
    has_letters = any(character.isalpha() for character in text)
    # Most numbers have no label, and finding that out is far cheaper than comparing one.
    condition = ~Q(label="") & Q(label__icontains=text)
    if digits and not has_letters:
        return Q(e164__contains=digits) | condition
    # The names of a company are few, its numbers may be many: whose names match is asked first.
    queues = CallQueue.objects.filter(company=company_id, name__icontains=text)
    menus = Menu.objects.filter(company=company_id, name__icontains=text)
    agents = Agent.objects.filter(company=company_id)
    named = agents.filter(user__name__icontains=text) | agents.filter(user__username__icontains=text)
    return (
        condition
        | Q(queue__in=list(queues.values_list("pk", flat=True)[:MOST_TARGETS]))
        | Q(menu__in=list(menus.values_list("pk", flat=True)[:MOST_TARGETS]))
        | Q(agent__in=list(named.values_list("pk", flat=True)[:MOST_TARGETS]))
    )
