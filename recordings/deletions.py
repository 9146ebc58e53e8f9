"""Deleting that really deletes: the row becomes a tombstone, the file goes, and Telnyx's copy too.

1. one transaction makes the tombstone, writes the line of the audit, and notes what Telnyx is to delete; 2. the storage
is asked, outside of it; 3. what it did is written. A storage or a Telnyx that is away is asked again by the clock: the
tombstone keeps the file's name until the file has gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from curbe.lib.ids import first_id_at
from recordings import audit, storage
from recordings.audit import Who
from recordings.models import CompanyHold, Recording, RecordingAudit, RecordingPolicy, RemoteDeletion
from recordings.push import tell
from recordings.signals import recording_deleted
from telephony.core.events import SOURCE_NET, recording_progress
from telephony.models import TelnyxEvent
from telephony.operations.repairs import alone
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Rows that one run takes up; the next one goes on.
BATCH: Final = 500
#: The sweep gives its process back after this; the next one goes on.
LONGEST_SWEEP_S: Final = 120
#: The pause before the n-th attempt at Telnyx, in seconds; the last one is repeated, for it must go.
PAUSES_S: Final = (60, 300, 1800, 6 * 3600, 24 * 3600)
#: Telnyx may not list yet what it has just told us of (S-21): it is asked a moment later.
REMOTE_AFTER: Final = timedelta(seconds=30)
#: The kinds of event by which Telnyx tells that a recording is complete.
NEWS: Final = ("recording.completed", "call.recording.saved")


class OnHold(Exception):
    """The recording is under a legal hold: its own, or its company's."""


def delete(recording_id: UUID, *, who: Who, now: datetime, reason: str = "") -> Recording:
    """Delete one recording, by a person's wish or by the clock's; deleted twice is as good as once. Raises OnHold."""
    with transaction.atomic():
        recording = bury(recording_id, who=who, now=now, reason=reason)
    remove_file(recording)
    return recording


def bury(recording_id: UUID, *, who: Who, now: datetime, reason: str = "") -> Recording:
    """Make a recording a tombstone, in a transaction of the caller's, who has its file removed afterwards.

    Raises OnHold.
    """
    recording = Recording.objects.select_for_update(of=("self",)).get(pk=recording_id)
    if recording.state != Recording.State.DELETED:
        if is_on_hold(recording):
            raise OnHold(recording_id)
        _entomb(recording, who=who, now=now, reason=reason)
    return recording


def _entomb(recording: Recording, *, who: Who, now: datetime, reason: str) -> None:
    recording.state = Recording.State.DELETED
    recording.deleted_at = now
    recording.source_url = recording.error = ""
    recording.next_attempt_at = None
    recording.save(update_fields=["state", "deleted_at", "source_url", "error", "next_attempt_at"])
    want_remotely([recording.telnyx_recording_id], company_id=recording.company_id, now=now)
    audit.note(RecordingAudit.Action.DELETED, recording, who=who, now=now, reason=reason)
    # What was made of the audio (a transcript) goes in the same transaction.
    recording_deleted.send(sender=None, recording_id=recording.pk)
    tell(recording, "deleted")


def remove_file(recording: Recording) -> bool:
    """Have the storage delete the file of a tombstone; False if it could not, and the clock tries again."""
    if not recording.audio:
        return True
    try:
        storage.remove(recording)
    except storage.UnableToKeep as err:
        logger.warning("The file of recording %s is still there: %s", recording.pk, err)
        Recording.objects.filter(pk=recording.pk).update(error=f"The file is still there: {err}")
        return False
    recording.audio = ""
    recording.error = ""
    recording.save(update_fields=["audio", "error"])
    return True


def remove_after_commit(recording: Recording) -> None:
    """Delete the file of a row that is about to go."""
    if recording.audio:
        transaction.on_commit(partial(storage.remove, recording), robust=True)


# --- Holds --------------------------------------------------------------------------------------------------------


def is_on_hold(recording: Recording) -> bool:
    return recording.is_held or (recording.company_id is not None and is_company_on_hold(recording.company_id))


def is_company_on_hold(company_id: int) -> bool:
    return CompanyHold.objects.filter(company=company_id).exists()


def hold(recording_id: UUID, *, on: bool, who: Who, now: datetime, reason: str) -> bool:
    """Put one recording under a legal hold, or end it; False if it was so already."""
    with transaction.atomic():
        changed = Recording.objects.filter(pk=recording_id, is_held=not on).exclude(state=Recording.State.DELETED)
        if not changed.update(is_held=on):
            return False
        action = RecordingAudit.Action.HELD if on else RecordingAudit.Action.RELEASED
        audit.note(action, Recording.objects.get(pk=recording_id), who=who, now=now, reason=reason)
    return True


def hold_company(company_id: int, *, on: bool, who: Who, now: datetime, reason: str) -> bool:
    """Put everything of a company under a legal hold, or end it; single holds stay. False if it was so already."""
    with transaction.atomic():
        if on:
            _, changed = CompanyHold.objects.get_or_create(
                company_id=company_id, defaults={"reason": reason, "by": who.user, "since": now}
            )
        else:
            changed = bool(CompanyHold.objects.filter(company=company_id).delete()[0])
        if changed:
            action = RecordingAudit.Action.HELD if on else RecordingAudit.Action.RELEASED
            audit.note_company(action, company_id, who=who, now=now, reason=reason)
    return changed


# --- By the clock -------------------------------------------------------------------------------------------------


def sweep(now: datetime) -> int:
    """Delete what has been kept for as long as its company wants, and is held by nobody; return how many went."""
    gone = 0
    policies = RecordingPolicy.objects.filter(keep_days__gt=0).exclude(
        company__in=CompanyHold.objects.values("company_id")
    )
    began_s = time.monotonic()
    for policy in policies:
        while batch := _overdue(policy, now):
            went = sum(_sweep_away(recording_id, policy, now) for recording_id in batch)
            gone += went
            # Rows that do not go would come again for ever; and other tasks want the process too.
            if not went or time.monotonic() - began_s > LONGEST_SWEEP_S:
                break
    return gone


def _sweep_away(recording_id: UUID, policy: RecordingPolicy, now: datetime) -> bool:
    with alone("delete recording", recording_id):
        try:
            delete(recording_id, who=audit.CLOCK, now=now, reason=f"kept for {policy.keep_days} days")
        except OnHold:
            return False
        return True
    return False


def _overdue(policy: RecordingPolicy, now: datetime) -> list[UUID]:
    # Ids are ordered by time: the key says what is old.
    oldest_kept = first_id_at(now - timedelta(days=policy.keep_days))
    rows = Recording.objects.filter(
        company=policy.company_id, kind=policy.kind, pk__lt=oldest_kept, is_held=False
    ).exclude(state=Recording.State.DELETED)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


def finish(client: TelnyxClient, now: datetime) -> None:
    """Go on with deletions that the storage or Telnyx has not carried out yet."""
    left = Recording.objects.filter(state=Recording.State.DELETED).exclude(audio="")
    for recording in left.order_by("deleted_at")[:BATCH]:
        with alone("remove the file of recording", recording.pk):
            remove_file(recording)
    delete_remotely(client, now)


# --- At Telnyx ----------------------------------------------------------------------------------------------------


def want_remotely(ids: Iterable[str], *, company_id: int | None, now: datetime) -> None:
    """Note that Telnyx is to delete these; noted twice is once."""
    RemoteDeletion.objects.bulk_create(
        [
            RemoteDeletion(
                telnyx_recording_id=one, company_id=company_id, wanted_at=now, next_attempt_at=now + REMOTE_AFTER
            )
            for one in ids
        ],
        ignore_conflicts=True,
    )


def want_remotely_by_policy(recording: Recording, now: datetime) -> None:
    """Note, after our copy was checked, that Telnyx's is to go, and what the net has of the same call besides: if the
    company says so, and nothing is held, for a second copy may be evidence.
    """
    wants = RecordingPolicy.objects.filter(
        company=recording.company_id, kind=recording.kind, delete_at_telnyx=True
    ).exists()
    if wants and not is_on_hold(recording):
        ids = {recording.telnyx_recording_id, *_let_go(recording)}
        want_remotely(sorted(ids), company_id=recording.company_id, now=now)


def _let_go(recording: Recording) -> set[str]:
    """Return the net's recordings of the same call that have no row: they were not worth keeping."""
    if recording.call_id is None or recording.is_net:
        return set()
    news = TelnyxEvent.objects.filter(call=recording.call_id, kind__in=NEWS)
    told = [recording_progress(payload) for payload in news.values_list("payload", flat=True)]
    ids = {one.recording_id for one in told if one.source == SOURCE_NET and one.recording_id}
    return ids - set(
        Recording.objects.filter(telnyx_recording_id__in=ids).values_list("telnyx_recording_id", flat=True)
    )


def delete_remotely(client: TelnyxClient, now: datetime) -> None:
    """Ask Telnyx to delete what is due."""
    due = RemoteDeletion.objects.filter(Q(next_attempt_at__lte=now), done_at=None).order_by("next_attempt_at")
    for one in due[:BATCH]:
        # Taken first, so that two runs do not ask for the same.
        pause_s = PAUSES_S[min(one.attempts, len(PAUSES_S) - 1)]
        taken = RemoteDeletion.objects.filter(pk=one.pk, next_attempt_at=one.next_attempt_at)
        if not taken.update(attempts=F("attempts") + 1, next_attempt_at=now + timedelta(seconds=pause_s)):
            continue
        try:
            client.delete_recording(one.telnyx_recording_id)
        except TelnyxRefused as err:
            logger.warning("Telnyx keeps recording %s: %s", one.telnyx_recording_id, err)
            RemoteDeletion.objects.filter(pk=one.pk).update(error=str(err)[:500])
            continue
        except TelnyxUnreachable as err:
            RemoteDeletion.objects.filter(pk=one.pk).update(error=str(err)[:500])
            raise
        RemoteDeletion.objects.filter(pk=one.pk).update(done_at=now, next_attempt_at=None, error="")
