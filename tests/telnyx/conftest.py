from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport

API = "https://api.test/v2"
KEY = "KEY0123-very-secret"


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client made, in seconds; none of them is slept."""
    return []


@pytest.fixture
def client(pauses: list[float]) -> TelnyxClient:
    return TelnyxClient(Transport(api_key=KEY, base_url=API, sleep=pauses.append))


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    """Telnyx: what is not expected is refused, and what is expected must come."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock
