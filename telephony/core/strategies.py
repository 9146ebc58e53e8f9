"""In which order the agents of a queue are offered a call. The definitions stand beside the drop-down, word for word.

One order for all: tier, the strategy's own key, skill score, idle seconds, calls today, id. It is total, so two of
equal rank do not exist, and whoever asks "why him" reads the whole vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from telephony.core.plan import QueuePlan, Strategy
from telephony.core.types import Candidate, Pool, Rank

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ordered(
    candidates: Sequence[Candidate], queue: QueuePlan, pool: Pool, now: datetime
) -> list[tuple[Candidate, Rank]]:
    """Return the candidates, first to be rung first, each with the rank that put him there."""
    key = _KEYS[queue.strategy](pool, now)
    ranked = [(candidate, rank_of(candidate, key(candidate), queue, now)) for candidate in candidates]
    return sorted(ranked, key=lambda pair: pair[1].as_tuple())


def longest_idle_first(candidates: Sequence[Candidate], now: datetime) -> list[tuple[Candidate, Rank]]:
    """Return the order in which a company's own calls (model A and B) are offered."""
    ranked = [(one, rank_of(one, -idle_s(one, now), None, now)) for one in candidates]
    return sorted(ranked, key=lambda pair: pair[1].as_tuple())


def rank_of(candidate: Candidate, key: float, queue: QueuePlan | None, now: datetime) -> Rank:
    return Rank(
        tier=candidate.tier,
        key=key,
        skill_score=skill_score(candidate, queue) if queue else 0,
        idle_s=idle_s(candidate, now),
        calls_today=candidate.calls_today,
        agent_id=candidate.agent_id,
    )


def idle_s(candidate: Candidate, now: datetime) -> float:
    return round(max(0.0, (now - candidate.idle_since).total_seconds()), 3)


def skill_score(candidate: Candidate, queue: QueuePlan) -> int:
    """Return Σ weight × level over what the queue asks for."""
    return sum(one.weight * candidate.skills.get(one.skill_id, 0) for one in queue.requirements)


def rings_all(strategy: Strategy) -> bool:
    return strategy is Strategy.RING_ALL


Key = Callable[[Candidate], float]


def _none(pool: Pool, now: datetime) -> Key:
    """Ring all, priority and best skills need no key: what stands around it in the rank decides."""
    return lambda candidate: 0


def _longest_idle(pool: Pool, now: datetime) -> Key:
    """Seconds without a call: since his last call (and its wrap-up), or since he came back; most first."""
    return lambda candidate: -idle_s(candidate, now)


def _round_robin(pool: Pool, now: datetime) -> Key:
    """Fixed order of the members, from behind whom the queue's cursor stands at."""
    positions = {candidate.agent_id: candidate.position for candidate in pool.candidates}
    after = positions.get(pool.cursor_agent_id, -1)
    length = max(positions.values(), default=0) + 1
    return lambda candidate: (candidate.position - after - 1) % length


def _least_calls(pool: Pool, now: datetime) -> Key:
    """Answered calls in the queue's window. Who came in the middle of it starts at the least that the others have."""
    floor = min((one.answered_in_window for one in pool.candidates if not one.is_newcomer), default=0)
    return lambda candidate: max(candidate.answered_in_window, floor if candidate.is_newcomer else 0)


def _least_recent(pool: Pool, now: datetime) -> Key:
    """When the last call of this queue ended; who never had one, since he came on duty."""

    def ended_at(candidate: Candidate) -> float:
        return (candidate.last_queue_call_at or candidate.on_duty_since or _LONG_AGO).timestamp()

    return ended_at


_KEYS: Final[dict[Strategy, Callable[[Pool, datetime], Key]]] = {
    Strategy.RING_ALL: _none,
    Strategy.ROUND_ROBIN: _round_robin,
    Strategy.LEAST_CALLS: _least_calls,
    Strategy.LEAST_RECENT: _least_recent,
    Strategy.LONGEST_IDLE: _longest_idle,
    Strategy.PRIORITY: _none,
    Strategy.SKILLS: _none,
}
