from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from agents.models import Activity, Agent, Intent, Presence
from agents.operations import UnknownAgent, choose_intent, claim, release
from curbe.companies.models import Company
from tests.agents.people import agent_in, changes_of


@pytest.mark.parametrize(
    ("intent", "word"), [(Intent.BREAK, "BREAK"), (Intent.OFFLINE, "OFFLINE"), (Intent.AVAILABLE, "AVAILABLE")]
)
def test_a_free_agent_is_what_he_chose_at_once(company: Company, now: datetime, intent: Intent, word: str) -> None:
    agent = agent_in(company, now=now)

    assert choose_intent(agent_id=agent.id, intent=intent, now=now) == word

    agent.refresh_from_db()
    assert (agent.intent, agent.presence) == (intent, word)


def test_a_break_chosen_during_a_call_begins_when_the_call_ends(company: Company, now: datetime) -> None:
    call_id = uuid4()
    agent = agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=call_id)

    assert choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now) == "ON_CALL"
    release(call_id=call_id, agent_ids=None, reason="ended", now=now)

    assert changes_of(agent) == [("ON_CALL", "BREAK", "ended")]


def test_a_break_chosen_while_ringing_stops_new_offers_at_once(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    claim(agent_ids=[agent.id], call_id=uuid4(), until=now + timedelta(seconds=5), now=now)

    choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now)

    # The lease has run out, and still he is not to be had.
    past_the_lease = now + timedelta(seconds=6)
    assert claim(agent_ids=[agent.id], call_id=uuid4(), until=past_the_lease, now=past_the_lease) == []


def test_choosing_available_again_is_how_one_who_did_not_respond_returns(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, activity=Activity.NOT_RESPONDING)
    assert agent.presence == Presence.NOT_RESPONDING

    assert choose_intent(agent_id=agent.id, intent=Intent.AVAILABLE, now=now) == "AVAILABLE"

    agent.refresh_from_db()
    assert agent.activity == Activity.IDLE


def test_what_was_chosen_is_told_to_the_other_pages_once(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(company, now=now)

    choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now)
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now)

    assert pushes == [("agent.presence", "BREAK"), ("agent.intent", str(agent.id))]


def test_a_break_chosen_during_a_call_is_told_though_the_word_stays(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=uuid4())

    choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now)

    assert pushes == [("agent.intent", str(agent.id))]


def test_the_end_of_a_break_is_the_begin_of_being_idle(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, intent=Intent.BREAK)

    choose_intent(agent_id=agent.id, intent=Intent.AVAILABLE, now=now)

    agent.refresh_from_db()
    assert agent.idle_since == now


def test_who_is_not_there_chooses_nothing(company: Company, now: datetime) -> None:
    dismissed = agent_in(company, now=now, is_active=False)

    for agent_id in (dismissed.id, 999_999_999):
        with pytest.raises(UnknownAgent):
            choose_intent(agent_id=agent_id, intent=Intent.BREAK, now=now)

    assert not Agent.objects.filter(intent=Intent.BREAK).exists()
