"""In which order the agents of a queue are offered a call. The definitions stand beside the drop-down, word for word.

One order for all: tier, the strategy's own key, skill score, idle seconds, calls today, id. It is total, so two of
equal rank do not exist, and whoever asks "why him" reads the whole vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from telephony.core import ladder
from telephony.core.plan import QueuePlan, Strategy
from telephony.core.types import Candidate, Pool, Rank

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)

Ranked = tuple[Candidate, Rank]


def ordered(
    candidates: Sequence[Candidate], queue: QueuePlan, pool: Pool, now: datetime, *, language_skill_id: int = 0
) -> list[Ranked]:
    """Return the candidates, first to be rung first, each with the rank that put him there.

    ``language_skill_id`` is the skill that means the caller's language, where the queue looks at it.
    """
    key = _KEYS[queue.strategy](pool, now)
    weights = [(one.skill_id, one.weight) for one in queue.requirements]
    if language_skill_id:
        weights.append((language_skill_id, 1))
    return _sorted([(one, _rank(one, one.tier, key(one), skill_score(one, weights), now)) for one in candidates])


def longest_idle_first(candidates: Sequence[Candidate], now: datetime) -> list[Ranked]:
    """Return the order in which a company's own calls (model A and B) are offered: tiers are of queues only."""
    return _sorted([(one, _rank(one, 0, -idle_s(one, now), 0, now)) for one in candidates])


def _sorted(ranked: list[Ranked]) -> list[Ranked]:
    return sorted(ranked, key=lambda pair: pair[1].as_tuple())


def _rank(candidate: Candidate, tier: int, key: float, score: int, now: datetime) -> Rank:
    return Rank(tier, key, score, idle_s(candidate, now), candidate.calls_today, candidate.agent_id)


def idle_s(candidate: Candidate, now: datetime) -> float:
    return _seconds_since(candidate.idle_since, now)


def skill_score(candidate: Candidate, weights: Sequence[tuple[int, int]]) -> int:
    """Return Σ weight × level over pairs of a skill's id and its weight."""
    levels = candidate.skills
    return sum([weight * levels.get(skill_id, 0) for skill_id, weight in weights])


def _seconds_since(moment: datetime, now: datetime) -> float:
    return max(0.0, round((now - moment).total_seconds(), 3))


Key = Callable[[Candidate], float]


def _none(pool: Pool, now: datetime) -> Key:
    """Ring all and best skills need no key: what stands around it in the rank decides."""
    return lambda candidate: 0


def _in_fixed_order(pool: Pool, now: datetime) -> Key:
    """Always the same order: the members' own, within each tier."""
    return lambda candidate: candidate.position


def _longest_idle(pool: Pool, now: datetime) -> Key:
    """Seconds without a call: since his last call (and its wrap-up), or since he came back; most first."""
    return lambda candidate: -idle_s(candidate, now)


def _round_robin(pool: Pool, now: datetime) -> Key:
    """How many members stand between him and the queue's cursor, in their fixed order: 0 for who is next."""
    members = sorted((one.position, one.agent_id) for one in pool.candidates)
    places = {agent_id: place for place, (_position, agent_id) in enumerate(members)}
    first = places.get(pool.cursor_agent_id, -1) + 1
    return lambda candidate: (places[candidate.agent_id] - first) % len(places)


def _least_calls(pool: Pool, now: datetime) -> Key:
    """Answered calls in the queue's window. Who came in the middle of it starts at the least that the others have.

    The others are those at work: one who is at home and has no calls would have the newcomer flooded.
    """
    settled = [one for one in pool.candidates if not one.is_newcomer and ladder.is_at_work(one, now)]
    floor = min((one.answered_in_window for one in settled), default=0)
    return lambda candidate: max(candidate.answered_in_window, floor if candidate.is_newcomer else 0)


def _least_recent(pool: Pool, now: datetime) -> Key:
    """Seconds since his last call of this queue ended; if he never had one, since he came on duty; most first."""
    return lambda one: -_seconds_since(one.last_queue_call_at or one.on_duty_since or _LONG_AGO, now)


_KEYS: Final[dict[Strategy, Callable[[Pool, datetime], Key]]] = {
    Strategy.RING_ALL: _none,
    Strategy.ROUND_ROBIN: _round_robin,
    Strategy.LEAST_CALLS: _least_calls,
    Strategy.LEAST_RECENT: _least_recent,
    Strategy.LONGEST_IDLE: _longest_idle,
    Strategy.PRIORITY: _in_fixed_order,
    Strategy.SKILLS: _none,
}
