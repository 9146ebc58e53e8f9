"""What the worker does for recordings."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from celery import shared_task
from django.db.models import QuerySet
from django.utils import timezone

from recordings import operations, processes, search, waveforms
from recordings.models import Recording
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Handed to the other workers in one go; the rest is due again in 5 s, and whoever downloads goes on by himself.
BATCH: Final = 30
LONGEST_FETCH_S: Final = operations.LONGEST_FETCH // timedelta(seconds=1)
#: A try that does not heed its end is ended with its process, which Celery replaces.
KILLED_AFTER_S: Final = LONGEST_FETCH_S + 30


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=KILLED_AFTER_S)
def fetch_recording(*, recording_id: str, **_: object) -> None:
    """Try once to bring a recording in, if a process can be spared; else those that download come to it by themselves.

    Calls share these processes: a storage that drips must not keep the sweep and the ledger waiting.
    """
    with processes.spare() as is_spared:
        if not is_spared:
            return
        operations.fetch(UUID(recording_id), get_client(), timezone.now())
    # Asked after the process was given back: whoever found none left until then is seen here.
    for next_id in _due(timezone.now())[:1]:
        operations.queue(next_id)


@shared_task
def fetch_due(**_: object) -> None:
    """Queue every recording whose time has come."""
    for recording_id in _due(timezone.now())[:BATCH]:
        operations.queue(recording_id)


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=KILLED_AFTER_S)
def make_waveform(*, recording_id: str, **_: object) -> None:
    """Make one waveform, if a process can be spared; else the clock comes back to it."""
    with processes.spare() as is_spared:
        if is_spared:
            waveforms.make(UUID(recording_id), timezone.now())


@shared_task
def make_missing_waveforms(**_: object) -> None:
    """Queue the waveforms that nobody made."""
    for recording_id in waveforms.missing(timezone.now()):
        waveforms.queue(recording_id)


@shared_task
def find_missing(**_: object) -> None:
    """Look for the recordings that nobody told us of, if a process can be spared."""
    with processes.spare() as is_spared:
        if not is_spared:
            return
        try:
            search.find_missing(get_client(), timezone.now())
        except TelnyxUnreachable as err:
            logger.warning("Looking for recordings waits for Telnyx: %s", err)


def _due(now: datetime) -> QuerySet[Recording, UUID]:
    due = Recording.objects.filter(state=Recording.State.PENDING, next_attempt_at__lte=now)
    return due.order_by("next_attempt_at").values_list("pk", flat=True)
