"""What goes wrong on a developer's machine, in one line that says what to do."""

from __future__ import annotations


class UnableToStart(Exception):
    """A thing that the person at the keyboard can change; `str(error)` is the whole line to print."""
