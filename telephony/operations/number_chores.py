"""What is due for numbers on their way, in or out: every order and release whose time has come gets its turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import connection

from telephony.models import NumberOrder, NumberRelease
from telephony.operations.number_purchase import advance
from telephony.operations.number_releases import finish_release
from telephony.telnyx.client import TelnyxClient

logger = logging.getLogger(__name__)

#: One run at a time, over all workers: they are shared with calls, and Telnyx may be slow.
LOCK: Final = 0x0C0B_E002
#: A run takes no further turn after this, in seconds; the next run goes on. It is far less than what counts as settled.
LONGEST_RUN_S: Final = 20


def finish_due(client: TelnyxClient, now: datetime) -> int:
    """Give a turn to all that is due; return how many turns there were. One that fails stops none of the others.

    Does nothing while another run is at it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _finish(client, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _finish(client: TelnyxClient, now: datetime) -> int:
    began_s, turns = time.monotonic(), 0
    for what, turn in _due(now):
        if time.monotonic() - began_s > LONGEST_RUN_S:
            break
        try:
            # The time of this turn, not of the run: when something was sent decides when it counts as lost.
            turn(client, now + timedelta(seconds=time.monotonic() - began_s))
        except Exception:
            logger.exception("Unable to go on with %s", what)
        turns += 1
    return turns


def _due(now: datetime) -> Iterator[tuple[str, Any]]:
    open_orders = NumberOrder.objects.filter(state__in=NumberOrder.OPEN, next_look_at__lte=now)
    for pk in list(open_orders.order_by("next_look_at", "id").values_list("pk", flat=True)):
        yield f"order {pk}", partial(advance, pk)
    releases = NumberRelease.objects.filter(state=NumberRelease.State.REQUESTED, next_look_at__lte=now)
    for pk in list(releases.order_by("next_look_at", "id").values_list("pk", flat=True)):
        yield f"release {pk}", partial(finish_release, pk)
