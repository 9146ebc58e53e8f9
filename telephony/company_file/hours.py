"""The section ``hours``: weekly hours, dates on which others hold, and the switch."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any, Final, NamedTuple

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company
from curbe.companies.yaml_lines import Node, Scalar, Sequence, Table
from telephony.company_file import columns, targets
from telephony.core.hours_text import DAYS, WrongHours, format_weekly, parse_hours, parse_weekly
from telephony.models import BusinessHours, SpecialDate


class Special(NamedTuple):
    """What a file says of one date."""

    every_year: bool = False
    intervals: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        hours = ", ".join(self.intervals) or "closed"
        return " ".join(filter(None, [hours, "every year" if self.every_year else "", self.name]))


Dates = dict[date, Special]


def timezone(node: Node) -> str:
    return field_types.timezone(node) if field_types.text(64, empty=True)(node) else ""


def country(node: Node) -> str:
    value = field_types.text(2, empty=True)(node)
    if value and not re.fullmatch(r"[A-Z]{2}", value):
        raise Wrong(f"must be the two letters of a country, such as US, not {value}")
    return value


def day(node: Node) -> date:
    text = field_types.text(40)(node)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise Wrong(f'must be a date such as "2026-12-25", not {text}')


def intervals(node: Node) -> list[str]:
    """Read ``["09:00-13:00", "15:00-18:00"]``, or one of them alone; nothing is closed."""
    try:
        return parse_hours(_plain(node))
    except WrongHours as err:
        raise _wrong(node, err) from err


def week(node: Node) -> dict[str, list[str]]:
    """Read ``{mon-fri: ["09:00-18:00"], sat: ["10:00-14:00"]}``. It says the whole week: other days are closed."""
    try:
        plain = _plain(node)
        return parse_weekly({} if plain is None else plain)
    except WrongHours as err:
        raise _wrong(node, err) from err


def _plain(node: Node) -> Any:
    match node:
        case Table(values=values):
            return {key: _plain(value) for key, value in values.items()}
        case Sequence(items=items):
            return [_plain(item) for item in items]
        case Scalar(is_null=True):
            return None
    return node.text


def _wrong(node: Node, err: WrongHours) -> Wrong:
    """Return the first thing that is wrong, with the line on which it stands."""
    first, line = err.wrong[0], node.line
    for step in first.path:
        match node, step:
            case Table(values=values, key_lines=lines), str(key):
                node, line = values[key], lines[key]
            case Sequence(items=items), int(index):
                node, line = items[index], items[index].line
    return Wrong(first.reason, line)


def closed(node: Node) -> Dates:
    return _dates(node, "a list of dates", lambda item: (day(item), Special()))


def special(node: Node) -> Dates:
    return _dates(node, "a list of dates with their hours", _special)


def _dates(node: Node, what: str, read: Callable[[Node], tuple[date, Special]]) -> Dates:
    if isinstance(node, Scalar) and node.is_null:
        return {}
    if not isinstance(node, Sequence):
        raise Wrong(f"must be {what}")
    found: Dates = {}
    for item in node.items:
        try:
            at, said = read(item)
        except Wrong as err:
            raise Wrong(str(err), err.line or item.line) from err
        if at in found:
            raise Wrong(f"says {at} twice", item.line)
        found[at] = said
    return found


_SPECIAL_KEYS: Final = ("date", "every_year", "hours", "name")


def _special(node: Node) -> tuple[date, Special]:
    if not isinstance(node, Table) or "date" not in node.values:
        raise Wrong('must be such as {date: "2026-12-24", hours: ["09:00-13:00"], name: Nochebuena}')
    for key, line in node.key_lines.items():
        if key not in _SPECIAL_KEYS:
            raise Wrong(f"has an unknown key {key}; this version knows {', '.join(_SPECIAL_KEYS)}", line)
    values = node.values
    every_year = field_types.boolean(values["every_year"]) if "every_year" in values else False
    hours = tuple(intervals(values["hours"])) if "hours" in values else ()
    name = field_types.text(80, empty=True)(values["name"]) if "name" in values else ""
    return day(values["date"]), Special(every_year, hours, name)


SWITCH: Final = columns.Columns(BusinessHours, "switch")
FIELDS: Final = (
    Field("name", field_types.text(80), required=True),
    Field("timezone", timezone),
    Field("weekly", week),
    Field("closed", closed),
    Field("special", special),
    Field("country", country),
    *SWITCH.fields,
)
DEFAULTS: Final = {"timezone": "", "country": "", **SWITCH.defaults}


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    known = targets.hours_by_name(run.company)
    for row in rows:
        hours = known.get(row["name"])
        if hours is None:
            values = {key: row[key] for key in ("weekly", *DEFAULTS) if key in row}
            hours = BusinessHours.objects.create(company=run.company, name=row["name"], **values)
            run.note("+", f"hours {hours.name}")
        else:
            _change(run, row, hours)
        _set_dates(run, row, hours)


def _change(run: Import, row: Row, hours: BusinessHours) -> None:
    draft = columns.Draft(run, f"hours {hours.name}", hours)
    before = {day: list(hours.weekly[day]) for day in DAYS if hours.weekly.get(day)}
    weekly = run.wanted(row, "weekly", now=before, default={})
    if weekly != before:
        draft.put({"weekly": weekly}, "weekly", _week_in_words(before), _week_in_words(weekly))
    for key, default in DEFAULTS.items():
        draft.plain({key: run.wanted(row, key, now=getattr(hours, key), default=default)})
    draft.save()


def _set_dates(run: Import, row: Row, hours: BusinessHours) -> None:
    without_hours: Dates = row.get("closed", {})
    with_hours: Dates = row.get("special", {})
    for at in without_hours.keys() & with_hours.keys():
        run.refuse(row.line_of("special"), f"hours: special says {at}, and closed too")
    wanted = {**without_hours, **with_hours}
    current = {one.date: one for one in hours.special_dates.all()}
    for at, said in wanted.items():
        _set_date(run, hours, current.get(at), at, said)
    if run.prune or "closed" in row or "special" in row:
        for at in sorted(current.keys() - wanted.keys()):
            if run.left_out(f"hours {hours.name}: {at}"):
                current[at].delete()


def _set_date(run: Import, hours: BusinessHours, current: SpecialDate | None, at: date, said: Special) -> None:
    what = f"hours {hours.name}: {at}"
    values = {"every_year": said.every_year, "intervals": list(said.intervals), "name": said.name}
    if current is None:
        SpecialDate.objects.create(hours=hours, date=at, **values)
        run.note("+", f"{what} {said}")
    elif _said_of(current) != said:
        run.note("~", f"{what} {_said_of(current)} → {said}")
        for key, value in values.items():
            setattr(current, key, value)
        current.save(update_fields=list(values))


def _said_of(one: SpecialDate) -> Special:
    return Special(one.every_year, tuple(one.intervals), one.name)


def _week_in_words(weekly: dict[str, list[str]]) -> str:
    return ", ".join(f"{days} {' '.join(hours)}" for days, hours in format_weekly(weekly).items()) or "never open"


def remove(run: Import, rows: tuple[Row, ...]) -> None:
    """Take hours away that the file does not name. Refused while a number keeps them: it would be open at any hour."""
    for name, hours in targets.hours_by_name(run.company).items():
        if name in {row["name"] for row in rows} or not run.left_out(f"hours {name}"):
            continue
        number = hours.numbers.order_by("id").first()
        if number is None:
            targets.delete(run, "hours", hours)
        else:
            targets.refuse_to_go(run, "hours", name, number)


def export(company: Company) -> list[dict[str, Any]]:
    rows = BusinessHours.objects.filter(company=company).prefetch_related("special_dates").order_by("id")
    return [_export_one(hours) for hours in rows]


def _export_one(hours: BusinessHours) -> dict[str, Any]:
    dates = {one.date: _said_of(one) for one in sorted(hours.special_dates.all(), key=lambda one: one.date)}
    row: dict[str, Any] = {
        "name": hours.name,
        "timezone": hours.timezone,
        "weekly": format_weekly(hours.weekly),
        "closed": [at.isoformat() for at, said in dates.items() if said == Special()],
        "special": [_export_special(at, said) for at, said in dates.items() if said != Special()],
        "country": hours.country,
        **SWITCH.export(hours),
    }
    return {key: value for key, value in row.items() if value}


def _export_special(at: date, said: Special) -> dict[str, Any]:
    row = {"date": at.isoformat(), "every_year": said.every_year, "hours": list(said.intervals), "name": said.name}
    return {key: value for key, value in row.items() if value}


HOURS: Final = Section("hours", "name", FIELDS, apply, export, remove=remove)
