"""The section ``menus``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company, Language
from curbe.companies.yaml_lines import Node, Scalar, Table
from telephony.company_file import columns, targets
from telephony.company_file.loops import refuse_loops
from telephony.company_file.targets import Target, Targets
from telephony.models import Menu, MenuOption, PhoneNumber

MOST_WORDS: Final = 1000
#: Stands for the company's language, whichever it is.
OF_COMPANY: Final = ""


class Option(NamedTuple):
    """What the file says of one digit."""

    target: Target
    language: str = ""

    def __str__(self) -> str:
        return f"{self.target}, language {self.language}" if self.language else str(self.target)

    def export(self) -> dict[str, Any]:
        return {**self.target.export(), **({"language": self.language} if self.language else {})}


def said(node: Node) -> dict[str, str]:
    """Read a text in the company's language, or ``{es: …, en: …}``."""
    texts = {}
    for language, value in node.values.items() if isinstance(node, Table) else [(OF_COMPANY, node)]:
        if language not in {OF_COMPANY, *Language.values}:
            raise Wrong(f"cannot be in {language}; this version speaks {', '.join(Language.values)}", value.line)
        texts[language] = field_types.paragraph(MOST_WORDS)(value)
    if not any(text.strip() for text in texts.values()):
        raise Wrong("must say something")
    return texts


def options(node: Node) -> dict[str, tuple[Option, int]]:
    """Read ``{"1": {queue: ventas}, "2": {menu: principal, language: en}}``; each comes with its line."""
    if isinstance(node, Scalar) and node.is_null:
        return {}
    if not isinstance(node, Table):
        raise Wrong('must be digits with where they lead, such as {"1": {queue: ventas}}')
    found = {}
    for digit, value in node.values.items():
        line = node.key_lines[digit]
        if not re.fullmatch(r"[0-9*#]", digit, re.ASCII):
            raise Wrong(f"must be digits 0–9, * or #, not {digit}", line)
        try:
            found[digit] = (_option(value), line)
        except Wrong as err:
            raise Wrong(f"{digit} {err}", err.line or line) from err
    return found


def _option(node: Node) -> Option:
    language = ""
    if isinstance(node, Table) and "language" in node.values:
        language = field_types.one_of(Language.values)(node.values["language"])
        values = {key: value for key, value in node.values.items() if key != "language"}
        node = Table(node.line, values, node.key_lines)
    target = targets.target(node)
    if not target.kind:
        raise Wrong(f"must lead somewhere: {targets.KINDS}")
    return Option(target, language)


PLAIN: Final = columns.Columns(Menu, "timeout_s", "retries")
FIELDS: Final = (
    Field("name", field_types.text(80), required=True),
    Field("say", said),
    Field("options", options),
    *PLAIN.fields,
    Field("otherwise", targets.target),
    Field("on_timeout", targets.target),
    Field("on_wrong", targets.target),
)


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    menus = {menu.name: menu for menu in Menu.objects.filter(company=run.company)}
    for row in rows:
        menu = menus.get(row["name"])
        if menu is None:
            if "say" not in row.lines:
                run.refuse(row.line, "menus: say is missing")
            Menu.objects.create(company=run.company, name=row["name"], **PLAIN.of(row), **_texts(run, row))
            run.note("+", f"menu {row['name']}")
        else:
            draft = columns.Draft(run, f"menu {menu.name}", menu)
            draft.plain(_texts(run, row))
            draft.plain(PLAIN.wanted(run, row, menu))
            draft.save()


def _texts(run: Import, row: Row) -> dict[str, str]:
    if "say" not in row:  # A menu always has a text: without a new one it keeps its own.
        return {}
    said = {language or run.company.language: text for language, text in row["say"].items()}
    return {f"say_{language}": said.get(language, "") for language in Language.values}


def link(run: Import, rows: tuple[Row, ...]) -> None:
    menus = {menu.name: menu for menu in _menus(run.company)}
    where = Targets(run.company, run)
    for row in rows:
        menu = menus[row["name"]]
        if "options" in row or run.prune:
            _set_options(run, row, menu, where)
        keys = {key: key if key in row or "otherwise" not in row else "otherwise" for key in ("on_timeout", "on_wrong")}
        draft = columns.Draft(run, f"menu {menu.name}", menu)
        where.lead(draft, row, keys)
        draft.save()
    if run.prune:
        # What goes leads nowhere any more: two menus that go may lead to each other.
        gone = Menu.objects.filter(company=run.company).exclude(name__in=[row["name"] for row in rows])
        gone.update(on_timeout=None, on_wrong=None)
        MenuOption.objects.filter(menu__in=gone).delete()


def _set_options(run: Import, row: Row, menu: Menu, where: Targets) -> None:
    """Set the digits that the file names; those that it does not name go only when pruned.

    A digit that leads to a user who answers no more is neither written by an export nor taken away by an import.
    """
    current = {one.digit: one for one in menu.options.all()}
    wanted: dict[str, tuple[Option, int]] = row.get("options", {})
    for digit, (option, line) in wanted.items():
        before = _option_of(current[digit], where) if digit in current else None
        if option == before:
            continue
        destination = where.find(run, "menus", option.target, line)
        if destination is None:
            continue
        values = {"place": where.place(destination), "language": option.language}
        MenuOption.objects.update_or_create(menu=menu, digit=digit, defaults=values)
        change = f"{before} → {option}" if before else str(option)
        run.note("~" if before else "+", f"menu {menu.name}: digit {digit} {change}")
    for digit in sorted(current.keys() - wanted.keys()):
        leads_somewhere = _option_of(current[digit], where).target.kind
        if leads_somewhere and run.left_out(f"menu {menu.name}: digit {digit}"):
            current[digit].delete()


def _option_of(one: MenuOption, where: Targets) -> Option:
    return Option(where.name_of_place(one.place), one.language)


def remove(run: Import, rows: tuple[Row, ...]) -> None:
    named = {row["name"] for row in rows}
    for menu in Menu.objects.filter(company=run.company).order_by("id"):
        if menu.name not in named and run.left_out(f"menu {menu.name}"):
            # Its numbers lead nowhere then, which is what a number without its menu does anyhow.
            of_menu = PhoneNumber.objects.filter(menu=menu)
            of_menu.update(destination=PhoneNumber.Destination.NONE, menu=None)
            targets.delete(run, "menus", menu)


def export(company: Company) -> list[dict[str, Any]]:
    where = Targets(company)
    return [_export_one(menu, company, where) for menu in _menus(company)]


def _export_one(menu: Menu, company: Company, where: Targets) -> dict[str, Any]:
    texts = {language: text for language in Language.values if (text := getattr(menu, f"say_{language}"))}
    chosen = sorted(menu.options.all(), key=lambda one: one.pk)
    leads = {one.digit: option.export() for one in chosen if (option := _option_of(one, where)).target.kind}
    return {
        "name": menu.name,
        "say": texts[company.language] if texts.keys() == {company.language} else texts,
        **({"options": leads} if leads else {}),
        **PLAIN.export(menu),
        **_export_otherwise(where.name_of_place(menu.on_timeout), where.name_of_place(menu.on_wrong)),
    }


def _export_otherwise(on_timeout: Target, on_wrong: Target) -> Mapping[str, Any]:
    if on_timeout == on_wrong:
        return {"otherwise": on_timeout.export()} if on_timeout.kind else {}
    both = {"on_timeout": on_timeout.export(), "on_wrong": on_wrong.export()}
    return {key: value for key, value in both.items() if value}


def _menus(company: Company) -> list[Menu]:
    rows = Menu.objects.filter(company=company).select_related("on_timeout", "on_wrong")
    return list(rows.prefetch_related("options__place").order_by("id"))


MENUS: Final = Section("menus", "name", FIELDS, apply, export, link=link, remove=remove, check=refuse_loops)
