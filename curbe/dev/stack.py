"""The processes of Curbe Voice on one machine: started with one environment, waited for, ended together.

    with Stack(data=…, ports={"PORT": 8000, "LIVE_PORT": 8001, "SANDBOX_PORT": 8002}) as stack:
        stack.start_servers()                          # PostgreSQL and Redis, unless the environment names others
        stack.manage("migrate")
        stack.start("sandbox", "web", "live", "worker", "beat")
        stack.url("web")                               # "http://127.0.0.1:8000"

Each returns when the thing is really there. Leaving the block ends every child, last started first, and what they
started too. Used by `make run`, by the fixture of the browser tests, and by `make bench`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from curbe.dev import config, console, orphans, ports, procfile
from curbe.dev.embedded import Servers
from curbe.dev.errors import UnableToStart
from curbe.dev.processes import spawn, stop, wait_until

PROCFILE = config.ROOT / "Procfile"
READY_TIMEOUT_S = 45.0

# Celery says so when its consumer takes tasks, and when beat's clock runs: each has its own words for it.
READY_WORDS = {"worker": " ready.", "beat": "beat: Starting..."}
READY_PATHS = {"web": "/healthz", "live": "/healthz", "sandbox": "/_sandbox/state"}
PORT_NAMES = {"web": "PORT", "live": "LIVE_PORT", "sandbox": "SANDBOX_PORT"}
# Tasks by the clock run every few seconds: their coming and going is for the log file, not for the console.
CHATTER = re.compile(r" INFO celery\.(beat|worker\.strategy|app\.trace) ")
# The sandbox is no part of a server: it stands here and not in the Procfile.
SANDBOX = "python -m telephony.sandbox --host ${HOST:-127.0.0.1} --port $SANDBOX_PORT --data $CURBE_DATA"


@dataclass(slots=True)
class Running:
    """One started process; `last` are its last lines, for the sentence that says why it did not start."""

    name: str
    process: subprocess.Popen[bytes]
    follower: threading.Thread
    last: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    said_ready: threading.Event = field(default_factory=threading.Event)

    def alive(self) -> bool:
        return self.process.poll() is None


class Stack:
    """`data` is the folder of everything; `ports` has PORT, LIVE_PORT and SANDBOX_PORT; `env` is the whole environment
    that the processes get besides, our own unless given.

    `throwaway` says that the data is a test's or a benchmark's (`embedded.Servers`). `echo` shows the processes' lines
    on the console; they always go to `data`/logs.
    """

    def __init__(
        self,
        *,
        data: Path,
        ports: Mapping[str, int],
        env: Mapping[str, str] | None = None,
        throwaway: bool = False,
        echo: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.data = data
        self.ports = dict(ports)
        self.host = host
        self.logs = data / "logs"
        self.echo = echo
        given = dict(os.environ if env is None else env)
        self.servers = Servers(data, throwaway=throwaway, environ=given)
        self.env = {
            **given,
            **{name: str(port) for name, port in ports.items()},
            "HOST": host,
            "CURBE_DATA": str(data),
            "DJANGO_SETTINGS_MODULE": "curbe.settings",
            "DEBUG": given.get("DEBUG") or "1",
            "PYTHONUNBUFFERED": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', os.defpath)}",
            orphans.MARKER: str(data),
        }
        self._running: dict[str, Running] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start_servers(self) -> None:
        """Start the embedded servers and let their addresses stand in the environment of all that follows."""
        self.servers.start()
        self.logs.mkdir(parents=True, exist_ok=True)
        (self.data / "static").mkdir(exist_ok=True)  # where whitenoise looks, and warns of each time if it is not there
        self.env |= self.servers.urls
        self.env.setdefault("SECRET_KEY", self.servers.secret_key)

    def manage(self, *arguments: str, capture: bool = False, env: Mapping[str, str] | None = None) -> str:
        """Run `manage.py …` to its end and return what it printed, if captured. Raise `UnableToStart` if it failed."""
        return self.run([sys.executable, "manage.py", *arguments], capture=capture, env=env)

    def run(self, command: Sequence[str], *, capture: bool = False, env: Mapping[str, str] | None = None) -> str:
        output = subprocess.PIPE if capture else None
        done = subprocess.run(
            command, cwd=config.ROOT, env={**self.env, **(env or {})}, stdout=output, stderr=output, text=True
        )
        if done.returncode:
            shown = f":\n{done.stdout}{done.stderr}" if capture else " (see above)"
            raise UnableToStart(f"`{_shown(command)}` failed with exit code {done.returncode}{shown}")
        return done.stdout or ""

    def start(self, *names: str) -> None:
        """Start these processes together and return when every one is ready. Raise `UnableToStart` saying which not."""
        self.launch(*names)
        self.wait(*names)

    def launch(self, *names: str) -> None:
        """Start these processes and return at once; `wait` follows."""
        self.check_ports(*names)
        for name in names:
            self._spawn(name)

    def wait(self, *names: str) -> None:
        for name in names:
            self._wait(self._running[name])

    def check_ports(self, *names: str) -> None:
        """Raise `UnableToStart` if somebody else listens on the port of one of these processes."""
        for name in names:
            variable = PORT_NAMES.get(name)
            if variable is not None and not ports.is_free(self.ports[variable], self.host):
                others = " ".join(f"{other}={port + 100}" for other, port in self.ports.items())
                raise UnableToStart(
                    f"Port {self.ports[variable]} ({variable}) is in use by another program: stop it, or choose "
                    f"others, such as: make run {others}"
                )

    def url(self, name: str) -> str:
        """Return the address for this machine; a host that stands for all interfaces is reached by the loopback one."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", "*"} else self.host
        return f"http://{host}:{self.ports[PORT_NAMES[name]]}"

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process, whose `pid` leads a group of its own: for a benchmark that weighs it."""
        return self._running[name].process

    def is_running(self, name: str) -> bool:
        return name in self._running and self._running[name].alive()

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def stop(self, *names: str) -> None:
        """End these processes: asked first, together, then killed with everything that they started."""
        ending = [self._running.pop(name) for name in names if name in self._running]
        for running in ending:
            if running.alive():
                running.process.send_signal(signal.SIGTERM)
        for running in ending:
            stop(running.process)
            running.follower.join(timeout=2)

    def kill(self, name: str) -> None:
        """End a process as a crash would, for a test that wants one."""
        running = self._running.pop(name)
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()

    def first_ended(self) -> str | None:
        """Return the name of a process that ended by itself, servers included, or None while all are alive."""
        for running in self._running.values():
            if not running.alive():
                return running.name
        return next((name for name, child in self.servers.processes().items() if child.poll() is not None), None)

    def explain(self, name: str) -> str:
        """Return a sentence and the last lines of a process that ended."""
        running = self._running.get(name)
        if running is None:
            return f"{name} ended; more in {self.log(name)}"
        running.follower.join(timeout=1)
        lines = "".join(f"\n    {line}" for line in running.last)
        return f"{name} ended with exit code {running.process.poll()}; more in {self.log(name)}{lines}"

    def close(self) -> None:
        """End everything, last started first, the servers at the end."""
        try:
            self.stop(*reversed(self._running))
        finally:
            self.servers.close()

    def _spawn(self, name: str) -> None:
        command = command_of(name, self.env)
        console.rotate(self.log(name))
        process = spawn(command, env=self.env, cwd=config.ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        last: deque[str] = deque(maxlen=12)
        said_ready = threading.Event()
        words = READY_WORDS.get(name)

        def notice(line: str) -> None:
            last.append(line)
            if words is not None and words in line:
                said_ready.set()

        def shown(line: str) -> bool:
            return self.echo and CHATTER.search(line) is None

        follower = console.follow(name, process.stdout, self.log(name), shown=shown, notice=notice)
        running = Running(name, process, follower, last, said_ready)
        self._running[name] = running

    def _wait(self, running: Running) -> None:
        began = time.monotonic()
        path = READY_PATHS.get(running.name)
        if path is None:
            ready = running.said_ready.is_set
        else:
            address = self.url(running.name) + path

            def ready() -> bool:
                return answers(address)

        if wait_until(ready, alive=running.alive, timeout_s=READY_TIMEOUT_S):
            return
        if not running.alive():
            raise UnableToStart(self.explain(running.name))
        lines = "".join(f"\n    {line}" for line in running.last)
        raise UnableToStart(f"{running.name} was not ready after {time.monotonic() - began:.0f} s:{lines}")


def command_of(name: str, env: Mapping[str, str]) -> list[str]:
    """Return the command line of a process: the Procfile's, by this interpreter."""
    lines = {"sandbox": SANDBOX, **procfile.parse(PROCFILE.read_text(encoding="utf-8"))}
    program, *arguments = procfile.command(lines[name], env)
    # Not by the program's own script: its first line names a path that breaks when the checkout is moved.
    module = ["-m", program] if program != "python" else []
    return [sys.executable, *module, *arguments]


def answers(address: str) -> bool:
    """Return whether an HTTP server there says 200. No proxy of the environment is asked: it is this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _shown(command: Sequence[str]) -> str:
    return " ".join(["python", *command[1:]] if command[0] == sys.executable else command)
