"""Deleting that really deletes: the row becomes a tombstone, the file goes, and Telnyx's copy too.

1. one transaction makes the tombstone, writes the line of the audit, and notes what Telnyx is to delete; 2. the storage
is asked, outside of it; 3. what it did is written. A storage or a Telnyx that is away is asked again by the clock: the
tombstone keeps the file's name until the file has gone.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from curbe.lib.ids import first_id_at
from recordings import audit, remote, storage
from recordings.audit import Who
from recordings.models import CompanyHold, Recording, RecordingAudit, RecordingGap, RecordingPolicy
from recordings.push import tell
from recordings.signals import recording_deleted
from recordings.tries import trying
from telephony.core.events import SOURCE_NET, recording_progress
from telephony.models import Call, TelnyxEvent
from telephony.operations.repairs import alone
from telephony.telnyx.client import TelnyxClient

logger = logging.getLogger(__name__)

#: Rows that one run takes up; the next one goes on.
BATCH: Final = 500
#: The sweep gives its process back after this; the next one goes on.
LONGEST_SWEEP_S: Final = 120
#: The kinds of event by which Telnyx tells that a recording is complete.
NEWS: Final = ("recording.completed", "call.recording.saved")


class OnHold(Exception):
    """The recording is under a legal hold: its own, or its company's."""


class Gone(Exception):
    """The recording was deleted: there is nothing left to hold."""


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
    # The call before its recordings, as everywhere: a text that is being taken in is here before, or finds it gone.
    call_id = Recording.objects.values_list("call_id", flat=True).get(pk=recording_id)
    if call_id is not None:
        Call.objects.select_for_update().filter(pk=call_id).first()
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
    remote.want(_all_of(recording), company_id=recording.company_id, now=now)
    audit.note(RecordingAudit.Action.DELETED, recording, who=who, now=now, reason=reason)
    # What was made of the audio (a transcript) goes in the same transaction.
    recording_deleted.send(sender=None, recording_id=recording.pk, now=now)
    tell(recording, "deleted")


def remove_file(recording: Recording) -> bool:
    """Have the storage delete the file of a tombstone; False if it could not, and the clock tries again."""
    if not recording.audio:
        return True
    with trying(recording.pk) as nobody_is_at_it:
        try:
            storage.remove(recording)
        except storage.UnableToKeep as err:
            logger.warning("The file of recording %s is still there: %s", recording.pk, err)
            Recording.objects.filter(pk=recording.pk).update(error=f"The file is still there: {err}")
            return False
        if not nobody_is_at_it:
            # Who fetches it just now may still put it there, and die: its name stays until he is through.
            return False
        recording.audio = ""
        recording.error = ""
        recording.save(update_fields=["audio", "error"])
    return True


def drop(recording: Recording, now: datetime) -> None:
    """Let a row go that was not worth keeping, in the caller's transaction; while it has a file, it is a tombstone.

    No line of the audit: what it has is kept by another recording, or is not to be kept at all.
    """
    recording_deleted.send(sender=None, recording_id=recording.pk, now=now)
    if not recording.audio:
        recording.delete()
        return
    recording.state, recording.deleted_at, recording.next_attempt_at = Recording.State.DELETED, now, None
    recording.call = recording.company = None
    recording.source_url = ""
    recording.save(update_fields=["state", "deleted_at", "next_attempt_at", "call", "company", "source_url"])
    transaction.on_commit(partial(_remove_dropped, recording), robust=True)


def _remove_dropped(recording: Recording) -> None:
    # Nobody's tombstone has no page and no audit: it was only there for its file.
    if remove_file(recording) and recording.company_id is None:
        recording.delete()


# --- Holds --------------------------------------------------------------------------------------------------------


def is_on_hold(recording: Recording) -> bool:
    return recording.is_held or (recording.company_id is not None and is_company_on_hold(recording.company_id))


def is_company_on_hold(company_id: int) -> bool:
    return CompanyHold.objects.filter(company=company_id).exists()


def hold(recording_id: UUID, *, on: bool, who: Who, now: datetime, reason: str) -> bool:
    """Put one recording under a legal hold, or end it; False if it was so already. Raises Gone."""
    with transaction.atomic():
        if Recording.objects.select_for_update(of=("self",)).get(pk=recording_id).state == Recording.State.DELETED:
            raise Gone(recording_id)
        if not Recording.objects.filter(pk=recording_id, is_held=not on).update(is_held=on):
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
            delete(recording_id, who=audit.CLOCK, now=now, reason=audit.kept_for(policy.keep_days))
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
            _remove_dropped(recording)
    remote.delete_due(client, now)


# --- At Telnyx ----------------------------------------------------------------------------------------------------


def want_remotely_by_policy(recording: Recording, now: datetime) -> None:
    """Note, after our copy was checked, that Telnyx's is to go, and what the net has of the same call besides: if the
    company says so, and nothing is held, for a second copy may be evidence.
    """
    if _is_wanted_gone(recording) and not is_on_hold(recording):
        # While another part of the call is on its way the net is what is left if that does not come.
        ids = {recording.telnyx_recording_id} if _is_awaited(recording) else _all_of(recording)
        remote.want(ids, company_id=recording.company_id, now=now)


def goes_at_telnyx_too(net: Recording) -> bool:
    """Say whether Telnyx's copy of a net's recording that is let go is to go as well.

    It has what its company wants nowhere: what an agent kept out of the others, what was deleted, or a second copy. A
    legal hold wins over all of them.
    """
    if net.call_id is None or is_on_hold(net):
        return False
    own = Recording.objects.filter(call=net.call_id, is_net=False)
    if own.filter(is_held=True).exists():
        # The net's has all of a call, also what is held of it.
        return False
    if RecordingGap.objects.filter(call=net.call_id, began_at__isnull=False).exists():
        return True
    if own.filter(state=Recording.State.DELETED).exists():
        return True
    return _is_wanted_gone(net) and not _is_awaited(net)


def _is_wanted_gone(recording: Recording) -> bool:
    policies = RecordingPolicy.objects.filter(company=recording.company_id, kind=recording.kind)
    return policies.filter(delete_at_telnyx=True).exists()


def _is_awaited(recording: Recording) -> bool:
    """Say whether another recording of the same call's own is not here yet."""
    if recording.call_id is None:
        return False
    others = Recording.objects.filter(call=recording.call_id, is_net=False).exclude(pk=recording.pk)
    return others.filter(state__in=(Recording.State.PENDING, Recording.State.FAILED)).exists()


def _all_of(recording: Recording) -> set[str]:
    """Return every id under which Telnyx has what this recording has: its own, and what the net recorded besides."""
    own = {recording.telnyx_recording_id}
    others = Recording.objects.filter(call=recording.call_id, is_held=True).exclude(pk=recording.pk)
    # The net's has all of a call: as long as a part of it is held, the second copy of that stays too.
    return own if recording.call_id is None or others.exists() else own | _let_go(recording)


def _let_go(recording: Recording) -> set[str]:
    """Return the net's recordings of the same call that have no row: they were not worth keeping."""
    news = TelnyxEvent.objects.filter(call=recording.call_id, kind__in=NEWS)
    told = [recording_progress(payload) for payload in news.values_list("payload", flat=True)]
    ids = {one.recording_id for one in told if one.source == SOURCE_NET and one.recording_id}
    return ids - set(
        Recording.objects.filter(telnyx_recording_id__in=ids).values_list("telnyx_recording_id", flat=True)
    )
