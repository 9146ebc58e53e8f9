"""Settings that are fine alone and wrong together."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def telnyx_settings(**_: Any) -> list[CheckMessage]:
    """Say what would keep Telnyx from reaching us, or us from reaching it."""
    found: list[CheckMessage] = []
    public = urlsplit(settings.PUBLIC_URL)
    if public.path not in {"", "/"} or public.query or public.fragment:
        found.append(
            Error(
                "PUBLIC_URL must be an origin, without a path.",
                hint="Callback addresses are this origin and the path of the contract: https://voice.example.com.",
                id="telephony.E001",
            )
        )
    if not settings.TELNYX_SANDBOX and public.scheme != "https":
        found.append(
            Error(
                "PUBLIC_URL must be https with a real Telnyx account.",
                hint="Callbacks carry numbers and links to recordings; Telnyx signs them, but does not hide them.",
                id="telephony.E002",
            )
        )
    if not settings.TELNYX_SANDBOX and public.hostname in {"localhost", "127.0.0.1", "::1"}:
        found.append(
            Error(
                "PUBLIC_URL names this machine, which Telnyx cannot reach.",
                hint="Set PUBLIC_URL to the origin of a tunnel or of the server.",
                id="telephony.E003",
            )
        )
    if not settings.TELNYX_SANDBOX and urlsplit(settings.TELNYX_API_URL).scheme != "https":
        found.append(
            Error(
                "TELNYX_API_URL must be https: the API key travels in every request.",
                hint="Leave TELNYX_API_URL unset to use Telnyx's own address.",
                id="telephony.E004",
            )
        )
    if settings.TELNYX_SANDBOX and settings.TELNYX_PUBLIC_KEY:
        found.append(
            Warning(
                "TELNYX_PUBLIC_KEY is set while the sandbox is used.",
                hint="The sandbox signs with its own pair; leave TELNYX_PUBLIC_KEY unset, or set TELNYX_API_KEY.",
                id="telephony.W001",
            )
        )
    if not settings.TELNYX_SANDBOX and not (settings.ADMINS and settings.EMAIL_URL):
        found.append(
            Warning(
                "Nobody is told by mail what the daily audit of the Telnyx account finds.",
                hint="Set ADMINS to the operator's addresses, and EMAIL_URL to a mail server that takes them.",
                id="telephony.W003",
            )
        )
    if settings.SECURE_SSL_REDIRECT and not settings.BEHIND_PROXY:
        found.append(
            Warning(
                "Pages redirect to https, but no proxy is believed to have ended it.",
                hint="Set BEHIND_PROXY=1 behind a proxy that ends TLS, or pages redirect for ever.",
                id="telephony.W002",
            )
        )
    return found
