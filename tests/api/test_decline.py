from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from agents.models import Activity, Agent
from agents.operations import claim
from curbe.companies.models import Company, User
from telephony.models import Call, Offer, TelnyxEvent
from tests import cast
from tests.api.asking import Asker


def path(call_id: object) -> str:
    return f"/api/webrtc/calls/{call_id}/decline"


def ring(call: Call, *agents: Agent, step: int = 1) -> None:
    now = timezone.now()
    until = now + timedelta(seconds=30)
    for agent in agents:
        cast.beat(agent, now=now)
        Offer.objects.create(call=call, agent=agent, step=step, offered_at=now, expires_at=until)
    claimed = claim(agent_ids=[agent.pk for agent in agents], call_id=call.pk, until=until, now=now)
    assert len(claimed) == len(agents)


def outcome(call: Call, agent: Agent) -> str:
    return Offer.objects.filter(call=call, agent=agent).order_by("-step")[0].outcome


def test_declining_ends_ones_own_ringing_and_nobody_elses(acme: Company, bob: User) -> None:
    call, bobs, carols = cast.make_call(acme), bob.agents.get(), cast.make_agent(acme, "carol")
    ring(call, bobs, carols)

    answer = Asker(bob).post(path(call.pk))

    assert (answer.status_code, answer.content) == (204, b"")
    assert (outcome(call, bobs), outcome(call, carols)) == ("declined", "pending")
    bobs.refresh_from_db()
    carols.refresh_from_db()
    assert (bobs.activity, bobs.busy_call_id, bobs.presence) == (Activity.IDLE, None, "AVAILABLE")
    assert (carols.activity, carols.busy_call_id) == (Activity.RESERVED, call.pk)
    call.refresh_from_db()
    assert (call.status, call.hangup_requested_at) == ("ringing", None)


def test_a_call_of_his_other_company_is_declined_though_another_tab_switched(
    acme: Company, elsewhere: Company, bob: User
) -> None:
    cast.make_membership(elsewhere, bob)
    call, there = cast.make_call(elsewhere), cast.make_agent(elsewhere, user=bob)
    ring(call, there)

    assert Asker(bob).post(path(call.pk)).status_code == 204
    assert outcome(call, there) == "declined"


def test_the_call_s_story_has_it(acme: Company, bob: User) -> None:
    call = cast.make_call(acme)
    ring(call, bob.agents.get())

    Asker(bob).post(path(call.pk))

    event = TelnyxEvent.objects.get(call=call)
    assert (event.kind, event.source) == ("offer.declined", "curbe")
    assert event.payload == {"agent": bob.agents.get().pk, "step": 1}
    assert event.processed_at is not None


def test_twice_is_as_good_as_once(acme: Company, bob: User) -> None:
    call = cast.make_call(acme)
    ring(call, bob.agents.get())

    assert [Asker(bob).post(path(call.pk)).status_code for _ in range(2)] == [204, 204]

    assert TelnyxEvent.objects.filter(call=call).count() == 1


@pytest.mark.parametrize("ended", ["missed", "withdrawn", "device_lost"])
def test_a_ringing_that_is_over_keeps_its_outcome(acme: Company, bob: User, ended: str) -> None:
    call, agent = cast.make_call(acme), bob.agents.get()
    ring(call, agent)
    Offer.objects.filter(call=call).update(outcome=ended)

    assert Asker(bob).post(path(call.pk)).status_code == 204
    assert outcome(call, agent) == ended


def test_it_is_the_newest_ringing_that_is_declined(acme: Company, bob: User) -> None:
    call, agent = cast.make_call(acme), bob.agents.get()
    now = timezone.now()
    Offer.objects.create(call=call, agent=agent, step=1, outcome="missed", offered_at=now, expires_at=now)
    ring(call, agent, step=2)

    assert Asker(bob).post(path(call.pk)).status_code == 204

    assert list(Offer.objects.order_by("step").values_list("outcome", flat=True)) == ["missed", "declined"]


def test_who_talks_cannot_decline(acme: Company, bob: User) -> None:
    call, agent = cast.make_call(acme, status="in_progress"), bob.agents.get()
    ring(call, agent)
    Offer.objects.filter(call=call).update(outcome="answered")

    answer = Asker(bob).post(path(call.pk))

    assert answer.status_code == 409
    assert "hang up" in answer.json()["error"]


def test_an_agent_who_is_rung_by_the_next_call_already_keeps_it(acme: Company, bob: User) -> None:
    old, new, agent = cast.make_call(acme), cast.make_call(acme), bob.agents.get()
    ring(old, agent)
    Agent.objects.filter(pk=agent.pk).update(busy_call_id=new.pk)

    assert Asker(bob).post(path(old.pk)).status_code == 204

    agent.refresh_from_db()
    assert (agent.activity, agent.busy_call_id) == (Activity.RESERVED, new.pk)


def test_nobody_declines_for_another(acme: Company, bob: User, mallory: User) -> None:
    call, carol = cast.make_call(acme), cast.make_agent(acme, "carol")
    ring(call, carol)

    for asker, call_id in ((bob, call.pk), (mallory, call.pk), (bob, uuid4())):
        answer = Asker(asker).post(path(call_id))
        assert (answer.status_code, answer.json()) == (404, {"error": "Call not found"})

    assert outcome(call, carol) == "pending"
