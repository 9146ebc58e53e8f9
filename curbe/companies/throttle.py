"""How often somebody may try a password. The counts are soft state: they live in the cache, and die with it."""

from __future__ import annotations

import hashlib
import logging
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

logger = logging.getLogger(__name__)

#: Wrong passwords for one name from one address before a pause. A person mistypes three times; a program never stops.
FAILURES: Final = 10
PAUSE_S: Final = 300


def is_blocked(username: str, address: str) -> bool:
    """Say whether this name has been tried too often from this address."""
    try:
        return int(cache.get(_key(username, address), 0)) >= FAILURES
    except Exception:
        # The cache may be away; people must get in all the same.
        logger.exception("Unable to read the count of failed log-ins")
        return False


def failed(username: str, address: str) -> None:
    """Count one wrong password. Each one prolongs the pause."""
    key = _key(username, address)
    try:
        if not cache.add(key, 1, PAUSE_S):
            cache.incr(key)
            cache.touch(key, PAUSE_S)
    except ValueError:
        cache.set(key, 1, PAUSE_S)  # It ran out between the two.
    except Exception:
        logger.exception("Unable to count a failed log-in")


def forget(username: str, address: str) -> None:
    """The password was right: start counting anew."""
    try:
        cache.delete(_key(username, address))
    except Exception:
        logger.exception("Unable to forget failed log-ins")


def address_of(request: HttpRequest) -> str:
    """Return the address of the browser. Behind our proxy it is the last one that the proxy wrote down."""
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", 1)[-1].strip()
        if forwarded:
            return forwarded
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(username: str, address: str) -> str:
    # Hashed: what people type may hold anything, be of any length, and be a password in the wrong field.
    digest = hashlib.sha256(f"{username.casefold()}\0{address}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"log-in:{digest}"
