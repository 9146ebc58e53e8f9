"""Calls that agents place: announced, parked, authorised, and put into a room into which the customer is rung.

The agent's leg is the first one, and new instructions for it would take a customer's leg that it had dialled down with
it. So the call begins in a room: the parked leg enters it, and the customer is rung by the API.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from agents.models import Agent
from agents.operations import NotFree, dial_out, leg_answered
from curbe.companies.models import Company
from curbe.contacts.queries import contact_with
from curbe.lib import push
from telephony.core import destinations, hours, render, texml
from telephony.core.call_state import Phase
from telephony.core.types import Room, decision_as_json
from telephony.models import (
    Call,
    CallLeg,
    CallWrapUp,
    OutboundIntent,
    PhoneNumber,
    RouteTrace,
    SipEndpoint,
    Talk,
    TelnyxEvent,
)
from telephony.operations import effects, ledger, wrap_ups
from telephony.operations.asking import facts_of

logger = logging.getLogger(__name__)

#: A browser places its call within a second or two of announcing it.
ANNOUNCED_FOR: Final = timedelta(seconds=30)


class UnableToCall(Exception):
    """The call may not be placed. ``field`` names what is wrong with the wish, ``code`` why."""

    def __init__(self, code: str, field: str = "") -> None:
        self.code, self.field = code, field
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Parked:
    """Telnyx asks what to do with a call that a browser placed (recording-and-supervision.md, section 9)."""

    call_sid: str
    account_sid: str
    connection_id: str
    from_number: str
    to_number: str
    #: The credential that the browser registered with; empty where Telnyx does not say.
    sip_username: str
    #: Our own id, if the header that the browser sent came through.
    announced: str
    payload: dict[str, str]


def announce(*, agent: Agent, company: Company, to: str, from_: str, now: datetime) -> OutboundIntent:
    """Note that an agent is about to call ``to``, showing ``from_`` (empty: his own number, or the company's first).

    Reserves him, so that nobody rings him meanwhile. Raises UnableToCall.
    """
    number = _caller_id(agent, company, from_)
    called = _called(to, number.e164, company)
    with transaction.atomic():
        intent = OutboundIntent(company=company, agent=agent, number=number, to_e164=called, created_at=now)
        try:
            if dial_out(agent_id=agent.pk, call_id=intent.pk, until=now + ANNOUNCED_FOR, now=now):
                wrap_ups.ended_by(CallWrapUp.Ended.CALL, agent_id=agent.pk, now=now)
        except NotFree as err:
            raise UnableToCall(err.code) from err
        # A new wish takes the place of one that never became a call.
        OutboundIntent.objects.filter(agent=agent, state=OutboundIntent.State.OPEN).update(
            state=OutboundIntent.State.EXPIRED
        )
        intent.save(force_insert=True)
    return intent


def caller_ids(agent: Agent) -> list[tuple[PhoneNumber, bool]]:
    """Return the numbers that the agent may show, each with whether it is the one that he shows by default."""
    rows = list(PhoneNumber.objects.filter(company=agent.company_id).order_by("e164"))
    own = next((row for row in rows if row.agent_id == agent.pk), None) or next(iter(rows), None)
    return [(row, row is own) for row in rows]


def _caller_id(agent: Agent, company: Company, from_: str) -> PhoneNumber:
    rows = caller_ids(agent)
    if not rows:
        raise UnableToCall("no_number", "from")
    if not from_:
        return next(row for row, is_default in rows if is_default)
    found = next((row for row, _is_default in rows if row.e164 == from_), None)
    if found is None:
        raise UnableToCall("not_our_number", "from")
    return found


def _called(to: str, our_number: str, company: Company) -> str:
    try:
        return destinations.checked(to, our_number=our_number, countries=company.outbound_countries)
    except destinations.NotAllowed as err:
        raise UnableToCall(err.code, "to") from err


# --- The parked leg -----------------------------------------------------------------------------------------------


def answer_outbound(parked: Parked, *, company: str | None, now: datetime) -> str:
    """Return the document of a parked call: the room, if somebody announced it; else it is refused, and noted.

    A request that comes twice gets the same document.
    """
    known = RouteTrace.objects.filter(call__root_call_sid=parked.call_sid, step=1).first()
    if known is not None:
        return known.document
    endpoint = SipEndpoint.objects.filter(sip_username=parked.sip_username).first() if parked.sip_username else None
    intent = _announced(parked, endpoint, company, now)
    if intent is None:
        return _refuse(parked, endpoint, now)
    try:
        return _place(intent, parked, now)
    except IntegrityError:
        # The same request at the same moment: the other one wrote the call, and its answer is the answer.
        written = RouteTrace.objects.filter(call__root_call_sid=parked.call_sid, step=1).first()
        if written is None:
            raise
        return written.document


def _announced(
    parked: Parked, endpoint: SipEndpoint | None, company: str | None, now: datetime
) -> OutboundIntent | None:
    """Return the one announcement that this call can be; None where there is none, or more than one.

    By the credential; else by our own id, which a header may bring; else by the numbers. Each only while it is open,
    and never past the company in the address.
    """
    intents = OutboundIntent.objects.filter(
        state=OutboundIntent.State.OPEN, created_at__gt=now - ANNOUNCED_FOR, agent__is_active=True
    )
    intents = intents.select_related("agent", "company", "number", "agent__user")
    if company is not None:
        intents = intents.filter(company__public_id=company)
    if endpoint is not None:
        intents = intents.filter(agent=endpoint.agent_id)
    elif parked.announced:
        try:
            intents = intents.filter(pk=uuid.UUID(parked.announced))
        except ValueError:
            return None
    else:
        intents = intents.filter(number__e164=parked.from_number)
    found = [intent for intent in intents[:3] if _same_number(intent.to_e164, parked.to_number)]
    return found[0] if len(found) == 1 else None


def _same_number(announced: str, dialled: str) -> bool:
    """Telnyx may write the number without its plus."""
    return announced.removeprefix("+") == dialled.removeprefix("+").partition("@")[0].removeprefix("sip:+")


def _place(intent: OutboundIntent, parked: Parked, now: datetime) -> str:
    agent, company = intent.agent, intent.company
    with transaction.atomic():
        taken = OutboundIntent.objects.filter(pk=intent.pk, state=OutboundIntent.State.OPEN)
        if not taken.update(state=OutboundIntent.State.PLACED):
            return texml.document(texml.Reject())
        contact = contact_with(company.pk, intent.to_e164)
        call = Call.objects.create(
            id=intent.pk,
            company=company,
            direction=Call.Direction.OUTBOUND,
            from_number=intent.number.e164,
            to_number=intent.to_e164,
            contact=contact,
            caller_name=contact.name if contact else "",
            number=intent.number,
            agent=agent,
            root_call_sid=parked.call_sid,
            account_sid=parked.account_sid,
            connection_id=parked.connection_id,
            phase=Phase.DIALLING,
            started_at=now,
            last_news_at=now,
        )
        CallLeg.objects.create(
            call=call,
            call_sid=parked.call_sid,
            kind=CallLeg.Kind.AGENT,
            agent=agent,
            status=CallLeg.Status.IN_PROGRESS,
            started_at=now,
            answered_at=now,
        )
        talk = Talk.objects.create(
            call=call,
            phase=Phase.DIALLING,
            phase_at=now,
            lead=agent,
            lead_sid=parked.call_sid,
            rooms=1,
            lead_in_room=True,
        )
        document = render.agent_room(talk.room_name, facts_of(call), label="lead-1", hears=render.RING_BACK)
        RouteTrace.objects.create(
            call=call,
            step=1,
            decision=decision_as_json(Room(talk.room_name)),
            reasons=[{"code": "placed", "name": str(agent), "number": intent.to_e164}],
            document=document,
            asked_at=now,
            at=now,
        )
        TelnyxEvent(
            dedupe_key=f"outbound|{parked.call_sid}",
            kind="instruction.outbound",
            occurred_at=now,
            received_at=now,
            payload=parked.payload,
            company=company,
            call=call,
            root_call_sid=parked.call_sid,
            processed_at=now,
            attempts=1,
        ).save(force_insert=True)
        today = now.astimezone(hours.zone(company.timezone)).date()
        leg_answered(agent_id=agent.pk, call_id=call.pk, today=today, now=now)
        effects.command(call, effects.Kind.DIAL, {}, now)
    return document


def _refuse(parked: Parked, endpoint: SipEndpoint | None, now: datetime) -> str:
    """Refuse a call that nobody announced, and note it where its company sees it: toll fraud knocks like this."""
    logger.warning("Refused an outbound call of credential %s to %s", parked.sip_username or "?", parked.to_number[:20])
    event = ledger.record(
        kind="instruction.outbound.refused",
        source=TelnyxEvent.Source.CALLBACK,
        dedupe_key=f"outbound|{parked.call_sid}",
        occurred_at=now,
        payload=parked.payload,
        company_id=endpoint.company_id if endpoint is not None else None,
        now=now,
    )
    if event is not None:
        ledger.settle(event, now)
        if endpoint is not None:
            push.send("outbound.refused", groups=[push.supervisors_group(endpoint.company_id)])
    return texml.document(texml.Reject())
