"""The order of those who wait, what they are told, and whom a free agent is offered."""

from __future__ import annotations

from typing import Any

import pytest

from telephony.core import queueing
from telephony.core.plan import PriorityMode, QueuePlan
from telephony.core.types import Candidate, Handled, Visit, Waiting
from tests.core.routing_cast import NOW, agent, queue, seconds, waiting

AGED = queue(priority_mode=PriorityMode.AGED)
STRICT = queue(priority_mode=PriorityMode.STRICT, max_wait_s=300)


@pytest.mark.parametrize(
    ("the_queue", "callers", "order"),
    [
        (AGED, [("a", 10, 0), ("b", 30, 0), ("c", 20, 0)], "bca"),
        # A point counts as a minute of waiting.
        (AGED, [("a", 10, 1), ("b", 69, 0), ("c", 71, 0)], "cab"),
        (AGED, [("a", 0, 5), ("b", 250, 0), ("c", 310, 0)], "cab"),
        # Equal scores: who has waited longer; then the visit's id.
        (AGED, [("a", 0, 1), ("b", 60, 0)], "ba"),
        (AGED, [("b", 60, 0), ("a", 60, 0)], "ab"),
        (STRICT, [("a", 10, 0), ("b", 30, 0), ("c", 5, 1)], "cba"),
        (STRICT, [("a", 10, 2), ("b", 150, 0), ("c", 5, 3)], "cab"),
        # Half of the longest wait is over: he goes before any priority.
        (STRICT, [("a", 10, 2), ("b", 151, 0), ("c", 5, 3)], "bca"),
        (STRICT, [("a", 200, 0), ("b", 160, 9)], "ab"),
    ],
)
def test_who_is_served_first(the_queue: QueuePlan, callers: list[tuple[str, float, int]], order: str) -> None:
    line = [waiting(visit_id, waited_s, priority=priority) for visit_id, waited_s, priority in callers]

    assert "".join(one.visit_id for one in queueing.in_order(line, the_queue, NOW)) == order


@pytest.mark.parametrize(
    ("me", "ahead"),
    [
        (waiting("", 0), "cba"),
        (waiting("", 20), "cb"),
        # Who has just come stands behind one who came in the same moment.
        (waiting("", 10), "cba"),
        (waiting("b", 20), "c"),
        (waiting("c", 30), ""),
        (waiting("", 0, priority=1), ""),
    ],
)
def test_who_is_ahead_of_me(me: Waiting, ahead: str) -> None:
    line = [waiting("a", 10), waiting("b", 20), waiting("c", 30)]

    assert "".join(one.visit_id for one in queueing.ahead_of(me, line, AGED, NOW)) == ahead


def everybody(agent: Candidate, caller: Waiting) -> bool:
    return True


def by_language(agent: Candidate, caller: Waiting) -> bool:
    return caller.language in agent.name


ANA, BOB, EVA = agent(1, name="es en"), agent(2, name="en"), agent(3, name="es")


@pytest.mark.parametrize(
    ("free", "ahead", "serves", "spare"),
    [
        ([ANA, BOB], [], everybody, [1, 2]),
        ([ANA, BOB], [waiting("a", 9)], everybody, [2]),
        ([ANA], [waiting("a", 9)], everybody, []),
        ([ANA], [waiting("a", 9), waiting("b", 8)], everybody, []),
        # Who cannot be served by any of them takes none away.
        ([BOB], [waiting("a", 9, language="es")], by_language, [2]),
        ([ANA, BOB], [waiting("a", 9, language="es")], by_language, [2]),
        ([ANA, BOB, EVA], [waiting("a", 9, language="es"), waiting("b", 8, language="es")], by_language, [2]),
        # Nor does one who refused him, or was refused by him.
        ([ANA], [waiting("a", 9, excluded=frozenset({1}))], everybody, [1]),
        ([ANA, BOB], [waiting("a", 9, excluded=frozenset({1}))], everybody, [1]),
    ],
)
def test_those_ahead_have_the_agents_first(
    free: list[Candidate], ahead: list[Waiting], serves: Any, spare: Any
) -> None:
    assert [one.agent_id for one in queueing.spare(free, ahead, serves)] == spare


@pytest.mark.parametrize(
    ("position", "handled", "agents", "minutes"),
    [
        (1, None, 3, 0),
        (1, Handled(19, 240.0), 3, 0),
        # ceil(position × mean ÷ agents), in minutes.
        (1, Handled(20, 240.0), 4, 1),
        (3, Handled(20, 240.0), 4, 3),
        (3, Handled(20, 241.0), 4, 4),
        (2, Handled(20, 240.0), 0, 8),
        (1, Handled(20, 5.0), 4, 1),
        # No mean: 180 s.
        (2, Handled(20, 0.0), 1, 6),
    ],
)
def test_the_expected_wait(position: int, handled: Handled | None, agents: int, minutes: int) -> None:
    assert queueing.expected_wait_min(position, handled, agents) == minutes


MANY = Handled(50, 240.0)


def told(announced_s_ago: float | None = None, position: int = 0) -> Visit:
    at = None if announced_s_ago is None else NOW - seconds(announced_s_ago)
    return Visit("me", 7, NOW - seconds(90), 0, announced_at=at, announced_position=position)


@pytest.mark.parametrize(
    ("facts", "visit", "position", "handled", "said"),
    [
        ({"announce_every_s": 60}, told(), 3, None, (3, 0)),
        ({"announce_every_s": 60}, told(), 2, MANY, (2, 4)),
        ({"announce_every_s": 60, "announce_wait": False}, told(), 3, MANY, (3, 0)),
        ({"announce_every_s": 0}, told(), 3, MANY, (0, 0)),
        ({"announce_every_s": 60}, told(59, 3), 2, MANY, (0, 0)),
        ({"announce_every_s": 60}, told(60, 3), 2, MANY, (2, 4)),
        ({"announce_every_s": 60}, told(60, 3), 3, None, (3, 0)),
        # Somebody more urgent came: better say nothing.
        ({"announce_every_s": 60}, told(60, 3), 4, MANY, (0, 0)),
        # Nobody waits longer than the longest wait.
        ({"announce_every_s": 60, "max_wait_s": 240}, told(), 9, MANY, (9, 4)),
    ],
)
def test_what_a_caller_is_told(
    facts: dict[str, Any], visit: Visit, position: int, handled: Handled | None, said: tuple[int, int]
) -> None:
    announcement = queueing.announcement(visit, position, queue(**facts), handled, agents_at_work=2, now=NOW)

    assert (announcement.position, announcement.minutes) == said


@pytest.mark.parametrize(
    ("remaining_s", "length"), [(300, 20), (20, 20), (19.9, 10), (10, 10), (9, 5), (5, 5), (2, 5), (-3, 5)]
)
def test_the_music_ends_when_the_wait_does(remaining_s: float, length: int) -> None:
    assert queueing.music_s(remaining_s) == length


SALES = queue(id=1, service_level_s=20)
HELP = queue(id=2, service_level_s=100)


@pytest.mark.parametrize(
    ("callers", "order"),
    [
        # About to miss his service level (80 % of it), before one who is not, though that one has waited longer.
        ([("a", SALES, 16, 0), ("b", HELP, 79, 0)], "ab"),
        ([("a", SALES, 15, 0), ("b", HELP, 79, 0)], "ba"),
        ([("a", SALES, 16, 0), ("b", HELP, 80, 0)], "ba"),
        # A point is a minute here too.
        ([("a", SALES, 15, 2), ("b", HELP, 79, 0)], "ab"),
        # Each queue keeps its own order.
        ([("a", SALES, 30, 0), ("b", SALES, 40, 0), ("c", HELP, 35, 0)], "bac"),
        ([("b", HELP, 5, 0), ("a", HELP, 5, 0)], "ab"),
        ([], ""),
    ],
)
def test_a_free_agent_of_two_queues_is_offered_the_most_urgent(
    callers: list[tuple[str, QueuePlan, float, int]], order: str
) -> None:
    line = [queueing.Caller(waiting(v, waited_s, priority=p), the_queue) for v, the_queue, waited_s, p in callers]

    assert "".join(one.waiting.visit_id for one in queueing.most_urgent_first(line, NOW)) == order


def test_a_strict_queue_keeps_its_order_beside_another() -> None:
    strict = queue(id=3, priority_mode=PriorityMode.STRICT, service_level_s=600)
    line = [
        queueing.Caller(waiting("long", 100), strict),
        queueing.Caller(waiting("dear", 5, priority=1), strict),
        queueing.Caller(waiting("other", 70), HELP),
    ]

    assert [one.waiting.visit_id for one in queueing.most_urgent_first(line, NOW)] == ["other", "dear", "long"]
