"""Who is at a recording's audio: one at a time, over all workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from curbe.lib.db import prepared


@contextmanager
def trying(recording_id: UUID) -> Iterator[bool]:
    """Hold, while the block runs, the lock of who fetches this recording; False if somebody has it.

    It belongs to the connection, and ends with the process that dies in the middle.
    """
    key = recording_id.int & (2**62 - 1)
    ((is_ours,),) = prepared("SELECT pg_try_advisory_lock(%(key)s::bigint)", {"key": key})
    try:
        yield is_ours
    finally:
        if is_ours:
            prepared("SELECT pg_advisory_unlock(%(key)s::bigint)", {"key": key})
