"""A company's rows read as the plan that its calls are routed by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from agents.models import Skill
from curbe.companies.models import Company
from telephony.core.hours import Calendar, SpecialDate, Switch
from telephony.core.hours_text import DAYS, intervals_of
from telephony.core.plan import (
    COMPANY,
    NOWHERE,
    WITH_TARGET,
    WITH_TEXT,
    BoxPlan,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    Notice,
    NumberPlan,
    PriorityMode,
    QueuePlan,
    Requirement,
    Strategy,
    WhenClosing,
    Window,
)
from telephony.models import (
    BusinessHours,
    CallQueue,
    Menu,
    PhoneNumber,
    Place,
    PlanVersion,
    RecordingRule,
    VoicemailBox,
)

#: Fields that a queue's row and its plan share under one name.
_PLAIN: Final = (
    "ring_timeout_s",
    "cursor_follows_answer",
    "match_language",
    "relax_language",
    "relax_after_s",
    "relax_every_s",
    "max_misses",
    "max_offers",
    "priority",
    "service_level_s",
    "max_wait_s",
    "max_size",
    "overflow_when_joining_empty",
    "overflow_when_left_empty",
    "hours_id",
    "sticky",
    "sticky_wait_s",
    "announce_every_s",
    "announce_wait",
)


def compile_plan(company: Company, version: int = 0) -> CompanyPlan:
    """Return the plan of the rows as they are in this transaction. Seven queries, whatever the company's size."""
    hours = BusinessHours.objects.filter(company=company).prefetch_related("special_dates").order_by("id")
    queues = (
        CallQueue.objects.filter(company=company)
        .select_related("overflow", "when_closed")
        .prefetch_related("skills__skill")
        .order_by("id")
    )
    menus = (
        Menu.objects.filter(company=company)
        .select_related("on_timeout", "on_wrong")
        .prefetch_related("options__place")
        .order_by("id")
    )
    rules = RecordingRule.objects.filter(company=company).select_related("number").order_by("id")
    languages = Skill.objects.filter(company=company).exclude(language="").values_list("language", "id")
    return CompanyPlan(
        version=version,
        language=company.language,
        timezone=company.timezone,
        fallback_number=company.fallback_number,
        hours=_by_id(calendar_of(one, company.timezone) for one in hours),
        queues=_by_id(_queue(one) for one in queues),
        menus=_by_id(_menu(one) for one in menus),
        language_skills=MappingProxyType(dict(languages)),
        notices=tuple(_notice(one) for one in rules),
        boxes=MappingProxyType({box.owner: box for box in _boxes(company)}),
    )


def _notice(rule: RecordingRule) -> Notice:
    said = {"es": rule.say_es, "en": rule.say_en}
    return Notice(
        direction=rule.direction,
        number=rule.number.e164 if rule.number else "",
        announces=rule.announces,
        say=MappingProxyType({language: text for language, text in said.items() if text}),
    )


def _by_id(rows: Iterable[Any]) -> Any:
    return MappingProxyType({row.id: row for row in rows})


def destination_of(place: Place | None) -> Destination:
    """Return where a place leads; nowhere for none."""
    if place is None:
        return NOWHERE
    target = place.agent_id or place.queue_id or place.menu_id or 0
    return Destination(DestinationKind(place.kind), target, place.e164 or place.words)


def destination_of_number(number: PhoneNumber) -> Destination:
    """Return where a number leads. A target that is gone leaves it assigned to nobody."""
    kind = DestinationKind(number.destination)
    target = number.agent_id or number.queue_id or number.menu_id or 0
    text = number.forward_to or number.words
    is_gone = (kind in WITH_TARGET and not target) or (kind in WITH_TEXT and not text)
    return NOWHERE if is_gone else Destination(kind, target, text)


def number_plan_of(number: PhoneNumber) -> NumberPlan:
    return NumberPlan(
        destination=destination_of_number(number),
        hours_id=number.hours_id,
        when_closed=destination_of(number.when_closed),
        language=number.language,
    )


def calendar_of(hours: BusinessHours, timezone: str) -> Calendar:
    """Return the calendar of a row; ``timezone`` is the company's, for hours without one of their own."""
    return Calendar(
        id=hours.pk or 0,
        name=hours.name,
        timezone=hours.timezone or timezone,
        weekly=tuple(intervals_of(hours.weekly.get(day, ())) for day in DAYS),
        special=tuple(
            _special(one.date, one.every_year, one.intervals, one.name)
            for one in sorted(hours.special_dates.all(), key=lambda one: one.date)
        ),
        switch=Switch(hours.switch),
    )


def _special(day: date, every_year: bool, intervals: Iterable[str], name: str) -> SpecialDate:
    return SpecialDate(day.month, day.day, intervals_of(intervals), None if every_year else day.year, name)


def _queue(queue: CallQueue) -> QueuePlan:
    return QueuePlan(
        id=queue.pk,
        name=queue.name,
        strategy=Strategy(queue.strategy),
        window=Window(queue.window),
        priority_mode=PriorityMode(queue.priority_mode),
        when_closing=WhenClosing(queue.when_closing),
        overflow=destination_of(queue.overflow),
        when_closed=destination_of(queue.when_closed),
        requirements=tuple(
            Requirement(one.skill_id, str(one.skill), one.min_level, one.relaxable, one.weight)
            for one in sorted(queue.skills.all(), key=lambda one: one.pk)
        ),
        **{name: getattr(queue, name) for name in _PLAIN},
    )


def _menu(menu: Menu) -> MenuPlan:
    said = {"es": menu.say_es, "en": menu.say_en}
    return MenuPlan(
        id=menu.pk,
        name=menu.name,
        say=MappingProxyType({language: text for language, text in said.items() if text}),
        options=tuple(
            MenuOption(one.digit, destination_of(one.place), one.language)
            for one in sorted(menu.options.all(), key=lambda one: one.digit)
        ),
        timeout_s=menu.timeout_s,
        retries=menu.retries,
        on_timeout=destination_of(menu.on_timeout),
        on_wrong=destination_of(menu.on_wrong),
    )


def _boxes(company: Company) -> Iterable[BoxPlan]:
    """Yield the boxes that are not as every box is: a company of a thousand users has a small plan."""
    for row in VoicemailBox.objects.filter(company=company).order_by("id"):
        box = box_plan(row)
        if box != BoxPlan(box.owner):
            yield box


def box_plan(row: VoicemailBox) -> BoxPlan:
    said = {"es": row.say_es, "en": row.say_en}
    return BoxPlan(
        owner=owner_of(row),
        say=MappingProxyType({language: text for language, text in said.items() if text.strip()}),
        play=f"/greetings/{row.greeting_key}.mp3" if row.greeting else "",
        transcribe=row.transcribe,
        max_length_s=row.max_length_s,
    )


def owner_of(row: VoicemailBox) -> Destination:
    """Return whose box it is, in the words of a plan."""
    if row.queue_id is not None:
        return Destination(DestinationKind.QUEUE, row.queue_id)
    return COMPANY if row.agent_id is None else Destination(DestinationKind.USER, row.agent_id)


def strategies_of(versions: Iterable[int]) -> dict[tuple[int, int], str]:
    """Return (version of the plan, queue) → the strategy that held then. One query, none without a version."""
    wanted = {version for version in versions if version}
    documents = PlanVersion.objects.filter(pk__in=wanted).values_list("id", "document") if wanted else ()
    return {(version, queue["id"]): queue["strategy"] for version, plan in documents for queue in plan["queues"]}
