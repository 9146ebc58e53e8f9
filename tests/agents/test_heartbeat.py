from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import TestCase
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent, Beat, Intent, Presence
from agents.operations import UnknownAgent, heartbeat
from curbe.companies.models import Company
from tests.agents.people import agent_in, changes_of


def beat(
    agent: Agent, now: datetime, *, phone: str = "phone-1", ready: bool = True, microphone: bool = True
) -> tuple[str, str]:
    answer = heartbeat(agent_id=agent.id, phone_id=phone, ready=ready, microphone=microphone, now=now)
    return answer.presence, answer.phone


def test_a_beat_that_changes_nothing_is_one_statement(
    company: Company, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agent = agent_in(company, now=now, beat_age_s=10)

    with django_assert_num_queries(1):
        answer = beat(agent, now)

    assert answer == ("AVAILABLE", "here")
    assert Beat.objects.get(agent=agent).last_seen_at == now
    assert changes_of(agent) == []


def test_the_first_beat_of_all_makes_the_row(company: Company, now: datetime, pushes: list[tuple[str, str]]) -> None:
    agent = agent_in(company, now=now, beat_age_s=None)

    assert beat(agent, now) == ("AVAILABLE", "here")

    row = Beat.objects.get(agent=agent)
    assert (row.phone_id, row.last_seen_at, row.ready, row.microphone) == ("phone-1", now, True, True)
    assert ("agent.presence", "AVAILABLE") in pushes


def test_a_beat_after_silence_brings_the_agent_back(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(company, now=now, beat_age_s=600)

    assert beat(agent, now) == ("AVAILABLE", "here")

    agent.refresh_from_db()
    assert (agent.presence, agent.presence_at, agent.idle_since) == (Presence.AVAILABLE, now, now)
    assert changes_of(agent) == [("OFFLINE", "AVAILABLE", "heartbeat")]
    assert pushes == [("agent.presence", "AVAILABLE")]


@pytest.mark.parametrize(
    ("ready", "microphone", "word"), [(True, True, "AVAILABLE"), (False, True, "NO_DEVICE"), (True, False, "NO_DEVICE")]
)
def test_what_the_browser_says_of_its_phone_counts_at_once(
    company: Company, now: datetime, ready: bool, microphone: bool, word: str
) -> None:
    agent = agent_in(company, now=now)

    assert beat(agent, now, ready=ready, microphone=microphone) == (word, "here")

    agent.refresh_from_db()
    assert agent.presence == word


def test_a_phone_that_lost_the_agent_is_told_so_and_changes_nothing(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, beat_age_s=29, phone_id="the-desk")

    assert beat(agent, now, phone="the-laptop", ready=False) == ("AVAILABLE", "elsewhere")

    row = Beat.objects.get(agent=agent)
    assert (row.phone_id, row.ready, row.last_seen_at) == ("the-desk", True, now - timedelta(seconds=29))


def test_a_phone_that_fell_silent_loses_the_agent_to_the_next_that_beats(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, beat_age_s=30, phone_id="the-desk")

    assert beat(agent, now, phone="the-laptop") == ("AVAILABLE", "here")
    assert beat(agent, now, phone="the-desk") == ("AVAILABLE", "elsewhere")


def test_a_beat_during_a_call_says_on_call_whatever_the_phone_says(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=uuid4())

    assert beat(agent, now, ready=False, microphone=False) == ("ON_CALL", "here")
    assert changes_of(agent) == []


def test_a_beat_finds_a_lease_that_ran_out_before_the_sweeper_does(company: Company, now: datetime) -> None:
    agent = agent_in(
        company,
        now=now,
        activity=Activity.RESERVED,
        busy_call_id=uuid4(),
        reserved_until=now,
        presence=Presence.RINGING,
    )

    assert beat(agent, now) == ("AVAILABLE", "here")
    assert changes_of(agent) == [("RINGING", "AVAILABLE", "heartbeat")]


@pytest.mark.parametrize(("intent", "word"), [(Intent.BREAK, "BREAK"), (Intent.OFFLINE, "OFFLINE")])
def test_a_beat_never_undoes_what_the_person_chose(company: Company, now: datetime, intent: Intent, word: str) -> None:
    agent = agent_in(company, now=now, beat_age_s=600, intent=intent)

    assert beat(agent, now) == (word, "here")

    agent.refresh_from_db()
    assert agent.intent == intent


def test_agents_who_are_not_there_or_not_active_are_unknown(company: Company, now: datetime) -> None:
    dismissed = agent_in(company, now=now, is_active=False)
    locked_out = agent_in(company, now=now)
    locked_out.user.is_active = False
    locked_out.user.save()

    for agent in (dismissed, locked_out, Agent(id=999_999_999)):
        with pytest.raises(UnknownAgent):
            beat(agent, now)

    assert Beat.objects.filter(last_seen_at=now).count() == 0


def test_the_push_of_a_change_waits_for_the_commit(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, beat_age_s=600)

    with TestCase.captureOnCommitCallbacks() as callbacks:
        beat(agent, now)

    # The push, and the look for somebody who waits for him.
    assert len(callbacks) == 2
