"""Read the Procfile, so that a developer's machine runs the very commands that a server runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from curbe.dev.errors import UnableToStart

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$")
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)")


def parse(text: str) -> dict[str, str]:
    """Return process name → command line as written. A line that is neither that nor a comment is an error."""
    commands: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise UnableToStart(f"Procfile, line {number}: {line!r} is not `name: command`.")
        commands[match[1]] = match[2]
    return commands


def command(line: str, environ: Mapping[str, str]) -> list[str]:
    """Return the words of a command line, with `$NAME`, `${NAME}` and `${NAME:-default}` filled in.

    No shell runs it: a signal must reach the program itself. Words are split first, so a value with a space in it
    stays one word.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match[1] or match[3], match[2] or ""
        return environ.get(name) or default

    return [_VARIABLE.sub(value, word) for word in shlex.split(line)]
