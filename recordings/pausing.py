"""An agent keeps a stretch of a call out of its recording, for card data; and the gap is marked.

1. the wish is written down and committed; 2. Telnyx is asked, outside of any transaction; 3. what came of it
is written. A recording that begins inside a gap (the call goes into a room) is paused as soon as Telnyx tells of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from kombu.exceptions import OperationalError

from agents.models import Agent
from curbe.lib import push
from recordings.covering import Cut, Gap, cuts
from recordings.models import Recording, RecordingGap
from telephony.models import Call, CallLeg
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxError

logger = logging.getLogger(__name__)


class UnknownCall(LookupError):
    """There is no such call in this company."""


class NotYours(Exception):
    """It is another agent's call."""


class NotNow(Exception):
    """It cannot be done as things stand; ``code`` says why: over, nothing_recorded, not_paused."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class UnableToSwitch(Exception):
    """Telnyx refused, or is away: whoever speaks of a card now must know that it is recorded."""


def pause(*, agent: Agent, call_id: UUID, client: TelnyxClient, now: datetime) -> RecordingGap:
    """Pause every running recording of the call. Paused already is a success.

    Raises UnknownCall, NotYours, NotNow, UnableToSwitch.
    """
    call = _his(agent, call_id)
    if call.status == Call.Status.COMPLETED:
        raise NotNow("over")
    try:
        with transaction.atomic():
            gap = RecordingGap.objects.create(company_id=call.company_id, call=call, agent=agent, asked_at=now)
    except IntegrityError:
        open_gap = _open_gap(call)
        if open_gap is None or open_gap.began_at is not None:
            return open_gap or pause(agent=agent, call_id=call_id, client=client, now=now)
        # A wish whose answer was lost: asked once more.
        gap = open_gap
    try:
        switched = _switch(call, client, paused=True)
    except TelnyxError as err:
        _close(gap, now, error=str(err)[:500])
        raise UnableToSwitch(str(err)) from err
    if not switched:
        _close(gap, now, error="Nothing was recorded.")
        raise NotNow("nothing_recorded")
    gap.began_at = now
    gap.save(update_fields=["began_at"])
    _tell(call)
    return gap


def resume(*, agent: Agent, call_id: UUID, client: TelnyxClient, now: datetime) -> RecordingGap:
    """Have the recordings go on, and close the gap. Raises UnknownCall, NotYours, NotNow, UnableToSwitch."""
    call = _his(agent, call_id)
    gap = _open_gap(call)
    if gap is None:
        raise NotNow("over" if call.status == Call.Status.COMPLETED else "not_paused")
    try:
        _switch(call, client, paused=False)
    except TelnyxError as err:
        raise UnableToSwitch(str(err)) from err
    _close(gap, now)
    _tell(call)
    return gap


def cuts_of(recordings: Sequence[Recording]) -> dict[UUID, list[Cut]]:
    """Return where the gaps lie in the sound of each of these recordings, for players. One query."""
    gaps = RecordingGap.objects.filter(call__in={one.call_id for one in recordings}, began_at__isnull=False)
    apart: dict[UUID, list[Gap]] = {}
    for gap in gaps:
        if gap.began_at is not None:
            apart.setdefault(gap.call_id, []).append(Gap(gap.began_at, gap.ended_at))
    return {
        one.pk: cuts(one.started_at, one.duration_s, apart[one.call_id])
        for one in recordings
        if one.call_id in apart and one.started_at is not None and one.duration_s is not None
    }


def recording_began(call: Call) -> None:
    """Have a recording paused that began in a gap, after the commit of its event."""
    if call.status != Call.Status.COMPLETED and _open_gap(call) is not None:
        transaction.on_commit(partial(_queue, call.pk), robust=True)


def _queue(call_id: UUID) -> None:
    try:
        # By name: the task stands above this module, and calls it.
        current_app.send_task(
            "recordings.tasks.pause_what_began", kwargs={"call_id": str(call_id)}, queue="calls", expires=60
        )
    except OperationalError:
        logger.error("The broker is away: call %s is recorded though its agent paused it", call_id)


def pause_what_began(call_id: UUID, client: TelnyxClient, now: datetime) -> None:
    """Pause what is recorded of a call whose agent wants it paused. Said in the gap if it could not be."""
    call = Call.objects.get(pk=call_id)
    gap = _open_gap(call)
    if gap is None:
        return
    try:
        _switch(call, client, paused=True)
    except TelnyxError as err:
        RecordingGap.objects.filter(pk=gap.pk).update(error=str(err)[:500])
        logger.error("Call %s is recorded though its agent paused it: %s", call_id, err)
        _tell(call)


def _his(agent: Agent, call_id: UUID) -> Call:
    call = Call.objects.filter(pk=call_id, company=agent.company_id).first()
    if call is None:
        raise UnknownCall(call_id)
    talks = CallLeg.objects.filter(call=call, agent=agent, answered_at__isnull=False)
    if call.agent_id != agent.pk and not talks.exists():
        raise NotYours(call_id)
    return call


def _open_gap(call: Call) -> RecordingGap | None:
    return RecordingGap.objects.filter(call=call, ended_at=None).first()


def _close(gap: RecordingGap, now: datetime, *, error: str = "") -> None:
    gap.ended_at, gap.error = now, error
    gap.save(update_fields=["ended_at", "error"])


def _switch(call: Call, client: TelnyxClient, *, paused: bool) -> int:
    """Pause, or have go on, what is being recorded of every leg that is up; return how many recordings that were."""
    wanted = {"in-progress", "paused"}
    switched = 0
    legs = CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED)
    # The customer's leg is the one that is recorded; the others only by somebody's own setting.
    for leg in sorted(legs, key=lambda leg: leg.call_sid != call.customer_sid):
        for running in client.leg_recordings(call.account_sid, leg.call_sid):
            if running.status in wanted:
                client.switch_leg_recording(call.account_sid, leg.call_sid, running.sid, paused=paused)
                switched += 1
    return switched


def _tell(call: Call) -> None:
    push.send("call.updated", groups=[push.company_group(call.company_id)], call_id=str(call.pk))
