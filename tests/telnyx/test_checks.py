"""Settings that are fine alone and wrong together are said before the first call."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from telephony.checks import telnyx_settings


def ids(settings: Settings, **values: object) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    return [str(message.id) for message in telnyx_settings()]


REAL = {
    "TELNYX_SANDBOX": False,
    "TELNYX_API_URL": "https://api.telnyx.com/v2",
    "TELNYX_PUBLIC_KEY": "key",
    "PUBLIC_URL": "https://voice.test",
    "ADMINS": [("Op", "op@curbe.test")],
    "EMAIL_URL": "smtp://mail.test",
}
SANDBOX = {
    "TELNYX_SANDBOX": True,
    "TELNYX_API_URL": "http://127.0.0.1:8002/v2",
    "TELNYX_PUBLIC_KEY": "",
    "PUBLIC_URL": "http://127.0.0.1:8000",
}


@pytest.mark.parametrize("values", [REAL, SANDBOX])
def test_what_is_right_is_not_complained_of(settings: Settings, values: dict[str, object]) -> None:
    assert ids(settings, **values) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"PUBLIC_URL": "https://voice.test/curbe"}, ["telephony.E001"]),
        ({"PUBLIC_URL": "http://voice.test"}, ["telephony.E002"]),
        ({"PUBLIC_URL": "https://localhost"}, ["telephony.E003"]),
        ({"TELNYX_API_URL": "http://api.telnyx.com/v2"}, ["telephony.E004"]),
        ({"ADMINS": []}, ["telephony.W003"]),
        ({"EMAIL_URL": ""}, ["telephony.W003"]),
    ],
)
def test_a_real_account_wants_a_real_address(settings: Settings, change: dict[str, object], found: list[str]) -> None:
    assert ids(settings, **{**REAL, **change}) == found


def test_the_sandbox_wants_its_own_key(settings: Settings) -> None:
    assert ids(settings, **{**SANDBOX, "TELNYX_PUBLIC_KEY": "key"}) == ["telephony.W001"]
