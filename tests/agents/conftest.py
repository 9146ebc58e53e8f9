from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch

import pytest

from curbe.companies.models import Company
from tests.agents.people import company_of_agents

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def company(db: None) -> Company:
    return company_of_agents()


@pytest.fixture
def pushes() -> Iterator[list[tuple[str, str]]]:
    """What was pushed, as ``(type, the last of its fields)``, in the order of sending; nothing leaves the process."""
    sent: list[tuple[str, str]] = []

    def send(type: str, *, groups: list[str], **fields: object) -> None:
        assert groups and all(isinstance(group, str) for group in groups)
        sent.append((type, str(list(fields.values())[-1])))

    with patch("curbe.lib.push.send", send):
        yield sent
