"""Queues as somebody sees them who walks through the room: who is at work there, and who waits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Min

from agents.models import Agent
from curbe.companies.models import Company
from telephony.core import ladder
from telephony.core.types import Candidate
from telephony.models import CallQueue, QueueMember, QueueVisit

#: Codes of people who are not in the room: nothing that a supervisor says brings them to the phone.
_NOT_THERE: Final = frozenset({"no_credential", "offline", "chose_offline"})
#: Callers of all queues that are named; the rest is counted.
NAMED: Final = 200


@dataclass(frozen=True, slots=True)
class Person:
    """An agent as he stands. ``why_not`` is a code of ``core.ladder``: why he cannot be rung now; empty if he can."""

    agent_id: int
    name: str
    why_not: str

    @property
    def is_at_work(self) -> bool:
        return self.why_not in ladder.AT_WORK


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    number: str
    entered_at: datetime
    language: str


@dataclass(frozen=True, slots=True)
class Desk:
    queue: CallQueue
    #: Those at work stand first.
    people: tuple[Person, ...]
    waiting: int
    #: When the one who has waited longest came; None if nobody waits.
    oldest_at: datetime | None
    #: The first of those who wait, oldest first.
    callers: tuple[Caller, ...]

    @property
    def at_work(self) -> int:
        return sum(1 for person in self.people if person.is_at_work)

    @property
    def free(self) -> int:
        return sum(1 for person in self.people if not person.why_not)


def desks_of(company: Company, now: datetime) -> tuple[Desk, ...]:
    """Return every queue of the company, by name. Five queries, whatever their number."""
    people = people_of(company, now)
    members: dict[int, list[Person]] = defaultdict(list)
    rows = QueueMember.objects.filter(queue__company=company).order_by("id").values_list("queue_id", "agent_id")
    for queue_id, agent_id in rows:
        if agent_id in people:
            members[queue_id].append(people[agent_id])
    waiting = QueueVisit.objects.filter(company=company, outcome=QueueVisit.Outcome.WAITING)
    counted = {
        row["queue_id"]: (row["size"], row["oldest_at"])
        for row in waiting.order_by().values("queue_id").annotate(size=Count("id"), oldest_at=Min("entered_at"))
    }
    callers: dict[int, list[Caller]] = defaultdict(list)
    for visit in waiting.select_related("call").order_by("entered_at", "id")[:NAMED]:
        call = visit.call
        callers[visit.queue_id].append(Caller(call.caller_name, call.from_number, visit.entered_at, visit.language))
    return tuple(
        Desk(
            queue=queue,
            people=tuple(sorted(members[queue.pk], key=_place)),
            waiting=counted.get(queue.pk, (0, None))[0],
            oldest_at=counted.get(queue.pk, (0, None))[1],
            callers=tuple(callers[queue.pk]),
        )
        for queue in CallQueue.objects.filter(company=company).order_by("name", "id")
    )


def _place(person: Person) -> int:
    """Return who is named first: those at work, then those whom a word would bring back, then who is not there."""
    return 0 if person.is_at_work else 2 if person.why_not in _NOT_THERE else 1


def people_of(company: Company, now: datetime) -> dict[int, Person]:
    """Return the company's agents by id, as they stand now. One query."""
    agents = Agent.objects.filter(company=company, is_active=True, user__is_active=True)
    return {
        agent.pk: Person(agent.pk, str(agent.user), ladder.why_not(_candidate(agent), now))
        for agent in agents.select_related("user", "beat", "endpoint").order_by("user__name", "id")
    }


def _candidate(agent: Agent) -> Candidate:
    beat, endpoint = getattr(agent, "beat", None), getattr(agent, "endpoint", None)
    return Candidate(
        agent_id=agent.pk,
        name=str(agent.user),
        sip_username=endpoint.sip_username if endpoint else "",
        intent=agent.intent,
        activity=agent.activity,
        reserved_until=agent.reserved_until,
        idle_since=agent.idle_since,
        last_seen_at=beat.last_seen_at if beat else None,
        ready=beat is not None and beat.ready,
        microphone=beat is not None and beat.microphone,
        degraded=beat is not None and beat.degraded,
        wrap_up_until=agent.wrap_up_until,
    )
