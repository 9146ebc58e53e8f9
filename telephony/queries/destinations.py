"""Where a company's number can lead, as one short code: ``none``, ``company``, ``user:<agent>``, ``queue:<queue>``."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from agents.models import Agent
from telephony.models import CallQueue, PhoneNumber

Destination = PhoneNumber.Destination
SHOWN: Final = 20


class Choice(NamedTuple):
    code: str
    label: str


def current(number: PhoneNumber) -> Choice:
    """Return where the number leads. Reads its agent, his user and its queue, if they were not selected with it."""
    if number.destination == Destination.USER and number.agent:
        return of_agent(number.agent)
    if number.destination == Destination.QUEUE and number.queue:
        return of_queue(number.queue)
    if number.destination == Destination.COMPANY:
        return Choice(Destination.COMPANY, _("The company (automatic)"))
    # A user or queue that is gone leaves its numbers assigned to nobody.
    return Choice(Destination.NONE, _("Not assigned"))


def of_agent(agent: Agent) -> Choice:
    return Choice(f"user:{agent.pk}", f"{agent.user} ({agent.user.username})")


def of_queue(queue: CallQueue) -> Choice:
    return Choice(f"queue:{queue.pk}", _("Queue %(name)s") % {"name": queue.name})


def choices(company_id: int, term: str = "") -> list[Choice]:
    """Return up to 20 queues and 20 users of the company that match, after the two that every company has."""
    fixed = [Choice(Destination.NONE, _("Not assigned")), Choice(Destination.COMPANY, _("The company (automatic)"))]
    queues = CallQueue.objects.filter(company=company_id, name__icontains=term).order_by("name", "id")[:SHOWN]
    named = [choice for choice in fixed if term.casefold() in choice.label.casefold()]
    return [*named, *map(of_queue, queues), *agent_choices(company_id, term)]


def agent_choices(company_id: int, term: str = "") -> list[Choice]:
    """Return up to 20 agents of the company whose name or user name matches."""
    agents = Agent.objects.filter(company=company_id, is_active=True).select_related("user")
    matching = agents.filter(Q(user__name__icontains=term) | Q(user__username__icontains=term))
    return [of_agent(agent) for agent in matching.order_by("user__name", "id")[:SHOWN]]
