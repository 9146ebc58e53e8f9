"""What a number is used for, told to whoever is about to give it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from curbe.lib.ids import first_id_at
from telephony.models import Call, MenuOption, PhoneNumber, Place
from telephony.queries import destinations

RECENT: Final = timedelta(days=30)
#: Counted no further: more than so many is "many" to anybody.
MOST_COUNTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Uses:
    leads_to: str
    #: It leads somewhere: callers would miss it.
    is_assigned: bool
    #: It is the company's own fallback number.
    is_fallback: bool
    #: Names of the menus, queues and numbers whose callers are passed on to it.
    forwarded_from: tuple[str, ...]
    #: Calls of the last 30 days, up to MOST_COUNTED.
    recent_calls: int
    last_call_at: datetime | None
    calls_now: int


def uses_of(number: PhoneNumber, now: datetime) -> Uses:
    """Return what the number is used for."""
    calls = Call.objects.filter(number=number)
    recent = calls.filter(id__gte=first_id_at(now - RECENT))
    choice = destinations.current(number)
    return Uses(
        leads_to=choice.label,
        is_assigned=choice.code != "none",
        is_fallback=number.company.fallback_number == number.e164,
        forwarded_from=_forwarded_from(number),
        recent_calls=recent.order_by()[:MOST_COUNTED].count(),
        last_call_at=calls.order_by("-id").values_list("started_at", flat=True).first(),
        calls_now=calls.exclude(status=Call.Status.COMPLETED).count(),
    )


def _forwarded_from(number: PhoneNumber) -> tuple[str, ...]:
    names: set[str] = set()
    for place in Place.objects.filter(company=number.company_id, e164=number.e164):
        for relation in place._meta.related_objects:
            owners = relation.related_model._default_manager.filter(**{relation.field.name: place})
            names |= {str(owner.menu if isinstance(owner, MenuOption) else owner) for owner in owners}
    return tuple(sorted(names))
