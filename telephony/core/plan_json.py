"""A company's plan as a JSON document and back: what is stored is what was compiled, to the letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

from telephony.core.hours import Calendar, Interval, SpecialDate, Switch
from telephony.core.plan import (
    BoxPlan,
    CompanyPlan,
    Destination,
    MenuOption,
    MenuPlan,
    Notice,
    PriorityMode,
    QueuePlan,
    Requirement,
    Strategy,
    WhenClosing,
    Window,
)


def plan_as_json(plan: CompanyPlan) -> dict[str, Any]:
    """Return the plan as plain lists and dictionaries, without its version: that is the document's own id."""
    return {
        "language": plan.language,
        "timezone": plan.timezone,
        "ring_timeout_s": plan.ring_timeout_s,
        "fallback_number": plan.fallback_number,
        "hours": [_calendar_as_json(one) for one in plan.hours.values()],
        "queues": [_queue_as_json(one) for one in plan.queues.values()],
        "menus": [_menu_as_json(one) for one in plan.menus.values()],
        "language_skills": dict(plan.language_skills),
        "notices": [[one.direction, one.number, one.announces, dict(one.say)] for one in plan.notices],
        "boxes": [_box_as_json(one) for one in plan.boxes.values()],
    }


def plan_from_json(data: Mapping[str, Any], version: int) -> CompanyPlan:
    return CompanyPlan(
        version=version,
        language=data["language"],
        timezone=data["timezone"],
        ring_timeout_s=data["ring_timeout_s"],
        fallback_number=data["fallback_number"],
        hours=_by_id(_calendar_from_json(one) for one in data["hours"]),
        queues=_by_id(_queue_from_json(one) for one in data["queues"]),
        menus=_by_id(_menu_from_json(one) for one in data["menus"]),
        language_skills=MappingProxyType(data["language_skills"]),
        notices=tuple(
            Notice(direction, number, announces, MappingProxyType(say))
            # Versions from before there were any have none.
            for direction, number, announces, say in data.get("notices", ())
        ),
        # Versions from before there were boxes have none.
        boxes=MappingProxyType({box.owner: box for box in map(_box_from_json, data.get("boxes", ()))}),
    )


def _by_id(rows: Any) -> Mapping[int, Any]:
    return MappingProxyType({row.id: row for row in rows})


def _calendar_as_json(calendar: Calendar) -> dict[str, Any]:
    return {
        "id": calendar.id,
        "name": calendar.name,
        "timezone": calendar.timezone,
        "weekly": [_intervals_as_json(day) for day in calendar.weekly],
        "special": [
            {
                "month": one.month,
                "day": one.day,
                "year": one.year,
                "intervals": _intervals_as_json(one.intervals),
                "name": one.name,
            }
            for one in calendar.special
        ],
        "switch": str(calendar.switch),
    }


def _calendar_from_json(data: Mapping[str, Any]) -> Calendar:
    return Calendar(
        id=data["id"],
        name=data["name"],
        timezone=data["timezone"],
        weekly=tuple(_intervals_from_json(day) for day in data["weekly"]),
        special=tuple(
            SpecialDate(one["month"], one["day"], _intervals_from_json(one["intervals"]), one["year"], one["name"])
            for one in data["special"]
        ),
        switch=Switch(data["switch"]),
    )


def _intervals_as_json(intervals: tuple[Interval, ...]) -> list[list[int]]:
    return [[one.from_min, one.until_min] for one in intervals]


def _intervals_from_json(data: list[list[int]]) -> tuple[Interval, ...]:
    return tuple(Interval(from_min, until_min) for from_min, until_min in data)


#: Fields of a queue that are not JSON by themselves: how each is written, and how it is read.
_QUEUE_FIELDS: Final[Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    "strategy": (str, Strategy),
    "window": (str, Window),
    "priority_mode": (str, PriorityMode),
    "when_closing": (str, WhenClosing),
    "overflow": (Destination.as_json, Destination.from_json),
    "when_closed": (Destination.as_json, Destination.from_json),
    "requirements": (
        lambda asked: [[one.skill_id, one.name, one.min_level, one.relaxable, one.weight] for one in asked],
        lambda data: tuple(Requirement(*one) for one in data),
    ),
}
_AS_IT_IS: Final = (lambda value: value, lambda value: value)


def _queue_as_json(queue: QueuePlan) -> dict[str, Any]:
    return {one.name: _QUEUE_FIELDS.get(one.name, _AS_IT_IS)[0](getattr(queue, one.name)) for one in fields(QueuePlan)}


def _queue_from_json(data: Mapping[str, Any]) -> QueuePlan:
    return QueuePlan(**{name: _QUEUE_FIELDS.get(name, _AS_IT_IS)[1](value) for name, value in data.items()})


def _menu_as_json(menu: MenuPlan) -> dict[str, Any]:
    return {
        "id": menu.id,
        "name": menu.name,
        "say": dict(menu.say),
        "options": [[one.digit, one.destination.as_json(), one.language] for one in menu.options],
        "timeout_s": menu.timeout_s,
        "retries": menu.retries,
        "on_timeout": menu.on_timeout.as_json(),
        "on_wrong": menu.on_wrong.as_json(),
    }


def _menu_from_json(data: Mapping[str, Any]) -> MenuPlan:
    return MenuPlan(
        id=data["id"],
        name=data["name"],
        say=MappingProxyType(data["say"]),
        options=tuple(
            MenuOption(digit, Destination.from_json(place), language) for digit, place, language in data["options"]
        ),
        timeout_s=data["timeout_s"],
        retries=data["retries"],
        on_timeout=Destination.from_json(data["on_timeout"]),
        on_wrong=Destination.from_json(data["on_wrong"]),
    )


def _box_as_json(box: BoxPlan) -> dict[str, Any]:
    return {
        "owner": box.owner.as_json(),
        "say": dict(box.say),
        "play": box.play,
        "transcribe": box.transcribe,
        "max_length_s": box.max_length_s,
    }


def _box_from_json(data: Mapping[str, Any]) -> BoxPlan:
    return BoxPlan(
        owner=Destination.from_json(data["owner"]),
        say=MappingProxyType(data["say"]),
        play=data["play"],
        transcribe=data["transcribe"],
        max_length_s=data["max_length_s"],
    )
