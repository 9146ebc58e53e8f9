from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent, Intent, Presence, PresenceChange
from agents.operations import claim
from agents.queries import presence_of
from curbe.companies.models import Company
from tests.agents.people import agent_in, changes_of, company_of_agents


def until(now: datetime) -> datetime:
    return now + timedelta(seconds=30)


def test_a_free_agent_is_reserved_in_one_statement(
    company: Company, now: datetime, pushes: list[tuple[str, str]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agent, call_id = agent_in(company, now=now), uuid4()

    with django_assert_num_queries(1):
        claimed = claim(agent_ids=[agent.id], call_id=call_id, until=until(now), now=now)

    assert claimed == [agent.id]
    agent.refresh_from_db()
    assert (agent.activity, agent.busy_call_id, agent.reserved_until) == (Activity.RESERVED, call_id, until(now))
    assert (agent.presence, agent.presence_at) == (Presence.RINGING, now)
    assert changes_of(agent) == [("AVAILABLE", "RINGING", "claim")]
    assert PresenceChange.objects.get(agent=agent).call_id == call_id
    assert pushes == [("agent.presence", "RINGING")]


LEASED: dict[str, Any] = {"activity": Activity.RESERVED, "busy_call_id": uuid4()}


@pytest.mark.parametrize(
    ("state", "lease_left_s", "is_claimed"),
    [
        ({}, None, True),
        ({"beat_age_s": 29.9}, None, True),
        ({"beat_age_s": 30}, None, False),
        ({"beat_age_s": None}, None, False),
        ({"ready": False}, None, False),
        ({"microphone": False}, None, False),
        ({"intent": Intent.BREAK}, None, False),
        ({"intent": Intent.OFFLINE}, None, False),
        ({"is_active": False}, None, False),
        (LEASED, 1, False),
        (LEASED, 0, True),
        (LEASED, -5, True),
        ({"activity": Activity.ON_CALL, "busy_call_id": uuid4()}, None, False),
        ({"activity": Activity.NOT_RESPONDING}, None, False),
        ({"activity": Activity.WRAP_UP, "wrap_up_until": "+5"}, None, False),
        ({"activity": Activity.WRAP_UP, "wrap_up_until": "-5"}, None, True),
        # The word is a cache: what it says is never asked.
        ({"presence": Presence.OFFLINE}, None, True),
        ({"beat_age_s": 60, "presence": Presence.AVAILABLE}, None, False),
    ],
)
def test_only_who_is_free_is_claimed(
    company: Company, now: datetime, state: dict[str, Any], lease_left_s: float | None, is_claimed: bool
) -> None:
    state = dict(state)
    if lease_left_s is not None:
        state["reserved_until"] = now + timedelta(seconds=lease_left_s)
    if "wrap_up_until" in state:
        state["wrap_up_until"] = now + timedelta(seconds=int(state["wrap_up_until"]))
    agent = agent_in(company, now=now, **state)

    claimed = claim(agent_ids=[agent.id], call_id=uuid4(), until=until(now), now=now)

    assert claimed == ([agent.id] if is_claimed else [])


def test_of_a_group_those_are_claimed_who_are_free(company: Company, now: datetime) -> None:
    free, busy, also_free = (
        agent_in(company, now=now),
        agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=uuid4()),
        agent_in(company, now=now),
    )

    claimed = claim(agent_ids=[also_free.id, busy.id, free.id, free.id], call_id=uuid4(), until=until(now), now=now)

    assert claimed == [free.id, also_free.id]


def test_a_claim_taken_from_an_old_lease_tells_nothing_new(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(
        company,
        now=now,
        activity=Activity.RESERVED,
        busy_call_id=uuid4(),
        reserved_until=now,
        presence=Presence.RINGING,
    )

    assert claim(agent_ids=[agent.id], call_id=uuid4(), until=until(now), now=now) == [agent.id]

    assert changes_of(agent) == []
    assert pushes == []


def test_nobody_is_claimed_without_asking_the_database(now: datetime) -> None:
    # No database in this test: touching it would fail.
    assert claim(agent_ids=[], call_id=uuid4(), until=until(now), now=now) == []


lefts_s = st.none() | st.sampled_from([-40, -1, 0, 1, 40])


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    intent=st.sampled_from(list(Intent)),
    activity=st.sampled_from(list(Activity)),
    beat_age_s=st.none() | st.sampled_from([0, 29, 30, 31]),
    reserved_left_s=lefts_s,
    wrap_up_left_s=lefts_s,
    ready=st.booleans(),
    microphone=st.booleans(),
)
def test_the_statement_claims_exactly_those_who_read_available(
    company: Company,
    now: datetime,
    intent: Intent,
    activity: Activity,
    beat_age_s: float | None,
    reserved_left_s: float | None,
    wrap_up_left_s: float | None,
    ready: bool,
    microphone: bool,
) -> None:
    def left(seconds: float | None) -> datetime | None:
        return None if seconds is None else now + timedelta(seconds=seconds)

    agent = agent_in(
        company,
        now=now,
        intent=intent,
        activity=activity,
        busy_call_id=uuid4() if activity in {Activity.RESERVED, Activity.ON_CALL} else None,
        beat_age_s=beat_age_s,
        reserved_until=left(reserved_left_s),
        wrap_up_until=left(wrap_up_left_s),
        ready=ready,
        microphone=microphone,
    )

    claimed = claim(agent_ids=[agent.id], call_id=uuid4(), until=until(now), now=now)

    assert bool(claimed) == (presence_of(agent, now) == Presence.AVAILABLE)


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_once_never_ring_one_agent(now: datetime) -> None:
    company = company_of_agents()
    agents = [agent_in(company, now=now) for _ in range(4)]
    ids = [agent.id for agent in agents]
    # Overlapping groups, named in opposite orders: without an order of locking these would deadlock.
    groups = [ids, ids[::-1], ids[1:], ids[:3], [ids[2], ids[0]], [ids[3], ids[1]], ids, ids[::-1]]
    calls = [uuid4() for _ in groups]
    together = threading.Barrier(len(groups))
    got: dict[UUID, list[int]] = {}

    def ring(call_id: UUID, group: list[int]) -> None:
        try:
            together.wait(timeout=10)
            got[call_id] = claim(agent_ids=group, call_id=call_id, until=until(now), now=now)
        finally:
            connection.close()

    threads = [threading.Thread(target=ring, args=pair) for pair in zip(calls, groups, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len(got) == len(calls)
    assert sorted(agent_id for ids_of_one in got.values() for agent_id in ids_of_one) == sorted(ids)
    for agent in Agent.objects.filter(id__in=ids):
        assert agent.busy_call_id is not None and agent.id in got[agent.busy_call_id]
