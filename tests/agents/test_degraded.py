"""A browser that beats but lets no sound through is not rung, and everybody sees why."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from pytest_django import DjangoAssertNumQueries

from agents.models import Beat
from agents.operations import claim, claim_phone, heartbeat, hold
from agents.presence import Reach, reach
from agents.queries import agent_of, facts_of
from curbe.companies.models import Company, Membership
from tests.agents.people import agent_in, changes_of


def test_it_is_not_rung_until_sound_comes_through_again(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    beat = {"agent_id": agent.id, "phone_id": "phone-1", "ready": True, "microphone": True, "now": now}
    asked = {"agent_ids": [agent.id], "call_id": uuid4(), "until": now + timedelta(seconds=30), "now": now}

    assert heartbeat(**beat, degraded=True).presence == "NO_DEVICE"
    assert claim(**asked) == []
    found = agent_of(Membership.objects.get(user=agent.user_id))
    assert found is not None and reach(facts_of(found), now) == Reach.DEGRADED
    assert heartbeat(**beat).presence == "AVAILABLE"
    assert claim(**asked) == [agent.id]

    assert changes_of(agent)[:2] == [
        ("AVAILABLE", "NO_DEVICE", "heartbeat"),
        ("NO_DEVICE", "AVAILABLE", "heartbeat"),
    ]


def test_who_falls_asleep_while_it_rings_is_not_held(company: Company, now: datetime) -> None:
    agent, call_id, until = agent_in(company, now=now), uuid4(), now + timedelta(seconds=30)
    claim(agent_ids=[agent.id], call_id=call_id, until=until, now=now)

    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, degraded=True, now=now)

    assert hold(agent_ids=[agent.id], call_id=call_id, until=until, now=now) == []


def test_another_phone_begins_with_a_clean_sheet(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, degraded=True, now=now)

    claim_phone(agent_id=agent.id, phone_id="phone-2", take_over=True, now=now)

    assert not Beat.objects.get(agent=agent).degraded


def test_a_beat_is_one_statement_as_before(
    company: Company, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agent = agent_in(company, now=now)
    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, degraded=True, now=now)

    with django_assert_num_queries(1):
        heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, degraded=True, now=now)
