"""Where each number leads, and from there on: the plan as a tree that a person can read.

What goes without saying (the fallback number, voicemail) is left out, and no place is told twice under one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agents.models import Agent
from curbe.companies.models import Company, Language
from curbe.lib.phone import for_people
from telephony.core.plan import NOWHERE, CompanyPlan, Destination, DestinationKind, MenuOption
from telephony.models import PhoneNumber
from telephony.queries.plans import compile_plan, destination_of, destination_of_number

#: Places under a number; what lies deeper is read on the pages of its menu or queue.
DEPTH = 3
#: Numbers that are told of where nobody asked for certain ones.
MOST_NUMBERS = 50


@dataclass(frozen=True, slots=True)
class Road:
    """One place, how one comes to it (a digit, "closed", …; empty at the root), and what lies behind it."""

    how: str
    place: Destination
    words: str
    branches: tuple[Road, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberRoads:
    number: PhoneNumber
    road: Road
    #: Set where the number has hours: where its calls go while they are closed.
    when_closed: Road | None


def roads_of(company: Company, numbers: Iterable[PhoneNumber] | None = None) -> tuple[NumberRoads, ...]:
    """Return numbers of the company, by default its first ones, with what lies behind each.

    Asks as often for one number as for many. ``numbers`` come with their hours and place.
    """
    if numbers is None:
        mine = PhoneNumber.objects.filter(company=company).select_related("hours", "when_closed")
        numbers = mine.order_by("e164")[:MOST_NUMBERS]
    atlas = Atlas(compile_plan(company), names_of(company))
    return tuple(
        NumberRoads(
            number,
            atlas.road("", destination_of_number(number), at_the_end=_("Nobody: not assigned")),
            atlas.road("", destination_of(number.when_closed)) if number.hours_id else None,
        )
        for number in numbers
    )


def names_of(company: Company) -> dict[int, str]:
    agents = Agent.objects.filter(company=company).select_related("user")
    return {agent.pk: str(agent.user) for agent in agents}


@dataclass(frozen=True, slots=True)
class Atlas:
    plan: CompanyPlan
    #: Agent's id → name.
    names: Mapping[int, str]

    def words(self, place: Destination) -> str:
        """Return what a place is called; the fallback for nowhere."""
        match place.kind:
            case DestinationKind.NONE:
                return self._fallback()
            case DestinationKind.USER:
                return self.names.get(place.id, _("somebody who is gone"))
            case DestinationKind.QUEUE:
                queue = self.plan.queues.get(place.id)
                return _("Queue %(name)s") % {"name": queue.name if queue else "?"}
            case DestinationKind.MENU:
                menu = self.plan.menus.get(place.id)
                return _("Menu %(name)s") % {"name": menu.name if menu else "?"}
            case DestinationKind.COMPANY:
                return _("Any free agent of the company")
            case DestinationKind.NUMBER:
                return for_people(place.text)
            case DestinationKind.VOICEMAIL:
                return _("Voicemail")
            case DestinationKind.SAY:
                return f"“{place.text}”"

    def _fallback(self) -> str:
        number = self.plan.fallback_number
        return _("Fallback number %(number)s") % {"number": for_people(number)} if number else _("Voicemail")

    def road(
        self,
        how: str,
        place: Destination,
        *,
        at_the_end: str = "",
        depth: int = 0,
        seen: set[Destination] | None = None,
    ) -> Road:
        """Return the road to a place and on; ``at_the_end`` is what nowhere is called here."""
        seen = set() if seen is None else seen
        words = at_the_end if place == NOWHERE and at_the_end else self.words(place)
        goes_on = place not in seen and depth < DEPTH
        seen.add(place)
        ways = tuple(self._ways(place)) if goes_on else ()
        return Road(how, place, words, tuple(self.road(*way, depth=depth + 1, seen=seen) for way in ways))

    def _ways(self, place: Destination) -> Iterator[tuple[str, Destination]]:
        if place.kind is DestinationKind.MENU and place.id in self.plan.menus:
            menu = self.plan.menus[place.id]
            yield from ((_pressed(one), one.destination) for one in menu.as_on_the_keypad)
            if menu.on_timeout != NOWHERE:
                yield _("no digit"), menu.on_timeout
            if menu.on_wrong not in {NOWHERE, menu.on_timeout}:
                yield _("wrong digits"), menu.on_wrong
        if place.kind is DestinationKind.QUEUE and place.id in self.plan.queues:
            queue = self.plan.queues[place.id]
            if queue.overflow != NOWHERE:
                yield _("not served"), queue.overflow
            if queue.hours_id is not None and queue.when_closed != NOWHERE:
                yield _("closed"), queue.when_closed


def _pressed(option: MenuOption) -> str:
    """Return the digit, with the language that is chosen with it: two digits may lead to one place in two languages."""
    return f"{option.digit} · {Language(option.language).label}" if option.language else option.digit
