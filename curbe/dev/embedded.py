"""PostgreSQL and Redis for a machine that has none: the servers of two PyPI wheels, as children of ours.

    with Servers(data) as servers:
        servers.urls["DATABASE_URL"], servers.urls["REDIS_URL"]

They listen on loopback ports with passwords, chosen at the first run and remembered in the data folder; a
`DATABASE_URL` or `REDIS_URL` in the environment takes the place of either. On a console of its own:

    python -m curbe.dev.embedded [--data DIR] [--throwaway]      serve until Ctrl-C
    python -m curbe.dev.embedded [--data DIR] --print            the addresses of a pair that runs
    python -m curbe.dev.embedded [--data DIR] --remove           the folder, with all that belongs to it
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from curbe.dev import config, orphans, places, ports, state
from curbe.dev.accounts import Account, server_account
from curbe.dev.errors import UnableToStart
from curbe.dev.postgres import Postgres
from curbe.dev.processes import stop
from curbe.dev.redis import Redis


class Lock:
    """One run for a data folder at a time; the kernel lets go of it however we end."""

    def __init__(self, data: Path) -> None:
        self._path = data / "run.lock"
        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")

    def take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read().strip() or "unknown"
            raise UnableToStart(
                f"Another run uses {self._path.parent} (process {holder}): stop it, or choose another folder and other "
                "ports with CURBE_DATA, PORT, LIVE_PORT and SANDBOX_PORT."
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()


class Servers:
    """The embedded pair of one data folder, as a context manager; `urls` holds the two addresses while it is open.

    `throwaway` writes without fsync, three times as fast: only for data that a test or benchmark makes and forgets;
    a folder is one or the other for ever.
    """

    def __init__(self, data: Path, *, throwaway: bool = False, environ: Mapping[str, str] = os.environ) -> None:
        self.data = data
        self.throwaway = throwaway
        self.urls = {name: environ[name] for name in ("DATABASE_URL", "REDIS_URL") if environ.get(name)}
        self.ended_orphans: list[str] = []
        self.secret_key = ""
        self._lock: Lock | None = None
        self._running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start whatever no address was given for; return when both answer. Raise `UnableToStart`."""
        places.data_folder(self.data)
        self._lock = Lock(self.data)
        self._lock.take()
        known = state.load(self.data)
        self.ended_orphans = orphans.end_orphans(self.data, known.folder if known else None)
        remembered = self._remember(known)
        self.secret_key = remembered.secret_key
        if {"DATABASE_URL", "REDIS_URL"} <= self.urls.keys():
            return
        account, home = self._settle(remembered)
        programs = places.binaries(home, account)
        logs = self.data / "logs"
        logs.mkdir(exist_ok=True)
        postgres = Postgres(programs, home, account, port=remembered.postgres_port or 0, log=logs / "postgres.log")
        redis = Redis(programs.redis, home, account, port=remembered.redis_port or 0, log=logs / "redis.log")
        # Both are started before either is waited for.
        if "REDIS_URL" not in self.urls:
            self._running["redis"] = (redis.spawn(password=remembered.redis_password), signal.SIGTERM)
        if "DATABASE_URL" not in self.urls:
            postgres.prepare(password=remembered.postgres_password, throwaway=self.throwaway)
            self._running["postgres"] = (postgres.spawn(throwaway=self.throwaway), signal.SIGINT)
            postgres.wait(self._running["postgres"][0], password=remembered.postgres_password)
            self.urls["DATABASE_URL"] = postgres.url(remembered.postgres_password)
        if "REDIS_URL" not in self.urls:
            redis.wait(self._running["redis"][0], password=remembered.redis_password)
            self.urls["REDIS_URL"] = redis.url(remembered.redis_password)

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        return {name: process for name, (process, _) in self._running.items()}

    def close(self) -> None:
        """End both, PostgreSQL by its fast shutdown, and let go of the folder. A second call does nothing."""
        for process, signum in self._running.values():
            if process.poll() is None:
                process.send_signal(signum)
        for process, signum in self._running.values():
            stop(process, signum=signum)
        self._running.clear()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _remember(self, known: state.Remembered | None) -> state.Remembered:
        """Return the memory of this folder, which is made and written down at its first run."""
        if known is None:
            known = state.new(throwaway=self.throwaway)
            state.save(self.data, known)
        elif known.throwaway != self.throwaway:
            kind = "throwaway data of tests or benchmarks" if known.throwaway else "data that is kept"
            raise UnableToStart(f"{self.data} holds {kind}: choose another folder with CURBE_DATA, or `make clean`.")
        return known

    def _settle(self, known: state.Remembered) -> tuple[Account | None, Path]:
        """Return who runs the servers and where, on ports that are free now, written down before anything starts."""
        folder = known.folder
        account = server_account(folder / Postgres.FOLDER if folder else None)
        if folder is None:
            # A home without its memory cannot be opened any more: its password is gone.
            shutil.rmtree(self.data / "servers", ignore_errors=True)
            folder = places.choose_home(self.data, account, known.id, throwaway=known.throwaway)
            known.home = str(folder)
        known.postgres_port = ports.choose(remembered=known.postgres_port)
        known.redis_port = ports.choose(remembered=known.redis_port, taken={known.postgres_port})
        state.save(self.data, known)
        return account, folder


def remove(data: Path) -> None:
    """Remove a data folder with all that belongs to it, unless a run uses it."""
    lock = Lock(data)
    lock.take()
    try:
        known = state.load(data)
        orphans.end_orphans(data, known.folder if known else None)
        places.forget_outside(data)
        shutil.rmtree(data, ignore_errors=True)
    finally:
        lock.release()


def end_by_signals() -> None:
    """Let SIGTERM, SIGHUP and Ctrl-C end this command through its `with` blocks, as KeyboardInterrupt.

    Once: what ends the children is not interrupted by a second signal; it takes seconds at most. Ctrl-C counts even
    where a shell's `&` would have us ignore it; a SIGHUP that `nohup` had us ignore stays ignored.
    """

    def end(signum: int, frame: FrameType | None) -> None:
        for other in signums:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    signums = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signums.append(signal.SIGHUP)
    for signum in signums:
        signal.signal(signum, end)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m curbe.dev.embedded", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the data folder (CURBE_DATA, .data)")
    parser.add_argument("--throwaway", action="store_true", help="fast and unsafe, for data that is not kept")
    parser.add_argument("--print", action="store_true", help="only print the addresses of the pair that was started")
    parser.add_argument("--remove", action="store_true", help="remove the data folder, and what lies elsewhere for it")
    options = parser.parse_args(arguments)
    data = (options.data or config.read(os.environ).data).resolve()
    end_by_signals()
    try:
        if options.print:
            _print(addresses(data))
            return 0
        if options.remove:
            remove(data)
            return 0
        with Servers(data, throwaway=options.throwaway) as servers:
            _print(servers.urls)
            signal.pause()
    except UnableToStart as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def addresses(data: Path) -> dict[str, str]:
    """Return the two addresses that the pair of `data` has, or had when it last ran."""
    known = state.load(data)
    if known is None:
        raise UnableToStart(f"No servers were ever started in {data}.")
    return {
        "DATABASE_URL": Postgres.address(known.postgres_port or 0, known.postgres_password),
        "REDIS_URL": Redis.address(known.redis_port or 0, known.redis_password),
    }


def _print(urls: Mapping[str, str]) -> None:
    for name, url in sorted(urls.items()):
        print(f"{name}={url}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
