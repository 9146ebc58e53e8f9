"""A recording is expected, fetched, and kept; or it is said why not."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F
from kombu.exceptions import OperationalError

from recordings import waveforms
from recordings.download import Fetched, LinkExpired, UnableToFetch, fetched
from recordings.models import Recording, audio_path
from recordings.push import tell
from telephony.core.channels import Layout, layout_of
from telephony.core.events import RecordingProgress
from telephony.models import Call, CallIdentifier, TelnyxEvent
from telephony.operations import progress as call_progress
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: When the next try comes after the n-th one failed, in seconds. The first link is dead after 10 minutes; the later
#: tries ask Telnyx for a fresh one each.
BACK_OFF_S: Final = (2, 5, 20, 60, 300, 900, 3600, 3600, 6 * 3600, 12 * 3600, 24 * 3600)
#: Tries that come sooner than this are queued at once; the beat takes the later ones up.
QUEUED_FOR_S: Final = 20
#: Links of callbacks live 10 minutes (webhooks.md section 10); a minute is left for the download.
LINK_LIVES: Final = timedelta(minutes=9)
#: Whoever took a try has this long before another may: a download that died with its worker is taken up again.
LEASE: Final = timedelta(minutes=10)
#: The whole of a try: the worker ends it (recordings.tasks). The storage's time-outs only know the next piece, and one
#: that drips would hold a process for ever. Two gigabytes need 7 MB/s.
LONGEST_FETCH: Final = timedelta(minutes=5)


def expect(progress: RecordingProgress, call: Call, now: datetime, *, told_at: datetime | None = None) -> Recording:
    """Make the row of a recording that Telnyx has, and queue its fetch after commit. Expected twice, it is one row.

    The call's row is locked by the caller. ``told_at`` is when Telnyx said so, right after the audio's end.
    """
    layout = layout_of(purpose=progress.purpose, source=progress.source, channels=progress.channels)
    voicemail = layout is Layout.MESSAGE
    recording, made = Recording.objects.get_or_create(
        telnyx_recording_id=progress.recording_id,
        defaults={
            "company_id": call.company_id,
            "call": call,
            "kind": Recording.Kind.VOICEMAIL if voicemail else Recording.Kind.CALL,
            "source_url": progress.url,
            "channels": progress.channels,
            "layout": layout,
            "started_at": progress.started_at or _begun_at(progress, call, told_at or now),
            "duration_s": progress.duration_s,
            "next_attempt_at": now,
        },
    )
    if not made:
        return recording
    CallIdentifier.objects.bulk_create(
        [CallIdentifier(call=call, kind=CallIdentifier.Kind.RECORDING_ID, value=progress.recording_id)],
        ignore_conflicts=True,
    )
    if voicemail:
        call_progress.leave_voicemail(call, now)
    tell(recording, "pending")
    queue(recording.pk)
    return recording


def _begun_at(progress: RecordingProgress, call: Call, told_at: datetime) -> datetime:
    """Return when the audio begins: when Telnyx told of its beginning, else its length before its end."""
    begun = TelnyxEvent.objects.filter(
        call=call, kind="recording.in-progress", payload__RecordingSid=progress.recording_id
    )
    at = begun.order_by("occurred_at").values_list("occurred_at", flat=True).first()
    # A callback that came late, or a repair, is bounded by the call's own end.
    return at or min(told_at, call.ended_at or told_at) - timedelta(seconds=progress.duration_s or 0)


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


def fetch(recording_id: UUID, client: TelnyxClient, now: datetime) -> Recording | None:
    """Try once to bring a recording in; return it as it is then, None if there was nothing to do.

    1. take the try, so that no other worker is at it; 2. download, check and store outside of any transaction;
    3. write what became of it, and tell.
    """
    due = Recording.objects.filter(pk=recording_id, state=Recording.State.PENDING, next_attempt_at__lte=now)
    if not due.update(attempts=F("attempts") + 1, next_attempt_at=now + LEASE):
        return None
    recording = Recording.objects.select_related("company").get(pk=recording_id)
    try:
        _bring_in(recording, client, now)
    except (UnableToFetch, TelnyxRefused, TelnyxUnreachable, OSError) as err:
        return _failed(recording, str(err), now)
    except SoftTimeLimitExceeded:
        minutes = LONGEST_FETCH // timedelta(minutes=1)
        return _failed(recording, f"it did not come within {minutes} minutes", now + LONGEST_FETCH)
    except Exception:
        logger.exception("Unable to fetch recording %s", recording.pk)
        return _failed(recording, "something went wrong on our side; the log has it", now)
    return recording


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
    storage = recording.audio.storage
    # A try that died half-way may have left a file of this name.
    storage.delete(audio_path(recording, f"audio.{found.audio.extension}"))
    recording.audio.save(f"audio.{found.audio.extension}", File(found.file), save=False)
    recording.state = Recording.State.STORED
    recording.content_type = found.audio.content_type
    recording.size_bytes = found.size_bytes
    recording.sha256 = found.sha256
    recording.channels = found.audio.channels
    recording.duration_s = found.audio.duration_s or recording.duration_s
    recording.stored_at = now
    recording.next_attempt_at = None
    recording.error = ""
    with transaction.atomic():
        recording.save(
            update_fields=[
                "audio",
                "state",
                "content_type",
                "size_bytes",
                "sha256",
                "channels",
                "duration_s",
                "stored_at",
                "next_attempt_at",
                "error",
            ]
        )
        tell(recording, "stored")
        waveforms.queue(recording.pk)


def _failed(recording: Recording, why: str, now: datetime) -> Recording:
    """Plan the next try, or give up after the last one; the reason stands on the row."""
    logger.warning("Try %d for recording %s failed: %s", recording.attempts, recording.pk, why)
    recording.error = why
    again = recording.attempts <= len(BACK_OFF_S)
    delay_s = BACK_OFF_S[recording.attempts - 1] if again else 0
    recording.next_attempt_at = now + timedelta(seconds=delay_s) if again else None
    recording.state = Recording.State.PENDING if again else Recording.State.FAILED
    with transaction.atomic():
        recording.save(update_fields=["error", "next_attempt_at", "state"])
        if not again:
            tell(recording, "failed")
        elif delay_s <= QUEUED_FOR_S:
            # The beat would come to it some seconds later; the first tries are to be quicker.
            queue(recording.pk, delay_s=delay_s)
    return recording


def try_again(recording: Recording, now: datetime) -> None:
    """Start over with a recording that was given up, as a person asked."""
    waiting = Recording.objects.filter(pk=recording.pk).exclude(state=Recording.State.STORED)
    if waiting.update(state=Recording.State.PENDING, attempts=0, next_attempt_at=now, error=""):
        queue(recording.pk)
