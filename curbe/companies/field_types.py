"""What the keys of a company file take: each function reads one value, or raises Wrong. Pure."""

from __future__ import annotations

import functools
import unicodedata
import zoneinfo
from collections.abc import Callable, Collection

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug

from curbe.companies.company_file import Wrong
from curbe.companies.yaml_lines import Node, Scalar, Sequence
from curbe.lib.phone import is_e164


def text(max_length: int, *, empty: bool = False) -> Callable[[Node], str]:
    """Return a reader of one line of text; ``empty`` lets "" and nothing pass as ""."""

    def read(node: Node) -> str:
        if not isinstance(node, Scalar):
            raise Wrong("must be text")
        value = "" if node.is_null else node.text
        if not value.strip():
            if empty:
                return ""
            raise Wrong("must not be empty")
        if len(value) > max_length:
            raise Wrong(f"must have at most {max_length} characters, not {len(value)}")
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
            raise Wrong("must be one line without control characters")
        return value

    return read


def paragraph(max_length: int) -> Callable[[Node], str]:
    """Return a reader of words that are spoken, also several lines, as they stand; nothing is ""."""

    def read(node: Node) -> str:
        if not isinstance(node, Scalar):
            raise Wrong("must be text")
        value = "" if node.is_null else node.text
        if len(value) > max_length:
            raise Wrong(f"must have at most {max_length} characters, not {len(value)}")
        if any(unicodedata.category(one) in {"Cc", "Cs"} and one not in "\n\r\t" for one in value):
            raise Wrong("must be without control characters")
        return value

    return read


def one_of(choices: Collection[str]) -> Callable[[Node], str]:
    def read(node: Node) -> str:
        value = text(80)(node)
        if value not in choices:
            raise Wrong(f"must be one of {', '.join(choices)}, not {value}")
        return value

    return read


def checked(read: Callable[[Node], str], check: Callable[[str], object], reason: str) -> Callable[[Node], str]:
    """Return ``read`` with a validator of Django's after it; empty text is not checked."""

    def read_and_check(node: Node) -> str:
        value = read(node)
        try:
            if value:
                check(value)
        except ValidationError as err:
            raise Wrong(reason) from err
        return value

    return read_and_check


def slug_of(max_length: int) -> Callable[[Node], str]:
    reason = "must be letters, digits, hyphens and underscores without accents"
    return checked(text(max_length), validate_slug, reason)


def e164(node: Node) -> str:
    value = text(40)(node)
    if not is_e164(value):
        raise Wrong(f'must be a number as E.164, such as "+13055550100", not {value}')
    return value


def e164_or_empty(node: Node) -> str:
    return e164(node) if text(40, empty=True)(node) else ""


def countries(node: Node) -> list[str]:
    """Read a list of countries, ISO 3166 alpha-2; an empty one allows none."""
    if not isinstance(node, Sequence):
        raise Wrong("must be a list of countries such as [US, CA]")
    codes = [text(2)(item) for item in node.items]
    for code, item in zip(codes, node.items, strict=True):
        if not (len(code) == 2 and code.isascii() and code.isupper()):
            raise Wrong(f"must be two capital letters each, such as US, not {code}", item.line)
    return sorted(set(codes), key=codes.index)


def timezone(node: Node) -> str:
    value = text(64)(node)
    if value not in _timezones():
        raise Wrong(f"must be a time zone such as America/New_York, not {value}")
    return value


@functools.cache
def _timezones() -> frozenset[str]:
    # Looked for on the disk, which takes long enough to be felt in a file of many hours.
    return frozenset(zoneinfo.available_timezones())


def boolean(node: Node) -> bool:
    if not isinstance(node, Scalar) or node.boolean is None:
        raise Wrong("must be true or false")
    return node.boolean


def whole(low: int, high: int) -> Callable[[Node], int]:
    def read(node: Node) -> int:
        value = text(12)(node)
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise Wrong(f"must be a whole number from {low} to {high}, not {value}")
        return int(value)

    return read


def names(max_length: int) -> Callable[[Node], tuple[tuple[str, int], ...]]:
    """Return a reader of a list of names; each comes with its line."""

    def read(node: Node) -> tuple[tuple[str, int], ...]:
        if isinstance(node, Scalar) and node.is_null:
            return ()
        if not isinstance(node, Sequence):
            raise Wrong("must be a list of names")
        found = tuple((text(max_length)(item), item.line) for item in node.items)
        if len({name for name, _line in found}) != len(found):
            raise Wrong("names somebody twice")
        return found

    return read


email = checked(text(254, empty=True), validate_email, "must be an e-mail address")
slug = slug_of(50)
