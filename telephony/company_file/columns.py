"""Keys of a row that are columns of its model under the same name: the model alone says what they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row
from curbe.companies.yaml_lines import Node, Scalar


class Columns:
    """Some columns of a model as keys of the file."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        columns: list[Any] = [model._meta.get_field(name) for name in names]
        self.fields = tuple(Field(column.name, _reader(column)) for column in columns)
        self.defaults: Mapping[str, Any] = {column.name: _plain(column.get_default()) for column in columns}

    def of(self, row: Row) -> dict[str, Any]:
        """Return what the file says."""
        return {name: row[name] for name in self.defaults if name in row}

    def wanted(self, run: Import, row: Row, instance: models.Model) -> dict[str, Any]:
        """Return what they should be."""
        return {
            name: run.wanted(row, name, now=getattr(instance, name), default=default)
            for name, default in self.defaults.items()
        }

    def export(self, instance: models.Model) -> dict[str, Any]:
        """Return those that are not as they are by default."""
        values = {name: _plain(getattr(instance, name)) for name in self.defaults}
        return {name: value for name, value in values.items() if value != self.defaults[name]}


class Draft:
    """What an import makes of one row: saved at once, and noted on one line. ``what`` is such as ``queue ventas``."""

    def __init__(self, run: Import, what: str, instance: models.Model) -> None:
        self.run = run
        self.what = what
        self.section = f"{what.split(' ')[0].removesuffix('s')}s"
        self.instance = instance
        self.is_new = instance.pk is None
        self._columns: list[str] = []
        self._words: list[str] = []

    def put(self, values: Mapping[str, Any], key: str, before: object, after: object) -> None:
        """Set columns, and say it as ``key before → after``."""
        for name, value in values.items():
            setattr(self.instance, name, value)
        self._columns += values
        now = in_words(after) if self.is_new else f"{in_words(before)} → {in_words(after)}"
        self._words.append(f"{key} {now}".strip())

    def plain(self, wanted: Mapping[str, Any]) -> None:
        """Set those of the columns that are different and are written as they are."""
        for name, value in wanted.items():
            before = getattr(self.instance, name)
            if before != value:
                self.put({name: value}, name, before, value)

    def save(self) -> None:
        if self.is_new:
            self.instance.save()
        elif self._columns:
            self.instance.save(update_fields=self._columns)
        else:
            return
        words = f": {', '.join(self._words)}" if self._words else ""
        self.run.note("+" if self.is_new else "~", f"{self.what}{words}")


def in_words(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "(none)"


def _plain(value: Any) -> Any:
    """Return an enum's member as its value."""
    return value.value if isinstance(value, models.TextChoices) else value


def _reader(column: Any) -> Callable[[Node], Any]:
    if isinstance(column, models.BooleanField):
        return field_types.boolean
    if column.choices:
        values = [str(value) for value, _label in column.flatchoices if value]
        return _or_empty(field_types.one_of(values)) if column.blank else field_types.one_of(values)
    if isinstance(column, models.IntegerField):
        low = max(one.limit_value for one in column.validators if isinstance(one, MinValueValidator))
        high = min(one.limit_value for one in column.validators if isinstance(one, MaxValueValidator))
        return field_types.whole(low, high)
    assert isinstance(column, models.CharField) and column.max_length
    return field_types.text(column.max_length, empty=column.blank)


def _or_empty(read: Callable[[Node], str]) -> Callable[[Node], str]:
    def read_or_empty(node: Node) -> str:
        is_empty = isinstance(node, Scalar) and (node.is_null or not node.text)
        return "" if is_empty else read(node)

    return read_or_empty
