"""Find and end what a killed run of ours left behind in a data folder.

The kernel ends our children when we are killed (`processes.spawn`), but not their children: a granian whose worker
stays, a PostgreSQL whose backend is busy. The next run holds the lock of the folder, so whoever still works in it
without being its child is an orphan.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

# Every process of ours carries it; its value is the data folder.
MARKER = "CURBE_STACK"
SERVER_PROGRAMS = frozenset({"postgres", "redis-server"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A process as the system shows it; `cwd` and `marker` are None where it does not say."""

    pid: int
    name: str
    cwd: Path | None
    marker: str | None


def is_orphan(seen: Seen, *, data: Path, home: Path | None, spare: Collection[int]) -> bool:
    """Return whether `seen` was started for this data folder by a run that is over.

    By what cannot be recycled, as a process number can: PostgreSQL (its backends too) and Redis work in a folder of
    theirs and overwrite their own titles and environments; all others carry the marker. `spare` are we ourselves.
    """
    if seen.pid in spare:
        return False
    if seen.name in SERVER_PROGRAMS:
        return home is not None and seen.cwd is not None and seen.cwd.is_relative_to(home)
    return seen.marker == str(data)


def end_orphans(data: Path, home: Path | None, *, patience_s: float = 6.0) -> list[str]:
    """End every orphan of `data`, gently first, and return their names, for one line on the console."""
    spare = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    orphans = [
        process
        for process in psutil.process_iter()
        if (seen := _see(process)) is not None and is_orphan(seen, data=data, home=home, spare=spare)
    ]
    names = sorted(set(_names(orphans)))
    for process in orphans:
        # PostgreSQL shuts down fast on SIGINT; on SIGTERM it would wait for its clients to leave.
        _signal(process, signal.SIGINT if _name(process) == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(orphans, timeout=patience_s)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=2)
    return names


def _see(process: psutil.Process) -> Seen | None:
    try:
        name = process.name()
        if name in SERVER_PROGRAMS:
            return Seen(process.pid, name, Path(process.cwd()), None)
        return Seen(process.pid, name, None, process.environ().get(MARKER))
    except (psutil.Error, OSError):
        return None  # gone, a zombie, or another user's: not ours to end


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def _names(processes: list[psutil.Process]) -> Iterator[str]:
    return (name for name in map(_name, processes) if name)


def _signal(process: psutil.Process, signum: int) -> None:
    with contextlib.suppress(psutil.Error):  # gone by itself
        process.send_signal(signum)
