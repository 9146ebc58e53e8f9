from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses


@pytest.fixture
def telnyx_api() -> Iterator[responses.RequestsMock]:
    """Telnyx's REST API as ``responses``, strict: what is not announced is refused, what is announced must be asked."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock
