from __future__ import annotations

import pytest
from django.test import Client

from curbe.companies.models import User
from tests import cast


@pytest.fixture
def operator(db: None) -> User:
    return cast.make_user(None, "operator", is_staff=True, is_superuser=True)


@pytest.fixture
def console(operator: User) -> Client:
    """The operator's browser."""
    return cast.client_for(operator)
