"""Carries out what conversations ask of Telnyx: outside of any transaction, one call's commands in their order.

A command is asked for until Telnyx took it, refused it for good, or it is no longer wanted: whether it is, is read off
the conversation when its turn comes, so late ones do no harm. What came of it is written under the call's lock.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from telephony.core.missions import MissionKind
from telephony.models import Call, TalkCommand
from telephony.operations import asking, talks
from telephony.operations.asking import Asked, Outcome
from telephony.operations.effects import Kind
from telephony.telnyx.client import GONE_CODES, TelnyxClient
from telephony.telnyx.errors import TelnyxError, TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: How long somebody waits for whoever carries out the same call's commands just now.
PATIENCE_MS: Final = 3_000
#: A worker's process is not for waiting: it comes back.
WORKERS_PATIENCE_MS: Final = 100
BUSY_S: Final = 0.5
#: Who answers a person waits for nobody: then the worker is told of the commands.
NO_PATIENCE_MS: Final = 1
#: What is not there yet (a member on his way into his room) is asked for again so soon, then later and later.
AGAIN_S: Final = (0.25, 0.25, 0.5, 1, 2, 3, 5)
#: Asked so often in vain it has failed; a customer who waits to be sent on is never given up.
MOST_ATTEMPTS: Final = 8
TRANSFER_ATTEMPTS: Final = 4
#: Calls per run of the beat.
BATCH: Final = 50


def run(
    call_id: uuid.UUID, client: TelnyxClient, now: datetime | None = None, *, patience_ms: int = PATIENCE_MS
) -> float | None:
    """Carry out what is due for this call; return in how many seconds something else will be, None if nothing waits."""
    with _alone_with(call_id, patience_ms) as is_ours:
        if not is_ours:
            return BUSY_S
        while (due := _next(call_id, now or timezone.now())) is not None:
            _carry_out(due, client, now or timezone.now())
    waiting = TalkCommand.objects.filter(call=call_id, state=TalkCommand.State.WANTED).order_by("next_attempt_at")
    again_at = waiting.values_list("next_attempt_at", flat=True).first()
    return max(0.05, (again_at - timezone.now()).total_seconds()) if again_at is not None else None


def run_due(client: TelnyxClient, now: datetime) -> int:
    """Carry out commands that nobody came back for: the broker or a worker was away. Return for how many calls."""
    due = TalkCommand.objects.filter(state=TalkCommand.State.WANTED, next_attempt_at__lte=now)
    calls = list(due.order_by("next_attempt_at").values_list("call", flat=True).distinct()[:BATCH])
    for call_id in dict.fromkeys(calls):
        try:
            run(call_id, client, now)
        except Exception:
            logger.exception("Unable to carry out the commands of call %s", call_id)
    return len(calls)


def _next(call_id: uuid.UUID, now: datetime) -> TalkCommand | None:
    due = TalkCommand.objects.filter(call=call_id, state=TalkCommand.State.WANTED, next_attempt_at__lte=now)
    return due.order_by("id").first()


def _carry_out(command: TalkCommand, client: TelnyxClient, now: datetime) -> None:
    asked = _ask(command, client, now)
    if asked.outcome is Outcome.AGAIN and command.attempts + 1 >= _most_attempts(command):
        asked = Asked(Outcome.FAILED, asked.error or "Telnyx did not take it.")
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("company").get(pk=command.call_id)
        _write(command, asked, now)
        if asked.outcome is Outcome.DONE:
            asking.DONE[Kind(command.kind)](call, command, asked, now)
        elif asked.outcome is Outcome.FAILED:
            logger.warning("Call %s: %s failed: %s", call.pk, command.kind, asked.error)
            talks.note(call, f"talk.{command.kind}_failed", {"error": asked.error, **command.params}, now)
            asking.FAILED[Kind(command.kind)](call, command, now)


def _most_attempts(command: TalkCommand) -> float:
    """Return after how many tries in vain it has failed. Who still talks is told soon; who waits is never given up."""
    if command.kind != Kind.SEND:
        return MOST_ATTEMPTS
    return TRANSFER_ATTEMPTS if command.params.get("mission") == MissionKind.TRANSFER else math.inf


def _ask(command: TalkCommand, client: TelnyxClient, now: datetime) -> Asked:
    """Ask Telnyx; never raises for what it answers, and a mistake of ours stops no other command."""
    call = Call.objects.select_related("company", "talk", "number").get(pk=command.call_id)
    try:
        return asking.ASK[Kind(command.kind)](asking.Scene(call, call.talk, command, client, now))
    except TelnyxRefused as err:
        if err.codes & GONE_CODES:
            return Asked(Outcome.GONE, str(err)[:500])
        # Too many requests, or theirs to mend: the same may be taken a moment later.
        is_for_good = err.status < 500 and err.status != 429
        return Asked(Outcome.FAILED if is_for_good else Outcome.AGAIN, str(err)[:500])
    except TelnyxUnreachable as err:
        return Asked(Outcome.AGAIN, str(err)[:500])
    except TelnyxError as err:
        return Asked(Outcome.FAILED, str(err)[:500])
    except Exception as err:
        logger.exception("Unable to carry out command %s of call %s", command.pk, command.call_id)
        return Asked(Outcome.AGAIN, repr(err)[:500])


def _write(command: TalkCommand, asked: Asked, now: datetime) -> None:
    command.attempts += 1
    command.error = asked.error
    match asked.outcome:
        case Outcome.AGAIN:
            pause_s = AGAIN_S[min(command.attempts, len(AGAIN_S)) - 1]
            command.next_attempt_at = now + timedelta(seconds=pause_s)
        case Outcome.FAILED:
            command.state = TalkCommand.State.FAILED
        case Outcome.DROPPED | Outcome.GONE:
            command.state = TalkCommand.State.DROPPED
        case Outcome.DONE:
            command.state = TalkCommand.State.DONE
    if command.state != TalkCommand.State.WANTED:
        command.finished_at, command.next_attempt_at = now, None
    command.save(update_fields=["attempts", "error", "state", "next_attempt_at", "finished_at"])


@contextmanager
def _alone_with(call_id: uuid.UUID, patience_ms: int) -> Iterator[bool]:
    """Hold this call's commands for the block: two who carry them out would ask for one twice.

    A lock of the session and not of a transaction, for Telnyx is asked meanwhile. It ends with the connection.
    """
    # The random half of the id, apart from the key of ``moving``.
    key = (call_id.int & (2**61 - 1)) | 2**62
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{patience_ms}ms"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
            is_ours = True
        except OperationalError as err:
            if not isinstance(err.__cause__, LockNotAvailable):
                raise
            is_ours = False
        finally:
            cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
