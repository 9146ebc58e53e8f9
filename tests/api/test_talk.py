"""``GET /api/calls/<id>/talk``: what an agent's screen is told, and what the one who was only asked is told."""

from __future__ import annotations

import pytest
from django.utils import timezone

from curbe.companies.models import Company, User
from telephony.core.call_state import Phase
from telephony.models import Call, Talk
from tests import cast
from tests.api.asking import Asker


@pytest.fixture
def consulting(acme: Company, bob: User) -> Call:
    """A call in which Bob has asked Carol, who answered; all of it in a room."""
    agent, carol = bob.agents.get(), cast.make_agent(acme, "carol")
    call = cast.make_call(acme, agent=agent, status=Call.Status.IN_PROGRESS, phase=Phase.CONSULTING)
    now = timezone.now()
    Talk.objects.create(
        call=call,
        phase=Phase.CONSULTING,
        phase_at=now,
        lead=agent,
        room_is_open=True,
        target_agent=carol,
        target_at=now,
    )
    return call


def path(call: Call) -> str:
    return f"/api/calls/{call.pk}/talk"


def test_who_leads_is_told_what_he_may_do(consulting: Call, bob: User) -> None:
    told = Asker(bob).get(path(consulting)).json()

    assert told["mine"] is True
    assert {"complete", "cancel", "merge", "swap", "leave"} <= set(told["may"])
    assert told["in_room"] is True
    assert told["consult"]["state"] == "answered"


def test_who_was_asked_is_told_by_whom_and_may_wish_nothing(consulting: Call, bob: User) -> None:
    carol = User.objects.get(username="carol")
    told = Asker(carol).get(path(consulting)).json()

    assert told["mine"] is False
    assert told["may"] == ["end"]
    assert told["lead"] == str(bob.agents.get())


def test_who_supervises_without_answering_calls_sees_it_and_leads_nothing(consulting: Call, sam: User) -> None:
    told = Asker(sam).get(path(consulting)).json()

    assert (told["phase"], told["mine"], told["may"]) == ("CONSULTING", False, ["end"])


def test_a_plain_call_is_in_no_room_and_is_its_agents_own(acme: Company, bob: User) -> None:
    call = cast.make_call(acme, agent=bob.agents.get(), status=Call.Status.IN_PROGRESS)
    told = Asker(bob).get(path(call)).json()

    assert (told["mine"], told["in_room"]) == (True, False)


def test_mallory_learns_nothing_of_it(consulting: Call, mallory: User) -> None:
    assert Asker(mallory).get(path(consulting)).status_code == 404
