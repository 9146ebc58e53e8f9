"""One Redis server in the foreground: queue, channel layer and cache, whose contents may be lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

from curbe.dev.accounts import Account
from curbe.dev.errors import UnableToStart
from curbe.dev.processes import spawn, wait_until

START_TIMEOUT_S = 15.0

# Nothing is written to disk, so nothing warns that it cannot be. Its own name in the process list, else a killed
# run's server could not be told from somebody else's.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
daemonize no
save ""
appendonly no
set-proc-title no
databases 16
"""


class Redis:
    """The server in `home`; `account` runs it, None for ourselves."""

    FOLDER = "redis"

    def __init__(self, program: Path, home: Path, account: Account | None, *, port: int, log: Path) -> None:
        self._program = program
        self._home = home
        self._account = account
        self._port = port
        self._log = log

    def spawn(self, *, password: str) -> subprocess.Popen[bytes]:
        folder = self._home / self.FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            os.chown(folder, self._account.uid, self._account.gid)
        # By its standard input: a password on the command line would stand in everybody's process list.
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as stdin, self._log.open("ab") as log:
            with os.fdopen(writer, "wb") as configuration:
                text = CONFIGURATION.format(port=self._port, password=password, folder=_quoted(folder))
                configuration.write(text.encode())
            return spawn(
                [str(self._program), "-"],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                cwd=folder,
                account=self._account,
                death_signal=signal.SIGTERM,
                stdin=stdin,
                stdout=log,
            )

    def wait(self, process: subprocess.Popen[bytes], *, password: str) -> None:
        """Return when it answers to the password."""
        alive = lambda: process.poll() is None  # noqa: E731
        if not wait_until(lambda: answers(self._port, password), alive=alive, timeout_s=START_TIMEOUT_S):
            raise UnableToStart(f"Redis did not start: see {self._log}")

    def url(self, password: str) -> str:
        return self.address(self._port, password)

    @staticmethod
    def address(port: int, password: str) -> str:
        return f"redis://:{password}@127.0.0.1:{port}/0"


def answers(port: int, password: str) -> bool:
    """Return whether a Redis there takes the password and says PONG."""
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=1)) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (more := connection.recv(256)):
                answer += more
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
