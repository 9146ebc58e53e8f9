"""How the tests of the API ask: JSON in a browser that is logged in, or with the key of a program."""

from __future__ import annotations

from typing import Any

from django.test import Client

from curbe.companies.models import User
from tests import cast


class Asker:
    """Somebody with a browser, or nobody."""

    def __init__(self, user: User | None) -> None:
        self._browser = Client(raise_request_exception=False) if user is None else cast.client_for(user)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self._browser.get(path, query or {}, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._browser.post(path, {} if body is None else body, content_type="application/json", headers=headers)
