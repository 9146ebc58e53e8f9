"""One step of a call: decide, and claim whom the decision rings, until both hold."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from agents.operations import claim
from curbe.lib.db import prepared
from telephony.core.plan import CompanyPlan, Destination, DestinationKind, Strategy
from telephony.core.routing import decide
from telephony.core.types import Decision, Missing, Pool, Ring, RouteContext, Routed

#: An offer outlives its ring time-out by this much: Telnyx counts from when the browser rings, we from our answer.
OFFER_MARGIN_S: Final = 5
#: Agents are held for longer than their offer: if the news of an answer was lost, the reconciler finds who talks before
#: anybody else can ring him.
HELD_FOR_NEWS: Final = timedelta(seconds=20)
#: A claim lost means that another call was quicker; after so many rounds nobody is rung and the plan goes on.
MAX_ROUNDS: Final = 3

Load = Callable[[Destination], Pool]


@dataclass(frozen=True, slots=True)
class Moved:
    """A decision whose agents, if any, are ours."""

    routed: Routed
    claimed: tuple[int, ...]
    #: Until when the offer is; past it Telnyx is asked what became of it.
    lease: datetime

    def offered(self) -> tuple[tuple[int, list[float] | None], ...]:
        """Return each agent whom the call was offered to, with his rank as it is stored."""
        if not isinstance(self.routed.decision, Ring):
            return ()
        return tuple(
            (target.agent_id, list(target.rank.as_tuple()) if target.rank else None)
            for target in self.routed.decision.targets
        )

    def queue_id(self) -> int | None:
        """Return the queue at which the call stands; None if it stands at none."""
        walk = self.routed.walk
        return walk.place.id if walk and walk.place.kind is DestinationKind.QUEUE else None

    def turn_of(self, plan: CompanyPlan) -> int | None:
        """Return the queue whose turn goes on behind the agent who is offered this call; None if none does."""
        queue = plan.queues.get(self.queue_id() or 0)
        if queue is None or not self.claimed or queue.cursor_follows_answer:
            return None
        return queue.id if queue.strategy is Strategy.ROUND_ROBIN else None


@contextmanager
def being_moved(call_id: uuid.UUID) -> Iterator[bool]:
    """Note, while the block runs, that a caller's leg is about to be moved; False if somebody else is at it.

    A lock of the session and not of a transaction: Telnyx is asked meanwhile. It ends with the connection.
    """
    key = _advisory_key(call_id)
    ((is_ours,),) = prepared("SELECT pg_try_advisory_lock(%(key)s::bigint)", {"key": key})
    try:
        yield is_ours
    finally:
        if is_ours:
            prepared("SELECT pg_advisory_unlock(%(key)s::bigint)", {"key": key})


def is_being_moved(call_id: uuid.UUID) -> bool:
    """Say whether Telnyx is being asked to move the caller's leg just now. Inside a transaction."""
    ((is_free,),) = prepared("SELECT pg_try_advisory_xact_lock(%(key)s::bigint)", {"key": _advisory_key(call_id)})
    return not is_free


def _advisory_key(call_id: uuid.UUID) -> int:
    # The random half of the id.
    return call_id.int & (2**62 - 1)


def move(ctx: RouteContext, *, call_id: uuid.UUID, load: Load, now: datetime) -> Moved:
    """Return what the call meets next, its agents claimed: nobody rings for two calls at once.

    Of a ring group, those whom another call took meanwhile are left out; somebody rung alone is looked for anew.
    """
    for _ in range(MAX_ROUNDS):
        ctx, routed = decided(ctx, load)
        lease = lease_of(routed.decision, now)
        if not isinstance(routed.decision, Ring):
            return Moved(routed, (), lease)
        wanted = [target.agent_id for target in routed.decision.targets]
        claimed = claim(agent_ids=wanted, call_id=call_id, until=lease + HELD_FOR_NEWS, now=now)
        lost = frozenset(wanted) - frozenset(claimed)
        if claimed:
            return Moved(_without(routed, routed.decision, lost), tuple(claimed), lease)
        ctx = replace(ctx, lost_claims=ctx.lost_claims | lost)
    everybody = frozenset(one.agent_id for pool in ctx.pools.values() for one in pool.candidates)
    ctx, routed = decided(replace(ctx, lost_claims=everybody), load)
    return Moved(routed, (), lease_of(routed.decision, now))


def wished(routed: Routed, now: datetime) -> Moved:
    """Return a decision whose agents are still to be claimed, all of them or none."""
    ring = routed.decision
    wanted = tuple(target.agent_id for target in ring.targets) if isinstance(ring, Ring) else ()
    return Moved(routed, wanted, lease_of(ring, now))


def decided(ctx: RouteContext, load: Load) -> tuple[RouteContext, Routed]:
    """Return the decision, and the context with every pool that it needed."""
    while True:
        routed = decide(ctx)
        if isinstance(routed, Routed):
            return ctx, routed
        ctx = with_pool(ctx, routed, load)


def with_pool(ctx: RouteContext, missing: Missing, load: Load) -> RouteContext:
    return replace(ctx, pools=MappingProxyType({**ctx.pools, missing.place: load(missing.place)}))


def _without(routed: Routed, ring: Ring, lost: frozenset[int]) -> Routed:
    if not lost:
        return routed
    names = {r["agent_id"]: r["agent"] for r in routed.reasons if r["code"] == "rung"}
    kept = tuple(r for r in routed.reasons if not (r["code"] == "rung" and r["agent_id"] in lost))
    gone = tuple({"code": "claimed", "agent": names[agent_id], "agent_id": agent_id} for agent_id in sorted(lost))
    targets = tuple(target for target in ring.targets if target.agent_id not in lost)
    return replace(routed, decision=replace(ring, targets=targets), reasons=kept + gone)


def lease_of(decision: Decision, now: datetime) -> datetime:
    """Return until when those who ring now are held for it."""
    timeout_s = decision.timeout_s if isinstance(decision, Ring) else 0
    return now + timedelta(seconds=timeout_s + OFFER_MARGIN_S)
