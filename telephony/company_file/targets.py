"""Destinations as the file says them: ``{queue: ventas}``, ``{voicemail: true}``; read, found, and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

from django.db.models import RestrictedError

from agents.models import Agent
from curbe.companies import field_types
from curbe.companies.company_file import Import, Row, Wrong
from curbe.companies.models import Company
from curbe.companies.yaml_lines import Node, Scalar, Table
from telephony.company_file.columns import Draft
from telephony.core.plan import Destination, DestinationKind
from telephony.models import BusinessHours, CallQueue, Menu, MenuOption, PhoneNumber, Place
from telephony.operations.places import place_for
from telephony.queries.plans import destination_of

KINDS: Final = "{user: …}, {queue: …}, {menu: …}, {company: auto}, {number: …}, {voicemail: true} or {say: …}"
#: Words of a destination, as long as a place and a number can keep.
MOST_WORDS: Final = 500


class Target(NamedTuple):
    """Where something leads. ``kind`` is empty for nowhere; ``name`` a user name, a queue, a number, words, …."""

    kind: str = ""
    name: str = ""

    def __str__(self) -> str:
        name = "auto" if self.kind == "company" else self.name
        return " ".join(filter(None, [self.kind, name])) or "(none)"

    def export(self) -> dict[str, Any]:
        constant = {"company": "auto", "voicemail": True}
        return {self.kind: constant.get(self.kind, self.name)} if self.kind else {}


def target(node: Node) -> Target:
    """Read one destination; ``null`` and ``{}`` are nowhere."""
    if not isinstance(node, Table):
        if isinstance(node, Scalar) and node.is_null:
            return Target()
        raise Wrong(f"must be {KINDS}")
    if not node.values:
        return Target()
    if len(node.values) > 1:
        raise Wrong(f"must name one destination, {KINDS}")
    (kind, value), *_rest = node.values.items()
    if kind not in _READERS:
        raise Wrong(f"cannot be {kind}; this version knows {KINDS}", node.key_lines[kind])
    try:
        return Target(kind, _READERS[kind](value))
    except Wrong as err:
        raise Wrong(f"{kind} {err}", err.line or value.line) from err


def _auto(node: Node) -> str:
    name = field_types.text(150)(node)
    if name != "auto":
        raise Wrong(f"must be {{company: auto}}, not {{company: {name}}}")
    return ""


def _true(node: Node) -> str:
    if not field_types.boolean(node):
        raise Wrong("must be {voicemail: true}")
    return ""


def _words(node: Node) -> str:
    words = field_types.paragraph(MOST_WORDS)(node)
    if not words.strip():
        raise Wrong("must not be empty")
    return words


_READERS: Final[Mapping[str, Callable[[Node], str]]] = {
    "user": field_types.text(150),
    "queue": field_types.text(80),
    "menu": field_types.text(80),
    "company": _auto,
    "number": field_types.e164,
    "voicemail": _true,
    "say": _words,
}


class Targets:
    """Where things of one company can lead, by name and by id.

    In an import that prunes, a queue or menu that the file does not name is about to go: nothing new leads there.
    """

    def __init__(self, company: Company, run: Import | None = None) -> None:
        self.company = company
        self._names: dict[Destination, Target] = {}
        self._destinations: dict[Target, Destination] = {}
        self._places: dict[Destination, Place | None] = {}
        # Who was pruned answers no more already.
        agents = Agent.objects.filter(company=company, is_active=True).values_list("id", "user__username")
        queues = CallQueue.objects.filter(company=company).values_list("id", "name")
        menus = Menu.objects.filter(company=company).values_list("id", "name")
        self._know(DestinationKind.USER, agents, lambda name: True)
        self._know(DestinationKind.QUEUE, queues, staying(run, "queues"))
        self._know(DestinationKind.MENU, menus, staying(run, "menus"))

    def _know(self, kind: DestinationKind, rows: Iterable[tuple[int, str]], stays: Callable[[str], bool]) -> None:
        for key, name in rows:
            self._names[Destination(kind, key)] = Target(kind, name)
            if stays(name):
                self._destinations[Target(kind, name)] = Destination(kind, key)

    def find(self, run: Import, where: str, target: Target, line: int) -> Destination | None:
        """Return what the file means; None, and refused, if the company has nothing of that name."""
        kind = DestinationKind(target.kind or "none")
        if kind not in {DestinationKind.USER, DestinationKind.QUEUE, DestinationKind.MENU}:
            return Destination(kind, text=target.name)
        found = self._destinations.get(target)
        if found is None:
            reason = "nobody who answers calls in" if kind is DestinationKind.USER else f"no {kind} of"
            run.refuse(line, f"{where}: {target.name} is {reason} {self.company.slug}")
        return found

    def name(self, destination: Destination) -> Target:
        """Return how the file says it. A user who answers no more, or a row that is gone, is nowhere."""
        match destination.kind:
            case DestinationKind.NONE:
                return Target()
            case DestinationKind.USER | DestinationKind.QUEUE | DestinationKind.MENU:
                return self._names.get(destination, Target())
            case kind:
                return Target(kind, destination.text)

    def name_of_place(self, place: Place | None) -> Target:
        return self.name(destination_of(place))

    def place(self, destination: Destination) -> Place | None:
        if destination not in self._places:
            self._places[destination] = place_for(self.company, destination)
        return self._places[destination]

    def lead(self, draft: Draft, row: Row, keys: Mapping[str, str]) -> None:
        """Let columns that hold a place lead where the row says. ``keys`` has the row's key of each column."""
        for column, key in keys.items():
            before = self.name_of_place(getattr(draft.instance, column))
            wanted = draft.run.wanted(row, key, now=before, default=Target())
            if wanted == before:
                continue
            destination = self.find(draft.run, draft.section, wanted, row.line_of(key))
            if destination is not None:
                draft.put({column: self.place(destination)}, column, before, wanted)


def staying(run: Import | None, section: str) -> Callable[[str], bool]:
    """Return whether a row of that name is still there after the import."""
    if run is None or not run.prune or section not in run.parts:
        return lambda name: True
    return {row["name"] for row in run.parts[section].rows}.__contains__


def keep_hours(draft: Draft, row: Row, hours: Mapping[str, BusinessHours]) -> None:
    """Let a queue or number keep the hours that the row names; empty: none."""
    run, owner = draft.run, cast("CallQueue | PhoneNumber", draft.instance)
    before = owner.hours.name if owner.hours else ""
    name = run.wanted(row, "hours", now=before, default="")
    if name == before:
        return
    if name and (name not in hours or not staying(run, "hours")(name)):
        run.refuse(row.line_of("hours"), f"{draft.section}: {name} are no hours of {run.company.slug}")
        return
    draft.put({"hours": hours.get(name)}, "hours", before, name)


def hours_by_name(company: Company) -> dict[str, BusinessHours]:
    return {hours.name: hours for hours in BusinessHours.objects.filter(company=company)}


def delete(run: Import, section: str, row: CallQueue | Menu | BusinessHours) -> None:
    """Delete a row that the file does not name; refuse if something that stays leads to it."""
    try:
        row.delete()
    except RestrictedError as err:
        # Places are values: whoever holds one is who leads there.
        refuse_to_go(run, section, row.name, *err.restricted_objects)


def refuse_to_go(run: Import, section: str, name: str, *needed_by: object) -> None:
    who = ", ".join(sorted({owner_in_words(one) for one in needed_by}))
    run.refuse(run.parts[section].line, f"{section}: {name} cannot go: {who} leads to it")


def owner_in_words(owner: object) -> str:
    match owner:
        case MenuOption():
            return f"menu {owner.menu.name}"
        case CallQueue():
            return f"queue {owner.name}"
        case Menu():
            return f"menu {owner.name}"
        case _:
            return f"number {owner}"
