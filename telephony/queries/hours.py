"""Business hours as their pages show them."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from telephony.models import BusinessHours, CallQueue, PhoneNumber


def with_all_a_page_shows(rows: QuerySet[BusinessHours]) -> QuerySet[BusinessHours]:
    """Add the special dates, and where the hours are used. Three queries, however many hours there are."""
    return rows.prefetch_related(
        "special_dates",
        Prefetch("queues", CallQueue.objects.order_by("name", "id")),
        Prefetch("numbers", PhoneNumber.objects.order_by("e164")),
    )
