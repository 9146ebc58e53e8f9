"""What must never be true for long, looked at as it is now: each with the rows that break it. One statement each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from agents.models import Activity, Agent
from curbe.lib.ids import first_id_at
from telephony.models import Call, CallLeg, Offer

#: Nothing may stay broken, or unasked, for longer than this.
WITHIN: Final = timedelta(seconds=30)
#: An end reaches us in pieces: legs are closed one after the other.
LEG_LINGERS: Final = timedelta(seconds=30)
LOOKED_BACK: Final = timedelta(hours=10)
#: Rows that are shown; of more, only that there are more.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Broken:
    """Whatever breaks an invariant: an agent, or a call, or both."""

    agent: Agent | None = None
    call: Call | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invariant:
    code: str
    rows: tuple[Broken, ...]
    has_more: bool

    @property
    def holds(self) -> bool:
        return not self.rows

    @property
    def count(self) -> str:
        return f"{len(self.rows)}+" if self.has_more else str(len(self.rows))


def all_of(company_id: int, now: datetime) -> tuple[Invariant, ...]:
    """Return each invariant as it stands now in a company. Three statements, one more where an agent breaks one."""
    return tuple(_taken(code, look(company_id, now)) for code, look in CHECKS.items())


def agents_without_a_leg(company_id: int, now: datetime) -> QuerySet[Agent]:
    """Return the agents who are on a call that is over, or in which they have no live leg."""
    mine = CallLeg.objects.filter(call=OuterRef("busy_call_id"), agent=OuterRef("pk"))
    live = mine.exclude(status=CallLeg.Status.ENDED).exclude(call__status=Call.Status.COMPLETED)
    # Whoever is on a call is not idle, and only who is not idle stands in the index.
    busy = Agent.objects.exclude(activity=Activity.IDLE).filter(company=company_id, activity=Activity.ON_CALL)
    return busy.filter(~Exists(live)).select_related("user").order_by("id")


def legs_without_a_call(company_id: int, now: datetime) -> QuerySet[CallLeg]:
    """Return the legs that are up though their call is over."""
    legs = CallLeg.objects.exclude(status=CallLeg.Status.ENDED).filter(
        # The key is ordered by time: without this bound every leg that ever was would be read.
        call_id__gte=first_id_at(now - LOOKED_BACK),
        call__company=company_id,
        call__status=Call.Status.COMPLETED,
        call__ended_at__lt=now - LEG_LINGERS,
    )
    return legs.select_related("call", "agent__user").order_by("id")


def silent_calls(company_id: int, now: datetime) -> QuerySet[Call]:
    """Return the open calls of which nothing was heard for 30 s, though Telnyx could have been asked."""
    silent = Call.objects.exclude(status=Call.Status.COMPLETED).filter(last_news_at__lt=now - WITHIN)
    return silent.filter(company=company_id).order_by("last_news_at", "id")


def open_calls(company_id: int) -> QuerySet[Call]:
    """Return the calls that go on, oldest first."""
    calls = Call.objects.exclude(status=Call.Status.COMPLETED).filter(company=company_id)
    return calls.select_related("agent__user", "queue").order_by("id")


def busy_agents(company_id: int) -> QuerySet[Agent]:
    """Return who is not idle, each with ``has_leg``: a live leg in the call that holds him; he is not released then."""
    legs = CallLeg.objects.filter(call=OuterRef("busy_call_id"), agent=OuterRef("pk"), answered_at__isnull=False)
    rings = Offer.objects.filter(call=OuterRef("busy_call_id"), agent=OuterRef("pk"), outcome=Offer.Outcome.PENDING)
    busy = Agent.objects.exclude(activity=Activity.IDLE).filter(company=company_id, is_active=True)
    return (
        busy.annotate(has_leg=Exists(legs.exclude(status=CallLeg.Status.ENDED)), rings=Exists(rings))
        .select_related("user")
        .order_by("id")
    )


def _agents(company_id: int, now: datetime) -> list[Broken]:
    agents = list(agents_without_a_leg(company_id, now)[: MOST_ROWS + 1])
    ids = [agent.busy_call_id for agent in agents if agent.busy_call_id is not None]
    calls = Call.objects.filter(company=company_id).in_bulk(ids) if ids else {}
    return [
        Broken(agent, calls.get(agent.busy_call_id) if agent.busy_call_id else None, agent.presence_at)
        for agent in agents
    ]


def _legs(company_id: int, now: datetime) -> list[Broken]:
    legs = legs_without_a_call(company_id, now)[: MOST_ROWS + 1]
    return [Broken(leg.agent, leg.call, leg.call.ended_at) for leg in legs]


def _calls(company_id: int, now: datetime) -> list[Broken]:
    return [Broken(None, call, call.last_news_at) for call in silent_calls(company_id, now)[: MOST_ROWS + 1]]


CHECKS: Final[dict[str, Callable[[int, datetime], list[Broken]]]] = {
    "agent_without_leg": _agents,
    "leg_without_call": _legs,
    "call_without_news": _calls,
}


def _taken(code: str, rows: list[Broken]) -> Invariant:
    return Invariant(code, tuple(rows[:MOST_ROWS]), len(rows) > MOST_ROWS)
