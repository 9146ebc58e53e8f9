"""What Telnyx is told when it asks what to do with a new call.

An instruction never fails and never asks anybody outside. Its order is fixed: read, decide, claim and write, answer.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.conf import settings

from agents.operations import release
from curbe.companies.models import Company
from curbe.lib import push
from curbe.lib.ids import uuid7
from telephony.core import announcing, render
from telephony.core.plan import CompanyPlan, Destination
from telephony.core.types import (
    Entered,
    Pool,
    Reject,
    RouteContext,
    Routed,
    Voicemail,
    Wait,
    decision_as_json,
    walk_as_json,
)
from telephony.models import RouteTrace, TelnyxEvent
from telephony.operations import ledger, steps, visits
from telephony.operations.moving import Moved, decided, move, wished
from telephony.operations.opening import Opened, Opening, claim_and_open, open_call
from telephony.operations.plans import plan_of
from telephony.queries import pools
from telephony.queries.routing import NumberFacts, VoiceFacts, plan_with, voice_facts, voice_facts_by_orm

logger = logging.getLogger(__name__)


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
    if facts.document and facts.call_id is not None:
        return steps.answer_again(facts.call_id, request.payload, now=now)
    number = facts.number
    if number is None or (company is not None and number.company != company):
        return _foreign(request, number, company, now)
    if facts.call_id is not None:
        # The first try broke after its call was made: there is nobody to ring twice, but a message can be taken.
        return render.apology(number.language, settings.PUBLIC_URL, number.company)
    return _first_step(request, number, facts, now)


def _first_step(request: VoiceRequest, number: NumberFacts, facts: VoiceFacts, now: datetime) -> str:
    call_id = uuid7()
    ctx = _context(request, number, call_id, now)
    load = _loader(ctx.plan, number, call_id, now)
    ctx, routed = decided(ctx, load)
    opening = _opening(call_id, request, number, ctx.plan, wished(routed, now), now)
    opened = claim_and_open(opening) if opening.offered else open_call(opening)
    if opened is Opened.AGENT_LOST:
        opening = _opening(call_id, request, number, ctx.plan, move(ctx, call_id=call_id, load=load, now=now), now)
        opened = _open_claimed(opening)
    if opened is Opened.THERE:
        # The same request came twice at the same moment and the other one was written: its answer is the answer.
        return _written_by_the_other(request, number)
    if facts.awaited:
        _catch_up(call_id, now)
    _tell(call_id, number.company_id, opening.agent_ids)
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


def _context(request: VoiceRequest, number: NumberFacts, call_id: uuid.UUID, now: datetime) -> RouteContext:
    """Return what ``decide`` may look at. Who waits, and whom the caller knows, is read only where it counts."""
    plan = plan_with(plan_of(number.company_id, number.plan_version), fallback_loops=number.fallback_loops)
    place, pool = number.plan.destination, number.pool
    if pool is not None and not number.blocked:
        pool = pools.completed(pool, place, plan=plan, call_id=call_id, now=now)
    return RouteContext(
        step=1,
        now=now,
        plan=plan,
        number=number.plan,
        contact_language=number.contact_language,
        blocked=number.blocked,
        pools=MappingProxyType({place: pool} if pool is not None else {}),
        sticky=pools.sticky_of(
            company_id=number.company_id, from_number=request.from_number, contact_id=number.contact_id, now=now
        )
        if not number.blocked and any(queue.sticky for queue in plan.queues.values())
        else (),
    )


def _loader(plan: CompanyPlan, number: NumberFacts, call_id: uuid.UUID, now: datetime) -> Callable[[Destination], Pool]:
    def load(place: Destination) -> Pool:
        return pools.pool_of(place, company_id=number.company_id, plan=plan, call_id=call_id, now=now)

    return load


def _catch_up(call_id: uuid.UUID, now: datetime) -> None:
    """Act on what was said of the call before it was there. The call is written: whatever fails here waits."""
    try:
        ledger.call_created(call_id, now)
    except Exception:
        logger.exception("Unable to act on the events that waited for call %s", call_id)


#: The first reason of a decision → what is certain of the call's outcome from its beginning.
_KNOWN_OUTCOME: Final = {"unassigned": "unassigned", "blocked": "blocked", "failed": "failed"}


def _opening(
    call_id: uuid.UUID,
    request: VoiceRequest,
    number: NumberFacts,
    plan: CompanyPlan | None,
    moved: Moved,
    now: datetime,
) -> Opening:
    routed = moved.routed
    caller_name = number.contact_name or network_name(request)
    language = routed.walk.language if routed.walk else number.language
    said = _notice(request, routed, plan, language)
    document = render.render(
        routed.decision,
        render.CallFacts(
            call_id=str(call_id),
            company=number.company,
            language=language,
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
        queue_id=_queue_of(routed),
        contact_id=number.contact_id,
        caller_name=caller_name,
        call_sid=request.call_sid,
        account_sid=request.account_sid,
        connection_id=request.connection_id,
        from_number=request.from_number,
        to_number=request.to_number,
        payload=request.payload,
        kind="instruction.voice.blocked" if isinstance(routed.decision, Reject) else "instruction.voice",
        decision=decision_as_json(routed.decision),
        reasons=routed.reasons,
        document=announcing.announced(document, said, language),
        outcome=_KNOWN_OUTCOME.get(str(routed.reasons[0]["code"]), ""),
        offered_by=moved.queue_id(),
        # Ascending, as they are claimed.
        offered=tuple(sorted(moved.offered(), key=lambda pair: pair[0])),
        # The phones ring when the notice has been said.
        offers_expire_at=moved.lease + announcing.lasts(said),
        walk=walk_as_json(routed.walk) if routed.walk else None,
        plan_version=plan.version if plan else 0,
        visits=visits.begun(routed.visits, plan) if plan else (),
        announced_position=routed.decision.position if isinstance(routed.decision, Wait) else 0,
        turn_of_queue=moved.turn_of(plan) if plan else None,
        now=now,
    )


def _notice(request: VoiceRequest, routed: Routed, plan: CompanyPlan | None, language: str) -> str:
    """Return what the caller is told before he is recorded; empty if nothing is, or nobody will be."""
    if plan is None or not plan.notices or not announcing.leads_on(routed.decision):
        return ""
    return announcing.words(plan.notices, direction="inbound", number=request.to_number, language=language)


def _queue_of(routed: Routed) -> int | None:
    """Return the queue that the call came to last; its history is found there."""
    entered = [change.queue_id for change in routed.visits if isinstance(change, Entered)]
    return entered[-1] if entered else None


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
    moved = Moved(Routed(Voicemail(), ({"code": "failed"},)), (), now)
    # What was answered is an apology, which no step follows: there is nothing to repeat.
    open_call(replace(_opening(uuid7(), request, facts.number, None, moved, now), document=""))
