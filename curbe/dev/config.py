"""Where things are, as the environment says: folder of data, hosts and ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from curbe.dev.errors import UnableToStart

ROOT = Path(__file__).resolve().parents[2]

# Names whose values travel from a person's environment into the processes unchanged stand nowhere here: everything
# is passed on. These are the ones that the commands themselves must understand (contract.md, sections 1 and 2).
DEFAULT_PORTS = {"PORT": 8000, "LIVE_PORT": 8001, "SANDBOX_PORT": 8002}


@dataclass(frozen=True, slots=True)
class Config:
    """`data` is absolute; ports are those that browsers use, on `host`."""

    data: Path
    host: str
    port: int
    live_port: int
    sandbox_port: int

    @property
    def ports(self) -> dict[str, int]:
        return {"PORT": self.port, "LIVE_PORT": self.live_port, "SANDBOX_PORT": self.sandbox_port}


def environment(environ: Mapping[str, str], *, dotenv: Path = ROOT / ".env") -> dict[str, str]:
    """Return `environ` with what a `.env` file adds to it, as settings.py reads it: the environment wins."""
    if environ.get("CURBE_IGNORE_DOTENV") or not dotenv.is_file():
        return dict(environ)
    lines = (line.strip().removeprefix("export ") for line in dotenv.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))
    return {**{name.strip(): value.strip().strip("'\"") for name, value in pairs}, **environ}


def read(environ: Mapping[str, str], *, default_data: str = ".data") -> Config:
    """Return the configuration, or raise `UnableToStart` naming the variable that makes no sense."""
    ports = {name: _port(environ, name, default) for name, default in DEFAULT_PORTS.items()}
    if len(set(ports.values())) < len(ports):
        raise UnableToStart(
            "PORT, LIVE_PORT and SANDBOX_PORT must be three different numbers: "
            + " ".join(f"{name}={port}" for name, port in ports.items())
        )
    data = Path(environ.get("CURBE_DATA") or default_data).expanduser()
    return Config(
        data=data.resolve() if data.is_absolute() else (ROOT / data).resolve(),
        host=environ.get("HOST") or "127.0.0.1",
        port=ports["PORT"],
        live_port=ports["LIVE_PORT"],
        sandbox_port=ports["SANDBOX_PORT"],
    )


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise UnableToStart(f"{name}={text!r} is not a port: a number from 1 to 65535 is wanted.")
    return int(text)
