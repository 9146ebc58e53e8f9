"""The fixed cast, and what every test may ask for."""

from __future__ import annotations

import pytest

from curbe.companies.models import Company, Role, User
from tests import cast
from tests.sandbox_server import house
from tests.telnyx_post import telnyx

__all__ = ["house", "telnyx"]


@pytest.fixture
def acme(db: None) -> Company:
    return cast.make_company("acme", name="Acme Seguros", timezone="America/New_York", language="es")


@pytest.fixture
def elsewhere(db: None) -> Company:
    return cast.make_company("elsewhere", name="Elsewhere Ltd", language="en")


@pytest.fixture
def alice(acme: Company) -> User:
    """Owns Acme; answers no calls."""
    return cast.make_user(acme, "alice", role=Role.OWNER)


@pytest.fixture
def bob(acme: Company) -> User:
    """Answers calls at Acme: ``bob.agents.get()``. Give him a beat and an endpoint to let him be rung."""
    return cast.make_agent(acme, "bob").user


@pytest.fixture
def sam(acme: Company) -> User:
    """Supervises at Acme."""
    return cast.make_user(acme, "sam", role=Role.SUPERVISOR)


@pytest.fixture
def mallory(elsewhere: Company) -> User:
    """Owns another company, answers its calls, and wants Acme's rows."""
    mallory = cast.make_user(elsewhere, "mallory", role=Role.OWNER)
    cast.make_agent(elsewhere, user=mallory)
    return mallory
