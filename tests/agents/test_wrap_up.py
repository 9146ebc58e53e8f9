"""Wrap-up: a deadline in the agent's row, whoever ends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from agents.freeing import HeldAnew, NotWrappingUp, WrapUpIsLocked, end_wrap_up, set_free
from agents.models import Activity, Agent, Intent, Presence, PresenceChange, WrapUpMode
from agents.operations import UnknownAgent, choose_intent, claim, heartbeat, leg_answered, release, release_each, sweep
from agents.queries import presence_of
from agents.standing import By
from agents.wrap_ups import WrapUp
from curbe.companies.models import Company, User
from tests.agents.people import agent_in, changes_of

TIMED = WrapUp(WrapUpMode.TIMED, 30)
LOCKED = WrapUp(WrapUpMode.TIMED_LOCKED, 30)


def on_call(company: Company, now: datetime, call_id: UUID, **how: Any) -> Agent:
    return agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=call_id, **how)


def wrapping_up(company: Company, now: datetime, policy: WrapUp = TIMED, **how: Any) -> tuple[Agent, UUID]:
    call_id = uuid4()
    agent = on_call(company, now, call_id, **how)
    release(call_id=call_id, reason="ended", wrap_ups={agent.id: policy}, now=now)
    agent.refresh_from_db()
    return agent, call_id


@pytest.mark.parametrize(
    ("policy", "lasts_s"),
    [
        (WrapUp(WrapUpMode.NONE, 30), 0),
        (WrapUp(WrapUpMode.TIMED, 30), 30),
        (WrapUp(WrapUpMode.TIMED, 0), 0),
        (WrapUp(WrapUpMode.TIMED_LOCKED, 900), 900),
        (WrapUp(WrapUpMode.TIMED, 5_000), 900),
        (WrapUp(WrapUpMode.OPTIONAL, 30), 900),
        (WrapUp(WrapUpMode.REQUIRED_DISPOSITION, 30), 900),
    ],
)
def test_nobody_is_kept_longer_than_the_policy_and_the_cap(
    company: Company, now: datetime, policy: WrapUp, lasts_s: int
) -> None:
    agent, call_id = wrapping_up(company, now, policy)

    if not lasts_s:
        assert (agent.activity, agent.wrap_up_until, agent.wrap_up_mode) == (Activity.IDLE, None, "")
        return
    assert (agent.activity, agent.presence) == (Activity.WRAP_UP, Presence.WRAP_UP)
    assert (agent.wrap_up_since, agent.wrap_up_until) == (now, now + timedelta(seconds=lasts_s))
    assert (agent.wrap_up_mode, agent.wrap_up_call_id, agent.busy_call_id) == (policy.mode, call_id, None)


def test_only_who_was_on_the_call_wraps_it_up(company: Company, now: datetime) -> None:
    call_id = uuid4()
    talked = on_call(company, now, call_id)
    rang = agent_in(company, now=now)
    claim(agent_ids=[rang.id], call_id=call_id, until=now + timedelta(seconds=30), now=now)

    release(call_id=call_id, reason="ended", wrap_ups={talked.id: TIMED, rang.id: TIMED}, now=now)

    assert changes_of(talked)[-1] == ("ON_CALL", "WRAP_UP", "ended")
    assert changes_of(rang)[-1] == ("RINGING", "AVAILABLE", "ended")


def test_each_who_left_a_call_wraps_up_by_his_own_policy(company: Company, now: datetime) -> None:
    call_id = uuid4()
    bob, carol = on_call(company, now, call_id), on_call(company, now, call_id)

    release_each(call_id=call_id, reasons={bob.id: "ended", carol.id: "ended"}, wrap_ups={bob.id: TIMED}, now=now)

    assert changes_of(bob)[-1][1] == "WRAP_UP"
    assert changes_of(carol)[-1][1] == "AVAILABLE"


def test_late_and_doubled_news_of_the_end_neither_restart_nor_end_it(company: Company, now: datetime) -> None:
    agent, call_id = wrapping_up(company, now)
    later = now + timedelta(seconds=10)

    assert release(call_id=call_id, reason="ended", wrap_ups={agent.id: TIMED}, now=later) == []
    assert release_each(call_id=call_id, reasons={agent.id: "ended"}, wrap_ups={agent.id: TIMED}, now=later) == []

    until, agent = agent.wrap_up_until, Agent.objects.get(id=agent.id)
    assert (agent.activity, agent.wrap_up_until) == (Activity.WRAP_UP, until)


def test_nobody_is_rung_in_it_and_everybody_is_after_it_without_any_sweep(company: Company, now: datetime) -> None:
    agent, _call_id = wrapping_up(company, now)
    over = now + timedelta(seconds=30)
    new_call = uuid4()
    asked = {"agent_ids": [agent.id], "call_id": new_call, "until": over + timedelta(seconds=30)}

    assert claim(**asked, now=over - timedelta(microseconds=1)) == []
    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=now + timedelta(seconds=20))
    assert claim(**asked, now=over) == [agent.id]

    agent.refresh_from_db()
    assert (agent.activity, agent.busy_call_id) == (Activity.RESERVED, new_call)
    assert (agent.wrap_up_until, agent.wrap_up_call_id, agent.wrap_up_mode) == (None, None, "")


def test_a_closed_browser_changes_nothing_of_it(company: Company, now: datetime) -> None:
    agent, _call_id = wrapping_up(company, now, beat_age_s=None)
    assert agent.presence == Presence.WRAP_UP

    assert sweep(now + timedelta(seconds=29)) == 0
    assert sweep(now + timedelta(seconds=30)) == 1

    assert changes_of(agent)[-1] == ("WRAP_UP", "OFFLINE", "wrap_up_over")


def test_the_sweep_tells_its_end_with_the_call_that_it_was_of(company: Company, now: datetime) -> None:
    agent, call_id = wrapping_up(company, now)
    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=now + timedelta(seconds=20))

    sweep(now + timedelta(seconds=31))

    change = PresenceChange.objects.filter(agent=agent).latest("id")
    assert (change.before, change.after, change.reason) == ("WRAP_UP", "AVAILABLE", "wrap_up_over")
    assert (change.call_id, change.actor_id) == (call_id, None)
    agent.refresh_from_db()
    assert (agent.activity, agent.wrap_up_until, agent.wrap_up_call_id) == (Activity.IDLE, None, None)


def test_a_beat_that_comes_before_the_sweep_tells_it_too(company: Company, now: datetime) -> None:
    agent, _call_id = wrapping_up(company, now)

    beat = heartbeat(
        agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=now + timedelta(seconds=30)
    )

    assert beat.presence == "AVAILABLE"
    assert changes_of(agent)[-1] == ("WRAP_UP", "AVAILABLE", "wrap_up_over")
    assert Agent.objects.get(id=agent.id).activity == Activity.IDLE


def test_who_is_done_is_free_and_it_is_noted_by_whom(company: Company, now: datetime) -> None:
    agent, call_id = wrapping_up(company, now)

    word = end_wrap_up(agent_id=agent.id, by=By(agent.user_id), now=now + timedelta(seconds=5))

    assert word == "AVAILABLE"
    change = PresenceChange.objects.filter(agent=agent).latest("id")
    assert (change.reason, change.call_id, change.actor_id) == ("wrap_up_done", call_id, agent.user_id)
    assert Agent.objects.get(id=agent.id).idle_since == now + timedelta(seconds=5)


def test_one_that_is_over_or_never_was_is_not_ended(company: Company, now: datetime) -> None:
    agent, _call_id = wrapping_up(company, now)
    idle = agent_in(company, now=now)

    for agent_id, at in ((agent.id, now + timedelta(seconds=30)), (idle.id, now)):
        with pytest.raises(NotWrappingUp):
            end_wrap_up(agent_id=agent_id, by=By(), now=at)
    with pytest.raises(UnknownAgent):
        end_wrap_up(agent_id=0, by=By(), now=now)


def test_a_locked_one_ends_by_the_clock_only(company: Company, now: datetime) -> None:
    agent, _call_id = wrapping_up(company, now, LOCKED)

    with pytest.raises(WrapUpIsLocked):
        end_wrap_up(agent_id=agent.id, by=By(agent.user_id), now=now + timedelta(seconds=29))

    assert sweep(now + timedelta(seconds=30)) == 1


def test_a_break_chosen_in_it_begins_when_it_ends(company: Company, now: datetime) -> None:
    agent, _call_id = wrapping_up(company, now)
    done = now + timedelta(seconds=5)

    assert choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now) == "WRAP_UP"
    agent.refresh_from_db()
    assert (agent.intent_before, agent.break_since) == ("AVAILABLE", None)
    assert end_wrap_up(agent_id=agent.id, by=By(), now=done) == "BREAK"

    agent.refresh_from_db()
    assert (agent.intent_before, agent.break_since) == ("BREAK", done)


def test_an_answered_call_ends_it(company: Company, now: datetime) -> None:
    agent, wrapped_up = wrapping_up(company, now)
    call_id, later = uuid4(), now + timedelta(seconds=5)

    assert leg_answered(agent_id=agent.id, call_id=call_id, today=now.date(), now=later) == wrapped_up

    agent.refresh_from_db()
    assert (agent.activity, agent.busy_call_id, agent.wrap_up_call_id) == (Activity.ON_CALL, call_id, None)
    assert leg_answered(agent_id=agent.id, call_id=call_id, today=now.date(), now=later) is None


# --- A supervisor releases ----------------------------------------------------------------------------------------


@pytest.fixture
def sam(db: None) -> User:
    return User.objects.create(username="sam")


def test_a_supervisor_ends_a_locked_wrap_up_and_what_was_chosen_in_it_holds(
    company: Company, now: datetime, sam: User
) -> None:
    agent, call_id = wrapping_up(company, now, LOCKED)
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now)

    assert set_free(agent_id=agent.id, held_by=None, by=By(sam.id, "Esperan diez"), now=now) == "BREAK"

    change = PresenceChange.objects.filter(agent=agent).latest("id")
    assert (change.before, change.after, change.reason) == ("WRAP_UP", "BREAK", "released")
    assert (change.actor_id, change.words, change.call_id) == (sam.id, "Esperan diez", call_id)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"intent": Intent.BREAK}, "AVAILABLE"),
        ({"activity": Activity.NOT_RESPONDING}, "AVAILABLE"),
        ({"activity": Activity.NOT_RESPONDING, "intent": Intent.BREAK}, "AVAILABLE"),
        # Being offline is his own; and whose browser is gone cannot be made to be there.
        ({"intent": Intent.OFFLINE}, "OFFLINE"),
        ({"intent": Intent.BREAK, "beat_age_s": None}, "OFFLINE"),
        ({}, "AVAILABLE"),
    ],
)
def test_a_supervisor_releases_as_far_as_others_may_and_it_is_always_noted(
    company: Company, now: datetime, sam: User, how: dict[str, Any], word: str
) -> None:
    agent = agent_in(company, now=now, **how)

    assert set_free(agent_id=agent.id, held_by=None, by=By(sam.id, "why"), now=now) == word

    (change,) = PresenceChange.objects.filter(agent=agent)
    assert (change.after, change.reason, change.words) == (word, "released", "why")
    assert Agent.objects.get(id=agent.id).activity == Activity.IDLE


def test_whom_another_call_has_by_now_is_not_released(company: Company, now: datetime, sam: User) -> None:
    agent = on_call(company, now, uuid4())

    with pytest.raises(HeldAnew):
        set_free(agent_id=agent.id, held_by=uuid4(), by=By(sam.id), now=now)

    assert presence_of(Agent.objects.select_related("beat").get(id=agent.id), now) == "ON_CALL"


def test_wrapping_up_costs_no_statement_more(
    company: Company, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    call_id = uuid4()
    agents = [on_call(company, now, call_id) for _ in range(5)]

    # Savepoint and its release; lock, write, note.
    with django_assert_max_num_queries(5):
        release(call_id=call_id, reason="ended", wrap_ups={one.id: TIMED for one in agents}, now=now)
