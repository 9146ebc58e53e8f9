"""Where a call of a company can lead, as one short code: ``none``, ``company``, ``voicemail``, ``user:<agent>``,
``queue:<queue>``, ``menu:<menu>``, ``number:<E.164>``, ``say:<words>``."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from agents.models import Agent
from curbe.lib.phone import is_e164
from telephony.core.plan import NOWHERE, WITH_TARGET, WITH_TEXT, Destination, DestinationKind
from telephony.models import CallQueue, Menu, PhoneNumber, Place
from telephony.queries.plans import destination_of, destination_of_number

SHOWN: Final = 20
#: Words of an announcement at the most, and so of a code.
MOST_WORDS: Final = 500
MOST_CODE: Final = MOST_WORDS + len("number:")


class Choice(NamedTuple):
    code: str
    label: str


def code_of(destination: Destination) -> str:
    kind = destination.kind
    if kind in WITH_TARGET:
        return f"{kind}:{destination.id}"
    return f"{kind}:{destination.text}" if kind in WITH_TEXT else str(kind)


def destination_of_code(code: str) -> Destination | None:
    """Return what a code means; None for nothing that could be. Whether its target is there is not looked up."""
    word, _colon, rest = code.partition(":")
    if word not in set(DestinationKind):
        return None
    kind = DestinationKind(word)
    if kind in WITH_TARGET:
        is_id = rest.isascii() and rest.isdigit() and len(rest) < 19
        return Destination(kind, int(rest)) if is_id else None
    if kind is DestinationKind.NUMBER:
        return Destination(kind, text=rest) if is_e164(rest) else None
    if kind is DestinationKind.SAY:
        words = rest.strip()
        return Destination(kind, text=words) if words and len(words) <= MOST_WORDS else None
    return None if rest else Destination(kind)


def current(number: PhoneNumber) -> Choice:
    """Return where the number leads. Reads its target, if it was not selected with it."""
    destination = destination_of_number(number)
    return _choice(destination, number.agent, number.queue, number.menu, nowhere=_("Not assigned"))


def of_place(place: Place | None) -> Choice:
    """Return where a place leads. Reads its target, if it was not selected with it."""
    if place is None:
        return Choice(code_of(NOWHERE), by_default())
    return _choice(destination_of(place), place.agent, place.queue, place.menu, nowhere=by_default())


def _choice(
    destination: Destination, agent: Agent | None, queue: CallQueue | None, menu: Menu | None, *, nowhere: str
) -> Choice:
    match destination.kind:
        case DestinationKind.USER if agent:
            return of_agent(agent)
        case DestinationKind.QUEUE if queue:
            return of_queue(queue)
        case DestinationKind.MENU if menu:
            return of_menu(menu)
        case DestinationKind.NONE:
            return Choice(code_of(NOWHERE), nowhere)
        case _:
            return _plain(destination)


def _plain(destination: Destination) -> Choice:
    """Return a destination that is no row."""
    labels = {
        DestinationKind.COMPANY: _("The company (automatic)"),
        DestinationKind.VOICEMAIL: _("Voicemail"),
        DestinationKind.NUMBER: _("Number %(number)s") % {"number": destination.text},
        DestinationKind.SAY: _("Announcement: %(words)s") % {"words": destination.text},
    }
    return Choice(code_of(destination), labels[destination.kind])


def by_default() -> str:
    return _("Not set")


def of_agent(agent: Agent) -> Choice:
    return Choice(f"user:{agent.pk}", f"{agent.user} ({agent.user.username})")


def of_queue(queue: CallQueue) -> Choice:
    return Choice(f"queue:{queue.pk}", _("Queue %(name)s") % {"name": queue.name})


def of_menu(menu: Menu) -> Choice:
    return Choice(f"menu:{menu.pk}", _("Menu %(name)s") % {"name": menu.name})


def choices(company_id: int, term: str = "", *, nowhere: str = "") -> list[Choice]:
    """Return up to 20 queues, 20 menus and 20 users of the company that match, after what every company has.

    A term that is a number can be forwarded to, and any term can be said. ``nowhere`` is what "none" is called.
    """
    fixed = [
        Choice(code_of(NOWHERE), nowhere or _("Not assigned")),
        _plain(Destination(DestinationKind.COMPANY)),
        _plain(Destination(DestinationKind.VOICEMAIL)),
    ]
    named = [choice for choice in fixed if term.casefold() in choice.label.casefold()]
    queues = CallQueue.objects.filter(company=company_id, name__icontains=term).order_by("name", "id")[:SHOWN]
    menus = Menu.objects.filter(company=company_id, name__icontains=term).order_by("name", "id")[:SHOWN]
    typed = [destination_of_code(f"{kind}:{term.strip()}") for kind in (DestinationKind.NUMBER, DestinationKind.SAY)]
    return [
        *named,
        *map(of_queue, queues),
        *map(of_menu, menus),
        *agent_choices(company_id, term),
        *(_plain(destination) for destination in typed if destination),
    ]


def agent_choices(company_id: int, term: str = "") -> list[Choice]:
    """Return up to 20 agents of the company whose name or user name matches."""
    agents = Agent.objects.filter(company=company_id, is_active=True).select_related("user")
    matching = agents.filter(Q(user__name__icontains=term) | Q(user__username__icontains=term))
    return [of_agent(agent) for agent in matching.order_by("user__name", "id")[:SHOWN]]
