"""Taking turns over all processes, also while somebody else's server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from curbe.lib.db import prepared


@contextmanager
def alone(kind: int, row_id: int) -> Iterator[None]:
    """Hold the lock of one row, of a ``kind`` that is its users' own; whoever else wants it waits.

    It belongs to the connection and to no transaction: it is held over requests to others, and goes with its process.
    """
    key = [kind, row_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


@contextmanager
def if_free(key: int) -> Iterator[bool]:
    """Hold the lock of a number of 63 bits if nobody has it, and say whether; nobody waits. It goes as above."""
    ((is_ours,),) = prepared("SELECT pg_try_advisory_lock(%(key)s::bigint)", {"key": key})
    try:
        yield is_ours
    finally:
        if is_ours:
            prepared("SELECT pg_advisory_unlock(%(key)s::bigint)", {"key": key})
