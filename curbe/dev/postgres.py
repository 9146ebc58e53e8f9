"""One PostgreSQL cluster: made by initdb, run in the foreground, tuned for a desk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from curbe.dev.accounts import Account
from curbe.dev.errors import UnableToStart
from curbe.dev.places import Binaries
from curbe.dev.processes import spawn, wait_until

USER = DATABASE = "curbe"
START_TIMEOUT_S = 60.0  # a cluster that was killed replays its log first

# Small, and nothing that a developer's machine does not have: no socket file (one URL serves every client), no
# parallel workers and no large shared memory (/dev/shm has 64 MB in many containers), no JIT for short queries.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
}
# Data that may be lost is written three times as fast.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "2GB"}


class Postgres:
    """The cluster in `home`; `account` runs it, None for ourselves."""

    FOLDER = "postgres"

    def __init__(self, programs: Binaries, home: Path, account: Account | None, *, port: int, log: Path) -> None:
        self._programs = programs
        self._home = home
        self._account = account
        self._port = port
        self._log = log

    @property
    def folder(self) -> Path:
        return self._home / self.FOLDER

    def prepare(self, *, password: str, throwaway: bool) -> None:
        """Make the cluster unless it stands, whole or not at all, and clear away what a killed run left in its way."""
        if self.folder.is_dir():
            self._check_version()
            # The caller has ended everything that worked in this folder. What is left is a note of a dead server,
            # whose number may belong to somebody else by now, and that would stop the next one.
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
            return
        draft = self._home / (self.FOLDER + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        secret = self._home / "password"
        secret.unlink(missing_ok=True)
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(password)
        if self._account:
            os.chown(secret, self._account.uid, self._account.gid)
        try:
            self._initdb(draft, secret, sync=not throwaway)
        finally:
            secret.unlink()
        draft.rename(self.folder)

    def _initdb(self, draft: Path, secret: Path, *, sync: bool) -> None:
        command = [str(self._programs.initdb), "-D", str(draft), "-U", USER, "--pwfile", str(secret)]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", *self._locale(), *([] if sync else ["--no-sync"])]
        popen = self._account.popen_arguments() if self._account else {}
        done = subprocess.run(command, cwd=self._home, env=self._env(), capture_output=True, text=True, **popen)
        if done.returncode:
            raise UnableToStart("PostgreSQL's initdb failed: " + " ".join(done.stderr.split()))

    def _locale(self) -> list[str]:
        """Return the options of a locale that is the same on every machine: UTF-8 from 17 on built in."""
        if int(self._version().split(".")[0]) >= 17:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C"]

    def _version(self) -> str:
        """Return "18.4"."""
        answer = subprocess.run([str(self._programs.postgres), "-V"], capture_output=True, text=True, check=True)
        return answer.stdout.split()[-1]

    def _check_version(self) -> None:
        made_by = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        runs = self._version()
        if runs.split(".")[0] != made_by:
            raise UnableToStart(
                f"{self.folder} was made by PostgreSQL {made_by}, and this is {runs}: choose another folder with "
                "CURBE_DATA, or start afresh with `make clean`."
            )

    def spawn(self, *, throwaway: bool) -> subprocess.Popen[bytes]:
        settings = {**SETTINGS, "port": str(self._port), **(THROWAWAY if throwaway else {})}
        command = [str(self._programs.postgres), "-D", str(self.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            # A fast shutdown if we are killed: the data is whole, and the next start replays nothing.
            return spawn(
                command,
                env=self._env(),
                cwd=self._home,
                account=self._account,
                death_signal=signal.SIGINT,
                stdout=log,
            )

    def wait(self, process: subprocess.Popen[bytes], *, password: str) -> None:
        """Return when it answers and has our database."""

        def ready() -> bool:
            try:
                with psycopg.connect(
                    host="127.0.0.1",
                    port=self._port,
                    user=USER,
                    password=password,
                    dbname="postgres",
                    connect_timeout=2,
                    autocommit=True,
                ) as connection:
                    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                    if known is None:
                        connection.execute(f'CREATE DATABASE "{DATABASE}"')
            except psycopg.OperationalError:
                return False
            return True

        if not wait_until(ready, alive=lambda: process.poll() is None, timeout_s=START_TIMEOUT_S):
            raise UnableToStart(f"PostgreSQL did not start: {_last_line(self._log)} (more in {self._log})")

    def url(self, password: str) -> str:
        return self.address(self._port, password)

    @staticmethod
    def address(port: int, password: str) -> str:
        return f"postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"

    def _env(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self._home), "LC_ALL": "C", "TZ": "UTC"}


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "it wrote nothing")
