"""Giving numbers back: written here first, asked for at Telnyx, and kept as a trace for good."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from curbe.companies.models import User
from telephony.models import NumberRelease, PhoneNumber
from telephony.queries import destinations
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Nobody else takes a release up while one is at it; whoever dies gives it back after this.
TURN: Final = timedelta(seconds=60)
PAUSES_S: Final = (5, 10, 30, 60, 300, 900)


def ask_release(number: PhoneNumber, *, released_by: User | None, now: datetime) -> NumberRelease:
    """Write that the number shall be given back; return the release that is open. Nothing has happened to it yet."""
    with transaction.atomic():
        NumberRelease.objects.bulk_create(
            [
                NumberRelease(
                    company_id=number.company_id,
                    e164=number.e164,
                    telnyx_id=number.telnyx_id,
                    label=number.label,
                    led_to=destinations.current(number).label[:200],
                    released_by=released_by,
                    next_look_at=now,
                    created_at=now,
                )
            ],
            # Asked twice, it is one wish.
            ignore_conflicts=True,
        )
        return NumberRelease.objects.get(e164=number.e164, state=NumberRelease.State.REQUESTED)


def finish_release(release_id: int, client: TelnyxClient, now: datetime) -> NumberRelease:
    """Give the number back at Telnyx, take its row away, and return the release as it is then.

    A number that Telnyx has not (any more) is released too. While Telnyx does not answer the release stays open, and
    the worker goes on with it; where it refuses, the number stays, and the release says why.
    """
    due = NumberRelease.objects.filter(pk=release_id, state=NumberRelease.State.REQUESTED, next_look_at__lte=now)
    if due.update(next_look_at=now + TURN, attempts=F("attempts") + 1):
        release = NumberRelease.objects.get(pk=release_id)
        try:
            _give_back(release, client)
        except TelnyxUnreachable as err:
            logger.warning("Release %s waits for Telnyx: %s", release_id, err)
            pause = timedelta(seconds=PAUSES_S[min(release.attempts, len(PAUSES_S)) - 1])
            NumberRelease.objects.filter(pk=release_id).update(next_look_at=now + pause)
        except TelnyxRefused as err:
            logger.error("Release %s was refused: %s", release_id, err)
            said = "; ".join(map(str, err.complaints)) or str(err)
            _end(release, NumberRelease.State.FAILED, now, error_detail=said[:500])
        else:
            with transaction.atomic():
                PhoneNumber.objects.filter(company=release.company_id, e164=release.e164).delete()
                _end(release, NumberRelease.State.DONE, now)
    return NumberRelease.objects.get(pk=release_id)


def _give_back(release: NumberRelease, client: TelnyxClient) -> None:
    number_id = release.telnyx_id
    if not number_id:
        # A company file brought it, and no audit has linked it yet.
        found = client.find_number(release.e164)
        number_id = found.id if found else ""
    if number_id:
        client.release_number(number_id)


def _end(release: NumberRelease, state: str, now: datetime, *, error_detail: str = "") -> None:
    NumberRelease.objects.filter(pk=release.pk, state=NumberRelease.State.REQUESTED).update(
        state=state, error_detail=error_detail, next_look_at=None, ended_at=now
    )
