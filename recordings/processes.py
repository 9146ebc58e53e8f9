"""The processes of this worker that recordings may hold at once: all but two, which are left to the calls.

One of these two may be the reconciler's, who waits for Telnyx as downloads wait for a storage; the other is then still
there for what asks nobody: the ledger, the sweep. The reconciler is never there twice.

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
    """Return how many processes can be spared for recordings."""
    concurrency: int = settings.WORKER_CONCURRENCY
    return max(1, concurrency - 2)


@contextmanager
def spare() -> Iterator[bool]:
    """Take one of the processes for as long as the ``with`` block lasts; False if none is left."""
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
