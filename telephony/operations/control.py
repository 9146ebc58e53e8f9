"""What a person does to a call that is there: end it, decline it, tell by which ids the browser knows it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from agents.models import Agent
from agents.operations import release
from agents.queries import agent_of
from curbe.companies.models import Membership
from curbe.lib.ids import uuid7
from telephony.core import call_state
from telephony.models import Call, CallIdentifier, CallLeg, Offer, OutboundIntent, Talk, TelnyxEvent
from telephony.operations import commands, ledger, talks
from telephony.operations.progress import tell_ended
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: The end of a call is confirmed by a callback within a second or two; asked again before that, nobody is called.
CONFIRMATION: Final = timedelta(seconds=10)

#: The customer's first: the others end with it.
_ORDER: Final = (CallLeg.Kind.CALLER, CallLeg.Kind.CALLED, CallLeg.Kind.FORWARD, CallLeg.Kind.AGENT)


class UnknownCall(Exception):
    """There is no such call in this company, or it was never this agent's to touch."""


class NotAnswered(Exception):
    """Who asks has not answered the call: he may decline it, not end it for the customer."""


class AlreadyAnswered(Exception):
    """Who declines talks already: he may hang up."""


class UnableToHangUp(Exception):
    """Telnyx refused, or is away. The leg of who asked can still be ended by the browser itself."""


def server_hangup(*, membership: Membership, any_id: str, client: TelnyxClient, now: datetime) -> None:
    """End every live leg of the call that ``any_id`` names, the customer's first. Ended already is a success.

    1. the wish is written down and committed; 2. Telnyx is asked, outside any transaction; 3. what came of it is
    written down. The call itself ends by the callbacks that follow, or by the reconciler. Raises UnknownCall,
    NotAnswered, UnableToHangUp.
    """
    agent = agent_of(membership)
    call = find_call(membership, any_id, agent)
    if call.status == Call.Status.COMPLETED:
        return
    legs = sorted(_live_legs(call), key=lambda leg: _ORDER.index(CallLeg.Kind(leg.kind)))
    _may_end(call, membership, agent)
    if agent is not None and call.phase and _leaves_others_behind(call, agent, legs):
        _leave(call, agent, legs, client, now)
        return
    if call.hangup_requested_at is not None and now - call.hangup_requested_at < CONFIRMATION:
        return
    _note(call, "hangup.requested", {"by": membership.user_id, "id": any_id}, now)
    complaints = _hang_up(call, legs, client)
    if complaints:
        _note(call, "hangup.failed", {"errors": complaints}, now)
        raise UnableToHangUp("; ".join(complaints))
    Call.objects.filter(pk=call.pk).update(hangup_requested_at=now, hangup_requested_by=agent)


def decline(*, agent: Agent, call_id: UUID, now: datetime) -> None:
    """End this agent's ringing and nobody else's. Twice is as good as once. Raises UnknownCall, AlreadyAnswered."""
    with transaction.atomic():
        # The call's row before the agents', as everywhere.
        call = Call.objects.select_for_update().filter(pk=call_id, company=agent.company_id).first()
        offers = (
            list(Offer.objects.filter(call=call, agent=agent).order_by("-offered_at", "-step"))
            if call is not None
            else []
        )
        if call is None or not offers:
            raise UnknownCall(call_id)
        offer = offers[0]
        if offer.outcome == Offer.Outcome.ANSWERED and call.status != Call.Status.COMPLETED:
            raise AlreadyAnswered(call_id)
        if offer.outcome != Offer.Outcome.PENDING:
            return
        offer.outcome = Offer.Outcome.DECLINED
        offer.ended_at = now
        offer.save(update_fields=["outcome", "ended_at"])
        release(call_id=call.pk, agent_ids=[agent.pk], reason="declined", now=now)
        tell_ended([offer])
    _note(call, "offer.declined", {"agent": agent.pk, "step": offer.step}, now)


def report_ids(*, agent: Agent, call_id: UUID, ids: Mapping[CallIdentifier.Kind, str]) -> None:
    """Put the ids by which this agent's browser knows the call into the registry. Raises UnknownCall."""
    offered = Offer.objects.filter(call=call_id, call__company=agent.company_id, agent=agent)
    placed = OutboundIntent.objects.filter(pk=call_id, agent=agent)
    if not offered.exists() and not (placed.exists() and Call.objects.filter(pk=call_id).exists()):
        raise UnknownCall(call_id)
    rows = [CallIdentifier(call_id=call_id, kind=kind, value=value, agent=agent) for kind, value in ids.items()]
    CallIdentifier.objects.bulk_create(rows, ignore_conflicts=True)


def find_call(membership: Membership, any_id: str, agent: Agent | None) -> Call:
    """Return the company's call with this id: ours, or one that anybody learned of it. Raises UnknownCall.

    What the browser of another agent told is not asked: nobody may give his call the name of somebody else's.
    """
    calls = Call.objects.filter(company=membership.company_id)
    own = Q(root_call_sid=any_id)
    with suppress(ValueError):
        own |= Q(pk=UUID(any_id))
    call = calls.filter(own).first()
    if call is None:
        told = Q(agent=None) if agent is None else Q(agent=None) | Q(agent=agent)
        named = CallIdentifier.objects.filter(told, value=any_id, call__company=membership.company_id)
        # A session id may name several calls (a transfer): the newest is the one that is on somebody's screen.
        identifier = named.select_related("call").order_by("-id").first()
        call = identifier.call if identifier is not None else None
    if call is None:
        raise UnknownCall(any_id)
    return call


def _live_legs(call: Call) -> list[CallLeg]:
    return list(CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED).order_by("id"))


def _may_end(call: Call, membership: Membership, agent: Agent | None) -> None:
    """Raise NotAnswered unless who asks answered the call, or supervises and is not himself being rung for it."""
    if agent is not None:
        answered = CallLeg.objects.filter(call=call, agent=agent, answered_at__isnull=False)
        if call.agent_id == agent.pk or answered.exists():
            return
        if Offer.objects.filter(call=call, agent=agent, outcome=Offer.Outcome.PENDING).exists():
            raise NotAnswered(call.pk)
    if not membership.supervises:
        raise NotAnswered(call.pk)


def _leaves_others_behind(call: Call, agent: Agent, legs: Sequence[CallLeg]) -> bool:
    """Say whether this agent's end is not the call's: somebody else leads it, or takes it over from him."""
    talk = Talk.objects.get(pk=call.pk)
    is_on_it = any(leg.agent_id == agent.pk for leg in legs)
    return is_on_it and (talk.lead_id != agent.pk or talk.phase in call_state.CONSULTED)


def _leave(call: Call, agent: Agent, legs: Sequence[CallLeg], client: TelnyxClient, now: datetime) -> None:
    """End the agent's own leg; who leads a consult leaves the customer to whoever was asked. Raises UnableToHangUp."""
    with transaction.atomic():
        locked = Call.objects.select_for_update(of=("self",)).select_related("company").get(pk=call.pk)
        talk = talks.talk_of(locked)
        leads = talk is not None and talk.lead_id == agent.pk and talk.phase in call_state.CONSULTED
        if leads:
            talks.wish(locked, call_state.Wish.LEAVE, by_agent_id=agent.pk, now=now)
    if leads:
        commands.run(call.pk, client)
        return
    complaints = _hang_up(call, [leg for leg in legs if leg.agent_id == agent.pk], client)
    if complaints:
        raise UnableToHangUp("; ".join(complaints))


def _hang_up(call: Call, legs: Sequence[CallLeg], client: TelnyxClient) -> list[str]:
    """Ask Telnyx for the end of each leg; return what went wrong, empty when nothing did."""
    complaints = []
    for leg in legs:
        try:
            client.hang_up(leg.call_sid, call.account_sid)
        except TelnyxRefused as err:
            logger.warning("Unable to hang up a leg of call %s: %s", call.pk, err)
            complaints.append(f"Telnyx refused with {err.status}.")
        except TelnyxUnreachable as err:
            logger.warning("Unable to hang up a leg of call %s: %s", call.pk, err)
            # The next leg would only wait as long again, and the person waits for us.
            return [*complaints, "Telnyx did not answer."]
    return complaints


def _note(call: Call, kind: str, payload: Mapping[str, object], now: datetime) -> None:
    key = f"curbe:{kind}:{uuid7()}"
    source = TelnyxEvent.Source.CURBE
    ledger.note(kind=kind, dedupe_key=key, payload=payload, call=call, source=source, now=now)
