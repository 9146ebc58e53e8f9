"""Prepared statements for the few roads where the ORM would cost five times the database."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.models import AutoField, Model
from django.db.models.fields.files import FieldFile
from psycopg.abc import Transformer as Reader
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.json import Jsonb

Params = Mapping[str, Any] | Sequence[Any]
Rows = list[tuple[Any, ...]]
M = TypeVar("M", bound=Model)


def prepared(sql: str, params: Params) -> Rows:
    """Run one statement, prepared by the server at its first use on this connection; return its rows.

    Parameters are psycopg's (``%s``, or ``%(name)s``) and travel as text: what type each has, the statement says where
    it stands (``%(agents)s::bigint[]``) if it does not follow from there. A document goes in as ``Jsonb``.

    It shares Django's connection of this thread, so it is part of an open transaction, and it is counted by
    ``assertNumQueries``. Outside a transaction a connection that died meanwhile is opened anew, once: every statement
    run through here must be safe to run twice when its answer was lost.
    """
    statement = _statement(sql)
    try:
        return _run(statement, params)
    except DatabaseError:
        if connection.in_atomic_block or not _is_dead():
            raise
        connection.close()
        return _run(statement, params)


def columns_of(model: type[Model]) -> str:
    """Return the columns of a model's rows in their order, for a statement whose rows ``row_of`` reads."""
    return ", ".join(str(field.column) for field in model._meta.concrete_fields)


def row_of(model: type[M], values: Sequence[Any]) -> M:
    """Return a row that ``columns_of`` asked for as its model, as the ORM would; it has no field that converts."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(DEFAULT_DB_ALIAS, names, values)


def inserted(row: Model, *, now: datetime) -> bool:
    """Insert a row unless one like it is there; say whether it was. ``now`` fills what is filled by being added.

    Nothing else that ``save`` does happens (signals), and the row does not learn a key that the database gives.
    """
    meta = row._meta
    fields = [one for one in meta.concrete_fields if not (isinstance(one, AutoField) and row.pk is None)]
    values = [now if getattr(one, "auto_now_add", False) else one.value_from_object(row) for one in fields]
    given = [str(value) if isinstance(value, FieldFile) else value for value in values]
    places = ", ".join(["%s"] * len(fields))
    names = ", ".join(str(one.column) for one in fields)
    statement = f"INSERT INTO {meta.db_table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING RETURNING 1"
    if not prepared(statement, given):
        return False
    for one in fields:
        if getattr(one, "auto_now_add", False):
            setattr(row, one.attname, now)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


def _is_dead() -> bool:
    raw = connection.connection
    return raw is None or bool(raw.closed)


class _Statement:
    """A text of ours in PostgreSQL's own form: ``$1`` for the first parameter."""

    _numbers: Final = count(1)

    def __init__(self, sql: str) -> None:
        #: Unique in the process, whatever the types of the values; psycopg would prepare anew for each mixture.
        self.name: Final = b"curbe_%d" % next(self._numbers)
        self.sql: Final = sql
        #: Empty: the parameters are positional.
        self.order: Final = tuple(dict.fromkeys(_NAMED.findall(sql)))
        places = {name: f"${place}" for place, name in enumerate(self.order, 1)}
        positional = count(1)

        def placed(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%"
            return places[found[1]] if found[1] else f"${next(positional)}"

        self.text: Final = _PLACE.sub(placed, sql).encode()

    def values(self, params: Params) -> list[bytes | None]:
        given = [params[name] for name in self.order] if isinstance(params, Mapping) else params
        return [None if value is None else _written(value) for value in given]


_NAMED: Final = re.compile(r"%\((\w+)\)s")
_PLACE: Final = re.compile(r"%%|%s|%\((\w+)\)s")
_statement = cache(_Statement)

#: What each connection has prepared, with what reads its rows. Nothing else prepares on Django's connections (its own
#: cursor binds on the client), so nothing ever deallocates.
_known: Final[WeakKeyDictionary[psycopg.Connection, dict[bytes, Reader]]] = WeakKeyDictionary()


def _run(statement: _Statement, params: Params) -> Rows:
    # `connection` is a proxy that looks itself up at each touch.
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    started = time.monotonic() if database.queries_logged else 0.0
    try:
        with database.wrap_database_errors:
            return _execute(database.connection, statement, statement.values(params))
    finally:
        if database.queries_logged:
            database.queries_log.append({"sql": statement.sql, "time": f"{time.monotonic() - started:.3f}"})


def _execute(raw: psycopg.Connection, statement: _Statement, values: list[bytes | None]) -> Rows:
    """Go straight to libpq: a cursor costs as much as the round trip, and lets go of the GIL at each of its steps.

    Measured with six parameters: 51 → 31 µs of processor time, most of what is left the system's.
    """
    server = raw.pgconn
    known = _known.get(raw)
    if known is None:
        # Left to itself, PostgreSQL may plan a statement anew at every execution, because it guesses more values in an
        # array than there are. That cost more than claiming five agents does.
        _checked(server, server.exec_(b"SET plan_cache_mode = force_generic_plan"))
        known = _known[raw] = {}
    if not raw.autocommit and server.transaction_status == TransactionStatus.IDLE:
        # What a cursor of psycopg would do: a transaction begins with its first statement.
        _checked(server, server.exec_(b"BEGIN"))
    reader = known.get(statement.name)
    if reader is None:
        _checked(server, server.prepare(statement.name, statement.text))
        reader = known[statement.name] = Transformer(raw)
    # The answer comes in binary form, because a moment written as text is read in Python.
    answer = server.exec_prepared(statement.name, values, None, 1)  # type: ignore[arg-type]  # None is SQL's NULL
    result = _checked(server, answer)
    reader.set_pgresult(result)
    return reader.load_rows(0, result.ntuples, tuple) if result.ntuples else []


def _checked(server: PGconn, result: PGresult) -> PGresult:
    if result.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
        return result
    if server.status == ConnStatus.BAD:
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)


def _written(value: Any) -> bytes:
    """Return a value as PostgreSQL reads it. Raises TypeError for one that nobody taught us to write."""
    write = _WRITERS.get(type(value))
    if write is None:
        # The members of our enumerations are texts.
        write = next((_WRITERS[base] for base in type(value).__mro__ if base in _WRITERS), None)
        if write is None:
            raise TypeError(f"there is no way to write a {type(value).__name__} into a statement")
    return write(value)


def _text(value: str) -> bytes:
    if "\0" in value:
        # libpq would end the text there, without a word.
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return str.encode(value)


def _document(value: Jsonb) -> bytes:
    try:
        return orjson.dumps(value.obj)
    except TypeError:
        # A number of more than 64 bits, a lone surrogate: the first can be kept, of the second the server will say no.
        return json.dumps(value.obj).encode()


def _array(values: Sequence[Any]) -> bytes:
    return b"{%s}" % b",".join([b"NULL" if value is None else _element(value) for value in values])


def _element(value: Any) -> bytes:
    written = _written(value)
    if isinstance(value, str | Jsonb):
        return b'"%s"' % written.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return written


_WRITERS: Final[Mapping[type, Callable[[Any], bytes]]] = {
    str: _text,
    int: lambda value: b"%d" % value,
    bool: lambda value: b"t" if value else b"f",
    UUID: lambda value: value.hex.encode(),
    datetime: lambda value: value.isoformat().encode(),
    date: lambda value: value.isoformat().encode(),
    Decimal: lambda value: str(value).encode(),
    Jsonb: _document,
    list: _array,
    tuple: _array,
}
