from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

from curbe.companies.models import User
from tests import cast
from tests.api.asking import Asker

#: Addresses of the API that answer something other than JSON, so the document does not describe them.
NOT_JSON = {"/api/schema", "/api/docs"}


def document(user: User) -> dict[str, Any]:
    answer = Asker(user).get("/api/schema")
    assert answer.status_code == 200
    described: dict[str, Any] = answer.json()
    return described


def test_the_document_is_made_without_a_warning() -> None:
    out = io.StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)

    assert "openapi: 3" in out.getvalue()


def addresses(patterns: list[Any], prefix: str = "/") -> list[str]:
    found = []
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            found.append(re.sub(r"<\w+:(\w+)>", r"{\1}", path))
    return found


def test_every_address_of_the_api_is_in_the_document(bob: User) -> None:
    described = set(document(bob)["paths"])
    there = {path for path in addresses(get_resolver().url_patterns) if path.startswith("/api/")}

    audio = {path for path in there if path.endswith("/audio")}
    assert there - NOT_JSON - audio == described - audio


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/api/agents/heartbeat", "post", {"200", "400", "401", "403"}),
        ("/api/webrtc/token", "post", {"200", "400", "401", "403", "409", "502", "503"}),
        ("/api/webrtc/server-hangup", "post", {"200", "400", "401", "403", "404", "409", "502"}),
        ("/api/webrtc/calls/{call_id}/decline", "post", {"204", "400", "401", "403", "404", "409"}),
        ("/api/calls", "get", {"200", "400", "401", "403"}),
        ("/api/calls/{call_id}", "get", {"200", "401", "403", "404"}),
    ],
)
def test_the_document_names_every_answer(bob: User, path: str, method: str, statuses: set[str]) -> None:
    assert set(document(bob)["paths"][path][method]["responses"]) == statuses


def test_an_answer_has_the_fields_that_the_document_promises(acme: Any, bob: User) -> None:
    cast.make_call(acme)

    promised = document(bob)["components"]["schemas"]["CallShape"]["properties"]
    row = Asker(bob).get("/api/calls").json()["results"][0]

    assert set(row) == set(promised)


def test_the_page_of_the_document_needs_nothing_that_the_policy_forbids(bob: User) -> None:
    answer = Asker(bob).get("/api/docs")

    page = answer.content.decode()
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert answer.status_code == 200
    assert policy["script-src"] == "'self'"
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == []
    assert re.findall(r"\bon\w+=", page) == []
    for address in re.findall(r"(?:src|href)=\"([^\"]+)\"", page):
        assert address.startswith("/"), address


def test_the_page_sends_nobody_to_the_log_in(db: None) -> None:
    answer = Asker(None).get("/api/docs")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")
