"""What people wish of a call that they are on: checked, locked, written; then Telnyx is asked for it at once."""

from __future__ import annotations

import re
import threading
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from agents.models import Agent
from curbe.companies.models import Company, Membership
from telephony import signals
from telephony.core import destinations, ladder
from telephony.core.call_state import Phase, Wish
from telephony.core.plan import Destination, DestinationKind
from telephony.models import Call, CallLeg, CallQueue, Talk
from telephony.operations import commands, effects, talks
from telephony.operations.effects import Kind, Target
from telephony.operations.plans import current_plan
from telephony.operations.talks import NotNow
from telephony.queries import pools
from telephony.telnyx.client import TelnyxClient

__all__ = ["NotNow", "UnknownCall", "do", "end_for_everybody", "send_digits"]

#: Half of a web process's threads may wait for Telnyx; callers, who wait for their next instruction, have the others.
_seats: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))
_DIGITS: Final = re.compile(r"[0-9A-D*#wW]{1,64}")


class UnknownCall(LookupError):
    """There is no such call in this company, or it was never this agent's."""


def do(
    wanted: Wish, *, agent: Agent, call_id: UUID, client: TelnyxClient, now: datetime, target: Target | None = None
) -> Talk:
    """Do what the agent wishes of his call, and ask Telnyx for it; return how the conversation stands.

    1. the wish and its commands are written and committed; 2. Telnyx is asked; 3. what came of it is written. Raises
    UnknownCall, NotNow.
    """
    with effects.carried_out_here(), transaction.atomic():
        call = _locked(call_id, agent)
        if target is not None:
            target = _checked(target, agent, call, wanted, now)
        talks.wish(call, wanted, by_agent_id=agent.pk, now=now, target=target)
    _ask_telnyx(call_id, client)
    return Talk.objects.select_related("lead", "target_agent__user", "target_queue").get(pk=call_id)


def send_digits(*, agent: Agent, call_id: UUID, digits: str, client: TelnyxClient, now: datetime) -> Talk:
    """Have the customer's side hear these keys, from the server. Raises UnknownCall, NotNow."""
    if _DIGITS.fullmatch(digits) is None:
        raise NotNow("not_now")
    with effects.carried_out_here(), transaction.atomic():
        call = _locked(call_id, agent)
        talk = talks.begin(call, list(CallLeg.objects.filter(call=call)), now)
        if talk.lead_id != agent.pk or talk.phase not in {Phase.TALKING, Phase.MERGED, Phase.SWAPPED}:
            raise NotNow("not_now")
        effects.command(call, Kind.DIGITS, {"sid": call.customer_sid, "digits": digits}, now)
    _ask_telnyx(call_id, client)
    return Talk.objects.select_related("lead", "target_agent__user", "target_queue").get(pk=call_id)


def end_for_everybody(
    *, membership: Membership, call_id: UUID, reason: str, client: TelnyxClient, now: datetime
) -> Talk:
    """End a call that somebody who supervises wants ended, and keep why. Raises UnknownCall, NotNow."""
    with effects.carried_out_here(), transaction.atomic():
        call = (
            Call.objects.select_for_update(of=("self",))
            .select_related("company")
            .filter(pk=call_id, company=membership.company_id)
            .first()
        )
        if call is None:
            raise UnknownCall(call_id)
        if call.status == Call.Status.COMPLETED:
            raise NotNow("not_now")
        talks.note(call, "call.end_requested", {"by": membership.user_id, "reason": reason}, now)
        call.hangup_requested_at = now
        call.save(update_fields=["hangup_requested_at"])
        talks.wish(call, Wish.END, by_agent_id=None, now=now)
    _ask_telnyx(call_id, client)
    return Talk.objects.select_related("lead", "target_agent__user", "target_queue").get(pk=call_id)


def _ask_telnyx(call_id: UUID, client: TelnyxClient) -> None:
    """Have Telnyx asked at once if a thread can be spared and nobody is at this call already; else the worker does."""
    left = True
    if _seats.acquire(blocking=False):
        try:
            left = commands.run(call_id, client, patience_ms=commands.NO_PATIENCE_MS) is not None
        finally:
            _seats.release()
    if left:
        signals.commands_wanted.send_robust(None, call_id=call_id)


def _locked(call_id: UUID, agent: Agent) -> Call:
    call = (
        Call.objects.select_for_update(of=("self",))
        .select_related("company")
        .filter(pk=call_id, company=agent.company_id)
        .first()
    )
    if call is None or not CallLeg.objects.filter(call=call, agent=agent).exists():
        raise UnknownCall(call_id)
    if call.status == Call.Status.COMPLETED:
        raise NotNow("not_now")
    return call


def _checked(target: Target, agent: Agent, call: Call, wanted: Wish, now: datetime) -> Target:
    """Return the target as it is rung. Raises NotNow with the code of why it cannot be."""
    if target.agent_id is not None:
        return _checked_agent(target, agent, now)
    if target.queue_id is not None:
        if wanted is Wish.CONSULT:
            raise NotNow("queue_not_consulted")
        if not CallQueue.objects.filter(pk=target.queue_id, company=agent.company_id).exists():
            raise NotNow("target_gone")
        return target
    company = Company.objects.get(pk=agent.company_id)
    try:
        e164 = destinations.checked(target.e164, our_number=call.our_number, countries=company.outbound_countries)
    except destinations.NotAllowed as err:
        raise NotNow(err.code) from err
    return Target(e164=e164)


def _checked_agent(target: Target, agent: Agent, now: datetime) -> Target:
    if target.agent_id == agent.pk:
        raise NotNow("target_self")
    place = Destination(DestinationKind.USER, target.agent_id or 0)
    plan = current_plan(agent.company_id)
    people = pools.pool_of(place, company_id=agent.company_id, plan=plan, call_id=None, now=now).candidates
    if not people:
        raise NotNow("target_gone")
    if ladder.why_not(people[0], now):
        raise NotNow("target_busy")
    return target
