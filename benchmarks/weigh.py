"""What a process and its children hold in memory."""

from __future__ import annotations

from pathlib import Path


def resident_mb(pid: int) -> float:
    """Return the proportional set size of a process and its descendants: shared pages are counted once."""
    return sum(_pss_kb(one) for one in _family(pid)) / 1024


def _family(pid: int) -> list[int]:
    family = [pid]
    for parent in family:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            family += [int(child) for child in task.read_text().split()]
    return family


def _pss_kb(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
