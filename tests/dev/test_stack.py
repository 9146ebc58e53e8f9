"""The stack with small programs in place of ours: what counts as ready, and what happens when one ends."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from curbe.dev import ports, stack
from curbe.dev.errors import UnableToStart
from curbe.dev.stack import Stack, answers, command_of

WEB = """\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
WORKER = "import time; print('celery@desk ready.', flush=True); time.sleep(60)"
BEAT = "import sys; print('no schedule', flush=True); sys.exit(3)"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose Procfile has three small programs, and whose servers are said to be elsewhere."""
    for name, code in {"web": WEB, "worker": WORKER, "beat": BEAT}.items():
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    lines = ["web: python {0}/web.py $PORT", "worker: python {0}/worker.py", "beat: python {0}/beat.py"]
    procfile = tmp_path / "Procfile"
    procfile.write_text("\n".join(lines).format(tmp_path), encoding="utf-8")
    monkeypatch.setattr(stack, "PROCFILE", procfile)
    chosen = {"PORT": ports.choose(remembered=None), "LIVE_PORT": 1, "SANDBOX_PORT": 2}
    env = {"DATABASE_URL": "postgres://elsewhere", "REDIS_URL": "redis://elsewhere"}
    with Stack(data=tmp_path / "data", ports=chosen, env=env) as small:
        small.start_servers()
        yield small


def test_a_process_is_ready_when_it_answers_or_says_so(small: Stack) -> None:
    small.start("web", "worker")

    assert answers(small.url("web") + "/healthz")
    assert not answers(small.url("web") + "/elsewhere")
    assert "celery@desk ready." in small.log("worker").read_text(encoding="utf-8")
    assert small.first_ended() is None


def test_a_process_that_ends_at_once_is_named_with_its_last_words(small: Stack) -> None:
    with pytest.raises(UnableToStart, match=r"(?s)beat ended with exit code 3; more in .*beat\.log.*no schedule"):
        small.start("beat")


def test_a_process_that_ends_later_is_noticed(small: Stack) -> None:
    small.start("worker")

    psutil.Process(small.process("worker").pid).kill()
    small.process("worker").wait(timeout=5)

    assert small.first_ended() == "worker"


def test_stopping_leaves_the_others_and_closing_leaves_nothing(small: Stack) -> None:
    small.start("web", "worker")
    worker = small.process("worker").pid

    small.stop("web")
    assert not answers(small.url("web") + "/healthz")
    assert psutil.pid_exists(worker)

    small.close()
    assert not psutil.pid_exists(worker)


def test_a_stopped_process_can_be_started_again_on_its_port(small: Stack) -> None:
    small.start("web")
    small.kill("web")

    small.start("web")

    assert answers(small.url("web") + "/healthz")


def test_a_port_that_is_in_use_is_named_with_a_way_out(small: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", small.ports["PORT"]))
        other.listen()

        with pytest.raises(UnableToStart, match=rf"Port {small.ports['PORT']} \(PORT\) is in use.*make run PORT="):
            small.start("web")


def test_every_process_gets_the_same_environment(small: Stack) -> None:
    assert small.env["DATABASE_URL"] == "postgres://elsewhere"
    assert small.env["CURBE_DATA"] == str(small.data)
    assert small.env["PORT"] == str(small.ports["PORT"])
    assert len(small.env["SECRET_KEY"]) >= 32


def test_the_sandbox_is_started_with_the_same_data_on_its_port() -> None:
    words = command_of("sandbox", {"SANDBOX_PORT": "8002", "CURBE_DATA": "/srv/a b"})

    assert words[:3] == [sys.executable, "-m", "telephony.sandbox"]
    assert words[3:] == ["--host", "127.0.0.1", "--port", "8002", "--data", "/srv/a b"]


@pytest.mark.parametrize("name, program", [("web", "granian"), ("live", "granian"), ("worker", "celery")])
def test_programs_run_by_this_interpreter_wherever_the_checkout_lies(name: str, program: str) -> None:
    assert command_of(name, {})[:3] == [sys.executable, "-m", program]
