"""Whom a call rings: at a user or the company whoever is free; at a queue it may also wait, or leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from telephony.core import ladder, queueing, skills, strategies
from telephony.core.notes import Notes
from telephony.core.plan import NOWHERE, Destination, QueuePlan, Strategy, WhenClosing
from telephony.core.strategies import Ranked
from telephony.core.types import (
    MAX_PARALLEL_TARGETS,
    Candidate,
    PastOffer,
    Pool,
    Ring,
    RouteContext,
    Target,
    Visit,
    VisitOutcome,
    Wait,
    Waiting,
)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The queue does nothing more for the call. ``place`` NOWHERE: the company's fallback number, or else voicemail."""

    outcome: VisitOutcome
    place: Destination


@dataclass(frozen=True)
class QueuedCall:
    """A call at a queue, with what is weighed there."""

    ctx: RouteContext
    queue: QueuePlan
    pool: Pool
    visit: Visit
    #: It came just now.
    joins: bool
    #: The language that the caller chose, or that was chosen for him; empty: any.
    language: str

    @cached_property
    def waited_s(self) -> float:
        return max(0.0, (self.ctx.now - self.visit.entered_at).total_seconds())

    @cached_property
    def steps(self) -> int:
        """By how many levels the skills have given way."""
        return skills.relaxation(self.queue, self.waited_s)

    @cached_property
    def offers(self) -> tuple[PastOffer, ...]:
        """The offers that this visit has made. Others of the same call count for whom they were made to, not here."""
        return tuple(one for one in self.ctx.offers if one.offered_at >= self.visit.entered_at)

    @cached_property
    def asked(self) -> frozenset[int]:
        return ladder.was_offered(self.ctx.offers)

    @cached_property
    def refused(self) -> dict[int, str]:
        return ladder.refused_by(self.ctx.offers, self.ctx.now)

    @cached_property
    def at_work(self) -> list[Candidate]:
        return [one for one in self.pool.candidates if ladder.is_at_work(one, self.ctx.now)]

    @cached_property
    def ahead(self) -> list[Waiting]:
        """Return who is to be served before this call."""
        me = Waiting(self.visit.visit_id, self.visit.entered_at, self.visit.priority, self.language)
        return queueing.ahead_of(me, self.pool.waiting, self.queue, self.ctx.now)

    @property
    def offers_left(self) -> int:
        return max(0, self.queue.max_offers - len(self.offers))

    @property
    def is_overdue(self) -> bool:
        return self.waited_s >= self.queue.max_wait_s

    def needs_of(self, waiting: Waiting) -> tuple[skills.Need, ...]:
        steps = skills.relaxation(self.queue, (self.ctx.now - waiting.entered_at).total_seconds())
        return skills.needs(self.ctx.plan, self.queue, waiting.language, steps)


def weigh(call: QueuedCall, notes: Notes) -> Ring | Wait | Leaves:
    """Return what becomes of the call now; ``notes`` takes down why, and what became of each member."""
    turned_away = _turned_away(call, notes)
    if turned_away is not None:
        return turned_away
    ranked = _known_first(call, _who_can_ring(call, notes), notes)
    if ranked and call.offers_left:
        alone = call.queue.strategy is not Strategy.RING_ALL or _is_known(call, ranked[0])
        most = 1 if alone else min(MAX_PARALLEL_TARGETS, call.offers_left)
        return ring(ranked, most=most, timeout_s=call.queue.ring_timeout_s, strategy=call.queue.strategy, notes=notes)
    outcome = _why_leave(call, notes)
    return Leaves(outcome, call.queue.overflow) if outcome else _wait(call, notes)


def ring_the_free(ctx: RouteContext, pool: Pool, notes: Notes) -> Ring | None:
    """Ring who is free, the longest idle first (model A: one, model B: several); None if nobody is."""
    refused = ladder.refused_by(ctx.offers, ctx.now)
    free = [one for one in pool.candidates if not _is_out(ctx, one, refused, notes)]
    ranked = strategies.longest_idle_first(free, ctx.now)
    ranked = _new_ones_first(ranked, ladder.was_offered(ctx.offers), notes) or ranked
    if not ranked:
        return None
    return ring(
        ranked,
        most=MAX_PARALLEL_TARGETS,
        timeout_s=ctx.plan.ring_timeout_s,
        strategy=Strategy.LONGEST_IDLE,
        notes=notes,
    )


def ring(ranked: Sequence[Ranked], *, most: int, timeout_s: int, strategy: Strategy, notes: Notes) -> Ring:
    """Ring the first ``most`` of the ranked together; note of each why he is rung, or that others come before him."""
    for one, rank in ranked[:most]:
        notes.of(one, "rung", strategy=str(strategy), rank=list(rank.as_tuple()))
    for place, (one, _rank) in enumerate(ranked[most:], start=most + 1):
        if most == 1:
            notes.of(one, "comes_later", place=place)
        else:
            notes.of(one, "over_limit", count=most)
    targets = tuple(Target(one.agent_id, one.sip_username, rank) for one, rank in ranked[:most])
    return Ring(targets, timeout_s)


def _turned_away(call: QueuedCall, notes: Notes) -> Leaves | None:
    """Return how the call leaves a queue that is closed; None if it may be there."""
    queue, ctx = call.queue, call.ctx
    heeds_hours = call.joins or queue.when_closing is WhenClosing.OVERFLOW
    if heeds_hours and notes.is_closed(ctx.plan, queue.hours_id, ctx.now):
        return Leaves(VisitOutcome.CLOSED, queue.when_closed if queue.when_closed != NOWHERE else queue.overflow)
    return None


# --- Whom it rings ------------------------------------------------------------------------------------------------


def _who_can_ring(call: QueuedCall, notes: Notes) -> list[Ranked]:
    """Return whom the call may be offered to now, in order."""
    plan, queue, now = call.ctx.plan, call.queue, call.ctx.now
    needs = skills.needs(plan, queue, call.language, call.steps)
    if needs != skills.needs(plan, queue, call.language, 0):
        notes.add("relaxed", seconds=int(call.waited_s), steps=call.steps)
    free = [
        one
        for one in call.pool.candidates
        if not (_lacks(one, needs, notes) or _is_out(call.ctx, one, call.refused, notes))
    ]
    spoken = plan.language_skills.get(call.language, 0) if queue.match_language else 0
    ranked = strategies.ordered(free, queue, call.pool, now, language_skill_id=spoken)
    ranked = _without_those_ahead(call, ranked, notes)
    # Past the longest wait nobody is rung a second time.
    return _new_ones_first(ranked, call.asked, notes) or ([] if call.is_overdue else ranked)


def _lacks(agent: Candidate, needs: Sequence[skills.Need], notes: Notes) -> bool:
    lack = skills.lack(agent, needs)
    if lack is not None:
        notes.of(agent, f"no_{lack.kind}", **{lack.kind: lack.name}, level=lack.level)
    return lack is not None


def _is_out(ctx: RouteContext, agent: Candidate, refused: Mapping[int, str], notes: Notes) -> bool:
    """Say whether the agent cannot be rung for this call now, a claim that was lost since he was read included."""
    code = ladder.why_not(agent, ctx.now)
    if code in ladder.AT_WORK:
        # What he did with this call a moment ago is why only for somebody who could be rung for another.
        code = refused.get(agent.agent_id, "") or code
    if not code and agent.agent_id in ctx.lost_claims:
        code = "claimed"
    if code:
        notes.of(agent, code)
    return bool(code)


def _without_those_ahead(call: QueuedCall, ranked: list[Ranked], notes: Notes) -> list[Ranked]:
    """Leave to those who wait longer whom they can use."""
    if not ranked or not call.ahead:
        return ranked
    needs = {waiting.visit_id: call.needs_of(waiting) for waiting in call.ahead}
    spare = queueing.spare(
        [one for one, _rank in ranked],
        call.ahead,
        lambda agent, waiting: skills.lack(agent, needs[waiting.visit_id]) is None,
    )
    kept = {one.agent_id for one in spare}
    for one, _rank in ranked:
        if one.agent_id not in kept:
            notes.of(one, "for_who_waits_longer")
    return [pair for pair in ranked if pair[0].agent_id in kept]


def _new_ones_first(ranked: list[Ranked], asked: frozenset[int], notes: Notes) -> list[Ranked]:
    """Return those who were not asked yet: nobody is rung twice for one call while others remain."""
    new = [pair for pair in ranked if pair[0].agent_id not in asked]
    for one, _rank in ranked if new else ():
        if one.agent_id in asked:
            notes.of(one, "asked_already")
    return new


# --- Whom the caller knows ----------------------------------------------------------------------------------------


def _known_first(call: QueuedCall, ranked: list[Ranked], notes: Notes) -> list[Ranked]:
    """Return the ranked, whom the caller knows first; nobody while it is worth waiting for one whom he knows.

    The contact's owner goes before the last agent.
    """
    for sticky in call.ctx.sticky if call.queue.sticky else ():
        known = next((pair for pair in ranked if pair[0].agent_id == sticky.agent_id), None)
        if known is not None:
            notes.of(known[0], f"sticky_{sticky.why}")
            return [known, *(pair for pair in ranked if pair is not known)]
        awaited = next((one for one in call.pool.candidates if one.agent_id == sticky.agent_id), None)
        if awaited is not None and _is_worth_waiting_for(call, awaited):
            for one, _rank in ranked:
                notes.of(one, "caller_knows_another")
            notes.add("sticky_waits", name=awaited.name, seconds=call.queue.sticky_wait_s)
            return []
    return ranked


def _is_known(call: QueuedCall, pair: Ranked) -> bool:
    return call.queue.sticky and any(one.agent_id == pair[0].agent_id for one in call.ctx.sticky)


def _is_worth_waiting_for(call: QueuedCall, agent: Candidate) -> bool:
    """Say whether the agent is at work, may serve the call, and has not been asked yet: so not who declined it."""
    return (
        call.waited_s < call.queue.sticky_wait_s
        and agent.agent_id not in call.asked
        and ladder.is_at_work(agent, call.ctx.now)
        and skills.lack(agent, skills.needs(call.ctx.plan, call.queue, call.language, call.steps)) is None
    )


# --- Nobody rings -------------------------------------------------------------------------------------------------


def _why_leave(call: QueuedCall, notes: Notes) -> VisitOutcome | None:
    """Return how a call ends its visit that nobody can be rung for; None if it waits."""
    queue = call.queue
    if _is_empty(call, notes):
        return VisitOutcome.JOIN_EMPTY if call.joins else VisitOutcome.LEAVE_EMPTY
    if call.joins and call.pool.size >= queue.max_size:
        notes.add("queue_full", name=queue.name, size=call.pool.size)
        return VisitOutcome.OVERFLOW_FULL
    if call.is_overdue:
        notes.add("waited_too_long", name=queue.name, seconds=int(call.waited_s))
        return VisitOutcome.OVERFLOW_WAIT
    if not call.offers_left:
        notes.add("offers_used_up", name=queue.name, count=len(call.offers))
        return VisitOutcome.OVERFLOW_WAIT
    enough = [call.refused.get(one.agent_id) == "offered_enough" for one in _able(call)]
    if enough and all(enough):
        notes.add("everybody_asked", name=queue.name)
        return VisitOutcome.OVERFLOW_WAIT
    return None


def _is_empty(call: QueuedCall, notes: Notes) -> bool:
    """Say whether nobody is there for whom it is worth waiting: never silence for a language that nobody speaks."""
    queue = call.queue
    if not call.at_work:
        leaves = queue.overflow_when_joining_empty if call.joins else queue.overflow_when_left_empty
        notes.add("nobody_at_work", name=queue.name)
        return leaves
    if _able(call):
        return False
    for need in skills.last_needs(call.ctx.plan, queue, call.language):
        if not any(skills.lack(one, [need]) is None for one in call.at_work):
            notes.add(f"nobody_with_{need.kind}", **{need.kind: need.name})
            return True
    notes.add("nobody_with_all_skills", name=queue.name)
    return True


def _able(call: QueuedCall) -> list[Candidate]:
    """Return those at work who may serve the call, if not now then once all has given way that may."""
    needs = skills.last_needs(call.ctx.plan, call.queue, call.language)
    return [one for one in call.at_work if skills.lack(one, needs) is None]


def _wait(call: QueuedCall, notes: Notes) -> Wait:
    position = len(call.ahead) + 1
    told = queueing.announcement(call.visit, position, call.queue, call.pool.handled, len(call.at_work), call.ctx.now)
    notes.add("waits", name=call.queue.name, position=position, seconds=int(call.waited_s))
    return Wait(queueing.music_s(_next_change_s(call)), told.position, told.minutes)


def _next_change_s(call: QueuedCall) -> float:
    """Return in how many seconds the wait may end though nobody does anything."""
    queue, waited_s = call.queue, call.waited_s
    changes = [queue.max_wait_s - waited_s]
    pause_end = ladder.next_pause_end(call.ctx.offers, call.ctx.now)
    if pause_end is not None:
        changes.append((pause_end - call.ctx.now).total_seconds())
    if queue.sticky and call.ctx.sticky and waited_s < queue.sticky_wait_s:
        changes.append(queue.sticky_wait_s - waited_s)
    if queue.requirements or queue.relax_language:
        changes.append(skills.next_relaxation_s(queue, waited_s))
    return min(changes)
