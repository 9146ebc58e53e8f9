from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from curbe.dev.processes import spawn, stop, wait_until


def test_stopping_a_process_ends_what_it_started_even_if_that_does_not_listen(tmp_path: Path) -> None:
    child = (
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    parent = f"import subprocess,sys; p = subprocess.Popen([sys.executable, '-c', {child!r}]); print(p.pid); p.wait()"
    process = spawn([sys.executable, "-uc", parent], env=os.environ, cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        said = {process.stdout.readline().strip(), process.stdout.readline().strip()}
        grandchild = next(int(word) for word in said if word.isdigit())

        code = stop(process, patience_s=5)

    assert code == -signal.SIGTERM
    assert _ends(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent ended")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from curbe.dev.processes import spawn\n"
        "child = spawn([sys.executable, '-c', 'import time; time.sleep(60)'], env=os.environ, cwd=Path('/'))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())

        parent.kill()
        parent.wait()

    assert _ends(child)


def test_waiting_ends_at_once_when_the_process_is_gone() -> None:
    assert not wait_until(lambda: False, alive=lambda: False, timeout_s=60)


def test_waiting_ends_when_the_time_is_over() -> None:
    assert not wait_until(lambda: False, alive=lambda: True, timeout_s=0.05)


def _ends(pid: int) -> bool:
    def gone() -> bool:
        try:
            return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    return wait_until(gone, alive=lambda: True, timeout_s=5)
