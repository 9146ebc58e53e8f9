"""A supervisor releases an agent from what keeps him from calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from agents.models import Activity, Agent, PresenceChange, WrapUpMode
from curbe.companies.models import Company, User
from telephony.models import Call, CallLeg, CallWrapUp, Offer, TelnyxEvent
from tests import cast
from tests.api.asking import Asker
from tests.api.test_wrap_up import wrapping_up

WHY = {"reason": "Esperan diez llamadas"}


def path(user: User) -> str:
    return f"/api/agents/{user.agents.get().pk}/release"


def stands(user: User, **how: Any) -> Agent:
    agent = user.agents.get()
    cast.beat(agent, now=timezone.now())
    Agent.objects.filter(pk=agent.pk).update(**how)
    return agent


def test_a_locked_wrap_up_ends_and_it_is_kept_by_whom_and_why(bob: User, sam: User) -> None:
    call = wrapping_up(bob, WrapUpMode.TIMED_LOCKED)

    answer = Asker(sam).post(path(bob), WHY)

    assert (answer.status_code, answer.json()) == (200, {"presence": "AVAILABLE"})
    change = PresenceChange.objects.latest("id")
    assert (change.before, change.after, change.reason) == ("WRAP_UP", "AVAILABLE", "released")
    assert (change.actor, change.words) == (sam, WHY["reason"])
    assert CallWrapUp.objects.get().ended_how == "released"
    event = TelnyxEvent.objects.get(kind="agent.released")
    assert (event.call, event.processed_at is not None) == (call, True)
    assert event.payload == {"agent": bob.agents.get().pk, "by": sam.pk, "reason": WHY["reason"]}


@pytest.mark.parametrize(
    ("how", "presence"),
    [
        ({"intent": "BREAK"}, "AVAILABLE"),
        ({"activity": Activity.NOT_RESPONDING, "missed_in_a_row": 2}, "AVAILABLE"),
        ({"intent": "OFFLINE"}, "OFFLINE"),
        ({}, "AVAILABLE"),
    ],
)
def test_what_is_no_calls_is_no_event_of_one(bob: User, sam: User, how: dict[str, Any], presence: str) -> None:
    stands(bob, **how)

    assert Asker(sam).post(path(bob), WHY).json() == {"presence": presence}

    assert bob.agents.get().missed_in_a_row == 0
    assert not TelnyxEvent.objects.exists()


@pytest.mark.parametrize("activity", [Activity.RESERVED, Activity.ON_CALL])
def test_a_call_that_has_nothing_of_him_any_more_lets_him_go(
    acme: Company, bob: User, sam: User, activity: Activity
) -> None:
    call, now = cast.make_call(acme, status="in_progress"), timezone.now()
    agent = stands(bob, activity=activity, busy_call_id=call.pk, reserved_until=now + timedelta(seconds=9))
    CallLeg.objects.create(call=call, call_sid="v3:1", kind="agent", agent=agent, status="ended", started_at=now)

    assert Asker(sam).post(path(bob), WHY).json() == {"presence": "AVAILABLE"}

    assert (bob.agents.get().activity, bob.agents.get().busy_call_id) == (Activity.IDLE, None)
    assert TelnyxEvent.objects.get(kind="agent.released").call == call


@pytest.mark.parametrize("is_ringing", [True, False])
def test_a_live_leg_is_not_taken_away(acme: Company, bob: User, sam: User, is_ringing: bool) -> None:
    call, now = cast.make_call(acme, status="in_progress"), timezone.now()
    agent = stands(bob, activity=Activity.ON_CALL, busy_call_id=call.pk)
    if is_ringing:
        later = now + timedelta(seconds=20)
        Offer.objects.create(call=call, agent=agent, step=1, offered_at=now, expires_at=later)
    else:
        CallLeg.objects.create(call=call, call_sid="v3:1", kind="agent", agent=agent, status="ringing", started_at=now)

    answer = Asker(sam).post(path(bob), WHY)

    assert (answer.status_code, answer.json()["code"]) == (409, "live")
    assert "end the call" in answer.json()["error"]
    assert bob.agents.get().activity == Activity.ON_CALL
    assert not PresenceChange.objects.exists()


def test_a_call_that_is_being_opened_is_live_and_one_that_never_was_is_not(bob: User, sam: User) -> None:
    soon, past = (timezone.now() + timedelta(seconds=seconds) for seconds in (20, -1))
    stands(bob, activity=Activity.RESERVED, busy_call_id=uuid4(), reserved_until=soon)
    assert Asker(sam).post(path(bob), WHY).status_code == 409
    stands(bob, reserved_until=past)

    assert Asker(sam).post(path(bob), WHY).json() == {"presence": "AVAILABLE"}


def test_a_call_that_is_over_holds_nobody_whatever_its_legs_say(acme: Company, bob: User, sam: User) -> None:
    call, now = cast.make_call(acme, status="completed", ended_at=timezone.now()), timezone.now()
    agent = stands(bob, activity=Activity.ON_CALL, busy_call_id=call.pk)
    CallLeg.objects.create(call=call, call_sid="v3:1", kind="agent", agent=agent, status="ringing", started_at=now)

    assert Asker(sam).post(path(bob), WHY).status_code == 200


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 201}, {"reason": None}])
def test_the_reason_is_asked_for(bob: User, sam: User, body: dict[str, Any]) -> None:
    stands(bob, intent="BREAK")

    answer = Asker(sam).post(path(bob), body)

    assert (answer.status_code, answer.json()["field"]) == (400, "reason")
    assert bob.agents.get().intent == "BREAK"


def test_an_agent_releases_nobody_himself_included(bob: User) -> None:
    stands(bob, intent="BREAK")

    assert Asker(bob).post(path(bob), WHY).status_code == 403
    assert bob.agents.get().intent == "BREAK"


def test_mallory_finds_no_such_agent(bob: User, mallory: User) -> None:
    stands(bob, intent="BREAK")

    assert Asker(mallory).post(path(bob), WHY).status_code == 404
    assert Asker(mallory).post("/api/agents/999999/release", WHY).status_code == 404
    assert bob.agents.get().intent == "BREAK"


def test_nobody_and_the_wrong_method_are_refused(bob: User, sam: User) -> None:
    assert Asker(None).post(path(bob), WHY).status_code == 401
    assert Asker(sam).get(path(bob)).status_code == 405


def test_who_answers_no_more_has_nothing_to_be_released_from(acme: Company, bob: User, sam: User) -> None:
    stands(bob, is_active=False)

    assert Asker(sam).post(path(bob), WHY).json()["code"] == "inactive"
    assert not Call.objects.exists()
