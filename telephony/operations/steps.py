"""How a call goes on after its first instruction: a ``<Dial>`` or ``<Record>`` ended, a digit came, a tick of music."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from agents.operations import hold
from curbe.lib import push
from telephony.core import announcing, call_state, queueing, render
from telephony.core.call_state import Phase
from telephony.core.events import LegProgress
from telephony.core.leg_state import LegKind
from telephony.core.missions import Mission
from telephony.core.plan import NOWHERE, CompanyPlan, Destination, NumberPlan
from telephony.core.types import (
    Decision,
    DialStatus,
    Forward,
    Hangup,
    Pool,
    Ring,
    Room,
    RouteContext,
    Routed,
    Say,
    Wait,
    decision_as_json,
    decision_from_json,
    walk_as_json,
    walk_from_json,
)
from telephony.models import Call, CallLeg, CallQueue, Offer, PhoneNumber, RouteTrace, Talk, TelnyxEvent
from telephony.operations import offers, progress, talks, visits
from telephony.operations.effects import CONSULT_STEPS
from telephony.operations.moving import HELD_FOR_NEWS, Moved, is_being_moved, lease_of, move
from telephony.operations.plans import current_plan
from telephony.queries import pools
from telephony.queries.routing import plan_with


@dataclass(frozen=True, slots=True)
class StepRequest:
    """Telnyx asks how a call goes on."""

    #: ``dial_complete``, ``step`` or ``voicemail``.
    kind: str
    company: str
    #: The call and the step that the address names.
    call: str
    step: int
    call_sid: str
    dial: DialStatus | None
    payload: dict[str, str]
    #: What the caller keyed in a ``<Gather>``.
    digits: str = ""
    #: It is asked because we moved the leg there, and not because what was heard before is over.
    moved: bool = False
    #: It was asked for before, when the ``<Dial>`` of this leg was over and it was not known why, and how long it was.
    after: str = ""
    lasted_s: str = ""
    #: How often it was asked for before.
    asked: int = 0


#: The callback of a leg whose <Dial> is over may be a second or three behind; then it is judged without it.
MOST_ASKED: Final = 3
#: The step that the customer of an outbound call asks for when he answers; the first was his agent's.
CUSTOMER_ANSWERS: Final = 2


class UnknownCall(LookupError):
    """The address names no call of that company, or the request's ids belong to another call."""


def answer_step(request: StepRequest, *, now: datetime) -> str:
    """Return the document of a step; asked twice, the same one. Raises UnknownCall.

    The call's row is locked, so that a request of Telnyx and an agent who became free never make two offers of it.
    """
    call_id = _call_of(request)
    told = _told(call_id, request.step)
    if told is not None:
        return told
    try:
        return _answer_locked(call_id, request, now)
    except OperationalError as err:
        if not isinstance(err.__cause__, DeadlockDetected):
            raise
        # Whoever got the lock is done by now.
        return _answer_locked(call_id, request, now)


def _answer_locked(call_id: uuid.UUID, request: StepRequest, now: datetime) -> str:
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("company").get(pk=call_id)
        told = _told(call_id, request.step)
        if told is None and call.direction == Call.Direction.OUTBOUND and request.step == CUSTOMER_ANSWERS:
            _customer_answered(call, request, now)
        return told or _next_step(call, request, now)


def _customer_answered(call: Call, request: StepRequest, now: datetime) -> None:
    """The customer of an outbound call asks for his first step because he answered, whatever was heard of it so far."""
    if not call.called_sid:
        call.called_sid = request.call_sid
        call.save(update_fields=["called_sid"])
    news = LegProgress(call_sid=request.call_sid, status="in-progress")
    progress.heard(call, news, heard_at=now, now=now, kind=LegKind.CALLED)


def answer_again(call_id: uuid.UUID, payload: Mapping[str, str], *, now: datetime) -> str:
    """Return how a call goes on of which Telnyx asks at the address of new calls; the same document for the same words.

    It asks there once more when our first answer was late; and, as its fallback, in the middle of a call, when another
    address of ours did not answer in time. The first document would then ring agents whom the call holds no more.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("company").get(pk=call_id)
        newest = RouteTrace.objects.filter(call=call).order_by("-step").first()
        if newest is None:
            raise UnknownCall(str(call_id))
        # The Dial of a room names no leg: a Dial that does is the one before it, whose first answer was late.
        is_in_time = isinstance(decision_from_json(newest.decision), Room) and bool(payload.get("DialCallSid"))
        if (is_in_time or not NEWS & payload.keys()) and _is_yet_to_be_heard(call, newest, now):
            return newest.document
        return _next_step(call, _continued(call, newest, payload), now)


#: What only a request in the middle of a call has: a ``<Dial>``, a ``<Gather>`` or a ``<Record>`` is over.
NEWS: Final = frozenset({"DialCallStatus", "Digits", "RecordingUrl"})


def _continued(call: Call, newest: RouteTrace, payload: Mapping[str, str]) -> StepRequest:
    dial = dial_status(payload)
    return StepRequest(
        kind="step" if dial is None else "dial_complete",
        company=call.company.public_id,
        call=str(call.pk),
        step=newest.step if newest.asked_at is None else newest.step + 1,
        call_sid=call.customer_sid,
        dial=dial,
        payload=dict(payload),
        digits=payload.get("Digits", "")[:32],
    )


def _is_yet_to_be_heard(call: Call, newest: RouteTrace, now: datetime) -> bool:
    """Say whether the newest document was answered already but may not have reached Telnyx, and is still good."""
    if newest.asked_at is None or call.status == Call.Status.COMPLETED:
        return False
    return not isinstance(decision_from_json(newest.decision), Ring) or _is_live(call, now)


def dial_status(payload: Mapping[str, str]) -> DialStatus | None:
    """Return how a ``<Dial>`` ended; None if the request speaks of none."""
    status = payload.get("DialCallStatus", "")
    return DialStatus(status) if status in set(DialStatus) else DialStatus.UNKNOWN if status else None


def _call_of(request: StepRequest) -> uuid.UUID:
    try:
        call_id = uuid.UUID(request.call)
    except ValueError as err:
        raise UnknownCall(request.call) from err
    call = Call.objects.filter(pk=call_id, company__public_id=request.company).first()
    # The address is not signed; the CallSid in the body is. They must speak of the same call.
    if (
        call is None
        or not request.call_sid
        or request.call_sid not in (call.customer_sid, _customer_to_come(call, request))
    ):
        raise UnknownCall(request.call)
    return call_id


def _customer_to_come(call: Call, request: StepRequest) -> str:
    """Return the CallSid that may ask for the first step of a customer who is being rung: his answer was quicker than
    Telnyx's to us. Empty where his leg is known, or the id is that of another leg."""
    is_outbound = call.direction == Call.Direction.OUTBOUND
    is_awaited = is_outbound and not call.called_sid and request.step == CUSTOMER_ANSWERS
    if not is_awaited or CallLeg.objects.filter(call_sid=request.call_sid).exists():
        return ""
    return request.call_sid


def _told(call_id: uuid.UUID, step: int) -> str | None:
    """Return what this step was told already; None if nobody asked for it yet."""
    told = RouteTrace.objects.filter(call=call_id, step=step, asked_at__isnull=False)
    return told.values_list("document", flat=True).first()


def _next_step(call: Call, request: StepRequest, now: datetime) -> str:
    newest = RouteTrace.objects.filter(call=call).order_by("-step").first()
    decided = decision_from_json(newest.decision) if newest else None
    talk = talks.talk_of(call)
    if newest is not None and request.step > newest.step and not _is_over(call) and talks.room_awaits(talk, call, now):
        return _enter_room(call, newest, request, now)
    if newest is not None and request.step <= newest.step:
        if newest.asked_at is None and isinstance(decided, Ring) and not _is_over(call):
            return _come_for(call, newest, decided, request, now)
        # A step of the past whose trace made room for a later one, or one that was written for who comes for it now.
        if newest.asked_at is None and request.step == newest.step:
            RouteTrace.objects.filter(pk=newest.pk).update(asked_at=now)
        return newest.document
    if newest is not None and isinstance(decided, Ring) and request.step > newest.step + 1 and _is_live(call, now):
        return newest.document
    if isinstance(decided, Ring) and request.after:
        request = _as_it_was_asked(call, request)
    if isinstance(decided, Ring) and request.asked < MOST_ASKED and _is_unexplained(call, request):
        return _once_more(call, decided, request)
    if newest is not None and isinstance(decided, Ring | Forward):
        dial = request.dial or DialStatus.UNKNOWN
        offers.dial_ended(call.pk, step=newest.step, dial_status=dial, payload=request.payload, now=now)
        call.refresh_from_db(fields=["status", "hangup_requested_at", "phase", "agent_id"])
    if isinstance(decided, Room):
        talks.room_ended(call, talk, now)
    if _is_over(call):
        # Asked all the same (S-13), or this request and the news of the end crossed: nobody is to ring, or to be
        # waited for in a queue, for a caller who is gone.
        moved, plan = Moved(Routed(Hangup(), ({"code": "nothing_left"},)), (), now), None
    elif newest is None or decided is None:
        # The step before was answered with a fallback, which leaves no trace: what remains is a polite end.
        moved, plan = Moved(Routed(Say("message_kept"), ({"code": "failed"},)), (), now), None
    else:
        ctx = context_of(
            call,
            newest,
            decided,
            step=request.step,
            dial=request.dial,
            digits=request.digits,
            now=now,
            mission=_mission_of(call),
        )
        moved, plan = move(ctx, call_id=call.pk, load=loader(call, ctx.plan, now), now=now), ctx.plan
    return write_step(call, newest, moved, plan, request=request, step=request.step, now=now)


def _is_unexplained(call: Call, request: StepRequest) -> bool:
    """Say whether an agent's leg is over and nothing tells yet whether he hung up or his line was lost.

    The ``action`` of a ``<Dial>`` and the callback of its leg leave Telnyx at the same moment. Answered on a guess, a
    customer whose agent was lost would be hung up though the very next request says so.
    """
    if request.dial is not DialStatus.COMPLETED or call.hangup_requested_at is not None or _is_over(call):
        return False
    if call.phase and Phase(call.phase) not in call_state.LED:
        return False
    up = CallLeg.objects.filter(call=call, call_sid=request.payload.get("DialCallSid", ""), agent__isnull=False)
    return up.filter(answered_at__isnull=False).exclude(status=CallLeg.Status.ENDED).exists()


def _once_more(call: Call, decided: Ring, request: StepRequest) -> str:
    """Return a second of silence, after which the same is asked again: by then the leg's own callback has come."""
    told = {
        "after": request.payload["DialCallSid"],
        "lasted": request.payload.get("DialCallDuration", ""),
        "asked": request.asked + 1,
    }
    return render.asks_again(_facts(call, Routed(decided, ())), step=request.step, more=f"&{urlencode(told)}")


def _as_it_was_asked(call: Call, request: StepRequest) -> StepRequest:
    """Return a request that was made once more with what the first one said of the ``<Dial>``."""
    if not CallLeg.objects.filter(call=call, call_sid=request.after).exists():
        return request
    told = {"DialCallStatus": "completed", "DialCallSid": request.after, "DialCallDuration": request.lasted_s}
    return replace(request, dial=DialStatus.COMPLETED, payload={**request.payload, **told})


def _enter_room(call: Call, newest: RouteTrace, request: StepRequest, now: datetime) -> str:
    """Put the customer into the room that his agent is in, or on the way to."""
    talk = Talk.objects.get(pk=call.pk)
    walk = walk_from_json(newest.walk) if newest.walk else None
    moved = Moved(Routed(Room(talk.room_name), ({"code": "room"},), walk), (), now)
    document = write_step(call, newest, moved, None, request=request, step=request.step, now=now)
    talks.enter_room(call, talk, now)
    return document


def _mission_of(call: Call) -> Mission | None:
    """Return the mission that the customer's next step begins; None if he has none, or it has begun."""
    if not call.phase:
        return None
    mission = Talk.objects.filter(pk=call.pk).values_list("mission", flat=True).first()
    return Mission.from_json(mission) if mission else None


def _is_over(call: Call) -> bool:
    return call.status == Call.Status.COMPLETED


def _come_for(call: Call, newest: RouteTrace, ring: Ring, request: StepRequest, now: datetime) -> str:
    """Return the offer that was made to a caller who waited, now that he comes for it.

    He may come late, if his leg could not be moved: only now the ringing begins, so its agents are held anew. If one of
    them cannot be any more (he declined, his browser died, his lease ran out and another call has him), or somebody
    asked for the end of the call, none of them is rung, and it is decided anew.
    """
    if not request.moved and is_being_moved(call.pk):
        # His music ended while Telnyx is being asked to move him. A <Dial> now would be torn down by that, and its
        # agents, free by all appearances, rung once more: he hears a little more music and asks for the same step.
        meanwhile = Routed(Wait(queueing.MUSIC_S[-1]), (), walk_from_json(newest.walk) if newest.walk else None)
        return render.render(meanwhile.decision, _facts(call, meanwhile), step=request.step - 1)
    offered = [target.agent_id for target in ring.targets]
    made = Offer.objects.filter(call=call, step=newest.step, outcome=Offer.Outcome.PENDING)
    lease = lease_of(ring, now)
    pending = set(made.values_list("agent_id", flat=True)) if call.hangup_requested_at is None else set()
    if pending == set(offered) == set(hold(agent_ids=offered, call_id=call.pk, until=lease + HELD_FOR_NEWS, now=now)):
        made.update(expires_at=lease)
        RouteTrace.objects.filter(pk=newest.pk).update(asked_at=now)
        return newest.document
    offers.withdraw(call.pk, step=newest.step, now=now)
    step = newest.step + 1
    ctx = context_of(call, newest, Wait(queueing.MUSIC_S[-1]), step=step, now=now)
    moved = move(ctx, call_id=call.pk, load=loader(call, ctx.plan, now), now=now)
    document = write_step(call, newest, moved, ctx.plan, request=request, step=step, now=now)
    # What the step was told, should it be asked for again.
    RouteTrace.objects.filter(pk=newest.pk).update(document=document, asked_at=now)
    return document


def _is_live(call: Call, now: datetime) -> bool:
    ringing = Offer.objects.filter(call=call, outcome=Offer.Outcome.PENDING, expires_at__gt=now)
    return ringing.filter(step__lt=CONSULT_STEPS).exists()


def context_of(
    call: Call,
    newest: RouteTrace,
    decided: Decision,
    *,
    step: int,
    dial: DialStatus | None = None,
    digits: str = "",
    now: datetime,
    mission: Mission | None = None,
) -> RouteContext:
    """Return what ``decide`` may look at for the step behind ``newest``."""
    plan = current_plan(call.company_id)
    loops = bool(plan.fallback_number) and PhoneNumber.objects.filter(e164=plan.fallback_number).exists()
    return RouteContext(
        step=step,
        now=now,
        plan=plan_with(plan, fallback_loops=loops),
        # Only the first step asks where the number leads.
        number=NumberPlan(NOWHERE),
        walk=walk_from_json(newest.walk) if newest.walk else None,
        previous=decided,
        dial=dial,
        digits=digits,
        offers=pools.offers_of([call.pk]).get(call.pk, ()),
        visit=pools.visit_of(call),
        sticky=pools.sticky_of(
            company_id=call.company_id, from_number=call.from_number, contact_id=call.contact_id, now=now
        )
        if any(queue.sticky for queue in plan.queues.values())
        else (),
        hangup_requested=call.hangup_requested_at is not None,
        mission=mission,
    )


def loader(call: Call, plan: CompanyPlan, now: datetime) -> Callable[[Destination], Pool]:
    def load(place: Destination) -> Pool:
        return pools.pool_of(place, company_id=call.company_id, plan=plan, call_id=call.pk, now=now)

    return load


def write_step(
    call: Call,
    newest: RouteTrace | None,
    moved: Moved,
    plan: CompanyPlan | None,
    *,
    step: int,
    now: datetime,
    request: StepRequest | None = None,
) -> str:
    """Write a decided step of a locked call: trace, offers, visits, event; return its document.

    A wait that changed nothing takes the place of the wait before it: a caller who waits for minutes leaves one trace.
    """
    routed = moved.routed
    document = render.render(routed.decision, _facts(call, routed), step=step)
    if call.phase and not isinstance(routed.decision, Room):
        # He may come from a room, whose recording runs on beside whatever his leg does next.
        document = render.without_recording(document)
    document = _with_notice(document, call, routed, step)
    values: dict[str, Any] = {
        "step": step,
        "decision": decision_as_json(routed.decision),
        "reasons": list(routed.reasons),
        "document": document,
        "walk": walk_as_json(routed.walk) if routed.walk else None,
        "plan_version": plan.version if plan else 0,
    }
    if newest is not None and _changed_nothing(newest, routed):
        # Its moment is that of the newest tick, which says for how long he has waited so far.
        RouteTrace.objects.filter(pk=newest.pk).update(at=now, **values)
    else:
        RouteTrace.objects.create(call=call, at=now, asked_at=now if request is not None else None, **values)
        if request is not None:
            _note(call, request, now)
        push.send("call.updated", groups=[push.company_group(call.company_id)], call_id=str(call.pk))
    _offer(call, moved, plan, step=step, now=now)
    if plan is not None:
        visits.apply(call, routed.visits, plan, now)
    if isinstance(routed.decision, Wait):
        visits.announced(call.pk, routed.decision, now)
    call.step = max(call.step, step)
    call.last_news_at = max(call.last_news_at, now)
    call.save(update_fields=["step", "last_news_at", "queue_id"])
    talks.routed(call, routed.walk is not None and routed.walk.mission is not None, now)
    return document


def _with_notice(document: str, call: Call, routed: Routed, step: int) -> str:
    """Return the first document of somebody whom we called with what he is told before he is recorded.

    A caller was told by his own first document (``inbound``).
    """
    is_first = call.direction == Call.Direction.OUTBOUND and step == CUSTOMER_ANSWERS
    if not is_first or not announcing.leads_on(routed.decision):
        return document
    language = _facts(call, routed).language
    notices = current_plan(call.company_id).notices
    said = announcing.words(notices, direction=call.direction, number=call.our_number, language=language)
    return announcing.announced(document, said, language)


def _facts(call: Call, routed: Routed) -> render.CallFacts:
    return render.CallFacts(
        call_id=str(call.pk),
        company=call.company.public_id,
        language=routed.walk.language if routed.walk else call.company.language,
        # An agent's screen shows the customer, whoever called whom.
        from_number=call.customer_number,
        to_number=call.our_number,
        caller_name=call.caller_name,
        origin=settings.PUBLIC_URL,
    )


def _changed_nothing(newest: RouteTrace, routed: Routed) -> bool:
    """Say whether the call waited and goes on waiting, for the same reasons."""
    if not isinstance(routed.decision, Wait) or newest.decision.get("verb") != "wait" or routed.visits:
        return False
    return _codes(newest.reasons) == _codes(routed.reasons)


def _codes(reasons: Any) -> list[tuple[Any, Any]]:
    return [(reason.get("code"), reason.get("agent_id")) for reason in reasons]


def _note(call: Call, request: StepRequest, now: datetime) -> None:
    TelnyxEvent(
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
    ).save(force_insert=True)


def _offer(call: Call, moved: Moved, plan: CompanyPlan | None, *, step: int, now: datetime) -> None:
    Offer.objects.bulk_create(
        [
            Offer(
                call=call,
                agent_id=agent_id,
                step=step,
                queue_id=moved.queue_id(),
                rank=rank,
                offered_at=now,
                expires_at=moved.lease,
            )
            for agent_id, rank in moved.offered()
        ]
    )
    if moved.claimed:
        groups = [push.company_group(call.company_id), *map(push.agent_group, moved.claimed)]
        push.send("call.ringing", groups=groups, call_id=str(call.pk))
    turn_of = moved.turn_of(plan) if plan else None
    if turn_of is not None:
        CallQueue.objects.filter(pk=turn_of).update(cursor_agent_id=moved.claimed[0])
