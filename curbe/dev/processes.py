"""Start children that cannot outlive us, and end them together with everything that they started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from curbe.dev.accounts import Account

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

# What is asked first, and how long it may take, before the whole group is killed.
STOP_PATIENCE_S = 8.0


def die_with_parent(signum: int) -> None:
    """Ask the kernel to send this process `signum` when the *thread* that started it ends. Linux only, else nothing."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    account: Account | None = None,
    death_signal: int = signal.SIGTERM,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` as the leader of a session of its own, its errors in `stdout`; call it from the main thread.

    A session of its own, so that Ctrl-C reaches us alone and we end the children in their order. `account` runs it
    as another user, which only root can do. When we are killed, the kernel sends the child `death_signal`.
    """
    parent = os.getpid()

    def in_the_child() -> None:
        # After the change of user: a change of credentials would clear the wish (prctl(2)).
        die_with_parent(death_signal)
        if os.getppid() != parent:  # killed between fork and prctl
            os._exit(127)

    return subprocess.Popen(
        list(command),
        env=dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT if stdout is not None else None,
        start_new_session=True,
        preexec_fn=in_the_child,  # noqa: PLW1509 -- one prctl, no lock, no import
        **(account.popen_arguments() if account else {}),
    )


def stop(process: subprocess.Popen[bytes], *, signum: int = signal.SIGTERM, patience_s: float = STOP_PATIENCE_S) -> int:
    """End `process` and its group: `signum` to the leader, then SIGKILL to whoever is left. Return its exit code."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def wait_until(
    ready: Callable[[], bool], *, alive: Callable[[], bool], timeout_s: float, every_s: float = 0.03
) -> bool:
    """Return True as soon as `ready()`; False when `alive()` turns false or the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        if ready():
            return True
        if not alive() or time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
