"""What `make run` and `make test` need besides Python packages: browser packages, message catalogues, Chromium."""

from __future__ import annotations

import os
import signal

from curbe.dev import console, messages, node
from curbe.dev.embedded import end_by_signals
from curbe.dev.processes import die_with_parent


def prepare() -> None:
    """Do what is not done yet; quick and silent when nothing changed. Raise `UnableToStart`."""
    if not node.vendor_is_fresh():
        console.step("Installing browser packages")
        node.install_vendor()
    made = messages.compile_all()
    if made:
        console.step(f"Compiled {made} message catalogue{'s' if made > 1 else ''}")


def end_as_asked() -> None:
    """Let Ctrl-C, a kill, a closed console and the end of `make` end this command and its children in good order."""
    end_by_signals()
    if os.environ.pop("CURBE_FOLLOW_PARENT", None):
        die_with_parent(signal.SIGTERM)
