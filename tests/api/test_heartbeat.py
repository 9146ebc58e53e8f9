from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents import tickets
from agents.models import Agent, Beat
from curbe.companies.models import Company, User
from tests import cast
from tests.api.asking import Asker

PATH = "/api/agents/heartbeat"


@pytest.fixture
def agent(bob: User) -> Agent:
    agent = bob.agents.get()
    cast.beat(agent, now=timezone.now() - timedelta(seconds=10), phone_id="phone-1")
    Agent.objects.filter(pk=agent.pk).update(presence="AVAILABLE")
    return agent


def body(company: Company, **changes: Any) -> dict[str, Any]:
    said = {
        "companyId": company.public_id,
        "timestamp": "2026-11-21T09:00:00.000Z",
        "phoneId": "phone-1",
        "ready": True,
        "microphone": True,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not ...}


def ticket_of(agent: Agent, *, phone_id: str = "phone-1", age: timedelta = timedelta(0)) -> str:
    return tickets.issue(
        agent_id=agent.pk, company=agent.company.public_id, phone_id=phone_id, now=timezone.now() - age
    )


def by_ticket(ticket: str, said: Any, client: Client | None = None, **more: Any) -> Any:
    client = client or Client(enforce_csrf_checks=True)
    text = said if isinstance(said, str | bytes) else json.dumps(said)
    return client.post(
        PATH, text, content_type="application/json", headers={"Authorization": f"Phone {ticket}"}, **more
    )


def test_a_beat_with_a_ticket_is_one_update_and_nothing_else(
    acme: Company, agent: Agent, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ticket, said = ticket_of(agent), body(acme, agentId=agent.pk)

    with django_assert_num_queries(1) as asked:
        answer = by_ticket(ticket, said)

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "presence": "AVAILABLE", "phone": "here"}
    assert asked.captured_queries[0]["sql"].strip().startswith("UPDATE agents_beat")
    assert not answer.cookies
    assert Beat.objects.get(agent=agent).last_seen_at > timezone.now() - timedelta(seconds=5)


def test_a_beat_by_session_says_the_same(acme: Company, agent: Agent, bob: User) -> None:
    answer = Asker(bob).post(PATH, body(acme))

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "presence": "AVAILABLE", "phone": "here"}


def test_a_beat_by_the_key_of_a_program_says_the_same(acme: Company, agent: Agent, bob: User) -> None:
    answer = Asker(None).post(PATH, body(acme), Authorization=f"Token {cast.make_token(bob)}")

    assert answer.json()["phone"] == "here"


def test_a_beat_by_session_is_for_the_company_that_it_names_though_another_tab_switched(
    acme: Company, elsewhere: Company, agent: Agent, bob: User
) -> None:
    cast.make_membership(elsewhere, bob)
    there = cast.make_agent(elsewhere, user=bob)
    cast.beat(there, now=timezone.now() - timedelta(seconds=20), phone_id="phone-1")
    before = Beat.objects.get(agent=agent).last_seen_at

    assert Asker(bob).post(PATH, body(elsewhere)).status_code == 200

    assert Beat.objects.get(agent=there).last_seen_at > timezone.now() - timedelta(seconds=5)
    assert Beat.objects.get(agent=agent).last_seen_at == before


@pytest.mark.parametrize("by", ["session", "ticket"])
def test_a_phone_that_another_one_replaced_is_told_elsewhere(acme: Company, agent: Agent, bob: User, by: str) -> None:
    Beat.objects.filter(agent=agent).update(phone_id="the-laptop")

    answer = Asker(bob).post(PATH, body(acme)) if by == "session" else by_ticket(ticket_of(agent), body(acme))

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "presence": "AVAILABLE", "phone": "elsewhere"}


def test_what_the_phone_lacks_shows_in_the_answer(acme: Company, agent: Agent) -> None:
    answer = by_ticket(ticket_of(agent), body(acme, microphone=False))

    assert answer.json()["presence"] == "NO_DEVICE"


BAD: list[tuple[str, Any]] = [
    ("companyId", ...),
    ("companyId", None),
    ("companyId", 7),
    ("companyId", ""),
    ("companyId", "x" * 65),
    ("timestamp", ...),
    ("timestamp", "yesterday"),
    ("timestamp", True),
    ("timestamp", {"at": 1}),
    ("phoneId", ...),
    ("phoneId", ""),
    ("phoneId", "x" * 37),
    ("phoneId", "a b"),
    ("phoneId", "a\x00b"),
    ("phoneId", 12),
    ("ready", ...),
    ("ready", "yes"),
    ("ready", 1),
    ("microphone", ...),
    ("microphone", None),
    ("agentId", "bob"),
    ("agentId", True),
    ("agentId", -1),
    ("agentId", 1.5),
    ("agentId", 10**30),
]


@pytest.mark.parametrize("by", ["session", "ticket"])
@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_wrong_field_is_named_and_changes_nothing(
    acme: Company, agent: Agent, bob: User, field: str, value: Any, by: str
) -> None:
    before = Beat.objects.get(agent=agent).last_seen_at
    said = body(acme, **{field: value})

    answer = Asker(bob).post(PATH, said) if by == "session" else by_ticket(ticket_of(agent), said)

    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert answer.json()["error"].startswith(f"{field}: ")
    assert Beat.objects.get(agent=agent).last_seen_at == before


@pytest.mark.parametrize("said", ["", "{", "[]", "null", '"beat"', b"\xff", "{" * 3_000])
def test_a_body_that_is_no_heartbeat_is_refused(agent: Agent, said: str | bytes) -> None:
    answer = by_ticket(ticket_of(agent), said)

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("timestamp", [1_795_251_600_000, 1_795_251_600_000.5, "2026-11-21T09:00:00Z"])
def test_the_time_is_taken_in_either_form(acme: Company, agent: Agent, timestamp: object) -> None:
    assert by_ticket(ticket_of(agent), body(acme, timestamp=timestamp)).status_code == 200


def test_ten_megabytes_are_no_heartbeat(agent: Agent) -> None:
    answer = by_ticket(ticket_of(agent), b"x" * 10_000_000)

    assert answer.status_code == 413


@pytest.mark.parametrize("by", ["session", "ticket"])
@pytest.mark.parametrize("whose", ["agentId", "companyId"])
def test_somebody_elses_agent_or_company_is_refused(
    acme: Company, agent: Agent, bob: User, mallory: User, whose: str, by: str
) -> None:
    theirs = mallory.agents.get()
    said = body(acme, **{whose: theirs.pk if whose == "agentId" else theirs.company.public_id})

    answer = Asker(bob).post(PATH, said) if by == "session" else by_ticket(ticket_of(agent), said)

    assert answer.status_code == 403
    assert not Beat.objects.filter(agent=theirs).exists()


def test_mallory_cannot_beat_for_bob(acme: Company, agent: Agent, mallory: User) -> None:
    answer = Asker(mallory).post(PATH, body(acme, agentId=agent.pk))

    assert answer.status_code == 403


@pytest.mark.parametrize("spoil", [lambda t: t[:-2], lambda t: "1" + t, lambda t: "", lambda t: t.replace(":", ".")])
def test_a_ticket_that_we_did_not_sign_is_refused(acme: Company, agent: Agent, spoil: Any) -> None:
    answer = by_ticket(spoil(ticket_of(agent)), body(acme))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Phone"


def test_a_ticket_is_good_for_a_day(acme: Company, agent: Agent) -> None:
    assert by_ticket(ticket_of(agent, age=timedelta(hours=23, minutes=59)), body(acme)).status_code == 200
    assert by_ticket(ticket_of(agent, age=timedelta(hours=24)), body(acme)).status_code == 401


def test_a_ticket_is_good_for_one_phone(acme: Company, agent: Agent) -> None:
    answer = by_ticket(ticket_of(agent, phone_id="the-laptop"), body(acme))

    assert answer.status_code == 403


@pytest.mark.parametrize("gone", ["agent", "person"])
def test_a_ticket_of_who_was_dismissed_beats_no_more(acme: Company, agent: Agent, bob: User, gone: str) -> None:
    ticket = ticket_of(agent)
    if gone == "agent":
        Agent.objects.filter(pk=agent.pk).update(is_active=False)
    else:
        User.objects.filter(pk=bob.pk).update(is_active=False)

    assert by_ticket(ticket, body(acme)).status_code == 403


def test_a_ticket_is_only_posted(agent: Agent) -> None:
    answer = Client().get(PATH, headers={"Authorization": f"Phone {ticket_of(agent)}"})

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
