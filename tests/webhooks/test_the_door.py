"""Who may speak to our webhooks: every address, every way to be refused, and nothing changed by any of them."""

from __future__ import annotations

import base64
import time

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import get_resolver
from nacl.signing import SigningKey

from telephony.models import TelnyxEvent
from telephony.webhooks.decorators import signed
from tests.telnyx_post import FORM, Telnyx, headers

BODY = b"CallSid=v3%3Aone&From=%2B13055551234&To=%2B13055550100"


def webhook_paths() -> list[str]:
    """Return every address below /webhooks/, from the URLconf: a new one is covered the day it is born."""
    found = []
    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern).startswith("webhooks/"):
            found += [f"/webhooks/telnyx/{one.pattern}" for one in pattern.url_patterns]
    return [path.replace("<company:company>", "b5325600") for path in found]


PATHS = webhook_paths()


def test_the_urlconf_has_the_addresses_of_the_contract() -> None:
    assert {
        "/webhooks/telnyx/voice/b5325600",
        "/webhooks/telnyx/inbound",
        "/webhooks/telnyx/outbound/b5325600",
        "/webhooks/telnyx/outbound",
        "/webhooks/telnyx/dial-complete/b5325600",
        "/webhooks/telnyx/step/b5325600",
        "/webhooks/telnyx/voicemail/b5325600",
        "/webhooks/telnyx/status/b5325600",
        "/webhooks/telnyx/status",
        "/webhooks/telnyx/recording/b5325600",
        "/webhooks/telnyx/events",
    } <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
class TestEveryAddress:
    def test_refuses_what_is_not_signed(self, telnyx: Telnyx, path: str) -> None:
        assert telnyx.unsigned(path, BODY).status_code == 403
        assert not TelnyxEvent.objects.exists()

    def test_refuses_what_somebody_else_signed(self, telnyx: Telnyx, path: str) -> None:
        assert telnyx.post(path, BODY, key=SigningKey.generate()).status_code == 403
        assert not TelnyxEvent.objects.exists()

    @pytest.mark.parametrize("age_s", [310, -310])
    def test_refuses_an_old_or_future_timestamp(self, telnyx: Telnyx, path: str, age_s: int) -> None:
        assert telnyx.post(path, BODY, at_s=time.time() - age_s).status_code == 403
        assert not TelnyxEvent.objects.exists()

    def test_refuses_ten_megabytes_before_reading_them(self, telnyx: Telnyx, path: str) -> None:
        assert telnyx.post(path, b"x" * 10_000_000).status_code == 413
        assert not TelnyxEvent.objects.exists()

    def test_refuses_another_method(self, telnyx: Telnyx, path: str) -> None:
        assert telnyx._client.get(path).status_code == 405


def test_a_signature_does_not_fit_another_body(telnyx: Telnyx) -> None:
    answer = telnyx._client.post("/webhooks/telnyx/inbound", BODY + b"&x=1", content_type=FORM, headers=headers(BODY))

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "signing",
    [
        {"telnyx-timestamp": "soon", "telnyx-signature-ed25519": "AAAA"},
        {"telnyx-timestamp": "1" * 40, "telnyx-signature-ed25519": "AAAA"},
        {"telnyx-timestamp": "NOW", "telnyx-signature-ed25519": "not base64!"},
        {"telnyx-timestamp": "NOW", "telnyx-signature-ed25519": "AAAA"},
        {"telnyx-timestamp": "NOW", "telnyx-signature-ed25519": base64.b64encode(bytes(63)).decode()},
        {"telnyx-timestamp": "NOW"},
        {"telnyx-signature-ed25519": "AAAA"},
    ],
)
def test_a_malformed_signature_is_refused_and_not_an_error(telnyx: Telnyx, signing: dict[str, str]) -> None:
    sent = {name: value.replace("NOW", str(int(time.time()))) for name, value in signing.items()}

    answer = telnyx._client.post(
        "/webhooks/telnyx/inbound", BODY, content_type="application/x-www-form-urlencoded", headers=sent
    )

    assert answer.status_code == 403
    assert "error" in answer.json()


class Dripping:
    """A body that is announced and does not come: whoever reads it waits."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("The door waited for the body.")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"REQUEST_METHOD": "PUT"}, 405),
        ({"CONTENT_LENGTH": "1000001"}, 413),
        ({"CONTENT_LENGTH": "many"}, 413),
        ({"HTTP_TELNYX_TIMESTAMP": ""}, 403),
        ({"HTTP_TELNYX_SIGNATURE_ED25519": ""}, 403),
        ({"HTTP_TELNYX_TIMESTAMP": "1700000000"}, 403),
        ({"HTTP_TELNYX_SIGNATURE_ED25519": "AAAA"}, 403),
        ({"HTTP_TELNYX_SIGNATURE_ED25519": "not base64!"}, 403),
    ],
)
def test_what_the_headers_give_away_is_refused_before_the_body_is_waited_for(
    changed: dict[str, str], status: int
) -> None:
    request = RequestFactory().post("/webhooks/telnyx/inbound", BODY, content_type=FORM, headers=headers(BODY))
    request.META.update(changed)
    request.method = request.META["REQUEST_METHOD"]
    request._stream = Dripping()  # type: ignore[attr-defined]

    answer = signed(lambda request: HttpResponse())(request)

    assert answer.status_code == status


def test_the_door_stays_closed_while_the_sandbox_has_no_key(telnyx: Telnyx, settings: object, tmp_path: object) -> None:
    from telephony.telnyx import key

    settings.TELNYX_PUBLIC_KEY = ""  # type: ignore[attr-defined]
    settings.TELNYX_PUBLIC_KEY_FILE = tmp_path / "none"  # type: ignore[attr-defined, operator]
    key._key_of_sandbox.cache_clear()

    assert telnyx.post("/webhooks/telnyx/inbound", BODY).status_code == 403


def test_the_official_package_accepts_our_reading_of_a_signature(telnyx: Telnyx) -> None:
    """The verifier of the `telnyx` package is the judge of what a signature is."""
    from telnyx.lib.webhook_verification import verify_webhook_signature  # type: ignore[import-not-found, unused-ignore]

    from tests.telnyx_post import public_key

    verify_webhook_signature(BODY.decode(), headers(BODY), public_key())
