"""The processes of this worker that may download at once: all but one, which is left to the calls.

A lock lies on one byte per process of a file without a name, which the worker opens before it makes its processes.
Such locks are the kernel's: whoever holds one and dies, has given it back.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

_bytes: Final = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process lives


def spared() -> int:
    """Return how many processes can be spared for downloads."""
    concurrency: int = settings.WORKER_CONCURRENCY
    return max(1, concurrency - 1)


@contextmanager
def spare() -> Iterator[bool]:
    """Take one of the processes for a download, for as long as the ``with`` block lasts; False if none is left."""
    for number in range(spared()):
        try:
            fcntl.lockf(_bytes, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            continue
        try:
            yield True
        finally:
            fcntl.lockf(_bytes, fcntl.LOCK_UN, 1, number)
        return
    yield False
