"""Speaks to our webhooks as Telnyx does: signed bytes at the real addresses, through Django's test client.

Use the ``telnyx`` fixture (tests/conftest.py imports it): ``telnyx.form("/webhooks/telnyx/status", CallSid=…)``.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from nacl.signing import SigningKey
from pytest_django import Settings

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@cache
def signing_key() -> SigningKey:
    """Return the pair of this test session."""
    return SigningKey.generate()


def public_key() -> str:
    """Return what TELNYX_PUBLIC_KEY has to be."""
    return base64.b64encode(bytes(signing_key().verify_key)).decode()


def headers(body: bytes, *, at_s: float | None = None, key: SigningKey | None = None) -> dict[str, str]:
    """Return the two headers with which Telnyx signs ``timestamp|body``."""
    timestamp = str(int(time.time() if at_s is None else at_s))
    signature = (key or signing_key()).sign(timestamp.encode() + b"|" + body).signature
    return {
        "telnyx-timestamp": timestamp,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "user-agent": "telnyx-webhooks",
    }


#: What the test client answers: an HttpResponse with the client's additions, whose type has no public name.
Response = Any


class Telnyx:
    """Telnyx, as our webhooks see it."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)

    def post(self, path: str, body: bytes, content_type: str = FORM, **signing: Any) -> Response:
        """POST raw bytes, signed now with the right key unless ``at_s`` or ``key`` say otherwise."""
        return self._client.post(path, body, content_type=content_type, headers=headers(body, **signing))

    def unsigned(self, path: str, body: bytes, content_type: str = FORM) -> Response:
        return self._client.post(path, body, content_type=content_type)

    def form(self, path: str, fields: Mapping[str, object] | None = None, /, **more: object) -> Response:
        """POST a TeXML form."""
        return self.post(path, urlencode({**(fields or {}), **more}).encode())

    def json(self, path: str, body: Mapping[str, Any]) -> Response:
        """POST a JSON event."""
        return self.post(path, json.dumps(body).encode(), JSON)


@pytest.fixture
def telnyx(settings: Settings, db: None) -> Iterator[Telnyx]:
    settings.TELNYX_PUBLIC_KEY = public_key()
    yield Telnyx()
