"""What is the same at every address of the API: nobody gets 401, the wrong method 405, errors are JSON."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from agents import tickets
from curbe.companies.models import Company, User
from tests import cast
from tests.api.asking import Asker

CALL = UUID("0192f0a4-7c3e-7d12-8f5b-3a1c9e6d4b20")
GETS = ["/api/calls", f"/api/calls/{CALL}", f"/api/calls/{CALL}/trace", "/api/agents/me", "/api/schema"]
POSTS: dict[str, dict[str, Any]] = {
    "/api/agents/heartbeat": {"companyId": "x", "timestamp": 1, "phoneId": "p", "ready": True, "microphone": True},
    "/api/agents/intent": {"intent": "BREAK"},
    "/api/agents/wrap-up": {"note": "x"},
    "/api/agents/wrap-up/end": {},
    "/api/webrtc/token": {"phoneId": "p"},
    f"/api/webrtc/calls/{CALL}/ids": {"sdkCallId": "x"},
    f"/api/webrtc/calls/{CALL}/decline": {},
}
HANGUP = "/api/webrtc/server-hangup"
RELEASE = "/api/agents/1/release"


@pytest.mark.parametrize("path", GETS)
def test_nobody_reads_nothing(db: None, path: str) -> None:
    answer = Asker(None).get(path)

    assert answer.status_code == 401
    assert answer.json()["error"]
    assert answer.headers["WWW-Authenticate"].startswith("Token")


@pytest.mark.parametrize("path", [*POSTS, HANGUP, RELEASE])
def test_nobody_changes_nothing(db: None, path: str) -> None:
    answer = Asker(None).post(path, POSTS.get(path))

    assert answer.status_code == 401
    assert answer.json()["error"]


@pytest.mark.parametrize("path", [*POSTS, HANGUP, RELEASE])
def test_a_post_by_session_needs_the_token_of_the_page(bob: User, path: str) -> None:
    browser = cast.client_for(bob, enforce_csrf_checks=True)

    answer = browser.post(path, POSTS.get(path, {}), content_type="application/json")

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["error"]


@pytest.mark.parametrize("path", GETS[:4])
def test_what_is_read_is_not_posted_to(bob: User, path: str) -> None:
    answer = Asker(bob).post(path)

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json()["error"]


@pytest.mark.parametrize("path", [*POSTS, HANGUP, RELEASE])
def test_what_is_posted_to_is_not_read(bob: User, path: str) -> None:
    answer = Asker(bob).get(path)

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", [*POSTS, "/api/agents/me"])
def test_who_answers_no_calls_has_no_phone(sam: User, path: str) -> None:
    asker = Asker(sam)

    answer = asker.post(path, POSTS[path]) if path in POSTS else asker.get(path)

    assert answer.status_code == 403
    assert "do not answer calls" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/agents/intent", "/api/webrtc/token", f"/api/webrtc/calls/{CALL}/ids", HANGUP])
@pytest.mark.parametrize("body", ["{", "[]", '"text"', "null", b"\xff\xfe", "{" * 50_000])
def test_a_body_that_is_no_object_is_refused_in_words(bob: User, path: str, body: str | bytes) -> None:
    answer = cast.client_for(bob).post(path, body, content_type="application/json")

    assert answer.status_code == 400
    assert json.loads(answer.content)["error"]


def test_a_form_is_not_json(bob: User) -> None:
    answer = cast.client_for(bob).post("/api/agents/intent", {"intent": "BREAK"})

    assert answer.status_code == 415


def test_a_program_asks_with_its_key_and_needs_no_page(acme: Company, bob: User) -> None:
    call = cast.make_call(acme)
    key = cast.make_token(bob)

    answer = Client(enforce_csrf_checks=True).get("/api/calls", headers={"Authorization": f"Token {key}"})

    assert [row["id"] for row in answer.json()["results"]] == [str(call.pk)]


@pytest.mark.parametrize("header", ["Token nonsense", "Token ", "Token a b"])
def test_a_wrong_key_opens_nothing(db: None, header: str) -> None:
    assert Client().get("/api/calls", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("path", ["/api/agents/intent", "/api/calls", "/api/webrtc/token", "/login/", "/"])
def test_a_phone_ticket_opens_the_heartbeat_and_nothing_else(acme: Company, bob: User, path: str) -> None:
    ticket = tickets.issue(agent_id=bob.agents.get().pk, company=acme.public_id, phone_id="phone-1", now=timezone.now())

    answer = Client(enforce_csrf_checks=True).post(
        path, {"intent": "BREAK"}, content_type="application/json", headers={"Authorization": f"Phone {ticket}"}
    )

    assert answer.status_code in {401, 403}
    assert bob.agents.get().intent == "AVAILABLE"


def test_what_is_not_there_is_said_in_json(bob: User) -> None:
    answer = Asker(bob).get("/api/nothing-here")

    assert answer.status_code == 404
    assert answer.json()["error"]
