"""Is it Telnyx who speaks? Ed25519 over ``timestamp|raw body`` (developers.telnyx.com, fundamentals, 2026-04)."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"


class BadSignature(Exception):
    """The request is not from Telnyx, or is too old, or not signed; ``str()`` says which."""


def public_key() -> str:
    """Return the key that signatures are checked with: base64 of 32 bytes. Raises BadSignature if there is none yet."""
    if settings.TELNYX_PUBLIC_KEY:
        return str(settings.TELNYX_PUBLIC_KEY)
    try:
        return _key_of_sandbox(settings.TELNYX_PUBLIC_KEY_FILE)
    except OSError as err:
        # The sandbox makes its pair at its first run. Until then the door stays closed.
        raise BadSignature(f"there is no public key in {settings.TELNYX_PUBLIC_KEY_FILE}") from err


@lru_cache(maxsize=1)
def _key_of_sandbox(path: Path) -> str:
    return path.read_text().strip()


@lru_cache(maxsize=4)
def _verify_key(text: str) -> VerifyKey:
    try:
        return VerifyKey(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError) as err:
        raise ImproperlyConfigured("TELNYX_PUBLIC_KEY must be the base64 of 32 bytes.") from err


def verify(*, body: bytes, signature: str, timestamp: str, now_s: float, tolerance_s: int) -> None:
    """Return if the body was signed with our account's key at most ``tolerance_s`` seconds from now; else raise."""
    if not signature or not timestamp:
        raise BadSignature("the request is not signed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("the timestamp is not a number of seconds")
    if abs(now_s - int(timestamp)) > tolerance_s:
        raise BadSignature("the timestamp is too far from our clock")
    try:
        raw = base64.b64decode(signature, validate=True)
        _verify_key(public_key()).verify(timestamp.encode() + b"|" + body, raw)
    except (binascii.Error, ValueError, BadSignatureError) as err:
        raise BadSignature("the signature does not fit the body") from err
