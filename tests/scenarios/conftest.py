"""What conversations need: Telnyx's API as a switchboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from tests.scenarios.switchboard import Switchboard


@pytest.fixture
def board() -> Iterator[Switchboard]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Switchboard(mock)
