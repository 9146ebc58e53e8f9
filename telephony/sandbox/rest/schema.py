"""Checks a request against a table of fields. A field that the table does not know is an error: we catch mistakes.

A specification is `str`, `bool`, `int`, `float`, None for anything, a tuple of allowed values, `[spec]` for a list, a
dict for an object (whose names may end in `!`: required), `Range(lo, hi)` or `E164`. None is allowed for what is not
required, as Telnyx does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telephony.sandbox.rest.errors import ApiError, Problem

Spec = Any
_E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class Range:
    lo: int
    hi: int


class E164:
    """A number like +13055550100."""


def check_body(table: Mapping[str, Spec], body: Any) -> dict[str, Any]:
    """Return the body, checked. Raises ApiError 422 that names every wrong field by its pointer."""
    problems = _check(dict(table), body, "")
    if problems:
        raise ApiError(422, *problems)
    return dict(body)


def check_form(table: Mapping[str, Spec], body: Mapping[str, Any]) -> dict[str, Any]:
    """As `check_body`, where a form may have brought numbers and booleans as texts."""
    known = {name.rstrip("!"): spec for name, spec in table.items()}
    read = {
        name: _from_text(known[name], value) if name in known and isinstance(value, str) else value
        for name, value in body.items()
    }
    return check_body(table, read)


def check_query(table: Mapping[str, Spec], query: Mapping[str, str]) -> dict[str, Any]:
    """Return the query with texts turned into what the table says. Raises ApiError 422 for what it does not know."""
    read: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, text in query.items():
        if name not in table:
            problems.append(_unknown(name, table, f"/{name}"))
            continue
        value = _from_text(table[name], text)
        problems += _check(table[name], value, f"/{name}")
        read[name] = value
    if problems:
        raise ApiError(422, *problems)
    return read


def _check(spec: Spec, value: Any, pointer: str) -> list[Problem]:
    match spec:
        case None:
            return []
        case dict():
            return _check_object(spec, value, pointer)
        case list():
            if not isinstance(value, list):
                return [_wrong_type(pointer, "a list", value)]
            return [
                problem for place, item in enumerate(value) for problem in _check(spec[0], item, f"{pointer}/{place}")
            ]
        case tuple():
            if value in spec:
                return []
            return [Problem("10032", f"{value!r} is not one of {', '.join(map(str, spec))}.", pointer)]
        case Range(lo=lo, hi=hi):
            if type(value) is not int:
                return [_wrong_type(pointer, "a whole number", value)]
            return [] if lo <= value <= hi else [Problem("10027", f"{value} is not within {lo} and {hi}.", pointer)]
        case _ if spec is E164:
            if isinstance(value, str) and _E164.fullmatch(value):
                return []
            return [Problem("10002", f"{value!r} is not a number in +E.164 form.", pointer)]
        case _ if spec is float:
            return (
                []
                if isinstance(value, int | float) and type(value) is not bool
                else [_wrong_type(pointer, "a number", value)]
            )
        case _:
            return [] if type(value) is spec else [_wrong_type(pointer, spec.__name__, value)]


def _check_object(table: dict[str, Spec], value: Any, pointer: str) -> list[Problem]:
    if not isinstance(value, dict):
        return [_wrong_type(pointer or "/", "an object", value)]
    known = {name.rstrip("!"): (spec, name.endswith("!")) for name, spec in table.items()}
    problems = [
        Problem("10004", f"The parameter '{name}' is required.", f"{pointer}/{name}")
        for name, (_, required) in known.items()
        if required and value.get(name) in (None, "", [])
    ]
    for name, item in value.items():
        if name not in known:
            problems.append(_unknown(name, known, f"{pointer}/{name}"))
        elif item is not None:
            problems += _check(known[name][0], item, f"{pointer}/{name}")
    return problems


def _unknown(name: str, known: Mapping[str, Any], pointer: str) -> Problem:
    return Problem("10015", f"Unknown parameter '{name}'. Known: {', '.join(sorted(known)) or 'none'}.", pointer)


def _wrong_type(pointer: str, wanted: str, value: Any) -> Problem:
    return Problem("10026", f"Expected {wanted}, got {value!r}.", pointer)


def _from_text(spec: Spec, text: str) -> Any:
    """A query carries text: read it as the table's type where it can be read so, else leave it to be refused."""
    if spec is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if spec is int or isinstance(spec, Range):
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
    if isinstance(spec, list):
        return [part for part in text.split(",") if part]
    return text
