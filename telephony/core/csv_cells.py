"""Cells of a CSV that a spreadsheet opens: text stays text. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

#: So that Excel reads the file as UTF-8.
BOM: Final = "\ufeff"
#: What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Where another spreadsheet would begin a cell: split at semicolons, as in Spain and Argentina, a name of ours is two.
#: Quotes do not help there: they stand in the middle of what is one cell by that reckoning.
_SECOND_CELL: Final = re.compile(r"([;\t|\r\n])(?=[\s\"'\u00a0]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])")
#: A number as E.164 calculates nothing, and programs read it.
_HARMLESS: Final = re.compile(r"\+[0-9]{1,15}|-?[0-9]+(?:[.,][0-9]+)?")


def cell(value: object) -> str:
    """Return the value as a cell's text; what would be a formula, here or split otherwise, gets an apostrophe."""
    text = _SECOND_CELL.sub(r"\1'", "" if value is None else str(value))
    # Full-width signs are formulas to some, and blanks before a sign are skipped.
    sign = text.lstrip(" \u00a0").translate({0xFF1D: "=", 0xFF0B: "+", 0xFF0D: "-", 0xFF20: "@"})
    if sign.startswith(_FORMULA) and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Return the rows as lines of CSV (RFC 4180)."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()
