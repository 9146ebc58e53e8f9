"""HTTP that is the same everywhere: the short road, the content security policy, errors as JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

logger = logging.getLogger(__name__)

Road = Callable[[HttpRequest], HttpResponseBase]

#: Requests by programs that carry their own proof: no session, no cookie, no CSRF token could help or harm them.
SHORT_PREFIXES: Final = ("/webhooks/", "/healthz", "/readyz")
PHONE_TICKET: Final = "Phone "
#: The one address where a ticket opens anything.
HEARTBEAT_PATH: Final = "/api/agents/heartbeat"


class BadParameter(BadRequest):
    """A parameter of a page's address means nothing: 400, and the page names it."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


def short_road(get_response: Road) -> Road:
    """Send webhooks, health checks and ticketed heartbeats straight to their views, past all other middleware."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(SHORT_PREFIXES) or _is_ticketed_heartbeat(request):
            match = resolve(request.path_info, getattr(request, "urlconf", None))
            request.resolver_match = match
            response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
            # CommonMiddleware, which does this for pages, is not on this road; without it the answer goes in chunks.
            if isinstance(response, HttpResponse) and not response.has_header("Content-Length"):
                response.headers["Content-Length"] = str(len(response.content))
            return response
        return get_response(request)

    return middleware


def _is_ticketed_heartbeat(request: HttpRequest) -> bool:
    return request.path_info == HEARTBEAT_PATH and request.META.get("HTTP_AUTHORIZATION", "").startswith(PHONE_TICKET)


def json_error(status: int, text: str, **more: object) -> JsonResponse:
    """Return ``{"error": text, …}``: the one shape of every error of the API."""
    return JsonResponse({"error": text, **more}, status=status)


def api_errors(error: Exception, context: dict[str, Any]) -> Response | None:
    """Give Django REST framework's errors the API's shape; 400 names the field. Unknown errors stay errors (500)."""
    response = exception_handler(error, context)
    if response is None:
        return None
    set_rollback()
    detail = error.detail if isinstance(error, exceptions.ValidationError) else None
    if isinstance(detail, dict):
        field, messages = next(iter(detail.items()))
        text = str(messages[0] if isinstance(messages, list) and messages else messages)
        response.data = {"error": f"{field}: {text}", "field": field}
    elif isinstance(detail, list):
        response.data = {"error": str(detail[0])}
    else:
        response.data = {"error": str(getattr(error, "detail", error))}
    return response


def websocket_origin(request: HttpRequest) -> str:
    """Return the origin of the live process as this browser reaches it (``ws://127.0.0.1:8001``)."""
    if settings.LIVE_URL:
        scheme, rest = settings.LIVE_URL.split("://", 1)
        return f"{'wss' if scheme in {'https', 'wss'} else 'ws'}://{rest}"
    host = request.get_host().rsplit(":", 1)[0]
    return f"{'wss' if request.is_secure() else 'ws'}://{host}:{settings.LIVE_PORT}"


def telephone_origins() -> tuple[str, ...]:
    """Return the origins that the browser SDK talks to: the sandbox's, or Telnyx's and its regions'."""
    if settings.TELNYX_RTC_HOST:
        parts = urlsplit(settings.TELNYX_RTC_HOST)
        secure = parts.scheme == "wss"
        return (f"{parts.scheme}://{parts.netloc}", f"{'https' if secure else 'http'}://{parts.netloc}")
    return (
        "wss://rtc.telnyx.com",
        "https://rtc.telnyx.com",
        "wss://*.rtc.telnyx.com",
        "https://*.rtc.telnyx.com",
    )


def content_security_policy(get_response: Road) -> Road:
    """Let a page load what we serve, talk to us, the live process and the telephone, and nothing else."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "Content-Security-Policy" not in response.headers:
            response.headers["Content-Security-Policy"] = policy(request)
        # The phone needs the microphone; nothing here needs anything else of the machine.
        response.headers.setdefault("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
        return response

    return middleware


def policy(request: HttpRequest) -> str:
    connect = " ".join(("'self'", websocket_origin(request), *telephone_origins()))
    # The operator's console comes from a package that styles inline and runs Alpine.js; the API's page only styles.
    console = request.path_info.startswith("/admin/")
    scripts = "'self' 'unsafe-inline' 'unsafe-eval'" if console else "'self'"
    styles = "'self' 'unsafe-inline'" if console or request.path_info == "/api/docs" else "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src {styles}",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            f"connect-src {connect}",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def too_large(request: HttpRequest, limit_bytes: int) -> bool:
    """Say whether the body is declared longer than the limit, or its length is not a number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) > limit_bytes
    except ValueError:
        return True
