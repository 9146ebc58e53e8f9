"""An agent keeps a stretch of a call out of its recording, for card data; and the gap is marked.

1. the wish is written down and committed; 2. Telnyx is asked, outside of any transaction; 3. what came of it
is written. The gap is the call's: who gets the call finds it paused, and may end it. While it is open every recording
that begins (the call goes into a room, or to somebody else) is paused as soon as anything tells of it, and the
reconciler minds it (``mind_gaps``), whoever died or was away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Q
from kombu.exceptions import OperationalError

from agents.models import Agent
from curbe.lib import locks, push
from recordings.covering import Cut, Gap, cuts
from recordings.models import Recording, RecordingGap
from telephony.models import Call, CallLeg
from telephony.operations.repairs import alone
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxError, TelnyxRefused

logger = logging.getLogger(__name__)

#: Who switches a call's recordings does so alone: any number that nobody else uses.
LOCK: Final = 0x0C0B_E006
#: Whoever asked has his answer by then, or died; his turn at the call is longer than any request.
ANSWERED_AFTER: Final = timedelta(seconds=30)
BATCH: Final = 50
#: What one run may take of the reconciler's time, in seconds.
LONGEST_RUN_S: Final = 3


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

    Raises UnknownCall, NotYours, NotNow, UnableToSwitch: then it is recorded as before, or will be in seconds.
    """
    call = _his(agent, call_id)
    with _turn(call):
        gap = _opened(call, agent, now)
        if gap.began_at is not None:
            if gap.error and (error := _keep_paused(gap, client)):
                raise UnableToSwitch(error)
            return gap
        try:
            switched = _switch(call, client, paused=True)
        except TelnyxError as err:
            _take_back(gap, client, now, why=str(err))
            raise UnableToSwitch(str(err)) from err
        if not switched:
            _close(gap, now, error="Telnyx listed no running recording.")
            raise NotNow("nothing_recorded")
        gap.began_at, gap.error = now, ""
        gap.save(update_fields=["began_at", "error"])
    _tell(call)
    return gap


def resume(*, agent: Agent, call_id: UUID, client: TelnyxClient, now: datetime) -> RecordingGap:
    """Have the recordings go on, and close the gap. Raises UnknownCall, NotYours, NotNow, UnableToSwitch."""
    call = _his(agent, call_id)
    with _turn(call):
        gap = open_gap(call)
        if gap is None:
            raise NotNow("not_paused")
        try:
            _switch(call, client, paused=False)
        except TelnyxError as err:
            raise UnableToSwitch(str(err)) from err
        _close(gap, now)
    _tell(call)
    return gap


def _his(agent: Agent, call_id: UUID) -> Call:
    call = Call.objects.filter(pk=call_id, company=agent.company_id).first()
    if call is None:
        raise UnknownCall(call_id)
    # Who left the call has nothing to say in it any more.
    talks = CallLeg.objects.filter(call=call, agent=agent, answered_at__isnull=False)
    if call.agent_id != agent.pk and not talks.exclude(status=CallLeg.Status.ENDED).exists():
        raise NotYours(call_id)
    if call.status == Call.Status.COMPLETED:
        raise NotNow("over")
    return call


def _opened(call: Call, agent: Agent, now: datetime) -> RecordingGap:
    """Return the open gap of a call; a new one if there is none. One whose answer was lost is asked for once more."""
    try:
        with transaction.atomic():
            return RecordingGap.objects.create(company_id=call.company_id, call=call, agent=agent, asked_at=now)
    except IntegrityError:
        return RecordingGap.objects.get(call=call, ended_at=None)


def _take_back(gap: RecordingGap, client: TelnyxClient, now: datetime, *, why: str) -> None:
    """Have everything recorded again after a pause that was not granted whole, or whose answer did not come.

    If that cannot be asked either, the gap stays open with its error, and is taken back by the reconciler.
    """
    gap.error = why[:500]
    gap.save(update_fields=["error"])
    try:
        _switch(gap.call, client, paused=False)
    except TelnyxError as err:
        logger.error("Whether call %s is recorded is not known: %s", gap.call_id, err)
    else:
        _close(gap, now, error=why)


# --- What begins while it is paused -------------------------------------------------------------------------------


def recording_began(call: Call) -> None:
    """Have paused what begins in a gap, after the commit of the event that tells of it."""
    if call.status != Call.Status.COMPLETED and open_gap(call) is not None:
        transaction.on_commit(partial(_queue, call.pk), robust=True)


def _queue(call_id: UUID) -> None:
    try:
        # By name: the task stands above this module, and calls it.
        current_app.send_task(
            "recordings.tasks.pause_what_began", kwargs={"call_id": str(call_id)}, queue="calls", expires=60
        )
    except OperationalError:
        logger.warning("The broker is away: what began in the gap of call %s is paused by the clock", call_id)


def pause_what_began(call_id: UUID, client: TelnyxClient, now: datetime) -> None:
    """Pause what is recorded of a call whose agent wants it paused."""
    gap = RecordingGap.objects.filter(call=call_id, ended_at=None).first()
    if gap is not None:
        _mind(gap.pk, client, now)


def mind_gaps(client: TelnyxClient, now: datetime) -> None:
    """See that nothing is recorded in the open gaps, and bring to an end those that nobody will."""
    open_ones = RecordingGap.objects.filter(ended_at=None)
    over = Q(call__status=Call.Status.COMPLETED)
    # Those that nothing is asked for first; of the others the newest, in which something may just begin.
    ended = open_ones.filter(over).order_by("pk").values_list("pk", flat=True)
    going_on = open_ones.exclude(over).order_by("-asked_at").values_list("pk", flat=True)
    began_s = time.monotonic()
    for gap_id in [*ended[:BATCH], *going_on[:BATCH]]:
        with alone("mind the gap", gap_id):
            _mind(gap_id, client, now)
        if time.monotonic() - began_s > LONGEST_RUN_S:
            # Lost ends and recordings are looked for by the same run.
            break


def _mind(gap_id: UUID, client: TelnyxClient, now: datetime) -> None:
    call = Call.objects.get(recording_gaps=gap_id)
    with _turn(call):
        # Read in turn: who had it before may have closed it.
        gap = RecordingGap.objects.select_related("call").filter(pk=gap_id, ended_at=None).first()
        if gap is None:
            return
        if gap.call.status == Call.Status.COMPLETED:
            _close(gap, max(gap.call.ended_at or now, gap.began_at or gap.asked_at), error=gap.error)
        elif gap.began_at is not None:
            _keep_paused(gap, client)
        elif gap.error:
            _take_back(gap, client, now, why=gap.error)
        elif now - gap.asked_at > ANSWERED_AFTER:
            # His process died while Telnyx was asked: nobody was told that it is paused.
            _take_back(gap, client, now, why="The answer was lost.")


def _keep_paused(gap: RecordingGap, client: TelnyxClient) -> str:
    """Pause what runs; return why it could not be. Said in the gap, and to the agent's screen; it is asked again."""
    error = ""
    try:
        _switch(gap.call, client, paused=True, all_of_them=False)
    except TelnyxError as err:
        error = str(err)[:500]
        logger.error("Call %s is recorded though its agent paused it: %s", gap.call_id, err)
    if error != gap.error:
        RecordingGap.objects.filter(pk=gap.pk).update(error=error)
        _tell(gap.call)
    return error


# --- Rows and requests --------------------------------------------------------------------------------------------


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


def open_gap(call: Call) -> RecordingGap | None:
    return RecordingGap.objects.select_related("call").filter(call=call, ended_at=None).first()


@contextmanager
def _turn(call: Call) -> Iterator[None]:
    """One at a time: a pause and a resume that cross would leave the row and Telnyx apart."""
    with locks.alone(LOCK, call.pk.int):
        yield


def _close(gap: RecordingGap, at: datetime, *, error: str = "") -> None:
    gap.ended_at, gap.error = at, error[:500]
    gap.save(update_fields=["ended_at", "error"])


def _switch(call: Call, client: TelnyxClient, *, paused: bool, all_of_them: bool = True) -> int:
    """Pause, or have go on, what is being recorded of every leg that is up; return how many recordings that were.

    ``all_of_them``: also those that Telnyx lists as what they are to be; a refusal to do once more what is so is none.
    """
    wanted = "paused" if paused else "in-progress"
    switched = 0
    legs = CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED)
    # The customer's leg is the one that is recorded; the others only by somebody's own setting.
    for leg in sorted(legs, key=lambda leg: leg.call_sid != call.customer_sid):
        for running in client.leg_recordings(call.account_sid, leg.call_sid):
            is_so = running.status == wanted
            if running.status not in {"in-progress", "paused"} or (is_so and not all_of_them):
                continue
            try:
                switched += client.switch_leg_recording(call.account_sid, leg.call_sid, running.sid, paused=paused)
            except TelnyxRefused:
                if not is_so:
                    raise
                switched += 1
    return switched


def _tell(call: Call) -> None:
    push.send("call.updated", groups=[push.company_group(call.company_id)], call_id=str(call.pk))
