from __future__ import annotations

import runpy

import pytest

from curbe.dev import procfile
from curbe.dev.config import ROOT
from curbe.dev.errors import UnableToStart


@pytest.mark.parametrize(
    "line, environ, words",
    [
        ("serve --port $PORT", {"PORT": "1"}, ["serve", "--port", "1"]),
        ("serve --port ${PORT}", {"PORT": "1"}, ["serve", "--port", "1"]),
        ("serve --port ${PORT:-8000}", {}, ["serve", "--port", "8000"]),
        ("serve --port ${PORT:-8000}", {"PORT": ""}, ["serve", "--port", "8000"]),  # as a shell reads `:-`
        ("serve ${DIR:-.data}/x", {"DIR": "/a b"}, ["serve", "/a b/x"]),  # one word stays one word
        ("serve 'two words' $NONE", {}, ["serve", "two words", ""]),
    ],
)
def test_variables_are_filled_in_as_a_shell_would(line: str, environ: dict[str, str], words: list[str]) -> None:
    assert procfile.command(line, environ) == words


def test_comments_and_empty_lines_are_no_processes() -> None:
    assert procfile.parse("# web: no\n\nweb: serve --x=a:b\n") == {"web": "serve --x=a:b"}


def test_a_line_that_is_no_process_is_named_by_its_number() -> None:
    with pytest.raises(UnableToStart, match="line 2"):
        procfile.parse("web: serve\nworker\n")


def test_the_procfile_has_the_four_processes_of_a_server_and_no_sandbox() -> None:
    lines = procfile.parse((ROOT / "Procfile").read_text(encoding="utf-8"))

    assert list(lines) == ["web", "live", "worker", "beat"]


def test_web_and_live_listen_on_their_own_ports_of_the_loopback_interface() -> None:
    lines = procfile.parse((ROOT / "Procfile").read_text(encoding="utf-8"))
    environ = {"PORT": "18000", "LIVE_PORT": "18001"}

    ports = {name: _after("--port", procfile.command(lines[name], environ)) for name in ("web", "live")}
    hosts = {_after("--host", procfile.command(lines[name], environ)) for name in ("web", "live")}

    assert ports == {"web": "18000", "live": "18001"}
    assert hosts == {"127.0.0.1"}


def test_the_worker_takes_every_queue_that_the_beat_table_fills() -> None:
    from curbe.celery import SCHEDULE

    lines = procfile.parse((ROOT / "Procfile").read_text(encoding="utf-8"))
    queues = set(_after("--queues", procfile.command(lines["worker"], {})).split(","))

    assert {row.queue for row in SCHEDULE} <= queues
    assert queues == {"calls", "recordings", "default"}


def test_what_the_settings_take_for_granted_is_what_the_procfile_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads get a share of the web threads and of the worker's processes: both sides must count the same."""
    lines = procfile.parse((ROOT / "Procfile").read_text(encoding="utf-8"))
    started = {
        "WEB_THREADS": _after("--blocking-threads", procfile.command(lines["web"], {})),
        "WORKER_CONCURRENCY": _after("--concurrency", procfile.command(lines["worker"], {})),
    }
    for name in started:
        monkeypatch.delenv(name, raising=False)
    granted = runpy.run_path(str(ROOT / "curbe" / "settings.py"))

    assert {name: str(granted[name]) for name in started} == started
    assert granted["WORKER_CONCURRENCY"] >= 3


def _after(option: str, words: list[str]) -> str:
    return words[words.index(option) + 1]
