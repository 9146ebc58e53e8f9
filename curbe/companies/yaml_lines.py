"""YAML with line numbers: a tree in which every value knows where it stands. Pure.

Only what a company file needs: mappings, lists and scalars. Aliases are refused (they make small files enormous), and
so are keys that stand twice (YAML would silently take the last).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

#: A company of a hundred thousand numbers is about 8 MB.
MAX_CHARACTERS: Final = 20_000_000
MAX_DEPTH: Final = 20
#: libyaml's, ten times as quick, where PyYAML was built with it.
LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):
    """The text is not YAML that we read. ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it is written: ``text`` is +13055550100 whether or not it stands in quotes."""

    line: int
    text: str
    is_null: bool = False
    #: None unless it is a bare true or false.
    boolean: bool | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping. ``key_lines`` has the line of each key, which is not always its value's."""

    line: int
    values: Mapping[str, Node] = field(default_factory=dict)
    key_lines: Mapping[str, int] = field(default_factory=dict)


Node = Scalar | Sequence | Table


def parse(text: str) -> Node:
    """Return the document as a tree. Raises Unreadable."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(1, f"the file is longer than {MAX_CHARACTERS} characters")
    strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        raise Unreadable(line, f"the character U+{ord(strange[0]):04X} does not belong in a file")
    try:
        _refuse(text)
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as err:
        raise _unreadable(err, text) from err
    if root is None:
        raise Unreadable(1, "the file is empty")
    return _tree(root)


def _refuse(text: str) -> None:
    """Refuse what makes a small file a lot of work."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable(_line_of(event.start_mark), "aliases (*name) are not read: write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise Unreadable(_line_of(event.start_mark), "lists and mappings are nested too deep")


def _unreadable(err: yaml.MarkedYAMLError, text: str) -> Unreadable:
    line = _line_of(err.problem_mark or err.context_mark)
    if "flow" in (err.context or "") and line > text.rstrip().count("\n"):
        # What is never closed is missed at the end of the file; where it was opened helps more.
        return Unreadable(_line_of(err.context_mark), f"{err.context}: {err.problem}, up to the end of the file")
    return Unreadable(line, err.problem or "this is not YAML")


def _line_of(mark: Any) -> int:
    """Return the line of a mark of yaml's, which counts from 0; a thing without a mark stands on the first line."""
    return 1 if mark is None else int(mark.line) + 1


def _tree(node: yaml.Node) -> Node:
    line = _line_of(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _table(node, line)
    if isinstance(node, yaml.SequenceNode):
        return Sequence(line, tuple(_tree(item) for item in node.value))
    boolean = node.value.lower() in {"true", "yes", "on"} if node.tag == "tag:yaml.org,2002:bool" else None
    return Scalar(line, str(node.value), is_null=node.tag == "tag:yaml.org,2002:null", boolean=boolean)


def _table(node: yaml.MappingNode, line: int) -> Table:
    values: dict[str, Node] = {}
    key_lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key_line = _line_of(key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            raise Unreadable(key_line, "a key must be one word")
        key = str(key_node.value)
        if key in values:
            raise Unreadable(key_line, f"{key} stands twice, first on line {key_lines[key]}")
        values[key], key_lines[key] = _tree(value_node), key_line
    return Table(line, values, key_lines)
