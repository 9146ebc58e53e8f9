"""In which order agents are offered a call: one table per definition (contact-centre-semantics.md, section 2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from telephony.core import strategies
from telephony.core.plan import Requirement, Strategy
from telephony.core.types import Candidate, Pool
from tests.core.routing_cast import NOW, SALES, SPANISH, agent, away, busy, queue, seconds

Order = list[int]


def ordered(strategy: Strategy, *people: Candidate, cursor: int = 0, spoken: int = 0, **facts: Any) -> Order:
    """Return the ids of those who are free, in order; the pool holds everybody."""
    free = [one for one in people if one.activity == "IDLE" and one.last_seen_at]
    pool = Pool(people, cursor_agent_id=cursor)
    ranked = strategies.ordered(free, queue(strategy=strategy, **facts), pool, NOW, language_skill_id=spoken)
    return [one.agent_id for one, _rank in ranked]


def ago(minutes: float) -> Any:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("people", "order"),
    [
        # Most time without a call first: max(end of the last wrap-up, became routable) is ``idle_since``.
        ([agent(1), agent(2), agent(3)], [3, 2, 1]),
        ([agent(1, idle_since=ago(9)), agent(2, idle_since=ago(5)), agent(3, idle_since=ago(7))], [1, 3, 2]),
        # A clock that is ahead makes nobody idle for less than nothing.
        ([agent(1, idle_since=ago(-1)), agent(2, idle_since=ago(0))], [1, 2]),
        # The tier goes before the time.
        ([agent(1, tier=1), agent(2, tier=2), agent(3, tier=1)], [3, 1, 2]),
        # Equally long: who had fewer calls today, then the smaller id.
        ([agent(n, idle_since=ago(5), calls_today=c) for n, c in ((1, 4), (3, 2), (2, 4))], [3, 1, 2]),
    ],
)
def test_longest_idle(people: list[Candidate], order: Order) -> None:
    assert ordered(Strategy.LONGEST_IDLE, *people) == order


FIVE = [agent(number) for number in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize(
    ("people", "cursor", "order"),
    [
        (FIVE, 0, [1, 2, 3, 4, 5]),
        (FIVE, 1, [2, 3, 4, 5, 1]),
        (FIVE, 3, [4, 5, 1, 2, 3]),
        (FIVE, 5, [1, 2, 3, 4, 5]),
        # Where the cursor stands counts, not whether he is free.
        ([agent(1), busy(2), agent(3)], 2, [3, 1]),
        ([agent(1), away(2), agent(3)], 2, [3, 1]),
        # The fixed order is the members' own, not that of their ids.
        ([agent(1, position=30), agent(2, position=10), agent(3, position=20)], 3, [1, 2, 3]),
        # A new member takes his place; the turn goes on as before.
        ([*FIVE, agent(6, position=6)], 5, [6, 1, 2, 3, 4, 5]),
        # Who stood at the cursor is a member no more: the turn begins anew.
        (FIVE, 99, [1, 2, 3, 4, 5]),
        # Two tiers: each in turn.
        ([agent(1, tier=2), agent(2), agent(3), agent(4, tier=2)], 2, [3, 2, 4, 1]),
    ],
)
def test_round_robin_goes_on_behind_its_cursor(people: list[Candidate], cursor: int, order: Order) -> None:
    assert ordered(Strategy.ROUND_ROBIN, *people, cursor=cursor) == order


def test_round_robin_over_many_calls_asks_everybody_equally_often() -> None:
    cursor, asked = 0, []
    for _call in range(10):
        cursor = ordered(Strategy.ROUND_ROBIN, *FIVE, cursor=cursor)[0]
        asked.append(cursor)

    assert asked == [1, 2, 3, 4, 5] * 2


def had(number: int, calls: int, **facts: Any) -> Candidate:
    return agent(number, answered_in_window=calls, **facts)


@pytest.mark.parametrize(
    ("people", "order"),
    [
        ([had(1, 3), had(2, 1), had(3, 2)], [2, 3, 1]),
        # Ties: longest idle.
        ([had(1, 2), had(2, 2), had(3, 2)], [3, 2, 1]),
        # Who logged in mid-window starts at the least that the others have; then he is only one of several.
        ([had(1, 5), had(2, 7, is_newcomer=True), had(3, 0, is_newcomer=True), had(4, 6)], [3, 1, 4, 2]),
        ([had(9, 5), had(3, 0, is_newcomer=True), had(4, 6)], [9, 3, 4]),
        # The least of those at work: one who is at home has none, and says nothing.
        ([had(9, 5), had(3, 0, is_newcomer=True), away(5)], [9, 3]),
        # The least is also that of somebody who talks just now.
        ([had(9, 5), had(3, 0, is_newcomer=True), busy(5, answered_in_window=4)], [3, 9]),
        # Newcomers only: their own counts.
        ([had(1, 2, is_newcomer=True), had(2, 1, is_newcomer=True)], [2, 1]),
        ([had(1, 0, tier=2), had(2, 9, tier=1)], [2, 1]),
    ],
)
def test_least_calls_in_the_window_with_a_floor_for_newcomers(people: list[Candidate], order: Order) -> None:
    assert ordered(Strategy.LEAST_CALLS, *people) == order


def last(number: int, minutes_ago: float | None, **facts: Any) -> Candidate:
    return agent(number, last_queue_call_at=None if minutes_ago is None else ago(minutes_ago), **facts)


@pytest.mark.parametrize(
    ("people", "order"),
    [
        ([last(1, 10), last(2, 30), last(3, 20)], [2, 3, 1]),
        # Calls of other queues do not count: who has been idle for a minute may be first.
        ([last(1, 30, idle_since=ago(1)), last(2, 10, idle_since=ago(10))], [1, 2]),
        # Never had one: since he came on duty.
        ([last(1, 20), last(2, None, on_duty_since=ago(15)), last(3, None, on_duty_since=ago(25))], [3, 1, 2]),
        # Nothing is known of him: before everybody.
        ([last(1, 60 * 24 * 30), last(2, None)], [2, 1]),
        ([last(1, 10, tier=1), last(2, 30, tier=2)], [1, 2]),
    ],
)
def test_least_recent_is_whose_last_call_of_this_queue_ended_first(people: list[Candidate], order: Order) -> None:
    assert ordered(Strategy.LEAST_RECENT, *people) == order


@pytest.mark.parametrize(
    ("people", "order"),
    [
        ([agent(1, tier=3), agent(2, tier=1), agent(3, tier=2)], [2, 3, 1]),
        # Always the same order within a tier: neither skill, nor idleness, nor calls change it.
        (
            [
                agent(1, position=2, idle_since=ago(500)),
                agent(2, position=1, idle_since=ago(1), calls_today=50),
                agent(3, position=3, skills={SALES: 5}),
            ],
            [2, 1, 3],
        ),
    ],
)
def test_priority_asks_the_same_person_first_always(people: list[Candidate], order: Order) -> None:
    assert ordered(Strategy.PRIORITY, *people, requirements=(Requirement(SALES, "seguros"),)) == order


SELLS = Requirement(SALES, "seguros", weight=2)
LISTENS = Requirement(34, "quejas", weight=1)


@pytest.mark.parametrize(
    ("people", "spoken", "order"),
    [
        # Σ weight × level, before idleness.
        ([agent(1, skills={SALES: 5}), agent(9, skills={SALES: 4}), agent(3, skills={SALES: 1})], 0, [1, 9, 3]),
        ([agent(1, skills={SALES: 2, 34: 1}), agent(2, skills={SALES: 1, 34: 4})], 0, [2, 1]),
        ([agent(1, skills={SALES: 2, 34: 1}), agent(2, skills={SALES: 1, 34: 3})], 0, [2, 1]),
        # Skills that the queue does not ask for count nothing.
        ([agent(1, skills={SALES: 1, 77: 5}), agent(2, skills={SALES: 1})], 0, [2, 1]),
        # The caller's language is asked for, so it counts.
        ([agent(1, skills={SALES: 1, SPANISH: 5}), agent(2, skills={SALES: 1, SPANISH: 3})], SPANISH, [1, 2]),
        ([agent(1, skills={SALES: 1, SPANISH: 5}), agent(2, skills={SALES: 1, SPANISH: 3})], 0, [2, 1]),
        ([agent(1, skills={SALES: 1}, tier=1), agent(2, skills={SALES: 5}, tier=2)], 0, [1, 2]),
    ],
)
def test_skills_ask_the_best_first(people: list[Candidate], spoken: int, order: Order) -> None:
    assert ordered(Strategy.SKILLS, *people, spoken=spoken, requirements=(SELLS, LISTENS)) == order


def test_ring_all_stands_in_the_common_order() -> None:
    people = [agent(1), agent(2, tier=2), agent(3, skills={SALES: 1}), agent(4)]

    assert ordered(Strategy.RING_ALL, *people, requirements=(SELLS,)) == [3, 4, 1, 2]


def test_the_company_offers_its_own_calls_to_the_longest_idle_whatever_his_tier() -> None:
    ranked = strategies.longest_idle_first([agent(1, tier=1), agent(3, tier=9), agent(2, tier=1)], NOW)

    assert [one.agent_id for one, _rank in ranked] == [3, 2, 1]


def test_the_whole_vector_is_kept_in_the_order_in_which_it_is_compared() -> None:
    him = agent(4, tier=2, skills={SALES: 3}, calls_today=6, answered_in_window=2, idle_since=NOW - seconds(61.5))
    pool = Pool((him,))

    [(_him, rank)] = strategies.ordered([him], queue(strategy=Strategy.LEAST_CALLS, requirements=(SELLS,)), pool, NOW)

    assert rank.as_tuple() == (2, 2, -6, -61.5, 6, 4)


@pytest.mark.parametrize("strategy", Strategy)
def test_the_order_does_not_hang_on_the_order_of_what_was_read(strategy: Strategy) -> None:
    since = ago(5)
    twins = [agent(number, idle_since=since, position=0) for number in (3, 1, 2)]

    assert ordered(strategy, *twins) == ordered(strategy, *reversed(twins)) == [1, 2, 3]
