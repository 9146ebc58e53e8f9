"""Repairs of the reconciler and refused calls out, as supervisors look through them: counted, and newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from agents.models import Agent
from curbe.lib.ids import first_id_at
from telephony.core import repair_words
from telephony.core.repair_words import Repair, RepairKind
from telephony.models import Call, CallLeg, TelnyxEvent

PAGE_SIZE: Final = 30
REFUSED_SIZE: Final = 10
DAYS: Final = 7
#: The id of an event carries our clock when its row was made; its day is that of its receipt, which is the same.
SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    count: int
    #: 0–100, of the busiest day.
    height: int


@dataclass(frozen=True, slots=True)
class Counter:
    kind: RepairKind
    today: int
    week: int
    #: 0–100, of the most frequent kind.
    width: int


@dataclass(frozen=True, slots=True)
class Counters:
    today: int
    week: int
    days: tuple[Day, ...]
    kinds: tuple[Counter, ...]
    refused_today: int
    refused_week: int


@dataclass(frozen=True, slots=True)
class Shown:
    event: TelnyxEvent
    call: Call | None
    repair: Repair


@dataclass(frozen=True, slots=True)
class Page:
    repairs: tuple[Shown, ...]
    #: The id that the next page starts below; None on the last one.
    older_than: UUID | None


def repairs_of(company_id: int) -> QuerySet[TelnyxEvent]:
    # As the partial index says it.
    repairs = TelnyxEvent.objects.filter(company=company_id, source=TelnyxEvent.Source.RECONCILER)
    return repairs.exclude(kind="reconciler.recording_asked")


def refused_of(company_id: int) -> QuerySet[TelnyxEvent]:
    return TelnyxEvent.objects.filter(company=company_id, kind="instruction.outbound.refused")


def counters(company_id: int, *, now: datetime, zone: tzinfo) -> Counters:
    """Return the repairs of today and of seven days, by kind and by day. Two statements."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    begin = datetime.combine(first, time.min, tzinfo=zone)
    recent = Q(received_at__gte=begin, id__gte=first_id_at(begin - SKEW))
    day = TruncDate("received_at", tzinfo=zone)
    rows = repairs_of(company_id).filter(recent).values_list("kind", day).annotate(count=Count("id")).order_by()
    refused = dict(
        refused_of(company_id)
        .filter(recent)
        .annotate(day=day)
        .values_list("day")
        .annotate(count=Count("id"))
        .order_by()
    )
    by_day: dict[date, int] = {}
    by_kind: dict[RepairKind, list[int]] = {}
    for event_kind, when, count in rows:
        by_day[when] = by_day.get(when, 0) + count
        week = by_kind.setdefault(repair_words.kind_of(event_kind), [0, 0])
        week[0] += count if when == today else 0
        week[1] += count
    busiest, most = max(by_day.values(), default=0), max((week for _, week in by_kind.values()), default=0)
    days = [first + timedelta(days=place) for place in range(DAYS)]
    return Counters(
        today=by_day.get(today, 0),
        week=sum(by_day.values()),
        days=tuple(Day(one, by_day.get(one, 0), _share(by_day.get(one, 0), busiest)) for one in days),
        kinds=tuple(
            Counter(kind, on_day, week, _share(week, most))
            for kind, (on_day, week) in sorted(by_kind.items(), key=lambda pair: -pair[1][1])
        ),
        refused_today=refused.get(today, 0),
        refused_week=sum(refused.values()),
    )


def page(
    company_id: int, *, kind: RepairKind | None, older_than: UUID | None, language: str, size: int = PAGE_SIZE
) -> Page:
    """Return up to ``size`` repairs below ``older_than``, of one kind if one is named. Three statements."""
    repairs = repairs_of(company_id)
    if kind is not None:
        repairs = repairs.filter(_of_kind(kind))
    if older_than is not None:
        repairs = repairs.filter(id__lt=older_than)
    rows = list(repairs.select_related("call").order_by("-id")[: size + 1])
    shown = rows[:size]
    who = _who(company_id, shown)
    return Page(
        tuple(Shown(row, row.call, repair_words.in_words(row.kind, who.get(row.pk, ""), language)) for row in shown),
        shown[-1].pk if len(rows) > size else None,
    )


def _of_kind(kind: RepairKind) -> Q:
    exact, prefix = repair_words.event_kinds(kind)
    found = Q(kind__in=exact)
    if not prefix:
        return found
    others = [one for other in RepairKind if other is not kind for one in repair_words.event_kinds(other)[0]]
    return found | (Q(kind__startswith=prefix) & ~Q(kind__in=others))


def _who(company_id: int, rows: Iterable[TelnyxEvent]) -> Mapping[UUID, str]:
    """Return whose line or phone each repair was about: an agent's name, or the customer's name or number."""
    sids = {row.pk: sid for row in rows if (sid := repair_words.leg_of(row.payload))}
    agents = {row.pk: agent for row in rows if (agent := repair_words.agent_of(row.payload)) is not None}
    legs = {
        leg.call_sid: leg
        for leg in CallLeg.objects.filter(call_sid__in=sids.values(), call__company=company_id).select_related(
            "agent__user", "call"
        )
    }
    names = {
        agent.pk: str(agent)
        for agent in Agent.objects.filter(company=company_id, pk__in=agents.values()).select_related("user")
    }
    found = {event_id: names.get(agent_id, "") for event_id, agent_id in agents.items()}
    return found | {event_id: _whose(legs[sid]) for event_id, sid in sids.items() if sid in legs}


def _whose(leg: CallLeg) -> str:
    if leg.agent is not None:
        return str(leg.agent)
    return leg.call.caller_name or leg.call.customer_number


def refused(company_id: int) -> list[TelnyxEvent]:
    """Return the newest calls out that nobody had announced."""
    return list(refused_of(company_id).order_by("-id")[:REFUSED_SIZE])


def _share(count: int, of: int) -> int:
    return round(100 * count / of) if of else 0
