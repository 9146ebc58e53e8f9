"""The order of those who wait, what they are told, and whom a free agent is offered first. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from telephony.core.plan import PriorityMode, QueuePlan
from telephony.core.types import Candidate, Handled, Visit, Waiting

#: A point of priority counts as so much waiting ("aged").
POINT_S: Final = 60
#: A caller who has waited this part of the service level is about to miss it.
AT_RISK: Final = 0.8
#: What a call takes where too few were answered to know.
UNKNOWN_CALL_S: Final = 180
#: Answered calls in the window that the expected wait needs to be worth saying.
SAMPLES_NEEDED: Final = 20
#: Sorts behind every visit's id.
_NEWEST: Final = "\uffff"
#: The lengths of the pieces of music that exist, in seconds; the longest is also how late a change is noticed at most.
MUSIC_S: Final = (20, 10, 5)


def sort_key(entered_at: datetime, priority: int, queue: QueuePlan, now: datetime) -> tuple[float, ...]:
    """Return what puts a caller where he stands, smallest first; of two that are equal the visit's id decides."""
    waited_s = (now - entered_at).total_seconds()
    if queue.priority_mode is PriorityMode.AGED:
        return (-(waited_s + priority * POINT_S), -waited_s)
    # The guard against starving: half of the longest wait goes before any priority.
    starves = waited_s > queue.max_wait_s / 2
    return (0 if starves else 1, 0 if starves else -priority, -waited_s)


def in_order(waiting: Iterable[Waiting], queue: QueuePlan, now: datetime) -> list[Waiting]:
    """Return who waits, first to be served first."""
    return sorted(
        waiting, key=lambda one: (sort_key(one.entered_at, one.priority, queue, now), one.visit_id or _NEWEST)
    )


def ahead_of(me: Waiting, waiting: Iterable[Waiting], queue: QueuePlan, now: datetime) -> list[Waiting]:
    """Return those who are to be served before ``me``, in order. Who has no id yet comes behind his equals."""
    everybody = in_order([*(one for one in waiting if one.visit_id != me.visit_id), me], queue, now)
    return everybody[: everybody.index(me)]


def spare(
    free: Sequence[Candidate], ahead: Iterable[Waiting], serves: Callable[[Candidate, Waiting], bool]
) -> list[Candidate]:
    """Return the free agents that are left when each caller ahead has had the first one who may serve him.

    A caller ahead who can have none of them takes none away: nobody waits behind whom these agents do not help. One
    who would ring them all together takes one all the same: he needs no more.
    """
    left = list(free)
    for caller in ahead:
        if not left:
            break
        suits = (agent.agent_id not in caller.excluded and serves(agent, caller) for agent in left)
        taken = next((place for place, suit in enumerate(suits) if suit), None)
        if taken is not None:
            del left[taken]
    return left


def expected_wait_min(position: int, handled: Handled | None, agents_at_work: int) -> int:
    """Return the expected wait in whole minutes, at least 1; 0 where too little is known to say any."""
    if handled is None or handled.samples < SAMPLES_NEEDED:
        return 0
    return max(1, math.ceil(position * (handled.mean_s or UNKNOWN_CALL_S) / max(1, agents_at_work) / 60))


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a caller is told before the music: 0 is not said."""

    position: int = 0
    minutes: int = 0


def announcement(
    visit: Visit, position: int, queue: QueuePlan, handled: Handled | None, agents_at_work: int, now: datetime
) -> Announcement:
    """Return what to say now: the position every ``announce_every_s``, never one worse than the last that was said."""
    if not queue.announce_every_s:
        return Announcement()
    if visit.announced_at is not None and (now - visit.announced_at).total_seconds() < queue.announce_every_s:
        return Announcement()
    if visit.announced_position and position > visit.announced_position:
        return Announcement()
    minutes = expected_wait_min(position, handled, agents_at_work) if queue.announce_wait else 0
    longest_min = math.ceil(queue.max_wait_s / 60)
    return Announcement(position, min(minutes, longest_min))


def music_s(remaining_s: float) -> int:
    """Return the longest piece that ends before the wait does; the shortest where none fits."""
    return next((length for length in MUSIC_S if length <= remaining_s), MUSIC_S[-1])


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who waits in one of several queues, for an agent who serves them all."""

    waiting: Waiting
    queue: QueuePlan


def most_urgent_first(callers: Iterable[Caller], now: datetime) -> list[Caller]:
    """Return callers of several queues in the order in which a free agent should be offered them.

    Each queue keeps its own order; of their first ones, who is about to miss his queue's service level comes before who
    is not, and then who has the higher score.
    """
    lines = _lines(callers, now)
    ordered: list[Caller] = []
    while lines:
        line = min(lines, key=lambda line: _urgency(line[0], now))
        ordered.append(line.pop(0))
        lines = [line for line in lines if line]
    return ordered


def _lines(callers: Iterable[Caller], now: datetime) -> list[list[Caller]]:
    by_queue: dict[int, list[Caller]] = {}
    for caller in callers:
        by_queue.setdefault(caller.queue.id, []).append(caller)
    lines = []
    for line in by_queue.values():
        known = {caller.waiting.visit_id: caller for caller in line}
        lines.append([known[one.visit_id] for one in in_order((c.waiting for c in line), line[0].queue, now)])
    return lines


def _urgency(caller: Caller, now: datetime) -> tuple[bool, float, str]:
    waited_s = (now - caller.waiting.entered_at).total_seconds()
    at_risk = waited_s >= AT_RISK * caller.queue.service_level_s
    return (not at_risk, -(waited_s + caller.waiting.priority * POINT_S), caller.waiting.visit_id)
