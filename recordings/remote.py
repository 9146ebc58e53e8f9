"""What is to go at Telnyx too: noted in the transaction of the wish, and asked for until it has gone."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from curbe.lib.db import prepared
from recordings.models import RemoteDeletion
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: What one run asks for; the next one goes on.
BATCH: Final = 500
#: The pause before the n-th attempt at Telnyx, in seconds; the last one is repeated, for it must go.
PAUSES_S: Final = (60, 300, 1800, 6 * 3600, 24 * 3600)
#: Telnyx may not list yet what it has just told us of (S-21): it is asked a moment later.
AFTER: Final = timedelta(seconds=30)


def want(
    ids: Iterable[str],
    *,
    company_id: int | None,
    now: datetime,
    what: RemoteDeletion.What = RemoteDeletion.What.RECORDING,
) -> None:
    """Note that Telnyx is to delete these; noted twice is once."""
    RemoteDeletion.objects.bulk_create(
        [
            RemoteDeletion(
                telnyx_recording_id=one,
                what=what,
                company_id=company_id,
                wanted_at=now,
                next_attempt_at=now + AFTER,
            )
            # In one order, whoever writes: two who want the same wait for each other.
            for one in sorted(ids)
        ],
        ignore_conflicts=True,
    )


_TAKE_BACK: Final = """
DELETE FROM recordings_remotedeletion WHERE telnyx_recording_id = %(recording)s AND done_at IS NULL
"""


def keep_after_all(recording_id: str) -> None:
    """Take the wish back, if Telnyx was not asked yet: it has told of a recording that is to be kept."""
    # Prepared: every recording that comes asks for it, and hardly one has such a wish.
    prepared(_TAKE_BACK, {"recording": recording_id})


def delete_due(client: TelnyxClient, now: datetime) -> None:
    """Ask Telnyx to delete what is due. Raises TelnyxUnreachable."""
    due = RemoteDeletion.objects.filter(next_attempt_at__lte=now, done_at=None).order_by("next_attempt_at")
    for one in due[:BATCH]:
        # Taken first, so that two runs do not ask for the same.
        pause_s = PAUSES_S[min(one.attempts, len(PAUSES_S) - 1)]
        taken = RemoteDeletion.objects.filter(pk=one.pk, next_attempt_at=one.next_attempt_at)
        if not taken.update(attempts=F("attempts") + 1, next_attempt_at=now + timedelta(seconds=pause_s)):
            continue
        delete = client.delete_transcription if one.what == RemoteDeletion.What.TEXT else client.delete_recording
        try:
            delete(one.telnyx_recording_id)
        except TelnyxRefused as err:
            logger.warning("Telnyx keeps %s %s: %s", one.what, one.telnyx_recording_id, err)
            RemoteDeletion.objects.filter(pk=one.pk).update(error=str(err)[:500])
            continue
        except TelnyxUnreachable as err:
            RemoteDeletion.objects.filter(pk=one.pk).update(error=str(err)[:500])
            raise
        RemoteDeletion.objects.filter(pk=one.pk).update(done_at=now, next_attempt_at=None, error="")
