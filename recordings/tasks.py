"""What the worker does for recordings."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from recordings import (
    deletions,
    mailing,
    messages,
    operations,
    pausing,
    processes,
    search,
    transcripts,
    waveforms,
)
from recordings.models import Message
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxUnreachable

logger = logging.getLogger(__name__)

LONGEST_FETCH_S: Final = operations.LONGEST_FETCH // timedelta(seconds=1)
#: A try that does not heed its end is ended with its process, which Celery replaces.
KILLED_AFTER_S: Final = LONGEST_FETCH_S + 30
#: One mail with its audio; the server's silences are bounded by EMAIL_TIMEOUT, a server that drips by this.
LONGEST_MAIL_S: Final = 60


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=KILLED_AFTER_S)
def fetch_recording(*, recording_id: str, **_: object) -> None:
    """Try once to bring a recording in, if a process can be spared; else those that download come to it by themselves.

    Calls share these processes: a storage that drips must not keep the sweep and the ledger waiting.
    """
    with processes.spare() as is_spared:
        if not is_spared:
            return
        tried = operations.fetch(UUID(recording_id), get_client(), timezone.now())
        message = Message.objects.filter(recording=tried).first() if tried is not None else None
        if message is not None:
            # At once: the badge waits for it. Should this be lost, the beat comes to it.
            messages.judge(message.pk, timezone.now())
    _go_on()


def _go_on() -> None:
    """Hand the process that was just given back to what found none left: audio first, for its links die.

    Asked after it was given back, so that whoever came until then is seen.
    """
    now = timezone.now()
    fetched_next = list(operations.due(now).values_list("pk", flat=True)[:1])
    for recording_id in fetched_next:
        operations.queue(recording_id)
    if not fetched_next:
        for recording_id in waveforms.missing(now)[:1]:
            waveforms.queue(recording_id)


@shared_task
def fetch_due(**_: object) -> None:
    """Queue every recording whose time has come, also of workers that died."""
    operations.queue_due(timezone.now())


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=KILLED_AFTER_S)
def make_waveform(*, recording_id: str, **_: object) -> None:
    """Make one waveform, if a process can be spared; else the clock comes back to it."""
    with processes.spare() as is_spared:
        if not is_spared:
            return
        made = waveforms.make(UUID(recording_id), timezone.now())
    if made is not None:
        _go_on()


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


@shared_task(soft_time_limit=LONGEST_MAIL_S, time_limit=LONGEST_MAIL_S + 30)
def mail_message(*, message_id: str, **_: object) -> None:
    """Send the mail about a message, if a process can be spared: a mail server takes its time. Else the clock does."""
    with processes.spare() as is_spared:
        if is_spared:
            try:
                mailing.send(UUID(message_id), timezone.now())
            except mailing.UnableToMail as err:
                logger.warning("%s", err)


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=KILLED_AFTER_S)
def settle_messages(**_: object) -> None:
    """Do what is due for messages: show those whose audio is late, listen, send mail."""
    messages.show_late(timezone.now())
    with processes.spare() as is_spared:
        if is_spared:
            messages.judge_due(timezone.now())
            mailing.send_due(timezone.now)


@shared_task
def find_transcripts(**_: object) -> None:
    """Ask Telnyx for the texts that no callback brought, if a process can be spared."""
    with processes.spare() as is_spared:
        if not is_spared:
            return
        transcripts.forget_strays(timezone.now())
        try:
            transcripts.look_up_due(get_client(), timezone.now())
        except TelnyxUnreachable as err:
            logger.warning("Looking for transcripts waits for Telnyx: %s", err)


@shared_task
def poll(**_: object) -> None:
    """Read Telnyx's list of recordings for what no webhook announced, if a process can be spared."""
    with processes.spare() as is_spared:
        if not is_spared:
            return
        try:
            search.poll(get_client(), timezone.now())
        except TelnyxUnreachable as err:
            logger.warning("Reading the list of recordings waits for Telnyx: %s", err)


@shared_task
def finish_deletions(**_: object) -> None:
    """Go on with deletions that the storage or Telnyx has not carried out, if a process can be spared."""
    with processes.spare() as is_spared:
        if not is_spared:
            return
        try:
            deletions.finish(get_client(), timezone.now())
        except TelnyxUnreachable as err:
            logger.warning("Deletions at Telnyx wait for it: %s", err)


@shared_task
def delete_overdue(**_: object) -> None:
    """Delete what its company does not want to keep any longer, if a process can be spared."""
    with processes.spare() as is_spared:
        if is_spared:
            deletions.sweep(timezone.now())


@shared_task
def pause_what_began(*, call_id: str, **_: object) -> None:
    """Pause a recording that began while the agent keeps something out of it."""
    pausing.pause_what_began(UUID(call_id), get_client(), timezone.now())
