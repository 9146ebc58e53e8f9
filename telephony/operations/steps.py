"""How a call goes on after its first instruction: a ``<Dial>`` or ``<Record>`` ended, or a redirect led here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Greatest

from curbe.lib import push
from telephony.core import render
from telephony.core.routing import decide
from telephony.core.types import (
    Decision,
    DestinationKind,
    DialStatus,
    Forward,
    Plan,
    Ring,
    RouteContext,
    Routed,
    Say,
    decision_as_json,
    decision_from_json,
)
from telephony.models import Call, RouteTrace, TelnyxEvent
from telephony.operations import offers


@dataclass(frozen=True, slots=True)
class StepRequest:
    """Telnyx asks how a call goes on: a ``<Dial>`` or ``<Record>`` ended, or a redirect led here."""

    #: ``dial_complete``, ``step`` or ``voicemail``.
    kind: str
    company: str
    #: The call and the step that the address names.
    call: str
    step: int
    call_sid: str
    dial: DialStatus | None
    payload: dict[str, str]


class UnknownCall(LookupError):
    """The address names no call of that company, or the request's ids belong to another call."""


def answer_step(request: StepRequest, *, now: datetime) -> str:
    """Return the document of a step; asked twice, the same one. Raises UnknownCall."""
    call = _call_of(request)
    written = RouteTrace.objects.filter(call=call, step=request.step).first()
    if written is not None:
        return written.document
    try:
        with transaction.atomic():
            document = _next_step(call, request, now)
    except IntegrityError:
        # Two at the same moment: the one that was written first is the answer of both.
        return RouteTrace.objects.get(call=call, step=request.step).document
    return document


def _call_of(request: StepRequest) -> Call:
    try:
        call_id = uuid.UUID(request.call)
    except ValueError as err:
        raise UnknownCall(request.call) from err
    call = Call.objects.select_related("company").filter(pk=call_id, company__public_id=request.company).first()
    # The address is not signed; the CallSid in the body is. They must speak of the same call.
    if call is None or call.root_call_sid != request.call_sid:
        raise UnknownCall(request.call)
    return call


def _next_step(call: Call, request: StepRequest, now: datetime) -> str:
    event = TelnyxEvent(
        dedupe_key=f"{request.kind}|{call.pk}|{request.step}",
        kind=f"instruction.{request.kind}",
        source=TelnyxEvent.Source.CALLBACK,
        occurred_at=now,
        received_at=now,
        payload=request.payload,
        company_id=call.company_id,
        call=call,
        processed_at=now,
        attempts=1,
    )
    event.save(force_insert=True)
    previous = RouteTrace.objects.filter(call=call, step=request.step - 1).first()
    decided = decision_from_json(previous.decision) if previous else None
    if isinstance(decided, Ring | Forward):
        offers.dial_ended(
            call.pk,
            step=request.step - 1,
            dial_status=request.dial or DialStatus.UNKNOWN,
            payload=request.payload,
            now=now,
        )
    routed = _continue(call, request, decided, now)
    document = render.render(
        routed.decision,
        render.CallFacts(
            call_id=str(call.pk),
            company=call.company.public_id,
            language=call.company.language,
            from_number=call.from_number,
            to_number=call.to_number,
            caller_name=call.caller_name,
            origin=settings.PUBLIC_URL,
        ),
        step=request.step,
    )
    RouteTrace.objects.create(
        call=call,
        step=request.step,
        decision=decision_as_json(routed.decision),
        reasons=list(routed.reasons),
        document=document,
        at=now,
    )
    # Greatest() because a late step must not turn the clock back.
    Call.objects.filter(pk=call.pk).update(
        step=Greatest("step", request.step), last_news_at=Greatest("last_news_at", now)
    )
    push.send("call.updated", groups=[push.company_group(call.company_id)], call_id=str(call.pk))
    return document


def _continue(call: Call, request: StepRequest, previous: Decision | None, now: datetime) -> Routed:
    if previous is None:
        # The step before was answered with a fallback, which leaves no trace: what remains is a polite end.
        return Routed(Say("message_kept"), ({"code": "failed"},))
    return decide(
        RouteContext(
            step=request.step,
            now=now,
            plan=Plan(destination=DestinationKind.NONE),
            previous=previous,
            dial=request.dial,
            hangup_requested=call.hangup_requested_at is not None,
        )
    )
