"""Calls by what a person remembers of them, instantly also where a company has a million.

The newest calls are read through first: what is common stands among them, and no index finds it sooner. Only what is
not found there is rare, and rare things are what an index is good for. So the plan never depends on an estimate of
how many calls fit, which for parts of numbers is worth nothing.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Lower

from curbe.lib.names import ACCENTED, PLAIN
from telephony.core.search import Wanted, grams_of_digits, grams_of_words, wanted_by
from telephony.models import Call, PhoneNumber
from telephony.queries.filters import Filters, key_of, narrowed

#: How many of the newest calls are read through before an index is asked: some 10 ms.
NEWEST: Final = 3_000
#: Numbers of ours that a part can mean; who owns more is asked to type more of it.
OUR_NUMBERS: Final = 100

_GRAMS: Final = Func(
    F("direction"),
    F("from_number"),
    F("to_number"),
    F("caller_name"),
    function="telephony_call_grams",
    output_field=ArrayField(TextField()),
)
_NAME: Final = Func(Lower("caller_name"), Value(ACCENTED), Value(PLAIN), function="translate", output_field=TextField())


def newest_ids(
    calls: QuerySet[Call], filters: Filters, *, below: UUID | None, size: int, now: datetime, zone: tzinfo
) -> list[UUID]:
    """Return the ids of the newest ``size`` calls below an id that fit. ``calls`` are those of one company."""
    calls = calls.order_by("-id")
    if below is not None:
        calls = calls.filter(id__lt=below)
    if not filters:
        return list(calls.values_list("id", flat=True)[:size])
    wanted = wanted_by(filters.number)
    if filters.number and not wanted:
        # Only signs: nobody is called so.
        return []
    fitting = compared(narrowed(calls, filters, now=now, zone=zone), wanted)
    rare = None
    if key := key_of(filters):
        rare = narrowed(calls, filters, now=now, zone=zone, by_key=True).order_by(key, "-id")
    elif filters.said:
        rare = compared(narrowed(calls, filters, now=now, zone=zone, is_rare=True), wanted).order_by("-id")
    return newest(calls, fitting, wanted, size=size, rare=rare, pool=_pool(calls, filters, now=now, zone=zone))


def _pool(calls: QuerySet[Call], filters: Filters, *, now: datetime, zone: tzinfo) -> QuerySet[Call] | None:
    """Return the calls of the one agent, queue or contact among which a text is looked for; None: among all."""
    whose = Filters(contact=filters.contact, queue=filters.queue, agent=filters.agent)
    key = key_of(whose)
    if not filters.number or not key:
        return None
    return narrowed(calls, whose, now=now, zone=zone, by_key=True).order_by(key, "-id")


def newest(
    calls: QuerySet[Call],
    fitting: QuerySet[Call],
    wanted: Wanted,
    *,
    size: int,
    rare: QuerySet[Call] | None = None,
    pool: QuerySet[Call] | None = None,
) -> list[UUID]:
    """Return the ids of the newest ``size`` calls of ``fitting``, which are those of ``calls`` that fit.

    ``rare``: the same calls in the same order, asked for as it is best where they are rare. ``pool``: some of the
    calls, newest first by an index of their own, among which all that fit are: they too are read through first.
    """
    calls, ids = calls.order_by("-id"), fitting.order_by("-id").values_list("id", flat=True)
    floor = calls.values_list("id", flat=True)[NEWEST : NEWEST + 1].first()
    if floor is None:
        return list(ids[:size])
    found = list(ids.filter(id__gt=floor)[:size])
    if len(found) < size and pool is not None:
        below = pool.filter(id__lte=floor).values_list("id", flat=True)
        found += ids.filter(pk__in=below[:NEWEST])[: size - len(found)]
        floor = below[NEWEST : NEWEST + 1].first()
        if floor is None:
            return found
    if len(found) < size:
        rest = ids if rare is None else rare.values_list("id", flat=True)
        found += by_index(rest.filter(id__lte=floor), wanted, calls)[: size - len(found)]
    return found


def compared(calls: QuerySet[Call], wanted: Wanted) -> QuerySet[Call]:
    """Return those of the calls whose text has what is wanted."""
    if wanted.e164:
        calls = calls.filter(Q(from_number=wanted.e164) | Q(to_number=wanted.e164))
    if wanted.digits:
        calls = calls.filter(Q(from_number__contains=wanted.digits) | Q(to_number__contains=wanted.digits))
    if wanted.words:
        calls = calls.alias(plain_name=_NAME)
        for word in wanted.words:
            calls = calls.filter(plain_name__contains=word)
    return calls


def by_index(fitting: QuerySet[Call, UUID], wanted: Wanted, ours: QuerySet[Call]) -> QuerySet[Call, UUID]:
    """Return the same calls, with the conditions by which an index finds them."""
    words, digits = grams_of_words(wanted.words), grams_of_digits(wanted.digits)
    if words:
        fitting = fitting.alias(grams=_GRAMS).filter(Q(grams__contains=list(words)))
    if digits:
        company_ids = ours.order_by().values("company")[:1]
        numbers = PhoneNumber.objects.filter(company__in=company_ids, e164__contains=wanted.digits)
        own = list(numbers.values_list("e164", flat=True)[:OUR_NUMBERS])
        found = Q(grams__contains=list(digits))
        found = found | Q(to_number__in=own) | Q(from_number__in=own) if own else found
        fitting = fitting.alias(grams=_GRAMS).filter(found)
    return fitting
