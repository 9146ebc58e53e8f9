"""Find a Chromium for the browser tests, or get Debian's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from curbe.dev import console
from curbe.dev.errors import UnableToStart

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = "The browser tests need Chromium: install it (Debian: apt-get install chromium), or name one in CHROMIUM."


def find() -> str | None:
    """Return the path of a Chromium, the one that CHROMIUM names first, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def ensure() -> str:
    """Return the path of a Chromium; on Debian, as root, install it if there is none. Raise `UnableToStart`."""
    found = find()
    if found is None and not os.environ.get("CHROMIUM") and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        console.step("Installing Debian's Chromium, for the browser tests")
        quiet = {"capture_output": True, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], **quiet)  # type: ignore[call-overload]
        found = find()
    if found is None:
        raise UnableToStart(MISSING)
    return found
