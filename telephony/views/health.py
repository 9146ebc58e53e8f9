"""Is it alive, and can it work? For load balancers and for whoever is woken at night."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

Check = Callable[[], bool]


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer as long as this process does; asks nobody else."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Name each part that calls need, and whether it is there; 503 while one is missing."""
    parts = {name: "ok" if _is_there(name, check) else "missing" for name, check in PARTS.items()}
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


def _is_there(name: str, check: Check) -> bool:
    try:
        return check()
    except Exception as err:
        # Whatever is wrong with it, it is not there; the answer must name the others all the same.
        logger.warning("Not ready: %s: %s", name, type(err).__name__)
        return False


def _postgresql() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _redis() -> bool:
    # A read of a key that nobody writes: it only fails when Redis does.
    cache.get("readyz")
    return True


def _worker() -> bool:
    return cache.get("alive:worker") is not None


def _beat() -> bool:
    return cache.get("alive:beat") is not None


PARTS: Final[Mapping[str, Check]] = {
    "postgresql": _postgresql,
    "redis": _redis,
    "worker": _worker,
    "beat": _beat,
}
