"""Who runs the embedded servers, and which folders that user can enter.

PostgreSQL refuses to run as root, and Redis should not. As root both run as `nobody`, or as whoever owns the data
already. No user is made and no folder of somebody else's is opened: where `nobody` cannot go, things are copied to
where he can (`places.py`).
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curbe.dev.errors import UnableToStart


@dataclass(frozen=True, slots=True)
class Account:
    """An ordinary user of this machine, by number."""

    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """Return what makes `subprocess.Popen` start a child as this user, without any of root's groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """Return whether this user passes `test` ("-x", "-r", …) on `path`: asked of the kernel, as that user."""
        command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        return subprocess.run(command, cwd="/", env={}, **self.popen_arguments()).returncode == 0


def server_account(existing_data: Path | None) -> Account | None:
    """Return the account for the servers, or None for "as we are".

    `existing_data` is PostgreSQL's folder, if there is one yet. Raise `UnableToStart` when it belongs to
    somebody that we are not and cannot become.
    """
    status = existing_data.stat() if existing_data is not None and existing_data.is_dir() else None
    owner = status.st_uid if status else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise UnableToStart(
                f"{existing_data} belongs to user {name_of(owner)}: run as that user or as root, "
                "or choose another folder with CURBE_DATA."
            )
        return None
    if status is not None and owner:
        return Account(owner, status.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def name_of(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid if uid is not None else os.geteuid()).pw_name
    except KeyError:
        return str(uid)
