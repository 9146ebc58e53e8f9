"""Choose and examine TCP ports on this machine."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection
from contextlib import closing

# Below the range that Linux (32768 and up) and macOS (49152 and up) hand out to outgoing connections: a port that
# we remember from yesterday is not taken today by somebody's browser.
CHOICE = range(20000, 32768)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could listen there now. A socket in TIME_WAIT does not count as a user of it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def is_open(port: int, host: str = "127.0.0.1", *, timeout_s: float = 0.5) -> bool:
    """Return whether somebody accepts connections there."""
    try:
        with closing(socket.create_connection((host, port), timeout=timeout_s)):
            return True
    except OSError:
        return False


def choose(*, remembered: int | None, taken: Collection[int] = (), rng: random.Random | None = None) -> int:
    """Return the remembered port if it is still free, else another free one that is not in `taken`."""
    if remembered is not None and remembered not in taken and is_free(remembered):
        return remembered
    rng = rng or random.SystemRandom()
    while True:
        port = rng.choice(CHOICE)
        if port not in taken and is_free(port):
            return port
