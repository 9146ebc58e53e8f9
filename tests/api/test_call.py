from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from telephony.models import Call, CallLeg, TelnyxEvent
from tests import cast
from tests.api.asking import Asker

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def path(call_id: object) -> str:
    return f"/api/calls/{call_id}"


def a_story(acme: Company, bob: User) -> Call:
    call = cast.make_call(acme, started_at=START, root_call_sid="v3:caller")
    CallLeg.objects.create(
        call=call,
        call_sid="v3:agent",
        kind="agent",
        agent=bob.agents.get(),
        status="ended",
        end_status="busy",
        hangup_cause="user_busy",
        sip_code="486",
        started_at=START + timedelta(seconds=1),
        ended_at=START + timedelta(seconds=3),
    )
    CallLeg.objects.create(call=call, call_sid="v3:caller", kind="caller", started_at=START)
    # What happened later was heard first.
    for number, kind in ((2, "status.ringing"), (0, "instruction.voice")):
        TelnyxEvent.objects.create(
            dedupe_key=f"event-{number}",
            kind=kind,
            occurred_at=START + timedelta(seconds=number),
            received_at=START + timedelta(seconds=3 - number),
            call=call,
            company=acme,
            payload={"CallSid": "v3:caller", "ApiKey": "never to be shown"},
        )
    return call


def test_a_call_has_its_legs_and_events_in_the_order_of_time(acme: Company, bob: User) -> None:
    call = a_story(acme, bob)

    answer = Asker(bob).get(path(call.pk))

    story = answer.json()
    assert answer.status_code == 200
    assert (story["id"], story["from"], story["recordings"]) == (str(call.pk), "+13055551234", [])
    assert [(leg["kind"], leg["status"], leg["agent"]) for leg in story["legs"]] == [
        ("caller", "initiated", None),
        ("agent", "ended", {"id": bob.agents.get().pk, "name": "Bob"}),
    ]
    agents_leg = story["legs"][1]
    assert (agents_leg["end_status"], agents_leg["hangup_cause"], agents_leg["sip_code"]) == (
        "busy",
        "user_busy",
        "486",
    )
    assert (agents_leg["started_at"], agents_leg["answered_at"]) == ("2026-11-21T09:00:01Z", None)
    assert [event["kind"] for event in story["events"]] == ["instruction.voice", "status.ringing"]
    assert set(story["events"][0]) == {"id", "kind", "source", "occurred_at", "received_at", "processed_at"}


def test_what_the_provider_said_word_by_word_stays_with_us(acme: Company, bob: User) -> None:
    call = a_story(acme, bob)

    content = Asker(bob).get(path(call.pk)).content

    assert b"never to be shown" not in content
    assert b"v3:caller" not in content


def test_a_call_of_another_company_is_not_there(acme: Company, mallory: User) -> None:
    call = cast.make_call(acme)

    answers = [Asker(mallory).get(path(call_id)) for call_id in (call.pk, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


def test_what_is_no_id_is_no_address(bob: User) -> None:
    assert Asker(bob).get(path("7")).status_code == 404


def test_it_costs_the_same_however_long_the_story(
    acme: Company, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call = a_story(acme, bob)
    asker = Asker(bob)
    asker.get(path(call.pk))

    # The session, who asks, his membership; the call, its recordings, its legs, its events, what was said of it.
    with django_assert_num_queries(8):
        asker.get(path(call.pk))
