"""The history as CSV, however long: page after page by key, each a short statement of its own.

A cursor of the database would hold one transaction open for as long as the slowest reader takes to download, and the
clean-up of every table with it; pages by key are as quick and hold nothing between them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Prefetch, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from telephony.core.csv_cells import BOM, lines
from telephony.models import Call, CallWrapUp
from telephony.queries.filters import Filters
from telephony.queries.search import newest_ids

logger = logging.getLogger(__name__)

#: Rows per statement, and per piece that is sent.
PAGE: Final = 500
#: How the last line of a file begins that is not whole: the server ends a stream that broke as it ends a whole one, and
#: neither a person nor the page's script could tell. No other line begins with it.
BROKEN: Final = "⚠"


class TooManyExports(Exception):
    """As many exports run as threads can be spared; calls need the others."""


@dataclass(frozen=True, slots=True)
class Wish:
    #: Those of one company.
    calls: QuerySet[Call]
    filters: Filters
    now: datetime
    zone: tzinfo
    #: What the columns' names and the words in them are written in.
    language: str


_seats: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


class Export(Iterator[bytes]):
    """The file, piece by piece. Raises TooManyExports. Gives its seat back when it is closed, dropped or at its end.

    If it breaks off, its last line says so.
    """

    def __init__(self, wish: Wish) -> None:
        self._has_seat = _seats.acquire(blocking=False)
        if not self._has_seat:
            raise TooManyExports
        self._pieces = pieces(wish)
        self._language = wish.language

    def __next__(self) -> bytes:
        try:
            return next(self._pieces).encode()
        except StopIteration:
            self.close()
            raise
        except Exception:
            logger.exception("An export broke off")
            self.close()
            # The generator is over: the next question ends the file.
            with translation.override(self._language):
                return lines([[f"{BROKEN} {_('The export broke off here. Calls are missing.')}"]]).encode()

    def close(self) -> None:
        if self._has_seat:
            self._has_seat = False
            _seats.release()

    def __del__(self) -> None:
        # An answer that an error replaces is never closed by the server.
        self.close()


def pieces(wish: Wish) -> Iterator[str]:
    """Yield the head, then page after page, newest call first."""
    with translation.override(wish.language):
        head = BOM + lines([_head()])
    yield head
    below: UUID | None = None
    while True:
        try:
            ids, piece = _piece(wish, below)
        except (OperationalError, InterfaceError):
            # A connection that died, a database that was started anew: asked once more, on another one.
            connection.close()
            ids, piece = _piece(wish, below)
        if piece:
            yield piece
        if len(ids) < PAGE:
            return
        below = ids[-1]


def _piece(wish: Wish, below: UUID | None) -> tuple[list[UUID], str]:
    ids = newest_ids(wish.calls, wish.filters, below=below, size=PAGE, now=wish.now, zone=wish.zone)
    # The server asks for the pieces after the request's own language is gone.
    with translation.override(wish.language):
        return ids, lines(_row(call, wish.zone) for call in _page(wish.calls, ids)) if ids else ""


def _page(calls: QuerySet[Call], ids: Iterable[UUID]) -> QuerySet[Call]:
    said = CallWrapUp.objects.filter(disposition__isnull=False).select_related("disposition")
    return (
        calls.filter(pk__in=ids)
        .select_related("agent__user", "queue")
        .prefetch_related("recordings", Prefetch("wrap_ups", said.order_by("-started_at", "-id")))
        .order_by("-id")
    )


def _head() -> list[str]:
    return [
        _("Date"),
        _("Time"),
        _("Direction"),
        _("From"),
        _("To"),
        _("Name"),
        _("Queue"),
        _("Agent"),
        _("Status"),
        _("How it ended"),
        _("Disposition"),
        _("Waited (s)"),
        _("Talked (s)"),
        _("Recordings"),
        _("Call"),
    ]


def _row(call: Call, zone: tzinfo) -> list[object]:
    at = call.started_at.astimezone(zone)
    dispositions = [one.disposition for one in call.wrap_ups.all()]
    said = next((one for one in dispositions if one and not one.is_system), next(iter(dispositions), None))
    stored = [one for one in call.recordings.all() if one.state == "stored"]  # the reverse relation of an app above
    return [
        f"{at:%Y-%m-%d}",
        f"{at:%H:%M:%S}",
        call.get_direction_display(),
        call.from_number,
        call.to_number,
        call.caller_name,
        call.queue.name if call.queue else "",
        call.agent or "",
        call.get_status_display(),
        call.get_outcome_display() if call.outcome else "",
        said or "",
        _seconds(call.started_at, call.answered_at or call.ended_at),
        _seconds(call.answered_at, call.ended_at),
        len(stored),
        call.pk,
    ]


def _seconds(begin: datetime | None, end: datetime | None) -> int | str:
    return "" if begin is None or end is None else max(0, round((end - begin).total_seconds()))
