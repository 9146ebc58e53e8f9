from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent, Intent, Presence
from agents.operations import claim, leg_answered, release, release_each
from curbe.companies.models import Company
from tests.agents.people import agent_in, changes_of


def ringing_for(call_id: UUID, company: Company, now: datetime) -> Agent:
    agent = agent_in(company, now=now)
    claim(agent_ids=[agent.id], call_id=call_id, until=now + timedelta(seconds=30), now=now)
    agent.refresh_from_db()
    return agent


def test_who_answered_is_on_the_call_and_the_others_are_free_again(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    call_id = uuid4()
    bob, carol = ringing_for(call_id, company, now), ringing_for(call_id, company, now)
    pushes.clear()

    leg_answered(agent_id=bob.id, call_id=call_id, today=now.date(), now=now)
    released = release(call_id=call_id, agent_ids=[carol.id], reason="withdrawn", now=now)

    assert released == [carol.id]
    bob.refresh_from_db()
    carol.refresh_from_db()
    assert (bob.activity, bob.busy_call_id, bob.reserved_until) == (Activity.ON_CALL, call_id, None)
    assert (carol.activity, carol.busy_call_id, carol.reserved_until) == (Activity.IDLE, None, None)
    assert changes_of(bob)[-1] == ("RINGING", "ON_CALL", "answered")
    assert changes_of(carol)[-1] == ("RINGING", "AVAILABLE", "withdrawn")
    assert pushes == [("agent.presence", "ON_CALL"), ("agent.presence", "AVAILABLE")]


def test_the_end_of_a_call_frees_everybody_it_held(company: Company, now: datetime) -> None:
    call_id = uuid4()
    bob, carol = ringing_for(call_id, company, now), ringing_for(call_id, company, now)
    leg_answered(agent_id=bob.id, call_id=call_id, today=now.date(), now=now)

    assert release(call_id=call_id, agent_ids=None, reason="ended", now=now) == [bob.id, carol.id]
    assert release(call_id=call_id, agent_ids=None, reason="ended", now=now) == []


def test_a_ring_keeps_the_place_in_the_line_and_a_call_does_not(company: Company, now: datetime) -> None:
    call_id = uuid4()
    rang, talked = ringing_for(call_id, company, now), ringing_for(call_id, company, now)
    leg_answered(agent_id=talked.id, call_id=call_id, today=now.date(), now=now)
    later = now + timedelta(seconds=20)

    release(call_id=call_id, agent_ids=None, reason="ended", now=later)

    rang.refresh_from_db()
    talked.refresh_from_db()
    assert rang.idle_since < now
    assert talked.idle_since == later


def test_a_late_word_about_an_old_call_frees_nobody(company: Company, now: datetime) -> None:
    old_call, new_call = uuid4(), uuid4()
    agent = ringing_for(new_call, company, now)

    assert release(call_id=old_call, agent_ids=[agent.id], reason="ended", now=now) == []

    agent.refresh_from_db()
    assert (agent.activity, agent.busy_call_id) == (Activity.RESERVED, new_call)


@pytest.mark.parametrize(
    ("intent", "beat_age_s", "word"),
    [
        (Intent.AVAILABLE, 1, Presence.AVAILABLE),
        (Intent.BREAK, 1, Presence.BREAK),
        (Intent.OFFLINE, 1, Presence.OFFLINE),
        (Intent.AVAILABLE, 45, Presence.OFFLINE),
        (Intent.AVAILABLE, None, Presence.OFFLINE),
    ],
)
def test_after_a_call_comes_what_was_chosen_and_heard_meanwhile(
    company: Company, now: datetime, intent: Intent, beat_age_s: float | None, word: Presence
) -> None:
    call_id = uuid4()
    agent = agent_in(
        company, now=now, activity=Activity.ON_CALL, busy_call_id=call_id, intent=intent, beat_age_s=beat_age_s
    )

    release(call_id=call_id, agent_ids=None, reason="ended", now=now)

    assert changes_of(agent) == [("ON_CALL", word, "ended")]


def test_an_answer_beats_the_lease_of_another_call(company: Company, now: datetime) -> None:
    leased_by, answered = uuid4(), uuid4()
    agent = ringing_for(leased_by, company, now)

    leg_answered(agent_id=agent.id, call_id=answered, today=now.date(), now=now)

    agent.refresh_from_db()
    assert (agent.activity, agent.busy_call_id) == (Activity.ON_CALL, answered)
    assert release(call_id=leased_by, agent_ids=None, reason="withdrawn", now=now) == []


def test_an_answer_told_twice_is_written_once(company: Company, now: datetime, pushes: list[tuple[str, str]]) -> None:
    call_id = uuid4()
    agent = ringing_for(call_id, company, now)

    leg_answered(agent_id=agent.id, call_id=call_id, today=now.date(), now=now)
    leg_answered(agent_id=agent.id, call_id=call_id, today=now.date(), now=now + timedelta(seconds=1))

    assert changes_of(agent) == [("AVAILABLE", "RINGING", "claim"), ("RINGING", "ON_CALL", "answered")]


def test_freeing_ten_costs_as_much_as_freeing_one(
    company: Company, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    call_id = uuid4()
    agents = [ringing_for(call_id, company, now) for _ in range(10)]

    # Savepoint and its release; lock, write, note.
    with django_assert_max_num_queries(5):
        assert len(release(call_id=call_id, agent_ids=None, reason="ended", now=now)) == len(agents)


def test_each_is_freed_for_his_own_reason_at_the_cost_of_one(
    company: Company, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    call_id = uuid4()
    missed, declined, rings_on = (ringing_for(call_id, company, now) for _ in range(3))

    with django_assert_max_num_queries(5):
        freed = release_each(call_id=call_id, reasons={declined.id: "declined", missed.id: "missed"}, now=now)

    assert freed == [missed.id, declined.id]
    assert changes_of(missed)[-1] == ("RINGING", "AVAILABLE", "missed")
    assert changes_of(declined)[-1] == ("RINGING", "AVAILABLE", "declined")
    rings_on.refresh_from_db()
    assert (rings_on.activity, rings_on.busy_call_id) == (Activity.RESERVED, call_id)
