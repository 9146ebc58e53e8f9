"""The waveform of a recording is made by the worker, once, after it was stored; never while somebody waits for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO, Final, cast
from uuid import UUID

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from kombu.exceptions import OperationalError

from curbe.lib import locks
from curbe.lib.ids import first_id_at
from recordings import storage
from recordings.models import Recording, Waveform

logger = logging.getLogger(__name__)

#: How far back the clock looks for what nobody queued; older ones are made when somebody opens the player.
LOOKED_BACK: Final = timedelta(days=2)


def queue(recording_id: UUID) -> None:
    """Have the worker make a waveform, after commit. Without a broker the beat finds the recording."""
    transaction.on_commit(partial(_queue, recording_id), robust=True)


def _queue(recording_id: UUID) -> None:
    try:
        current_app.send_task(
            "recordings.tasks.make_waveform", kwargs={"recording_id": str(recording_id)}, queue="recordings"
        )
    except OperationalError:
        logger.warning("The broker is away: the waveform of %s is made by the clock", recording_id)


def make(recording_id: UUID, now: datetime) -> Waveform | None:
    """Make the waveform of a stored recording; return it, None if there was nothing to do, or somebody is at it."""
    with _alone(recording_id) as is_alone:
        return _make(recording_id, now) if is_alone else None


@contextmanager
def _alone(recording_id: UUID) -> Iterator[bool]:
    """Hold, while the block runs, the lock of who draws this one: a player asks again while a long one is read."""
    # Apart from the lock of who fetches it (``operations``), which has the numbers below.
    key = recording_id.int & (2**62 - 1) | 2**62
    with locks.if_free(key) as is_ours:
        yield is_ours


def _make(recording_id: UUID, now: datetime) -> Waveform | None:
    recording = Recording.objects.filter(pk=recording_id, state=Recording.State.STORED, waveform=None).first()
    if recording is None or not recording.audio.name:
        return None
    # Not above: the web processes import this module too, and the decoder would cost each of them 60 MB.
    from recordings.peaks import PER_S, NotReadable, Peaks, peaks_of

    try:
        with recording.audio.storage.open(recording.audio.name, "rb") as file:
            peaks = peaks_of(cast(BinaryIO, file))
    except (NotReadable, SoftTimeLimitExceeded) as err:
        # Also what takes longer than a task may: else the clock would begin it anew each minute.
        logger.warning("The waveform of recording %s cannot be made: %s", recording.pk, err)
        peaks = Peaks(1, b"")
    except Exception as err:
        # The storage is away, or the file is gone: the clock comes back to it while it is young.
        logger.warning("The audio of recording %s cannot be read: %s", recording.pk, storage.said(err))
        return None
    with transaction.atomic():
        # Deleted meanwhile: then there is nothing to draw, and nothing may be kept of it.
        kept = Recording.objects.select_for_update(of=("self",)).filter(pk=recording.pk)
        if not kept.filter(state=Recording.State.STORED).exists():
            return None
        made, _is_new = Waveform.objects.update_or_create(
            recording=recording,
            defaults={"channels": peaks.channels, "per_s": PER_S, "peaks": peaks.data, "made_at": now},
        )
    return made


def missing(now: datetime) -> list[UUID]:
    """Return the ids of the stored recordings of the last days that have none, oldest first."""
    young = Recording.objects.filter(
        state=Recording.State.STORED, waveform=None, id__gte=first_id_at(now - LOOKED_BACK)
    )
    return list(young.order_by("id").values_list("pk", flat=True)[:20])
