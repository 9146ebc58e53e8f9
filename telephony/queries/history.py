"""Reads for the pages that show calls: newest first, by key and never by offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Exists, OuterRef, Q, QuerySet

from curbe.lib.ids import first_id_at
from curbe.lib.phone import NotANumber, is_e164, to_e164
from telephony.models import Call, Offer, QueueVisit
from telephony.queries.records import ID_SKEW

PAGE_SIZE: Final = 50
TODAY_SIZE: Final = 30


class Show(StrEnum):
    """What the history can be narrowed to, in a person's words rather than in the columns'."""

    ALL = ""
    NOW = "now"
    ANSWERED = "answered"
    MISSED = "missed"
    VOICEMAIL = "voicemail"


_NARROWED: Final[dict[Show, Q]] = {
    Show.NOW: ~Q(status=Call.Status.COMPLETED),
    Show.ANSWERED: Q(outcome__in=[Call.Outcome.ANSWERED, Call.Outcome.FORWARDED]),
    Show.MISSED: Q(
        outcome__in=[Call.Outcome.MISSED, Call.Outcome.ABANDONED, Call.Outcome.FAILED, Call.Outcome.UNASSIGNED]
    ),
    Show.VOICEMAIL: Q(outcome=Call.Outcome.VOICEMAIL),
}


@dataclass(frozen=True)
class Page:
    calls: tuple[Call, ...]
    #: The id that the next page starts below; empty on the last one.
    older_than: UUID | None


def page(calls: QuerySet[Call], *, number: str, show: Show, older_than: UUID | None, size: int = PAGE_SIZE) -> Page:
    """Return up to ``size`` calls below ``older_than`` (ids sort by time), narrowed by what the person asked for."""
    if show in _NARROWED:
        calls = calls.filter(_NARROWED[show])
    if number:
        calls = calls.filter(_of_number(number))
    if older_than is not None:
        calls = calls.filter(id__lt=older_than)
    rows = tuple(with_all_a_row_shows(calls).order_by("-id")[: size + 1])
    return Page(rows[:size], rows[size - 1].id if len(rows) > size else None)


def todays(calls: QuerySet[Call], *, now: datetime, zone: tzinfo) -> tuple[Call, ...]:
    """Return the newest calls since midnight of the company's own clock."""
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    # The bound on the key spares the rows of all the days before: the newest calls come last in no other index.
    today = calls.filter(started_at__gte=midnight, id__gte=first_id_at(midnight - ID_SKEW))
    return tuple(with_all_a_row_shows(today).order_by("-id")[:TODAY_SIZE])


def with_all_a_row_shows(calls: QuerySet[Call]) -> QuerySet[Call]:
    # The recordings' app stands above this one: it is reached by the reverse relation.
    return with_waits(calls.select_related("agent__user", "queue", "number").prefetch_related("recordings"))


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


def _of_number(text: str) -> Q:
    """Return the condition for what a person typed: a whole number is looked up, a part of one is searched for."""
    try:
        whole = to_e164(text, region="US")
    except NotANumber:
        whole = ""
    if is_e164(whole):
        return Q(from_number=whole) | Q(to_number=whole)
    digits = "".join(character for character in text if character.isdigit())
    if not digits:
        return Q(caller_name__icontains=text)
    return Q(from_number__contains=digits) | Q(to_number__contains=digits)
