"""Reads for the pages that show calls: newest first, by key and never by offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Exists, OuterRef, QuerySet

from curbe.companies.models import Membership
from curbe.lib.ids import first_id_at
from telephony.models import Call, Offer, QueueVisit
from telephony.queries.bounds import ID_SKEW
from telephony.queries.filters import Filters
from telephony.queries.hearing import recordings_for
from telephony.queries.search import newest_ids

PAGE_SIZE: Final = 50
TODAY_SIZE: Final = 30
#: More new calls than these are only said to be many.
MOST_NEWS: Final = 100


@dataclass(frozen=True)
class Page:
    calls: tuple[Call, ...]
    #: The id that the next page starts below; empty on the last one.
    older_than: UUID | None


def page(
    calls: QuerySet[Call],
    filters: Filters,
    *,
    older_than: UUID | None,
    now: datetime,
    zone: tzinfo,
    hearer: Membership,
    size: int = PAGE_SIZE,
) -> Page:
    """Return up to ``size`` calls of a company below ``older_than`` (ids sort by time) that fit the filters."""
    ids = newest_ids(calls, filters, below=older_than, size=size + 1, now=now, zone=zone)
    rows = with_all_a_row_shows(calls.filter(pk__in=ids[:size]), hearer).order_by("-id") if ids else ()
    return Page(tuple(rows), ids[size - 1] if len(ids) > size else None)


def newer(
    calls: QuerySet[Call], filters: Filters, *, than: UUID | None, now: datetime, zone: tzinfo
) -> tuple[UUID, ...]:
    """Return the ids of the calls that fit and came after ``than``, newest first; ``MOST_NEWS`` and one if many did."""
    if than is not None:
        calls = calls.filter(id__gt=than)
    return tuple(newest_ids(calls, filters, below=None, size=MOST_NEWS + 1, now=now, zone=zone))


def todays(calls: QuerySet[Call], *, now: datetime, zone: tzinfo, hearer: Membership) -> tuple[Call, ...]:
    """Return the newest calls since midnight of the company's own clock."""
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    # The bound on the key spares the rows of all the days before: the newest calls come last in no other index.
    today = calls.filter(started_at__gte=midnight, id__gte=first_id_at(midnight - ID_SKEW))
    return tuple(with_all_a_row_shows(today, hearer).order_by("-id")[:TODAY_SIZE])


def with_all_a_row_shows(calls: QuerySet[Call], hearer: Membership) -> QuerySet[Call]:
    """Return the calls with what their rows show to a member of their company, who may not hear each recording."""
    shown = calls.select_related("agent__user", "queue", "number").prefetch_related(recordings_for(hearer))
    return with_waits(shown)


def with_waits(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Add ``waits``: the caller hears a queue's music, and nobody's phone rings for him."""
    visits = QueueVisit.objects.filter(call=OuterRef("pk"), outcome=QueueVisit.Outcome.WAITING)
    offers = Offer.objects.filter(call=OuterRef("pk"), outcome=Offer.Outcome.PENDING)
    return calls.annotate(waits=Exists(visits) & ~Exists(offers))


def zone_of(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        # A company without a valid zone still has a history.
        return ZoneInfo("UTC")
