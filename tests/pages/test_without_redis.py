"""Redis may be lost: people go on working, and calls go on ringing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from curbe.companies.models import Company, User
from tests import cast


@pytest.fixture(params=["refused", "hung"])
def no_redis(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """Point the cache at a port where nobody listens, or where somebody listens and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "hung":
            server.listen(64)
        location = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
        yield


@pytest.mark.usefixtures("no_redis")
@pytest.mark.parametrize("path", ["/", "/calls/", "/api/calls", "/api/agents/me"])
def test_who_is_logged_in_works_on(bob: User, path: str) -> None:
    assert cast.client_for(bob).get(path).status_code == 200


@pytest.mark.usefixtures("no_redis")
def test_people_can_log_in(acme: Company) -> None:
    cast.make_user(acme, "nora", password="a-long-password")
    browser = cast.client_for(cast.make_user(acme, "other"))
    browser.logout()

    answer = browser.post("/login/", {"username": "nora", "password": "a-long-password"})

    assert answer.status_code == 302
    assert browser.get("/").status_code == 200


@pytest.mark.usefixtures("no_redis")
def test_a_request_waits_for_it_a_moment_at_most(bob: User) -> None:
    browser = cast.client_for(bob)

    started = time.monotonic()
    browser.get("/")

    # Not a figure but the difference between a time-out that is set and one that is not.
    assert time.monotonic() - started < 4
