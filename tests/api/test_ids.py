from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from curbe.companies.models import Company, User
from telephony.models import Call, CallIdentifier, Offer
from tests import cast
from tests.api.asking import Asker

IDS = {"sdkCallId": "8f0c3b9e-sdk", "legId": "leg-1", "controlId": "v3:control-1", "sessionId": "session-1"}


def path(call_id: object) -> str:
    return f"/api/webrtc/calls/{call_id}/ids"


def offered(company: Company, user: User) -> Call:
    call, now = cast.make_call(company), timezone.now()
    Offer.objects.create(
        call=call, agent=user.agents.get(), step=1, offered_at=now, expires_at=now + timedelta(seconds=30)
    )
    return call


def known(call: Call) -> dict[str, str]:
    return dict(CallIdentifier.objects.filter(call=call).values_list("value", "kind"))


def test_every_id_that_the_browser_sees_finds_the_call(acme: Company, bob: User) -> None:
    call = offered(acme, bob)

    answer = Asker(bob).post(path(call.pk), IDS)

    assert (answer.status_code, answer.content) == (204, b"")
    assert known(call) == {
        "8f0c3b9e-sdk": "sdk_call_id",
        "leg-1": "leg_id",
        "v3:control-1": "call_sid",
        "session-1": "session_id",
    }
    assert set(CallIdentifier.objects.values_list("agent", flat=True)) == {bob.agents.get().pk}


def test_a_call_of_his_other_company_is_his_though_another_tab_switched(
    acme: Company, elsewhere: Company, bob: User
) -> None:
    cast.make_membership(elsewhere, bob)
    there, call, now = cast.make_agent(elsewhere, user=bob), cast.make_call(elsewhere), timezone.now()
    Offer.objects.create(call=call, agent=there, step=1, offered_at=now, expires_at=now + timedelta(seconds=30))

    assert Asker(bob).post(path(call.pk), IDS).status_code == 204
    assert set(CallIdentifier.objects.filter(call=call).values_list("agent", flat=True)) == {there.pk}


def test_what_the_browser_does_not_know_may_be_left_out_or_empty(acme: Company, bob: User) -> None:
    call = offered(acme, bob)

    answer = Asker(bob).post(path(call.pk), {"sdkCallId": "x", "legId": None, "controlId": ""})

    assert answer.status_code == 204
    assert known(call) == {"x": "sdk_call_id"}


def test_told_twice_is_kept_once(acme: Company, bob: User) -> None:
    call = offered(acme, bob)
    CallIdentifier.objects.create(call=call, kind="leg_id", value="leg-1")

    for _ in range(2):
        assert Asker(bob).post(path(call.pk), IDS).status_code == 204

    assert len(known(call)) == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "sdkCallId"),
        ({"sdkCallId": ""}, "sdkCallId"),
        ({"sdkCallId": "x" * 161}, "sdkCallId"),
        ({"sdkCallId": "a\x00b"}, "sdkCallId"),
        ({"sdkCallId": ["x"]}, "sdkCallId"),
        ({"sdkCallId": "x", "legId": {"a": 1}}, "legId"),
        ({"sdkCallId": "x", "sessionId": "x" * 161}, "sessionId"),
    ],
)
def test_a_wrong_field_is_named(acme: Company, bob: User, body: object, field: str) -> None:
    call = offered(acme, bob)

    answer = Asker(bob).post(path(call.pk), body)

    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert known(call) == {}


def test_a_call_that_was_never_offered_to_him_is_not_there(acme: Company, bob: User, mallory: User) -> None:
    offered_to_bob = offered(acme, bob)
    of_a_colleague = cast.make_call(acme)

    for asker, call_id in ((mallory, offered_to_bob.pk), (bob, of_a_colleague.pk), (bob, uuid4())):
        answer = Asker(asker).post(path(call_id), IDS)
        assert (answer.status_code, answer.json()) == (404, {"error": "Call not found"})

    assert not CallIdentifier.objects.exists()


def test_what_is_no_call_id_is_no_address(bob: User) -> None:
    answer = Asker(bob).post(path("7"), IDS)

    assert answer.status_code == 404
    assert answer.json()["error"]
