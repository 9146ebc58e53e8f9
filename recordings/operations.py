"""A recording that was announced is fetched and kept; or it is said why not."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError

from recordings import deletions, storage, waveforms
from recordings.download import Fetched, LinkExpired, UnableToFetch, fetched
from recordings.models import Recording
from recordings.push import tell
from recordings.signals import recording_given_up, recording_stored
from recordings.tries import trying
from telephony.core import channels
from telephony.models import Call
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: When the next try comes after the n-th one failed, in seconds. The first link is dead after 10 minutes; the later
#: tries ask Telnyx for a fresh one each.
BACK_OFF_S: Final = (2, 5, 20, 60, 300, 900, 3600, 3600, 6 * 3600, 12 * 3600, 24 * 3600)
#: Tries that come sooner than this are queued at once; the beat takes the later ones up.
QUEUED_FOR_S: Final = 20
#: The beat hands a recording over again after this: only if the queue, or its task, was lost.
QUEUED_FOR: Final = timedelta(seconds=60)
#: Handed to the other workers in one go; the rest is due again in 5 s, and whoever downloads goes on by himself.
BATCH: Final = 30
#: A try that began just now need not be asked whether its worker lives.
JUST_TAKEN: Final = timedelta(seconds=10)
#: Links of callbacks live 10 minutes (webhooks.md section 10); a minute is left for the download.
LINK_LIVES: Final = timedelta(minutes=9)
#: Whoever took a try has this long before another may: a download that died with its worker is taken up again.
LEASE: Final = timedelta(minutes=10)
#: The whole of a try: the worker ends it (recordings.tasks). The storage's time-outs only know the next piece, and one
#: that drips would hold a process for ever. Two gigabytes need 7 MB/s.
LONGEST_FETCH: Final = timedelta(minutes=5)


def queue(recording_id: UUID, *, delay_s: int = 0) -> None:
    """Have the worker fetch a recording, after commit. Without a broker the beat finds it, at most 5 s later."""
    transaction.on_commit(partial(_queue, recording_id, delay_s), robust=True)


def _queue(recording_id: UUID, delay_s: int) -> None:
    try:
        # By name: the task stands above this module, and calls it.
        current_app.send_task(
            "recordings.tasks.fetch_recording",
            kwargs={"recording_id": str(recording_id)},
            countdown=delay_s,
            queue="recordings",
        )
    except OperationalError:
        logger.warning("The broker is away: recording %s is fetched by the clock", recording_id)


def due(now: datetime) -> QuerySet[Recording]:
    """Return what may be tried now, what is due for longest first."""
    return Recording.objects.filter(state=Recording.State.PENDING, next_attempt_at__lte=now).order_by("next_attempt_at")


def queue_due(now: datetime) -> int:
    """Hand what is due to the workers, each at most once in a while: what waits in the queue already is left there."""
    free_up(now)
    waiting = due(now).filter(Q(queued_until=None) | Q(queued_until__lte=now))
    ids = list(waiting.values_list("pk", flat=True)[:BATCH])
    Recording.objects.filter(pk__in=ids).update(queued_until=now + QUEUED_FOR)
    for recording_id in ids:
        queue(recording_id)
    return len(ids)


def free_up(now: datetime) -> int:
    """Give back the tries of workers that died in the middle of one; return how many there were.

    Whoever tries holds a lock of his connection, which ends with him. His lease would last for minutes more.
    """
    freed = 0
    taken = Recording.objects.filter(state=Recording.State.PENDING, taken_at__lt=now - JUST_TAKEN)
    for recording_id in taken.values_list("pk", flat=True)[:BATCH]:
        with trying(recording_id) as is_ours:
            if is_ours:
                lost = Recording.objects.filter(pk=recording_id, state=Recording.State.PENDING, taken_at__isnull=False)
                freed += lost.update(next_attempt_at=now, taken_at=None, queued_until=None)
    return freed


def fetch(recording_id: UUID, client: TelnyxClient, now: datetime) -> Recording | None:
    """Try once to bring a recording in; return it as it is then, None if there was nothing to do.

    1. take the try, so that no other worker is at it; 2. download, check and store outside of any transaction;
    3. write what became of it, and tell.
    """
    with trying(recording_id) as is_ours:
        if not is_ours or not _taken(recording_id, now):
            return None
        recording = Recording.objects.select_related("company").get(pk=recording_id)
        try:
            _bring_in(recording, client, now)
        except (UnableToFetch, storage.UnableToKeep, TelnyxRefused, TelnyxUnreachable) as err:
            return _failed(recording, str(err), now)
        except OSError as err:
            return _failed(recording, str(storage.said(err)), now)
        except SoftTimeLimitExceeded:
            minutes = LONGEST_FETCH // timedelta(minutes=1)
            return _failed(recording, f"it did not come within {minutes} minutes", now + LONGEST_FETCH)
        except Exception:
            logger.exception("Unable to fetch recording %s", recording.pk)
            return _failed(recording, "something went wrong on our side; the log has it", now)
        return recording


def _taken(recording_id: UUID, now: datetime) -> bool:
    mine = due(now).filter(pk=recording_id).order_by()
    return bool(mine.update(attempts=F("attempts") + 1, next_attempt_at=now + LEASE, taken_at=now))


def _bring_in(recording: Recording, client: TelnyxClient, now: datetime) -> None:
    if recording.source_url and now - recording.created_at < LINK_LIVES:
        try:
            _download(recording, recording.source_url, now)
            return
        except LinkExpired:
            logger.info("The link of recording %s died early; Telnyx is asked for a fresh one", recording.pk)
    fresh = client.recording(recording.telnyx_recording_id)
    if not fresh.url:
        raise UnableToFetch("Telnyx knows the recording, but gives no link to it (yet)")
    _download(recording, fresh.url, now)


def _download(recording: Recording, url: str, now: datetime) -> None:
    with fetched(url, allow_loopback=settings.DEBUG) as found:
        _store(recording, found, now)


def _store(recording: Recording, found: Fetched, now: datetime) -> None:
    """Keep what was fetched; what was deleted while it came is not.

    1. its name is written down, so that whoever deletes it, or comes after a death, knows what may lie there; 2. the
    file is put into the storage; 3. the row says so.
    """
    pending = Recording.objects.filter(pk=recording.pk, state=Recording.State.PENDING)
    if not pending.update(audio=storage.name_of(recording, found)):
        logger.info("Recording %s was deleted while it came", recording.pk)
        return
    storage.keep(recording, found)
    recording.state = Recording.State.STORED
    recording.content_type = found.audio.content_type
    recording.size_bytes = found.size_bytes
    recording.sha256 = found.sha256
    recording.channels = found.audio.channels
    recording.duration_s = found.audio.duration_s or recording.duration_s
    recording.stored_at = now
    recording.next_attempt_at = recording.taken_at = None
    recording.error = ""
    with transaction.atomic():
        # Somebody may have deleted it meanwhile: what is a tombstone stays one. Or said what it is: that is what it is.
        told = pending.select_for_update(of=("self",)).values_list("layout", flat=True).first()
        recording.layout = channels.heard_in(told or "", channels=found.audio.channels)
        is_kept = pending.update(**{name: getattr(recording, name) for name in _STORED_FIELDS})
        if is_kept:
            deletions.want_remotely_by_policy(recording, now)
            tell(recording, "stored")
            waveforms.queue(recording.pk)
    if is_kept:
        recording_stored.send_robust(sender=None, recording=recording, now=now)
    elif not Recording.objects.filter(pk=recording.pk, state=Recording.State.STORED).exists():
        logger.info("Recording %s was deleted while it was kept", recording.pk)
        storage.remove(recording)


_STORED_FIELDS: Final = (
    "audio",
    "state",
    "content_type",
    "size_bytes",
    "sha256",
    "channels",
    "layout",
    "duration_s",
    "stored_at",
    "next_attempt_at",
    "taken_at",
    "error",
)


def _failed(recording: Recording, why: str, now: datetime) -> Recording | None:
    """Plan the next try, or give up after the last one; the reason stands on the row."""
    logger.warning("Try %d for recording %s failed: %s", recording.attempts, recording.pk, why)
    recording.error = why
    again = recording.attempts <= len(BACK_OFF_S)
    delay_s = BACK_OFF_S[recording.attempts - 1] if again else 0
    recording.next_attempt_at = now + timedelta(seconds=delay_s) if again else None
    recording.state = Recording.State.PENDING if again else Recording.State.FAILED
    recording.taken_at = recording.queued_until = None
    with transaction.atomic():
        if not again and recording.call_id is not None:
            # The call before its recordings, as everywhere: another one may take this one's place.
            Call.objects.select_for_update().filter(pk=recording.call_id).first()
        mine = Recording.objects.filter(pk=recording.pk, state=Recording.State.PENDING)
        names = ("error", "next_attempt_at", "state", "taken_at", "queued_until")
        if not mine.update(**{name: getattr(recording, name) for name in names}):
            return None
        if not again:
            tell(recording, "failed")
            recording_given_up.send(sender=None, recording=recording, now=now)
        elif delay_s <= QUEUED_FOR_S:
            # The beat would come to it some seconds later; the first tries are to be quicker.
            queue(recording.pk, delay_s=delay_s)
    return recording


def try_again(recording: Recording, now: datetime) -> None:
    """Start over with a recording that was given up, as a person asked."""
    kept = (Recording.State.STORED, Recording.State.DELETED)
    waiting = Recording.objects.filter(pk=recording.pk).exclude(state__in=kept)
    if waiting.update(state=Recording.State.PENDING, attempts=0, next_attempt_at=now, queued_until=None, error=""):
        queue(recording.pk)
