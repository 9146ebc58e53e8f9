"""Lines on the console: what the commands say themselves, and what their processes say, each under its name."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

_COLOURS = {"web": "36", "live": "34", "worker": "35", "beat": "33", "sandbox": "32"}
_KEEP_BYTES = 10_000_000
_lock = threading.Lock()


def coloured(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, code: str) -> str:
    """Return `text` in a colour (an ANSI code such as "1" or "32"), where the console shows colours."""
    return f"\033[{code}m{text}\033[0m" if coloured(sys.stdout) else text


def say(text: str = "") -> None:
    # A console that is gone (its window was closed) is no reason to leave the children behind.
    with _lock, contextlib.suppress(OSError):
        print(text, flush=True)


def step(text: str) -> None:
    """Announce one step of the set-up."""
    say(f"{paint('→', '36;1')} {text}")


def follow(
    name: str, stream: IO[bytes], log: Path, *, shown: Callable[[str], bool], notice: Callable[[str], None]
) -> threading.Thread:
    """Copy every line of `stream` to `log`, to the console as "name | line" if `shown(line)`, and to `notice`."""

    def copy() -> None:
        with log.open("ab", buffering=0) as file:
            for raw in stream:
                file.write(raw)
                line = raw.decode("utf-8", errors="replace").rstrip()
                notice(line)
                if shown(line):
                    say(f"{paint(f'{name:<8}|', _COLOURS.get(name, '37'))} {line}")

    thread = threading.Thread(target=copy, name=f"log of {name}", daemon=True)
    thread.start()
    return thread


def rotate(log: Path) -> None:
    """Set a log aside that has grown large; the one before it goes."""
    if log.exists() and log.stat().st_size > _KEEP_BYTES:
        log.replace(log.with_suffix(log.suffix + ".1"))
