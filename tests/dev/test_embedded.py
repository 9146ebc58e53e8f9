"""The embedded servers for real: as root they run as somebody else, in a folder that he can enter."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from curbe.dev import embedded, places, state
from curbe.dev.embedded import Servers
from curbe.dev.errors import UnableToStart
from curbe.dev.processes import wait_until
from curbe.dev.redis import answers


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder; pytest's own folders are closed to others, so root's servers live outside of it."""
    folder = tmp_path / "data"
    yield folder
    if folder.exists():
        embedded.remove(folder)


def test_the_pair_serves_keeps_its_data_and_leaves_nothing_running(data: Path) -> None:
    with Servers(data, throwaway=True, environ={}) as servers:
        urls, processes = dict(servers.urls), servers.processes()
        with psycopg.connect(urls["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('ñandú')")
        assert _pings(urls["REDIS_URL"])
        assert all(psutil.Process(child.pid).uids().effective != 0 for child in processes.values())

    assert all(child.poll() is not None for child in processes.values())
    assert not _answers(urls["DATABASE_URL"]) and not _answers(urls["REDIS_URL"])

    with (
        Servers(data, throwaway=True, environ={}) as servers,
        psycopg.connect(servers.urls["DATABASE_URL"]) as connection,
    ):
        assert servers.urls == urls
        row = connection.execute("SELECT upper(word), current_setting('fsync') FROM kept").fetchone()
    assert row == ("ÑANDÚ", "off")


def test_nobody_gets_in_without_the_password_and_no_process_list_shows_it(data: Path) -> None:
    with Servers(data, throwaway=True, environ={}) as servers:
        url = urlsplit(servers.urls["DATABASE_URL"])
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=url.hostname, port=url.port, user=url.username, password="guess", dbname="curbe")
        redis = urlsplit(servers.urls["REDIS_URL"])
        assert not answers(redis.port or 0, "guess")
        for child in servers.processes().values():
            command = " ".join(psutil.Process(child.pid).cmdline())
            assert url.password and url.password not in command
            assert redis.password and redis.password not in command

    assert stat.S_IMODE((data / state.FILE).stat().st_mode) == 0o600


def test_a_killed_run_leaves_nothing_that_stops_the_next(data: Path) -> None:
    first = _serve(data)
    known = state.load(data)
    assert known is not None
    postmaster = int((Path(known.home) / "postgres" / "postmaster.pid").read_text().split()[0])

    # Parent and postmaster at one blow: what is left are orphaned backends and a stale postmaster.pid.
    os.kill(first.pid, signal.SIGKILL)
    os.kill(postmaster, signal.SIGKILL)
    first.wait()

    second = _serve(data)
    assert all(_answers(url) for url in embedded.addresses(data).values())
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=20) == 0
    assert not any(_answers(url) for url in embedded.addresses(data).values())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent ended")
def test_the_servers_end_when_their_parent_is_killed(data: Path) -> None:
    parent = _serve(data)
    urls = embedded.addresses(data).values()

    parent.kill()
    parent.wait()

    assert wait_until(lambda: not any(map(_answers, urls)), alive=lambda: True, timeout_s=10)


def test_a_second_run_in_the_same_folder_is_refused_and_names_the_first(data: Path) -> None:
    with (
        Servers(data, throwaway=True, environ={"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x"}),
        pytest.raises(UnableToStart, match=rf"process {os.getpid()}\b"),
    ):
        Servers(data, throwaway=True, environ={}).start()


def test_addresses_of_the_environment_take_the_place_of_both_servers(data: Path) -> None:
    given = {"DATABASE_URL": "postgres://db.example.com/curbe", "REDIS_URL": "redis://redis.example.com"}

    with Servers(data, throwaway=True, environ=given) as servers:
        assert servers.urls == given
        assert servers.processes() == {}


def test_what_lies_outside_for_a_throwaway_folder_that_was_removed_is_removed_by_the_next_run(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    monkeypatch.setattr(places, "OUTSIDE", outside)
    origins = {"gone": f"{tmp_path}/gone\nthrowaway\n", "kept": f"{tmp_path}/gone\n\n", "ours": f"{data}\n\n"}
    for name, origin in origins.items():
        (outside / name).mkdir(parents=True)
        (outside / f"{name}.origin").write_text(origin, encoding="utf-8")

    places.forget_outside(data)

    left = {"kept"} if os.geteuid() == 0 else set(origins)
    assert {folder.name for folder in outside.iterdir() if folder.is_dir()} == left


def test_without_servers_of_its_own_a_folder_has_no_home(data: Path) -> None:
    with Servers(data, throwaway=True, environ={"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x"}):
        known = state.load(data)

    assert known is not None and known.folder is None
    assert not (data / "servers").exists()


def test_data_that_is_kept_is_never_served_without_fsync(data: Path) -> None:
    given = {"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x"}
    with Servers(data, environ=given):
        pass

    with pytest.raises(UnableToStart, match="data that is kept"):
        Servers(data, throwaway=True, environ=given).start()


def test_a_damaged_memory_is_named_and_not_thrown_away(data: Path) -> None:
    data.mkdir()
    (data / state.FILE).write_text('{"id": "half', encoding="utf-8")

    with pytest.raises(UnableToStart, match="servers.json is damaged"):
        Servers(data, environ={}).start()

    assert (data / state.FILE).read_text(encoding="utf-8") == '{"id": "half'
    (data / state.FILE).unlink()


def test_root_opens_nobodys_folder_to_reach_the_data(data: Path) -> None:
    before = _modes(data.parent)

    with Servers(data, throwaway=True, environ={}):
        home = Path(state.load(data).home)  # type: ignore[union-attr]
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert home.is_relative_to(places.OUTSIDE) or os.geteuid() != 0 or home.is_relative_to(data)

    assert _modes(data.parent) == before
    embedded.remove(data)
    assert not home.exists() and not data.exists()


def _serve(data: Path) -> subprocess.Popen[bytes]:
    """Start the command of its own, and return when it has printed both addresses."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "curbe.dev.embedded", "--data", str(data), "--throwaway"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        lines = [process.stdout.readline().decode(), process.stdout.readline().decode()]
    assert [line.partition("=")[0] for line in lines] == ["DATABASE_URL", "REDIS_URL"]
    return process


def _modes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in (folder, *folder.parents)}


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((parts.hostname or "", parts.port or 0)) == 0


def _pings(url: str) -> bool:
    parts = urlsplit(url)
    return answers(parts.port or 0, parts.password or "")
