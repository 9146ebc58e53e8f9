"""A customer who was talking goes on elsewhere: his next step is written first, then his leg is moved there."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction

from telephony.core.missions import Mission
from telephony.core.types import Ring, decision_from_json
from telephony.models import Call, RouteTrace, Talk
from telephony.operations import offers, steps, visits
from telephony.operations.moving import being_moved, move

__all__ = ["being_moved", "url_of", "withdraw", "written"]


def written(call_id: uuid.UUID, now: datetime) -> int | None:
    """Return the step that the customer's mission begins with, written if it is not yet; None if there is none.

    Once it is written the mission is the plan's, and whoever asks for that step gets it, moved there or not.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("company").get(pk=call_id)
        talk = Talk.objects.filter(pk=call_id).first()
        newest = RouteTrace.objects.filter(call=call_id).order_by("-step").first()
        if talk is None or newest is None or call.status == Call.Status.COMPLETED or not call.customer_sid:
            return None
        if talk.mission is None:
            return newest.step if newest.asked_at is None else None
        step = newest.step + 1
        ctx = steps.context_of(
            call,
            newest,
            decision_from_json(newest.decision),
            step=step,
            now=now,
            mission=Mission.from_json(talk.mission),
        )
        moved = move(ctx, call_id=call.pk, load=steps.loader(call, ctx.plan, now), now=now)
        steps.write_step(call, newest, moved, ctx.plan, step=step, now=now)
        return step


def withdraw(call: Call, now: datetime) -> None:
    """Take back what was written for a customer who could not be moved, and is still where he was."""
    newest = RouteTrace.objects.filter(call=call).order_by("-step").first()
    if newest is None or newest.asked_at is not None:
        return
    if isinstance(decision_from_json(newest.decision), Ring):
        offers.withdraw(call.pk, step=newest.step, now=now)
    visits.never_was(call.pk, now)
    # His <Dial>, or his room, asks for the step behind its own: it must not find this one.
    newest.delete()
    call.step = newest.step - 1
    call.save(update_fields=["step"])


def url_of(call: Call, step: int) -> str:
    query = f"call={call.pk}&step={step}&moved=1"
    return f"{settings.PUBLIC_URL}/webhooks/telnyx/step/{call.company.public_id}?{query}"
