"""Who is at a recording's audio: one at a time, over all workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from curbe.lib import locks


@contextmanager
def trying(recording_id: UUID) -> Iterator[bool]:
    """Hold, while the block runs, the lock of who fetches this recording; False if somebody has it.

    It belongs to the connection, and ends with the process that dies in the middle.
    """
    key = recording_id.int & (2**62 - 1)
    with locks.if_free(key) as is_ours:
        yield is_ours
