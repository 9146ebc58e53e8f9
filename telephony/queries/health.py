"""What is wrong with a company's plan, found before a caller finds it; each with the way to mend it.

``problems`` is pure; ``facts_of`` reads what it looks at. Of shifts nothing is known here: that a queue lacks a Spanish
speaker on Saturdays is seen in what happened to callers on the Saturdays that were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import ExtractIsoWeekDay

from agents.models import Agent, AgentSkill
from curbe.companies.models import Company
from telephony.core import hours, skills
from telephony.core.hours import Calendar, Switch
from telephony.core.loops import find_loop
from telephony.core.plan import (
    NOWHERE,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuPlan,
    NumberPlan,
    QueuePlan,
)
from telephony.models import PhoneNumber, QueueMember, QueueVisit, SipEndpoint
from telephony.queries.plans import compile_plan, number_plan_of

#: Over so many weeks callers who found nobody are counted, and so many of one weekday and language are a pattern.
WEEKS: Final = 4
PATTERN: Final = 3


@dataclass(frozen=True, slots=True)
class Member:
    agent_id: int
    name: str
    has_credential: bool = True
    #: Skill's id → level.
    skills: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Number:
    id: int
    e164: str
    plan: NumberPlan


@dataclass(frozen=True, slots=True)
class FoundNobody:
    """So many callers of one language came to a queue on one weekday (1: Monday) of late, and nobody was there."""

    queue_id: int
    language: str
    weekday: int
    count: int


@dataclass(frozen=True, slots=True)
class PlanFacts:
    plan: CompanyPlan
    numbers: tuple[Number, ...] = ()
    #: Queue's id → its members who still answer.
    members: Mapping[int, tuple[Member, ...]] = field(default_factory=dict)
    #: Ids of the agents who still answer.
    agents: frozenset[int] = frozenset()
    found_nobody: tuple[FoundNobody, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``kind`` and ``id`` name the row that is mended; ``values`` are what its sentence names."""

    code: str
    kind: str
    id: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


def problems(facts: PlanFacts) -> list[Problem]:
    """Return what is wrong, that first which costs callers most."""
    return [
        *_circles(facts),
        *_numbers(facts),
        *_queues(facts),
        *_menus(facts),
        *_closing(facts),
        *_company(facts),
        *_calendars(facts),
        *_people(facts),
        *_found_nobody(facts),
    ]


def _circles(facts: PlanFacts) -> Iterator[Problem]:
    circle = find_loop(facts.plan)
    if circle:
        yield Problem("circle", "routing", values={"circle": " → ".join((*circle, circle[0]))})


def _numbers(facts: PlanFacts) -> Iterator[Problem]:
    for number in facts.numbers:
        place = number.plan.destination
        if place == NOWHERE or (place.kind is DestinationKind.USER and place.id not in facts.agents):
            yield Problem("number_nowhere", "number", number.id, {"number": number.e164})
        elif _is_gone(number.plan.when_closed, facts):
            yield Problem("number_to_gone", "number", number.id, {"number": number.e164})


def _is_gone(place: Destination, facts: PlanFacts) -> bool:
    return place.kind is DestinationKind.USER and place.id not in facts.agents


def _queues(facts: PlanFacts) -> Iterator[Problem]:
    languages = languages_of(facts)
    for queue in facts.plan.queues.values():
        members = facts.members.get(queue.id, ())
        name = {"name": queue.name}
        if not members:
            yield Problem("queue_empty", "queue", queue.id, name)
            continue
        if queue.match_language:
            for language in languages:
                skill = facts.plan.language_skills.get(language, 0)
                if not any(member.skills.get(skill, 0) for member in members):
                    yield Problem("no_speaker", "queue", queue.id, {**name, "language": language})
        for need in skills.last_needs(facts.plan, queue, ""):
            if not any(member.skills.get(need.skill_id, 0) >= need.level for member in members):
                yield Problem("no_skill", "queue", queue.id, {**name, "skill": need.name, "level": need.level})
        if _is_gone(queue.overflow, facts) or _is_gone(queue.when_closed, facts):
            yield Problem("queue_to_gone", "queue", queue.id, name)


def languages_of(facts: PlanFacts) -> tuple[str, ...]:
    """Return the languages in which callers may come: the company's, those of its numbers and of its menus."""
    found = {facts.plan.language, *(number.plan.language for number in facts.numbers)}
    found |= {option.language for menu in facts.plan.menus.values() for option in menu.options}
    return tuple(sorted(found - {""}))


def _menus(facts: PlanFacts) -> Iterator[Problem]:
    for menu in facts.plan.menus.values():
        name = {"name": menu.name}
        if not menu.options:
            yield Problem("menu_empty", "menu", menu.id, name)
        for option in menu.options:
            place = option.destination
            if place.kind is DestinationKind.QUEUE and not facts.members.get(place.id):
                queue = facts.plan.queues.get(place.id)
                values = {**name, "digit": option.digit, "queue": queue.name if queue else "?"}
                yield Problem("menu_to_empty", "menu", menu.id, values)
        if any(_is_gone(place, facts) for place in _places_of(menu)):
            yield Problem("menu_to_gone", "menu", menu.id, name)


def _places_of(menu: MenuPlan) -> Iterator[Destination]:
    yield from (option.destination for option in menu.options)
    yield from (menu.on_timeout, menu.on_wrong)


def _closing(facts: PlanFacts) -> Iterator[Problem]:
    """Yield where calls go while something is closed, and find the next thing closed with it."""
    for queue in facts.plan.queues.values():
        place = queue.overflow if queue.when_closed == NOWHERE else queue.when_closed
        other = _closed_with(facts.plan, queue.hours_id, place)
        if other is not None:
            yield Problem("queue_closed_too", "queue", queue.id, {"name": queue.name, "other": other.name})
    for number in facts.numbers:
        other = _closed_with(facts.plan, number.plan.hours_id, number.plan.when_closed)
        if other is not None:
            yield Problem("number_closed_too", "number", number.id, {"number": number.e164, "other": other.name})


def _closed_with(plan: CompanyPlan, hours_id: int | None, place: Destination) -> QueuePlan | None:
    other = plan.queues.get(place.id) if place.kind is DestinationKind.QUEUE else None
    if other is None or hours_id is None or other.hours_id is None:
        return None
    return other if _same_times(plan.hours.get(hours_id), plan.hours.get(other.hours_id)) else None


def _same_times(one: Calendar | None, other: Calendar | None) -> bool:
    if one is None or other is None:
        return False
    return one.id == other.id or (one.weekly, one.timezone, one.special) == (
        other.weekly,
        other.timezone,
        other.special,
    )


def _company(facts: PlanFacts) -> Iterator[Problem]:
    if facts.plan.fallback_number and facts.plan.fallback_number in {number.e164 for number in facts.numbers}:
        yield Problem("fallback_is_ours", "company", values={"number": facts.plan.fallback_number})
    if not is_zone(facts.plan.timezone):
        yield Problem("company_zone", "company", values={"zone": facts.plan.timezone})


def _calendars(facts: PlanFacts) -> Iterator[Problem]:
    for calendar in facts.plan.hours.values():
        name = {"name": calendar.name}
        if calendar.switch is not Switch.NONE:
            yield Problem(f"switched_{calendar.switch}", "hours", calendar.id, name)
        # Hours without a zone of their own have the company's, which is told of above.
        if not is_zone(calendar.timezone) and calendar.timezone != facts.plan.timezone:
            yield Problem("hours_zone", "hours", calendar.id, {**name, "zone": calendar.timezone})


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _people(facts: PlanFacts) -> Iterator[Problem]:
    told: set[int] = set()
    for members in facts.members.values():
        for member in members:
            if not member.has_credential and member.agent_id not in told:
                told.add(member.agent_id)
                yield Problem("no_credential", "agent", member.agent_id, {"name": member.name})


def _found_nobody(facts: PlanFacts) -> Iterator[Problem]:
    for one in facts.found_nobody:
        queue = facts.plan.queues.get(one.queue_id)
        if queue is not None and one.count >= PATTERN:
            values = {
                "name": queue.name,
                "language": one.language,
                "weekday": one.weekday,
                "count": one.count,
                "weeks": WEEKS,
            }
            yield Problem("found_nobody", "queue", queue.id, values)


# --- Reading ------------------------------------------------------------------------------------------------------


def facts_of(company: Company, now: datetime) -> PlanFacts:
    """Return what ``problems`` looks at. Asks as often whatever the company's size."""
    agents = Agent.objects.filter(company=company, is_active=True, user__is_active=True).select_related("user")
    people = _members(company, list(agents))
    members: dict[int, tuple[Member, ...]] = defaultdict(tuple)
    rows = QueueMember.objects.filter(queue__company=company).order_by("id").values_list("queue_id", "agent_id")
    for queue_id, agent_id in rows:
        if agent_id in people:
            members[queue_id] += (people[agent_id],)
    numbers = PhoneNumber.objects.filter(company=company).select_related("when_closed").order_by("e164")
    return PlanFacts(
        plan=compile_plan(company),
        numbers=tuple(Number(number.pk, number.e164, number_plan_of(number)) for number in numbers),
        members=members,
        agents=frozenset(people),
        found_nobody=_who_found_nobody(company, now),
    )


def _members(company: Company, agents: list[Agent]) -> dict[int, Member]:
    levels: dict[int, dict[int, int]] = defaultdict(dict)
    for agent_id, skill_id, level in AgentSkill.objects.filter(agent__company=company).values_list(
        "agent_id", "skill_id", "level"
    ):
        levels[agent_id][skill_id] = level
    rung = set(SipEndpoint.objects.filter(company=company).values_list("agent_id", flat=True))
    return {agent.pk: Member(agent.pk, str(agent.user), agent.pk in rung, levels[agent.pk]) for agent in agents}


def _who_found_nobody(company: Company, now: datetime) -> tuple[FoundNobody, ...]:
    """Count callers with a language of their own who came to a queue of which nobody was at work."""
    outcomes = (QueueVisit.Outcome.JOIN_EMPTY, QueueVisit.Outcome.LEAVE_EMPTY)
    visits = QueueVisit.objects.filter(
        queue__company=company, entered_at__gte=now - timedelta(weeks=WEEKS), outcome__in=outcomes
    ).exclude(language="")
    weekday = ExtractIsoWeekDay("entered_at", tzinfo=hours.zone(company.timezone))
    counted = visits.order_by().annotate(weekday=weekday).values_list("queue_id", "language", "weekday")
    rows = counted.annotate(count=Count("id")).order_by("queue_id", "language", "weekday")
    return tuple(FoundNobody(*row) for row in rows)
