"""Prepared statements for the few roads where the ORM would cost five times the database."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections


def prepared(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement, prepared by the server after its first use on this connection; return its rows.

    It shares Django's connection of this thread, so it is part of an open transaction, and it is counted by
    ``assertNumQueries``. Outside a transaction a connection that died meanwhile is opened anew, once: every statement
    run through here must be safe to run twice when its answer was lost.
    """
    try:
        return _run(sql, params)
    except DatabaseError:
        if connection.in_atomic_block or not _is_dead():
            raise
        connection.close()
        return _run(sql, params)


def _is_dead() -> bool:
    raw = connection.connection
    return raw is None or bool(raw.closed)


def _run(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    # `connection` is a proxy that looks itself up at each touch.
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    started = time.monotonic() if database.queries_logged else 0.0
    try:
        with database.wrap_database_errors:
            # Django's own cursor binds on the client, where nothing can be prepared. Binary, because Django reads a
            # moment written as text in Python.
            cursor = psycopg.Cursor(database.connection)
            cursor.execute(sql, params, prepare=True, binary=True)
            # Not cursor.description: it makes an object of every column, only to say whether there are any.
            result = cursor.pgresult
            return cursor.fetchall() if result is not None and result.nfields else []
    finally:
        if database.queries_logged:
            database.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})
