"""Plain values that the tests of the routing are told with: agents, queues, plans, a call that walks through one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from telephony.core.hours import Calendar, Switch
from telephony.core.plan import (
    NOWHERE,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuPlan,
    NumberPlan,
    QueuePlan,
)
from telephony.core.routing import decide
from telephony.core.types import Candidate, Missing, PastOffer, Pool, Ring, RouteContext, Routed, Waiting

NOW: Final = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
FALLBACK: Final = "+13055550199"

USER: Final = Destination(DestinationKind.USER, 1)
QUEUE: Final = Destination(DestinationKind.QUEUE, 7)
OTHER_QUEUE: Final = Destination(DestinationKind.QUEUE, 8)
MENU: Final = Destination(DestinationKind.MENU, 5)
MOBILE: Final = Destination(DestinationKind.NUMBER, text="+13055550150")
GOODBYE: Final = Destination(DestinationKind.SAY, text="Llame mañana.")

#: Skills.
SPANISH, ENGLISH, SALES = 31, 32, 33


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def agent(number: int, **facts: Any) -> Candidate:
    """Return an agent who can be rung, idle for ``number`` minutes; ``facts`` spoil it."""
    candidate = Candidate(
        agent_id=number,
        name=f"agent {number}",
        sip_username=f"gencred{number}",
        intent="AVAILABLE",
        activity="IDLE",
        reserved_until=None,
        idle_since=NOW - timedelta(minutes=number),
        last_seen_at=NOW - timedelta(seconds=5),
        ready=True,
        microphone=True,
        position=number,
    )
    return replace(candidate, **facts)


def busy(number: int, **facts: Any) -> Candidate:
    return agent(number, activity="ON_CALL", **facts)


def away(number: int, **facts: Any) -> Candidate:
    return agent(number, last_seen_at=None, **facts)


def queue(**facts: Any) -> QueuePlan:
    return replace(QueuePlan(id=QUEUE.id, name="ventas", announce_every_s=0), **facts)


def plan(*queues: QueuePlan, menus: tuple[MenuPlan, ...] = (), **facts: Any) -> CompanyPlan:
    return CompanyPlan(
        version=1,
        language="es",
        ring_timeout_s=20,
        queues={one.id: one for one in queues},
        menus={one.id: one for one in menus},
        language_skills={"es": SPANISH, "en": ENGLISH},
        **facts,
    )


def hours(switch: Switch) -> Calendar:
    return Calendar(id=3, name="oficina", timezone="UTC", weekly=((),) * 7, switch=switch)


CLOSED: Final[Mapping[int, Calendar]] = {3: hours(Switch.CLOSED)}
OPEN: Final[Mapping[int, Calendar]] = {3: hours(Switch.OPEN)}


def offer(agent_id: int, outcome: str, *, ended_s_ago: float = 0.0, rang_s: float = 0.0) -> PastOffer:
    ended_at = NOW - seconds(ended_s_ago)
    return PastOffer(agent_id, outcome, ended_at - seconds(rang_s), ended_at)


def waiting(visit_id: str, waited_s: float, **facts: Any) -> Waiting:
    return replace(Waiting(visit_id, NOW - seconds(waited_s), priority=0, language=""), **facts)


def context(the_plan: CompanyPlan, to: Destination = QUEUE, *people: Candidate, **facts: Any) -> RouteContext:
    """Return the first step of a call to a number that leads ``to`` a place with these people."""
    given = {"number": NumberPlan(to), "pools": {to: Pool(people)}, **facts}
    return RouteContext(step=1, now=NOW, plan=the_plan, **given)


Load = Callable[[Destination], Pool]


def empty(place: Destination) -> Pool:
    return Pool()


def decided(ctx: RouteContext, load: Load = empty) -> Routed:
    """Return the decision, giving the pools that are asked for: each once."""
    asked: set[Destination] = set()
    while isinstance(routed := decide(ctx), Missing):
        assert routed.place not in asked, f"{routed.place} is asked for twice"
        asked.add(routed.place)
        ctx = replace(ctx, pools={**ctx.pools, routed.place: load(routed.place)})
    return routed


def next_context(ctx: RouteContext, routed: Routed, *, after_s: float = 0.0, **facts: Any) -> RouteContext:
    """Return the step behind a decision, with no news but ``facts``; its pools are to be read anew."""
    news = {"pools": {}, "dial": None, "digits": "", "number": NumberPlan(NOWHERE), **facts}
    return replace(
        ctx, step=ctx.step + 1, now=ctx.now + seconds(after_s), walk=routed.walk, previous=routed.decision, **news
    )


def rung(routed: Routed) -> list[int]:
    """Return the ids of the agents whom the decision rings, in order."""
    assert isinstance(routed.decision, Ring), routed
    return [target.agent_id for target in routed.decision.targets]


def codes(routed: Routed) -> list[str]:
    return [reason["code"] for reason in routed.reasons]


def why(routed: Routed, agent_id: int) -> str:
    """Return the code of what became of an agent."""
    [code] = [reason["code"] for reason in routed.reasons if reason.get("agent_id") == agent_id]
    return str(code)
