"""The key with which Telnyx's signatures are checked: the settings', or, with the sandbox, the one that it made."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings


class NoPublicKey(Exception):
    """There is none yet: the sandbox makes its pair at its first run."""


def public_key() -> str:
    """Return the key: base64 of 32 bytes. Raises NoPublicKey."""
    if settings.TELNYX_PUBLIC_KEY:
        return str(settings.TELNYX_PUBLIC_KEY)
    try:
        return _key_of_sandbox(settings.TELNYX_PUBLIC_KEY_FILE)
    except OSError as err:
        raise NoPublicKey(f"there is no public key in {settings.TELNYX_PUBLIC_KEY_FILE}") from err


@lru_cache(maxsize=1)
def _key_of_sandbox(path: Path) -> str:
    return path.read_text().strip()
