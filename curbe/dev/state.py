"""What the embedded servers remember from one run to the next: `servers.json` in the data folder."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from curbe.dev.errors import UnableToStart

FILE = "servers.json"


@dataclass(slots=True)
class Remembered:
    """`home` is the folder of the servers' own data, "" before they first ran; `throwaway` data is not kept."""

    id: str
    home: str
    throwaway: bool
    postgres_password: str
    redis_password: str
    secret_key: str
    postgres_port: int | None = None
    redis_port: int | None = None

    @property
    def folder(self) -> Path | None:
        return Path(self.home) if self.home else None


def new(*, throwaway: bool) -> Remembered:
    return Remembered(
        id=secrets.token_hex(6),
        home="",
        throwaway=throwaway,
        postgres_password=secrets.token_urlsafe(24),
        redis_password=secrets.token_urlsafe(24),
        secret_key=secrets.token_urlsafe(48),
    )


def load(data: Path) -> Remembered | None:
    """Return what was remembered, or None at the first run. A file that cannot be read raises `UnableToStart`."""
    path = data / FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Remembered(**{field.name: known[field.name] for field in fields(Remembered)})
    except FileNotFoundError:
        return None
    except PermissionError:
        raise UnableToStart(f"{path} cannot be read by this user: choose another folder with CURBE_DATA.") from None
    except (ValueError, KeyError, TypeError):
        raise UnableToStart(f"{path} is damaged. `make clean` starts afresh, without the data of {data}.") from None


def save(data: Path, remembered: Remembered) -> None:
    """Write it whole or not at all, readable by its owner only: it holds the passwords."""
    path = data / FILE
    draft = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(remembered), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
