"""What the worker does for recordings."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from recordings import operations, search
from recordings.models import Recording
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Handed to the other workers in one go; the rest is due again in 15 s.
BATCH: Final = 100


@shared_task
def fetch_recording(*, recording_id: str, **_: object) -> None:
    """Try once to bring a recording in."""
    operations.fetch(UUID(recording_id), get_client(), timezone.now())


@shared_task
def fetch_due(**_: object) -> None:
    """Queue every recording whose time has come, and look for those that nobody told us of."""
    now = timezone.now()
    due = Recording.objects.filter(state=Recording.State.PENDING, next_attempt_at__lte=now)
    for recording_id in due.order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH]:
        operations.queue(recording_id)
    try:
        search.find_missing(get_client(), now)
    except TelnyxUnreachable as err:
        logger.warning("Looking for recordings waits for Telnyx: %s", err)
