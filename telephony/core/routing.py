"""Who rings, and why: one pure function from what is known to what the caller meets next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, assert_never

from agents.presence import BEAT_TTL_S
from telephony.core.types import (
    MAX_PARALLEL_TARGETS,
    Candidate,
    DestinationKind,
    DialStatus,
    Forward,
    Hangup,
    Plan,
    Reason,
    Ring,
    RouteContext,
    Routed,
    Say,
    Target,
    Voicemail,
)

#: How long a forwarded number rings; mobile networks answer for their subscriber after some 25–30 s.
FORWARD_TIMEOUT_S: Final = 25

_BEAT_TTL: Final = timedelta(seconds=BEAT_TTL_S)


def decide(ctx: RouteContext) -> Routed:
    """Return what the caller meets next, with the reasons. Total: every context has an answer."""
    if ctx.hangup_requested:
        return Routed(Hangup(), ({"code": "hangup_requested"},))
    match ctx.previous:
        case None:
            return _first(ctx)
        case Ring() | Forward():
            return _after_dial(ctx.dial or DialStatus.UNKNOWN)
        case Voicemail():
            return Routed(Say("message_kept"), ({"code": "message_taken"},))
        case Say() | Hangup():
            return Routed(Hangup(), ({"code": "nothing_left"},))
        case never:
            assert_never(never)


def why_not(candidate: Candidate, now: datetime) -> str:
    """Return the code of the first reason for which the agent cannot be rung now; empty when he can.

    The heartbeat's age is compared here, so a late sweep never rings an empty chair.
    """
    if not candidate.sip_username:
        return "no_credential"
    if candidate.last_seen_at is None or candidate.last_seen_at <= now - _BEAT_TTL:
        return "offline"
    if not (candidate.ready and candidate.microphone):
        return "no_device"
    if candidate.intent != "AVAILABLE":
        return "chose_" + candidate.intent.lower()
    if candidate.activity == "IDLE":
        return ""
    if candidate.activity == "RESERVED" and candidate.reserved_until is not None and candidate.reserved_until <= now:
        return ""
    return "busy"


def _first(ctx: RouteContext) -> Routed:
    plan = ctx.plan
    if plan.destination is DestinationKind.NONE:
        return Routed(Say("unassigned"), ({"code": "unassigned"},))
    reasons: list[Reason] = [{"code": f"destination_{plan.destination}", "name": plan.target_name}]
    free, left_out = _sort_out(ctx)
    reasons += left_out
    if free:
        rung = free[:MAX_PARALLEL_TARGETS]
        reasons += [
            {"code": "over_limit", "agent": c.name, "agent_id": c.agent_id} for c in free[MAX_PARALLEL_TARGETS:]
        ]
        reasons += [{"code": "rung", "agent": c.name, "agent_id": c.agent_id} for c in rung]
        targets = tuple(Target(c.agent_id, c.sip_username) for c in rung)
        return Routed(Ring(targets, plan.ring_timeout_s), tuple(reasons))
    return _nobody(plan, reasons)


def _sort_out(ctx: RouteContext) -> tuple[list[Candidate], list[Reason]]:
    """Return who can be rung, longest idle first, and a reason for each who cannot."""
    free: list[Candidate] = []
    left_out: list[Reason] = []
    for candidate in ctx.plan.candidates:
        reason = "claimed" if candidate.agent_id in ctx.lost_claims else why_not(candidate, ctx.now)
        if reason:
            left_out.append({"code": reason, "agent": candidate.name, "agent_id": candidate.agent_id})
        else:
            free.append(candidate)
    free.sort(key=lambda c: (c.idle_since, c.agent_id))
    return free, left_out


def _nobody(plan: Plan, reasons: list[Reason]) -> Routed:
    if plan.fallback_loops:
        reasons.append({"code": "fallback_loops", "number": plan.fallback_number})
    elif plan.fallback_number:
        reasons.append({"code": "forwarded", "number": plan.fallback_number})
        return Routed(Forward(plan.fallback_number, FORWARD_TIMEOUT_S), tuple(reasons))
    reasons.append({"code": "nobody_voicemail"})
    return Routed(Voicemail(), tuple(reasons))


def _after_dial(dial: DialStatus) -> Routed:
    if dial is DialStatus.COMPLETED:
        return Routed(Hangup(), ({"code": "conversation_ended"},))
    # Whatever went wrong, a caller who is still there is asked for a message; one who left does not notice.
    return Routed(Voicemail(), ({"code": "not_answered", "status": str(dial)},))
