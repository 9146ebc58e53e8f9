"""An agent became free: the most urgent caller who waits for somebody like him is offered to him at once.

The offer is written first, as the caller's next step; then Telnyx is asked to move his leg there. Should that request
fail, or be late, the caller's next tick asks for the same step and gets the same offer.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from agents.models import Agent
from telephony.core import ladder, queueing, skills
from telephony.core.plan import CompanyPlan, Destination, DestinationKind
from telephony.core.types import Candidate, DialStatus, Ring, Wait, decision_from_json
from telephony.models import Call, CallLeg, QueueMember, QueueVisit, RouteTrace
from telephony.operations import steps
from telephony.operations.moving import being_moved, move
from telephony.operations.plans import current_plan
from telephony.operations.repairs import report_on
from telephony.queries import pools
from telephony.telnyx.answers import LegReport
from telephony.telnyx.client import GONE_CODES, TelnyxClient
from telephony.telnyx.errors import TelnyxError, TelnyxRefused

logger = logging.getLogger(__name__)

#: Callers who are looked at for one free agent; who comes after them is found by his own next tick.
MAX_TRIED: Final = 10


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer that was made, and where the caller's leg must go for it."""

    call_id: uuid.UUID
    call_sid: str
    account_sid: str
    company: str
    step: int
    agent_ids: tuple[int, ...]


def agent_freed(agent_id: int, client: TelnyxClient, now: datetime) -> uuid.UUID | None:
    """Offer the most urgent suitable caller to an agent who became free; return his call, or None if nobody waits.

    A caller may go to somebody else who is free, too, and comes before him: then the next caller is looked at, for that
    one's own turn finds him ringing already. Raises nothing for a leg that cannot be moved: the offer stands, and the
    caller's next tick finds it.
    """
    agent = Agent.objects.filter(pk=agent_id, is_active=True).first()
    if agent is None:
        return None
    plan = current_plan(agent.company_id)
    place = Destination(DestinationKind.USER, agent.pk)
    people = pools.pool_of(place, company_id=agent.company_id, plan=plan, call_id=None, now=now).candidates
    if not people or ladder.why_not(people[0], now):
        return None
    for call_id in _suitable(people[0], agent.company_id, plan, now)[:MAX_TRIED]:
        if agent_id in _offer_and_move(call_id, client, now):
            return call_id
    return None


def _suitable(agent: Candidate, company_id: int, plan: CompanyPlan, now: datetime) -> list[uuid.UUID]:
    """Return the calls that wait for somebody like the agent, the most urgent first."""
    callers: list[queueing.Caller] = []
    calls: dict[str, uuid.UUID] = {}
    for waiter in pools.waiting_for(agent.agent_id, company_id=company_id, now=now):
        waiting, queue = waiter.waiting, plan.queues.get(waiter.queue_id)
        if queue is None or agent.agent_id in waiting.excluded:
            continue
        steps_down = skills.relaxation(queue, (now - waiting.entered_at).total_seconds())
        if not skills.lacks(agent, plan, queue, waiting.language, steps_down)[0]:
            callers.append(queueing.Caller(waiting, queue))
            calls[waiting.visit_id] = waiter.call_id
    return [calls[caller.waiting.visit_id] for caller in queueing.most_urgent_first(callers, now)]


def _offer_and_move(call_id: uuid.UUID, client: TelnyxClient, now: datetime) -> tuple[int, ...]:
    """Offer a caller who waits, and move his leg; return the agents who ring for him now."""
    with being_moved(call_id) as is_ours:
        offered = _offer(call_id, now) if is_ours else None
        if offered is None or not _move_leg(offered, client, now):
            return ()
        return offered.agent_ids


def _offer(call_id: uuid.UUID, now: datetime) -> Offered | None:
    """Write the next step of a caller who waits, if it rings somebody; None if he waits no more, or goes on waiting.

    A caller whose row is locked is being asked about by Telnyx just now, and finds the free agent himself.
    """
    with transaction.atomic():
        call = (
            Call.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("company")
            .filter(pk=call_id)
            .exclude(status=Call.Status.COMPLETED)
            .first()
        )
        newest = RouteTrace.objects.filter(call=call_id).order_by("-step").first() if call else None
        if call is None or newest is None:
            return None
        decided = decision_from_json(newest.decision)
        if not isinstance(decided, Wait) or call.hangup_requested_at is not None or _may_be_gone(newest):
            return None
        step = newest.step + 1
        ctx = steps.context_of(call, newest, decided, step=step, now=now)
        moved = move(ctx, call_id=call.pk, load=steps.loader(call, ctx.plan, now), now=now)
        if not isinstance(moved.routed.decision, Ring):
            return None
        steps.write_step(call, newest, moved, ctx.plan, step=step, now=now)
        return Offered(call.pk, call.customer_sid, call.account_sid, call.company.public_id, step, moved.claimed)


def _may_be_gone(newest: RouteTrace) -> bool:
    """Say whether the caller's last word is that his ``<Dial>`` was canceled: his own next request tells more."""
    return any(reason.get("status") == DialStatus.CANCELED for reason in newest.reasons)


def _move_leg(offered: Offered, client: TelnyxClient, now: datetime) -> bool:
    """Ask Telnyx to leave the music and ask us for the step that was written; return whether the caller is there."""
    if not offered.account_sid:
        # Only the resource of an account takes a new document; the next tick needs neither.
        return True
    if RouteTrace.objects.filter(call=offered.call_id, step=offered.step, asked_at__isnull=False).exists():
        # The music ended in this very moment and Telnyx has asked: moving it once more would ring everybody anew.
        return True
    try:
        client.redirect(offered.call_sid, offered.account_sid, url=step_url(offered))
    except TelnyxRefused as err:
        if err.codes & GONE_CODES:
            _has_gone(offered, now)
            return False
        logger.warning("Call %s is moved to its offer by its next tick: %s", offered.call_id, err)
    except TelnyxError as err:
        logger.warning("Call %s is moved to its offer by its next tick: %s", offered.call_id, err)
    return True


def _has_gone(offered: Offered, now: datetime) -> None:
    """Tell the call that its caller has left: that news is on its way, or was lost, and the agents need not wait."""
    leg = CallLeg.objects.filter(call_sid=offered.call_sid).select_related("call").first()
    if leg is not None:
        report_on(leg, LegReport(call_sid=leg.call_sid, is_alive=False), leg.call, now)


def step_url(offered: Offered) -> str:
    query = f"call={offered.call_id}&step={offered.step}&moved=1"
    return f"{settings.PUBLIC_URL}/webhooks/telnyx/step/{offered.company}?{query}"


def awaited_agents(agent_ids: Sequence[int]) -> list[int]:
    """Return those of the agents for whom somebody may be waiting. One query."""
    waits = QueueVisit.objects.filter(queue=OuterRef("queue"), outcome=QueueVisit.Outcome.WAITING)
    members = QueueMember.objects.filter(Exists(waits), agent__in=agent_ids)
    return sorted(set(members.values_list("agent", flat=True)))
