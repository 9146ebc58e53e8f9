from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from curbe.dev.orphans import MARKER, Seen, end_orphans, is_orphan

DATA = Path("/srv/curbe/.data")
HOME = Path("/srv/curbe/.data/servers")
OURSELVES = 100


@pytest.mark.parametrize(
    "seen, orphan",
    [
        (Seen(7, "granian", None, str(DATA)), True),
        (Seen(7, "python3.11", None, str(DATA)), True),
        (Seen(OURSELVES, "python3.11", None, str(DATA)), False),
        (Seen(7, "python3.11", None, "/srv/other/.data"), False),  # the checkout next door
        (Seen(7, "python3.11", None, None), False),  # a shell of the person's, whatever folder it stands in
        (Seen(7, "postgres", HOME / "postgres", None), True),  # the postmaster and its backends
        (Seen(7, "redis-server", HOME / "redis", None), True),
        (Seen(7, "postgres", Path("/var/lib/postgresql/15/main"), None), False),  # the machine's own
        (Seen(7, "postgres", HOME.with_name("servers-2") / "postgres", None), False),
        (Seen(7, "postgres", None, None), False),
        (Seen(7, "bash", HOME / "postgres", None), False),  # a person who looks into the folder
    ],
)
def test_only_what_a_finished_run_started_for_this_folder_is_an_orphan(seen: Seen, orphan: bool) -> None:
    assert is_orphan(seen, data=DATA, home=HOME, spare={OURSELVES}) is orphan


def test_without_a_home_no_server_is_an_orphan() -> None:
    assert not is_orphan(Seen(7, "postgres", HOME / "postgres", None), data=DATA, home=None, spare=())


def test_a_marked_process_is_ended_even_if_it_does_not_listen_and_its_neighbour_lives(tmp_path: Path) -> None:
    deaf = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    ours = _start(deaf, marker=str(tmp_path / "ours"))
    other = _start(deaf, marker=str(tmp_path / "other"))

    try:
        names = end_orphans(tmp_path / "ours", None, patience_s=0.2)

        assert not psutil.pid_exists(ours.pid)
        assert names and all(name.startswith("python") for name in names)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def _start(code: str, *, marker: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, MARKER: marker}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process
