"""What Telnyx is told when it asks what to do with a new call.

An instruction never fails and never asks anybody outside. Its order is fixed: read, decide, claim and write, answer.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from agents.operations import claim, release
from curbe.companies.models import Company
from curbe.lib import push
from curbe.lib.ids import uuid7
from telephony.core import render
from telephony.core.routing import decide
from telephony.core.types import (
    Decision,
    Plan,
    Ring,
    RouteContext,
    Routed,
    Voicemail,
    decision_as_json,
)
from telephony.models import RouteTrace, TelnyxEvent
from telephony.operations import ledger
from telephony.operations.opening import Opened, Opening, claim_and_open, open_call
from telephony.queries.routing import NumberFacts, VoiceFacts, voice_facts, voice_facts_by_orm

logger = logging.getLogger(__name__)

#: An offer outlives its ring time-out by this much: Telnyx counts from when the browser rings, we from our answer.
OFFER_MARGIN_S: Final = 5
#: A claim lost means that another call was quicker; after three rounds nobody is rung and the plan goes on.
MAX_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """Telnyx asks what to do with a new call (webhooks.md, section 2)."""

    call_sid: str
    account_sid: str
    connection_id: str
    #: E.164, or whatever the network sent; at most 64 characters.
    from_number: str
    to_number: str
    #: The caller-ID name of the network, or empty.
    caller_name: str
    payload: dict[str, str]


def answer_voice(request: VoiceRequest, *, company: str | None, now: datetime) -> str:
    """Return the first document of an inbound call; a repeated request gets the same one.

    ``company`` is the public id in the address, None for the address of all companies.

    1. One statement reads what is known. 2. A pure function decides. 3. One statement claims the agents to ring and
    writes call, leg, offers, trace and event. Only if another call took one of them meanwhile: 4. the others are
    claimed, he is left out, and the call is written.
    """
    facts = voice_facts(
        to_number=request.to_number, from_number=request.from_number, call_sid=request.call_sid, now=now
    )
    if facts.document:
        return facts.document
    number = facts.number
    if number is None or (company is not None and number.company != company):
        return _foreign(request, number, company, now)
    if facts.call_id is not None:
        # The first try broke after its call was made: there is nobody to ring twice, but a message can be taken.
        return render.apology(number.language, settings.PUBLIC_URL, number.company)
    return _first_step(request, number, facts, now)


def _first_step(request: VoiceRequest, number: NumberFacts, facts: VoiceFacts, now: datetime) -> str:
    call_id = uuid7()
    routed = decide(RouteContext(step=1, now=now, plan=number.plan))
    opening = _opening(call_id, request, number, routed, now)
    opened = claim_and_open(opening) if opening.offered else open_call(opening)
    if opened is Opened.AGENT_LOST:
        opening = _opening(call_id, request, number, _decide_and_claim(call_id, number.plan, now), now)
        opened = _open_claimed(opening)
    if opened is Opened.THERE:
        # The same request came twice at the same moment and the other one was written: its answer is the answer.
        return _written_by_the_other(request, number)
    if facts.awaited:
        _catch_up(call_id, now)
    _tell(call_id, number.company_id, opening.offered)
    return opening.document


def _open_claimed(opening: Opening) -> Opened:
    """Write a call whose agents are reserved. Nobody is to ring, or to be busy, for a call that was never written."""
    try:
        opened = open_call(opening)
    except Exception:
        release(call_id=opening.call_id, agent_ids=None, reason="failed", now=opening.now)
        raise
    if opened is Opened.THERE:
        release(call_id=opening.call_id, agent_ids=None, reason="withdrawn", now=opening.now)
    return opened


def _catch_up(call_id: uuid.UUID, now: datetime) -> None:
    """Act on what was said of the call before it was there. The call is written: whatever fails here waits."""
    try:
        ledger.call_created(call_id, now)
    except Exception:
        logger.exception("Unable to act on the events that waited for call %s", call_id)


#: The first reason of a decision → what is certain of the call's outcome from its beginning.
_KNOWN_OUTCOME: Final = {"unassigned": "unassigned", "failed": "failed"}


def _opening(
    call_id: uuid.UUID,
    request: VoiceRequest,
    number: NumberFacts,
    routed: Routed,
    now: datetime,
) -> Opening:
    caller_name = number.contact_name or network_name(request)
    decision = routed.decision
    document = render.render(
        decision,
        render.CallFacts(
            call_id=str(call_id),
            company=number.company,
            language=number.language,
            from_number=request.from_number,
            to_number=request.to_number,
            caller_name=caller_name,
            origin=settings.PUBLIC_URL,
        ),
        step=1,
    )
    return Opening(
        call_id=call_id,
        company_id=number.company_id,
        number_id=number.number_id,
        queue_id=number.queue_id,
        contact_id=number.contact_id,
        caller_name=caller_name,
        call_sid=request.call_sid,
        account_sid=request.account_sid,
        connection_id=request.connection_id,
        from_number=request.from_number,
        to_number=request.to_number,
        payload=request.payload,
        decision=decision_as_json(decision),
        reasons=routed.reasons,
        document=document,
        outcome=_KNOWN_OUTCOME.get(str(routed.reasons[0]["code"]), ""),
        offered=tuple([target.agent_id for target in decision.targets]) if isinstance(decision, Ring) else (),
        offers_expire_at=_lease(decision, now),
        now=now,
    )


def _decide_and_claim(call_id: uuid.UUID, plan: Plan, now: datetime) -> Routed:
    """Return a decision whose agents, if any, are claimed already: when another call was quicker with one of them."""
    context = RouteContext(step=1, now=now, plan=plan)
    for _ in range(MAX_ROUNDS):
        routed = decide(context)
        if not isinstance(routed.decision, Ring):
            return routed
        wanted = [target.agent_id for target in routed.decision.targets]
        claimed = claim(agent_ids=wanted, call_id=call_id, until=_lease(routed.decision, now), now=now)
        lost = frozenset(wanted) - frozenset(claimed)
        if not lost:
            return routed
        context = replace(context, lost_claims=context.lost_claims | lost)
        if claimed:
            ours = tuple(target for target in routed.decision.targets if target.agent_id in claimed)
            kept = tuple(r for r in routed.reasons if not (r["code"] == "rung" and r["agent_id"] in lost))
            names = {c.agent_id: c.name for c in plan.candidates}
            gone = tuple({"code": "claimed", "agent": names[i], "agent_id": i} for i in sorted(lost))
            return Routed(Ring(ours, routed.decision.timeout_s), kept + gone)
    everybody = frozenset(candidate.agent_id for candidate in plan.candidates)
    return decide(replace(context, lost_claims=everybody))


def _lease(decision: Decision, now: datetime) -> datetime:
    timeout_s = decision.timeout_s if isinstance(decision, Ring) else 0
    return now + timedelta(seconds=timeout_s + OFFER_MARGIN_S)


def _written_by_the_other(request: VoiceRequest, number: NumberFacts) -> str:
    trace = RouteTrace.objects.filter(call__root_call_sid=request.call_sid, step=1).first()
    return trace.document if trace else render.apology(number.language, settings.PUBLIC_URL, number.company)


def _foreign(request: VoiceRequest, number: NumberFacts | None, company: str | None, now: datetime) -> str:
    """Answer a call to a number that is not ours, or not of the company in the address; the second is an alarm."""
    if number is not None:
        logger.error("Number %s called at the address of company %s belongs to another", number.number_id, company)
    event = ledger.record(
        kind="instruction.voice.foreign" if number is not None else "instruction.voice.unknown_number",
        source=TelnyxEvent.Source.CALLBACK,
        dedupe_key=f"voice|{request.call_sid}",
        occurred_at=now,
        payload=request.payload,
        now=now,
    )
    if event is not None:
        ledger.settle(event, now)
    return render.spoken("unassigned", language_of(company))


def language_of(company: str | None) -> str:
    """Return the language of the company in an address; the house's where there is none."""
    known = Company.objects.filter(public_id=company).values_list("language", flat=True).first() if company else None
    return known or str(settings.DEFAULT_LANGUAGE)


def _tell(call_id: uuid.UUID, company_id: int, offered: Sequence[int]) -> None:
    groups = [push.company_group(company_id), *(push.agent_group(agent_id) for agent_id in offered)]
    push.send("call.ringing", groups=groups, call_id=str(call_id))


def network_name(request: VoiceRequest) -> str:
    """Return the caller's name of the network, unless it only repeats the number."""
    name = request.caller_name.strip()
    return "" if name == request.from_number else name[:120]


def keep_failed_call(request: VoiceRequest, *, now: datetime) -> None:
    """Write a call whose routing failed, if its number is ours: its message, its end and its caller are not lost."""
    facts = voice_facts_by_orm(
        to_number=request.to_number, from_number=request.from_number, call_sid=request.call_sid, now=now
    )
    if facts.number is None or facts.call_id is not None:
        return
    opening = _opening(uuid7(), request, facts.number, Routed(Voicemail(), ({"code": "failed"},)), now)
    # What was answered is an apology, which no step follows: there is nothing to repeat.
    open_call(replace(opening, document=""))


def refuse_outbound(payload: dict[str, str], *, now: datetime) -> None:
    """Note a call that a browser placed and nobody announced. Its company is nobody's to claim, so it has none."""
    logger.warning("Refused an outbound call of credential %s", payload.get("FromSipUri", "?")[:80])
    event = ledger.record(
        kind="instruction.outbound.refused",
        source=TelnyxEvent.Source.CALLBACK,
        dedupe_key=f"outbound|{payload.get('CallSid', '')[:160]}",
        occurred_at=now,
        payload=payload,
        now=now,
    )
    if event is not None:
        ledger.settle(event, now)
