"""Why an agent gets no calls, or who gets them before him: queue by queue, by the rules that route calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent
from curbe.companies.models import Company
from telephony.core import ladder, skills, strategies
from telephony.core.plan import CompanyPlan, Destination, DestinationKind, QueuePlan
from telephony.core.types import Candidate, Pool, Waiting
from telephony.queries import pools
from telephony.queries.plans import compile_plan


@dataclass(frozen=True, slots=True)
class InQueue:
    """How an agent stands in one queue."""

    queue: QueuePlan
    #: Code and name of the first thing that he lacks for any call of this queue; two empty strings if nothing.
    lacks: tuple[str, str]
    #: He lacks it for good: no wait makes the queue ask for less.
    never: bool
    #: His place among those who can be rung now (1 is asked first); where he would stand if he could, if he cannot.
    place: int
    free: int
    at_work: int
    waiting: int
    #: When the one who has waited longest came; None if nobody waits.
    oldest_at: datetime | None
    #: Of those who wait: how many speak a language that he lacks, or that have been offered to him already.
    not_for_him: int


@dataclass(frozen=True, slots=True)
class AgentStanding:
    #: A code of ``core.ladder``: why he cannot be rung for any call; empty if he can. None: he answers no calls.
    why_not: str | None
    queues: tuple[InQueue, ...]


def standing_of(agent: Agent, company: Company, now: datetime) -> AgentStanding:
    """Return how the agent stands now. Two to five queries for each of his queues."""
    if not (agent.is_active and agent.user.is_active):
        return AgentStanding(None, ())
    plan = compile_plan(company)
    him = _himself(agent, company, plan, now)
    if him is None:
        return AgentStanding(None, ())
    ids = agent.queue_memberships.filter(queue__company=company).order_by("queue__name").values_list("queue", flat=True)
    return AgentStanding(
        why_not=ladder.why_not(him, now),
        queues=tuple(_in_queue(plan.queues[queue_id], agent, company, plan, now) for queue_id in ids),
    )


def _himself(agent: Agent, company: Company, plan: CompanyPlan, now: datetime) -> Candidate | None:
    place = Destination(DestinationKind.USER, agent.pk)
    found = pools.pool_of(place, company_id=company.pk, plan=plan, call_id=None, now=now).candidates
    return found[0] if found else None


def _in_queue(queue: QueuePlan, agent: Agent, company: Company, plan: CompanyPlan, now: datetime) -> InQueue:
    place = Destination(DestinationKind.QUEUE, queue.id)
    pool = pools.pool_of(place, company_id=company.pk, plan=plan, call_id=None, now=now)
    him = next((one for one in pool.candidates if one.agent_id == agent.pk), None)
    free = [one for one in pool.candidates if not ladder.why_not(one, now) and not _lacks(one, plan, queue)[0]]
    return InQueue(
        queue=queue,
        lacks=_lacks(him, plan, queue) if him else ("", ""),
        never=him is not None and skills.lack(him, skills.last_needs(plan, queue, "")) is not None,
        place=_place(him, free, queue, pool, now) if him else 0,
        free=len(free),
        at_work=sum(1 for one in pool.candidates if ladder.is_at_work(one, now)),
        waiting=pool.size,
        oldest_at=min((one.entered_at for one in pool.waiting), default=None),
        not_for_him=sum(1 for one in pool.waiting if him and not _may_have(him, one, plan, queue, now)),
    )


def _lacks(candidate: Candidate, plan: CompanyPlan, queue: QueuePlan) -> tuple[str, str]:
    """Return what he lacks for a caller of any language who has just come."""
    return skills.lacks(candidate, plan, queue, "", steps=0)


def _place(him: Candidate, free: list[Candidate], queue: QueuePlan, pool: Pool, now: datetime) -> int:
    others = [one for one in free if one.agent_id != him.agent_id]
    order = [one.agent_id for one, _rank in strategies.ordered([*others, him], queue, pool, now)]
    return order.index(him.agent_id) + 1


def _may_have(him: Candidate, caller: Waiting, plan: CompanyPlan, queue: QueuePlan, now: datetime) -> bool:
    steps = skills.relaxation(queue, (now - caller.entered_at).total_seconds())
    lacks = skills.lacks(him, plan, queue, caller.language, steps)[0]
    return not lacks and him.agent_id not in caller.excluded
