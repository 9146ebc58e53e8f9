"""A company as one document: which sections there are, how a file is read, applied and written.

Each app registers its sections in ``AppConfig.ready()``; this module knows none of them. Rules of an import:

- An absent section, row, key or list member is left as it is; with ``prune`` it goes, or goes back to its default.
- Everything that is wrong is reported, with its line; if anything is, nothing is changed.
- Applied twice, a file changes nothing the second time. What ``export`` writes, an import takes without a change.
- Rows may name rows that come later, in their own section or another: an import makes all of them before it links any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from django.db import transaction

from curbe.companies.models import Company, User
from curbe.companies.yaml_lines import Node, Scalar, Sequence, Table, Unreadable, parse


class Wrong(ValueError):
    """A value is not what its key takes. The text completes "<key> …"; ``line`` is that of a part of the value."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class UnableToImport(Exception):
    """Something in the file is wrong, and nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda problem: (problem.line, problem.reason)))
        super().__init__("\n".join(f"line {problem.line}: {problem.reason}" for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a row. ``read`` returns the value, or raises Wrong."""

    key: str
    read: Callable[[Node], Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What a file says of one thing. Keys that are absent, or were wrong, are not in ``values``."""

    line: int
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def get(self, key: str, absent: Any) -> Any:
        return self.values.get(key, absent)

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


@dataclass(frozen=True, slots=True)
class Part:
    """What a file says in one section, and where the section begins."""

    line: int
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """``sign``: + added, ~ changed, - gone, = kept although the file does not name it (``prune`` would remove it)."""

    sign: str
    what: str

    def __str__(self) -> str:
        return f"{self.sign} {self.what}"


@dataclass(slots=True)
class Import:
    """One import under way: the company, what has been changed so far, and what is wrong."""

    company: Company
    prune: bool
    #: The sections that the file has.
    parts: Mapping[str, Part] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    #: Users made by this import; they have no password yet.
    new_users: list[User] = field(default_factory=list)
    #: Who became a member by this import.
    joined: set[int] = field(default_factory=set)

    def refuse(self, line: int, reason: str) -> None:
        self.problems.append(Problem(line, reason))

    def note(self, sign: str, what: str) -> None:
        self.changes.append(Change(sign, what))

    def left_out(self, what: str) -> bool:
        """Note what is there and the file does not name; say whether it has to go."""
        self.note("-" if self.prune else "=", what)
        return self.prune

    def wanted(self, row: Row, key: str, *, now: Any, default: Any) -> Any:
        """Return what ``key`` should be: the file's value; if absent, what it is ``now``, or ``default`` if pruned."""
        if key in row:
            return row[key]
        return default if self.prune else now


@dataclass(frozen=True, slots=True)
class Result:
    company: Company
    changes: tuple[Change, ...]
    new_users: tuple[User, ...]

    @property
    def is_unchanged(self) -> bool:
        return all(change.sign == "=" for change in self.changes)


Apply = Callable[[Import, tuple[Row, ...]], None]


@dataclass(frozen=True, slots=True)
class Section:
    """A top-level key that holds a list of rows. ``key`` names a row and stands once.

    ``export`` returns the rows as plain dictionaries, keys in the order in which they are written.
    """

    name: str
    key: str
    fields: tuple[Field, ...]
    #: Makes the rows, and changes what they say of themselves.
    apply: Apply
    export: Callable[[Company], list[dict[str, Any]]]
    #: Changes what they say of rows of this and other sections; runs when every section has made its rows.
    link: Apply | None = None
    #: Takes away what the file does not name; runs when everything is linked, the last section first.
    remove: Apply | None = None
    #: Looks at the whole; runs at the end, if nothing was wrong.
    check: Apply | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """Further keys of another app's section.

    ``apply`` runs after the section's own; ``export`` gives, by the row's key, what to add to the row.
    """

    section: str
    fields: tuple[Field, ...]
    apply: Apply
    export: Callable[[Company], Mapping[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Head:
    """The section ``company``: one mapping that says which company the file is about."""

    fields: tuple[Field, ...]
    #: Returns the company, made or changed; None when it cannot be (then it refused).
    apply: Callable[[Row, list[Problem], list[Change], bool], Company | None]
    export: Callable[[Company], dict[str, Any]]


HEAD: Final = "company"
_heads: list[Head] = []
_sections: dict[str, Section] = {}
_extensions: list[Extension] = []
_frames: list[Callable[[], AbstractContextManager[None]]] = []


def register_head(head: Head) -> None:
    _heads[:] = [head]


def register(section: Section) -> None:
    """Add a section. The order of registering is the order of applying: apps below register first."""
    _sections[section.name] = section


def extend(extension: Extension) -> None:
    if extension not in _extensions:
        _extensions.append(extension)


def surround(frame: Callable[[], AbstractContextManager[None]]) -> None:
    """Let every import happen inside ``frame()``, which is left before the import's transaction ends."""
    if frame not in _frames:
        _frames.append(frame)


def import_company(text: str, *, prune: bool = False, dry_run: bool = False) -> Result:
    """Make the company be as the file says, all of it or nothing; ``dry_run`` says what would be done. Raises
    UnableToImport."""
    problems: list[Problem] = []
    head, parts = read(text, problems)
    if head is None:
        raise UnableToImport(problems)
    with transaction.atomic():
        with ExitStack() as frames:
            for frame in _frames:
                frames.enter_context(frame())
            run = _run(head, parts, problems, prune=prune)
        if dry_run:
            transaction.set_rollback(True)
    return Result(run.company, tuple(run.changes), tuple(run.new_users))


def _run(head: Row, parts: Mapping[str, Part], problems: list[Problem], *, prune: bool) -> Import:
    changes: list[Change] = []
    company = _heads[0].apply(head, problems, changes, prune)
    if company is None:
        raise UnableToImport(problems)
    run = Import(company=company, prune=prune, parts=parts, problems=problems, changes=changes)
    sections = [(section, parts[name].rows) for name, section in _sections.items() if name in parts]
    for section, rows in sections:
        section.apply(run, rows)
        for extension in _extensions_of(section.name):
            extension.apply(run, rows)
    for section, rows in sections:
        if section.link:
            section.link(run, rows)
    for section, rows in reversed(sections):
        if section.remove:
            section.remove(run, rows)
    for section, rows in sections:
        if section.check and not problems:
            section.check(run, rows)
    if problems:
        raise UnableToImport(problems)
    return run


def read(text: str, problems: list[Problem]) -> tuple[Row | None, dict[str, Part]]:
    """Return the company's row (None when there is none) and what the file says in each section that it has."""
    try:
        root = parse(text)
    except Unreadable as err:
        problems.append(Problem(err.line, err.reason))
        return None, {}
    if not isinstance(root, Table):
        problems.append(Problem(root.line, f"a company file is a mapping of sections: {', '.join(section_names())}"))
        return None, {}
    for name, line in root.key_lines.items():
        if name not in section_names():
            problems.append(Problem(line, f"unknown section {name}; this version knows {', '.join(section_names())}"))
    parts = {
        name: Part(root.key_lines[name], _rows(section, root.values[name], problems))
        for name, section in _sections.items()
        if name in root.values
    }
    if HEAD not in root.values:
        problems.append(Problem(root.line, "the section company is missing: it says which company this file is about"))
        return None, parts
    return _row(HEAD, _heads[0].fields, root.values[HEAD], problems), parts


def export_company(company: Company) -> str:
    """Return the company's file."""
    lines = [f"{HEAD}: {_flow(_heads[0].export(company))}"]
    for name, section in _sections.items():
        rows = section.export(company)
        for extension in _extensions_of(name):
            more = extension.export(company)
            rows = [{**row, **more.get(row[section.key], {})} for row in rows]
        if rows:
            lines += [f"{name}:", *(f"  - {_flow(row)}" for row in rows)]
    return "\n".join(lines) + "\n"


def section_names() -> tuple[str, ...]:
    return (HEAD, *_sections)


def _extensions_of(name: str) -> list[Extension]:
    return [extension for extension in _extensions if extension.section == name]


def _fields_of(section: Section) -> tuple[Field, ...]:
    return section.fields + tuple(extra for extension in _extensions_of(section.name) for extra in extension.fields)


def _rows(section: Section, node: Node, problems: list[Problem]) -> tuple[Row, ...]:
    if isinstance(node, Scalar) and node.is_null:
        return ()
    if not isinstance(node, Sequence):
        problems.append(Problem(node.line, f"{section.name} must be a list"))
        return ()
    first: dict[Any, int] = {}
    rows = []
    for item in node.items:
        row = _row(section.name, _fields_of(section), item, problems)
        if row is None or section.key not in row:
            continue
        name = row[section.key]
        if name in first:
            problems.append(Problem(row.line, f"{section.key} {name} stands twice, first on line {first[name]}"))
            continue
        first[name] = row.line
        rows.append(row)
    return tuple(rows)


def _row(where: str, fields: tuple[Field, ...], node: Node, problems: list[Problem]) -> Row | None:
    if not isinstance(node, Table):
        problems.append(Problem(node.line, f"{where}: a row is a mapping of {', '.join(one.key for one in fields)}"))
        return None
    known = {one.key: one for one in fields}
    values: dict[str, Any] = {}
    for key, value in node.values.items():
        if key not in known:
            reason = f"{where}: unknown key {key}; this version knows {', '.join(known)}"
            problems.append(Problem(node.key_lines[key], reason))
            continue
        try:
            values[key] = known[key].read(value)
        except Wrong as err:
            problems.append(Problem(err.line or value.line, f"{where}: {key} {err}"))
    for one in fields:
        if one.required and one.key not in node.values:
            problems.append(Problem(node.line, f"{where}: {one.key} is missing"))
    return Row(node.line, values, dict(node.key_lines))


class _Dumper(yaml.SafeDumper):
    """Writes an enum's member as its value."""


_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))


def _flow(row: dict[str, Any]) -> str:
    """Return a row on one line, as people write them."""
    text = yaml.dump(row, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, sort_keys=False, width=math.inf)
    return str(text).strip()
