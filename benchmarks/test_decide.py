"""How long the pure decision takes: ``python -m pytest benchmarks/test_decide.py``. The median should be under 1 ms.

No assertion: a time that fails on a busy machine would teach people not to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from telephony.core.plan import NumberPlan, Requirement, Strategy
from telephony.core.routing import decide
from telephony.core.types import Candidate, Pool, Ring, RouteContext, Routed, Wait
from tests.core.routing_cast import NOW, QUEUE, SALES, SPANISH, agent, context, offer, plan, queue, waiting

CANDIDATES: Final = 200
COMPLAINTS: Final = 34

Benchmark = Callable[..., Any]


def crowd(*, free: int = CANDIDATES) -> tuple[Candidate, ...]:
    """Return 200 agents with skills, so many of them free; one in five lacks something."""
    return tuple(
        agent(
            number,
            activity="IDLE" if number <= free else "ON_CALL",
            idle_since=NOW - timedelta(seconds=number * 7 % 900),
            tier=1 + number % 3,
            skills={SPANISH: 1 + number % 5, SALES: number % 5, COMPLAINTS: 1 + number % 4},
            answered_in_window=number % 13,
            calls_today=number % 17,
        )
        for number in range(1, CANDIDATES + 1)
    )


def call(strategy: Strategy, people: tuple[Candidate, ...], **pool: Any) -> RouteContext:
    wants = (Requirement(SALES, "seguros", min_level=1, weight=3), Requirement(COMPLAINTS, "quejas", min_level=1))
    the_plan = plan(queue(strategy=strategy, requirements=wants, match_language=True))
    return context(
        the_plan,
        number=NumberPlan(QUEUE, language="es"),
        pools={QUEUE: replace(Pool(people), **pool)},
        offers=tuple(offer(number, "missed", ended_s_ago=60) for number in range(1, 6)),
    )


@pytest.mark.parametrize("strategy", Strategy)
def test_decide_on_200_free_candidates_with_skills(benchmark: Benchmark, strategy: Strategy) -> None:
    ctx = call(strategy, crowd())

    routed = benchmark(decide, ctx)

    assert isinstance(routed, Routed)
    assert isinstance(routed.decision, Ring)


def test_decide_while_all_200_are_busy(benchmark: Benchmark) -> None:
    routed = benchmark(decide, call(Strategy.SKILLS, crowd(free=0)))

    assert isinstance(routed.decision, Wait)


def test_decide_behind_100_who_wait_while_200_are_free(benchmark: Benchmark) -> None:
    line = tuple(waiting(f"{place:03}", place + 1.0, language="es") for place in range(100))
    ctx = call(Strategy.SKILLS, crowd(), waiting=line, size=100)
    ctx = replace(ctx, plan=plan(replace(ctx.plan.queues[QUEUE.id], max_size=200)))

    routed = benchmark(decide, ctx)

    assert isinstance(routed.decision, Ring)
