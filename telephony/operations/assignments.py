"""Where numbers lead: the one way to change it, and the one place that keeps companies apart in it."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from agents.models import Agent
from telephony.models import CallQueue, PhoneNumber

Destination = PhoneNumber.Destination


class UnableToAssign(ValueError):
    """The numbers cannot lead there, and none was changed. ``reason`` is a code: unknown, other_company."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(NamedTuple):
    """Where numbers shall lead; ``company_id`` is None where numbers of any company can."""

    destination: str
    agent_id: int | None = None
    queue_id: int | None = None
    company_id: int | None = None


def target_of(code: str) -> Target:
    """Return what a code of ``telephony.queries.destinations`` means. Raises UnableToAssign."""
    if code in {Destination.NONE, Destination.COMPANY}:
        return Target(code)
    kind, _colon, key = code.partition(":")
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise UnableToAssign("unknown")
    if kind == Destination.USER:
        agent = Agent.objects.filter(pk=key, is_active=True).first()
        if agent is not None:
            return Target(kind, agent_id=agent.pk, company_id=agent.company_id)
    elif kind == Destination.QUEUE:
        queue = CallQueue.objects.filter(pk=key).first()
        if queue is not None:
            return Target(kind, queue_id=queue.pk, company_id=queue.company_id)
    raise UnableToAssign("unknown")


def assign(numbers: QuerySet[PhoneNumber], target: Target) -> int:
    """Let all these numbers lead to ``target``; return how many there are. Raises UnableToAssign: then none does."""
    with transaction.atomic():
        if target.company_id is not None and numbers.exclude(company=target.company_id).exists():
            raise UnableToAssign("other_company")
        ids = numbers.order_by().values("pk")
        return PhoneNumber.objects.filter(pk__in=ids).update(
            destination=target.destination, agent=target.agent_id, queue=target.queue_id
        )
