"""The ledger: everything that is said of a call is kept first, and acted on second.

``record`` commits, whatever happens next. ``process`` runs one handler in a transaction of its own and fails alone:
the error stays with the event, and the worker (``process_due``) or a person in the admin tries again.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F, Q
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.types.json import Jsonb

from curbe.lib.db import prepared
from curbe.lib.ids import uuid7
from telephony import handlers
from telephony.core import events
from telephony.models import Call, CallIdentifier, TelnyxEvent

logger = logging.getLogger(__name__)

#: A webhook has 2 s in all; what cannot lock its call in this time is left to the worker.
LOCK_TIMEOUT_MS: Final = 200
#: After so many failures only a person ("process again" in the admin) can help.
MAX_ATTEMPTS: Final = 8
#: When the worker tries again after the n-th failure, in seconds since the event was received.
BACK_OFF_S: Final = (2, 10, 30, 120, 600, 1800, 3600, 7200)
#: An event whose call never came: by then it is somebody else's call, or one that we never saw.
LONGEST_WAIT: Final = timedelta(hours=1)
ERROR_LENGTH: Final = 4_000
WORK_LIST_LENGTH: Final = 200


class Processing(StrEnum):
    """How an attempt to process an event ended."""

    DONE = "done"
    #: Its call is not there yet.
    WAITING = "waiting"
    #: Somebody else is at the event or its call: the worker will come back to it.
    BUSY = "busy"
    FAILED = "failed"


# The whole point of the statement is its ON CONFLICT: it says, in one round trip, whether the event is new.
_RECORD: Final = """
INSERT INTO telephony_telnyxevent
  (id, dedupe_key, kind, source, occurred_at, received_at, payload, company_id, call_id, attempts, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '')
ON CONFLICT (dedupe_key) DO NOTHING
RETURNING id
"""


def record(
    *,
    kind: str,
    source: str,
    dedupe_key: str,
    occurred_at: datetime | None,
    payload: Mapping[str, Any],
    now: datetime,
    call_id: uuid.UUID | None = None,
    company_id: int | None = None,
) -> TelnyxEvent | None:
    """Keep an event and return it, unprocessed; None when it was kept before.

    ``occurred_at`` None, or a moment that cannot be: the event counts as of ``now``. Call it outside a transaction:
    inside one, what is kept goes when the transaction fails.
    """
    event = TelnyxEvent(
        id=uuid7(),
        dedupe_key=dedupe_key,
        kind=kind[: events.KIND_LENGTH],
        source=source,
        occurred_at=events.believable(occurred_at, now),
        received_at=now,
        payload=dict(payload),
        company_id=company_id,
        call_id=call_id,
    )
    row = (event.id, event.dedupe_key, event.kind, event.source, event.occurred_at, now, Jsonb(event.payload))
    if not prepared(_RECORD, (*row, company_id, call_id)):
        return None
    event._state.adding = False
    event._state.db = connection.alias
    return event


def settle(event: TelnyxEvent, now: datetime) -> None:
    """Mark an event as dealt with: there is, or was, nothing for a handler to do."""
    event.processed_at = now
    event.save(update_fields=["processed_at"])


def note(
    *, kind: str, dedupe_key: str, payload: Mapping[str, Any], call: Call, source: str, now: datetime
) -> TelnyxEvent | None:
    """Record something that was done already, so that the call's story has it; None when it is there."""
    event = record(
        kind=kind,
        source=source,
        dedupe_key=dedupe_key,
        occurred_at=now,
        payload=payload,
        call_id=call.pk,
        company_id=call.company_id,
        now=now,
    )
    if event is not None:
        settle(event, now)
    return event


def process(event_id: uuid.UUID, now: datetime) -> Processing:
    """Act on one event that was not acted on yet; never raises for what a handler does wrong.

    1. lock the event (whoever has it already is at it); 2. find its call, and lock that; 3. run the handler, which
    touches agents in the order of their ids; 4. mark the event as processed. All of it, or nothing.
    """
    try:
        with transaction.atomic():
            return _process_locked(event_id, now)
    except OperationalError as err:
        if isinstance(err.__cause__, LockNotAvailable | DeadlockDetected):
            return Processing.BUSY
        _note_failure(event_id, err)
    except Exception as err:
        _note_failure(event_id, err)
    return Processing.FAILED


def _process_locked(event_id: uuid.UUID, now: datetime) -> Processing:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
    event = TelnyxEvent.objects.select_for_update(skip_locked=True).filter(pk=event_id, processed_at=None).first()
    if event is None:
        return Processing.BUSY
    handler = handlers.find(event.kind)
    event.call_id = event.call_id or find_call(event.payload)
    if handler is not None:
        if event.call_id is None:
            return Processing.WAITING
        call = Call.objects.select_for_update().get(pk=event.call_id)
        handler(event, call, now)
        event.company_id = call.company_id
    elif event.call_id is not None:
        event.company_id = Call.objects.values_list("company_id", flat=True).get(pk=event.call_id)
    event.processed_at = now
    event.attempts += 1
    event.error = ""
    event.save(update_fields=["call_id", "company_id", "processed_at", "attempts", "error"])
    return Processing.DONE


def _note_failure(event_id: uuid.UUID, err: Exception) -> None:
    logger.exception("Unable to process event %s", event_id)
    report = "".join(traceback.format_exception(err))[-ERROR_LENGTH:]
    try:
        TelnyxEvent.objects.filter(pk=event_id).update(attempts=F("attempts") + 1, error=report)
    except DatabaseError:
        # The event itself is safe; only the note is lost, and the log has it.
        logger.exception("Unable to note why event %s failed", event_id)


def process_again(event_id: uuid.UUID, now: datetime) -> Processing:
    """Act on an event once more, as a person asked; what the handlers do twice is as good as once."""
    TelnyxEvent.objects.filter(pk=event_id).update(processed_at=None, attempts=0)
    return process(event_id, now)


def find_call(payload: Mapping[str, Any]) -> uuid.UUID | None:
    """Return the call that an event speaks of; None when it is not there (yet).

    The ids in the signed body decide. The address of the callback, which nobody signs, only helps where they are all
    unknown, and only within the company that it names.
    """
    named = events.leg_ids(payload)
    # What a browser told is not asked: nobody may give his call the name of somebody else's.
    learned = CallIdentifier.objects.filter(value__in=named, agent=None)
    known = dict(learned.order_by("-id").values_list("value", "call_id"))
    found = next((known[value] for value in named if value in known), None)
    address = events.address(payload)
    pointed = _uuid(address.get("call"))
    if found is not None:
        if pointed is not None and found != pointed:
            logger.error("A callback for call %s came to the address of call %s; the body counts", found, pointed)
        return found
    company = events.text(address.get("company"))
    calls = Call.objects.filter(pk=pointed, company__public_id=company) if pointed is not None else Call.objects.none()
    return calls.values_list("pk", flat=True).first()


def _uuid(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(events.text(value))
    except ValueError:
        return None


def call_created(call_id: uuid.UUID, now: datetime) -> int:
    """Act on the events that waited for this call; return how many were done."""
    ids = list(CallIdentifier.objects.filter(call_id=call_id, agent=None).values_list("value", flat=True))
    waiting = TelnyxEvent.objects.filter(
        Q(payload__CallSid__in=ids) | Q(payload__ParentCallSid__in=ids), processed_at=None, call=None
    )
    found = list(waiting.order_by("occurred_at", "id").values_list("pk", flat=True)[:WORK_LIST_LENGTH])
    return sum(process(event_id, now) is Processing.DONE for event_id in found)


def process_due(now: datetime) -> int:
    """Act on what is left: events without a lock, failed ones whose pause is over, waiting ones. Return how many."""
    left = TelnyxEvent.objects.filter(processed_at=None, attempts__lt=MAX_ATTEMPTS).order_by("received_at")
    done = 0
    for event_id, received_at, attempts in left.values_list("pk", "received_at", "attempts")[:WORK_LIST_LENGTH]:
        if now - received_at < timedelta(seconds=BACK_OFF_S[attempts]):
            continue
        outcome = process(event_id, now)
        done += outcome is Processing.DONE
        if outcome is Processing.WAITING and now - received_at > LONGEST_WAIT:
            _give_up(event_id)
    return done


def _give_up(event_id: uuid.UUID) -> None:
    logger.warning("Event %s speaks of no call of ours; it is kept, and no longer tried", event_id)
    TelnyxEvent.objects.filter(pk=event_id).update(
        attempts=MAX_ATTEMPTS, error="No call of ours has one of the ids in this event."
    )
