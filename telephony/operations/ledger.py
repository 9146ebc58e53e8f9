"""The ledger: everything that is said of a call is kept first, and acted on second.

``record`` commits, whatever happens next. ``process`` runs one handler in a transaction of its own and fails alone:
the error stays with the event, and the worker (``process_due``) or a person in the admin tries again.

``next_attempt_at`` is the worker's work list: whatever cannot be done now moves back in it, and keeps nobody waiting.
"""

from __future__ import annotations

import logging
import time
import traceback
import uuid
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import DatabaseError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.types.json import Jsonb

from curbe.lib.db import columns_of, prepared, row_of
from curbe.lib.ids import uuid7
from telephony import handlers
from telephony.core import events
from telephony.models import Call, CallIdentifier, TelnyxEvent

logger = logging.getLogger(__name__)

#: A webhook has 2 s in all; what cannot lock its call in this time is left to the worker.
LOCK_TIMEOUT_MS: Final = 200
#: The pause before the n-th attempt, in seconds; then only a person ("process again" in the admin) can help. The web
#: process makes the first one itself, at once. What fails by an accident of the moment is made good within seconds.
PAUSES_S: Final = (2, 3, 10, 30, 120, 600, 1200, 1800, 3600)
MAX_ATTEMPTS: Final = len(PAUSES_S)
#: At which ages, in seconds, an event whose call is not there looks for it. After the last one it is somebody else's
#: call, or one that we never saw.
LOOKS_AT_S: Final = (2, 5, 10, 30, 120, 600, 1800, 3600)
#: Past this age, in seconds, an event counts as nobody's: the links in it live for ten minutes only.
UNCLAIMED_AFTER_S: Final = 60
#: An event that the worker took is not taken again for so long, by him or another: he is at it, or its call is locked.
TAKEN_FOR: Final = timedelta(seconds=3)
#: Events that the worker takes at once.
BATCH: Final = 50
#: The worker stops taking after this, in seconds, so that runs (one every 3 s) do not pile up.
LONGEST_RUN_S: Final = 2.5
#: The work list of one new call.
AWAITED_AT_ONCE: Final = 200
ERROR_LENGTH: Final = 4_000


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
  (id, dedupe_key, kind, source, occurred_at, received_at, payload, company_id, call_id, root_call_sid,
   next_attempt_at, attempts, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '')
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
        root_call_sid=events.root_sid(payload),
        next_attempt_at=now + timedelta(seconds=PAUSES_S[0]),
    )
    row = (event.id, event.dedupe_key, event.kind, event.source, event.occurred_at, now, Jsonb(event.payload))
    if not prepared(_RECORD, (*row, company_id, call_id, event.root_call_sid, event.next_attempt_at)):
        return None
    event._state.adding = False
    event._state.db = connection.alias
    return event


def settle(event: TelnyxEvent, now: datetime) -> None:
    """Mark an event as dealt with: there is, or was, nothing for a handler to do."""
    event.processed_at = now
    event.next_attempt_at = None
    event.save(update_fields=["processed_at", "next_attempt_at"])


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
        _note_failure(event_id, err, now)
    except Exception as err:
        _note_failure(event_id, err, now)
    return Processing.FAILED


# With the event comes how long its call's lock is waited for, in this transaction.
_LOCK: Final = f"""
SELECT set_config('lock_timeout', '{LOCK_TIMEOUT_MS}ms', true), {columns_of(TelnyxEvent)}
  FROM telephony_telnyxevent
 WHERE id = %(id)s::uuid AND processed_at IS NULL
   FOR UPDATE SKIP LOCKED
"""
_LOCK_CALL: Final = f"SELECT {columns_of(Call)} FROM telephony_call WHERE id = %(id)s::uuid FOR UPDATE"


def _process_locked(event_id: uuid.UUID, now: datetime) -> Processing:
    found = prepared(_LOCK, {"id": event_id})
    if not found:
        return Processing.BUSY
    event = row_of(TelnyxEvent, found[0][1:])
    account_handler = handlers.find_for_account(event.kind)
    if account_handler is not None:
        account_handler(event, now)
        return _done(event, now)
    handler = handlers.find(event.kind)
    event.call_id = event.call_id or find_call(event.payload)
    if event.call_id is None:
        if handler is not None and not _was_turned_away(event.payload):
            return _wait(event, now)
    elif handler is not None:
        call = row_of(Call, prepared(_LOCK_CALL, {"id": event.call_id})[0])
        handler(event, call, now)
        event.company_id = call.company_id
    else:
        event.company_id = Call.objects.values_list("company_id", flat=True).get(pk=event.call_id)
    return _done(event, now)


_DONE: Final = """
UPDATE telephony_telnyxevent
   SET call_id = %(call)s::uuid, company_id = %(company)s::bigint, processed_at = %(now)s::timestamptz,
       next_attempt_at = NULL, attempts = attempts + 1, error = ''
 WHERE id = %(id)s::uuid
"""


def _done(event: TelnyxEvent, now: datetime) -> Processing:
    event.processed_at = now
    event.next_attempt_at = None
    event.attempts += 1
    event.error = ""
    prepared(_DONE, {"id": event.pk, "call": event.call_id, "company": event.company_id, "now": now})
    return Processing.DONE


def _was_turned_away(payload: Mapping[str, Any]) -> bool:
    """Say whether this is news of a call that we were asked about and did not take: to a number that is not ours, say.

    It will never be there to be waited for.
    """
    asked = [f"{asking}|{sid}" for sid in events.leg_ids(payload) for asking in ("voice", "outbound")]
    return TelnyxEvent.objects.filter(dedupe_key__in=asked, call=None).exists()


def _wait(event: TelnyxEvent, now: datetime) -> Processing:
    """Have the event look for its call again later; the older it is, the later."""
    age_s = (now - event.received_at).total_seconds()
    unclaimed = handlers.find_unclaimed(event.kind)
    if unclaimed is not None and age_s >= UNCLAIMED_AFTER_S:
        unclaimed(event, now)
    looked = bisect_right(LOOKS_AT_S, age_s)
    if looked < len(LOOKS_AT_S):
        again_at = event.received_at + timedelta(seconds=LOOKS_AT_S[looked])
        if event.next_attempt_at != again_at:
            event.next_attempt_at = again_at
            event.save(update_fields=["next_attempt_at"])
        return Processing.WAITING
    logger.warning("Event %s speaks of no call of ours; it is kept, and no longer tried", event.pk)
    event.next_attempt_at = None
    event.attempts = MAX_ATTEMPTS
    event.error = "No call of ours has one of the ids in this event."
    event.save(update_fields=["next_attempt_at", "attempts", "error"])
    return Processing.WAITING


def _note_failure(event_id: uuid.UUID, err: Exception, now: datetime) -> None:
    logger.exception("Unable to process event %s", event_id)
    report = "".join(traceback.format_exception(err))[-ERROR_LENGTH:]
    event = TelnyxEvent.objects.filter(pk=event_id)
    try:
        failed = 1 + (event.values_list("attempts", flat=True).first() or 0)
        again_at = now + timedelta(seconds=PAUSES_S[failed]) if failed < MAX_ATTEMPTS else None
        event.update(attempts=failed, error=report, next_attempt_at=again_at)
    except DatabaseError:
        # The event itself is safe; only the note is lost, and the log has it.
        logger.exception("Unable to note why event %s failed", event_id)


def process_again(event_id: uuid.UUID, now: datetime) -> Processing:
    """Act on an event once more, as a person asked; what the handlers do twice is as good as once."""
    TelnyxEvent.objects.filter(pk=event_id).update(processed_at=None, next_attempt_at=now, attempts=0)
    return process(event_id, now)


# What a browser told (it has an agent) is not asked: nobody may give his call the name of somebody else's. Of one name
# the first that was learned counts; before all, the leg that opened a call is that call's.
_FIND: Final = """
SELECT found.call_id
  FROM unnest(%(named)s::text[]) WITH ORDINALITY AS named (value, place)
 CROSS JOIN LATERAL (
         SELECT id AS call_id, 0 AS learned FROM telephony_call WHERE root_call_sid = named.value
          UNION ALL
         SELECT call_id, id FROM telephony_callidentifier WHERE value = named.value AND agent_id IS NULL
          ORDER BY learned
          LIMIT 1
       ) found
 ORDER BY named.place
 LIMIT 1
"""


def find_call(payload: Mapping[str, Any]) -> uuid.UUID | None:
    """Return the call that an event speaks of; None when it is not there (yet).

    The ids in the signed body decide. The address of the callback, which nobody signs, only helps where they are all
    unknown, and only within the company that it names.
    """
    found: uuid.UUID | None = next(
        (call_id for (call_id,) in prepared(_FIND, {"named": events.leg_ids(payload)})), None
    )
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
    ids += Call.objects.filter(pk=call_id).values_list("root_call_sid", flat=True)
    waiting = TelnyxEvent.objects.filter(root_call_sid__in=ids, processed_at=None, call=None)
    found = list(waiting.order_by("occurred_at", "id").values_list("pk", flat=True)[:AWAITED_AT_ONCE])
    return sum(process(event_id, now) is Processing.DONE for event_id in found)


# Taken and put back for later in one statement: two workers take different events, and one that died gives his back.
_TAKE: Final = """
UPDATE telephony_telnyxevent
   SET next_attempt_at = %(again_at)s
 WHERE id IN (
         SELECT id
           FROM telephony_telnyxevent
          WHERE processed_at IS NULL AND next_attempt_at <= %(now)s
          ORDER BY next_attempt_at
          LIMIT %(limit)s
            FOR NO KEY UPDATE SKIP LOCKED
       )
RETURNING id
"""


def process_due(now: datetime) -> int:
    """Act on the events whose time has come, those that are due for longest first; return how many were done.

    Due are those that could not get their lock, failed ones whose pause is over, waiting ones that look for their call
    again. What is still not done has moved back when this returns.
    """
    began_s = time.monotonic()
    done = 0
    while taken := prepared(_TAKE, {"now": now, "again_at": now + TAKEN_FOR, "limit": BATCH}):
        # Time-ordered ids: within the batch, what came first is done first.
        done += sum(process(event_id, now) is Processing.DONE for (event_id,) in sorted(taken))
        if time.monotonic() - began_s > LONGEST_RUN_S:
            break
    return done
