"""``GET /api/calls/<id>/story``: what happened, in order and in words, with the ids behind it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from telephony.models import Call, LegQuality, TelnyxEvent
from tests import cast
from tests.pages.people import answered_call, looking, recording_of


def note(call: Call, kind: str, source: str = "curbe", after_s: float = 20, **payload: object) -> TelnyxEvent:
    at = call.started_at + timedelta(seconds=after_s)
    return TelnyxEvent.objects.create(
        dedupe_key=f"{kind}-{call.pk}-{after_s}-{TelnyxEvent.objects.count()}",
        kind=kind,
        source=source,
        occurred_at=at,
        received_at=at,
        payload=payload,
        company_id=call.company_id,
        call=call,
        processed_at=at,
    )


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    call = answered_call(acme, bob.agents.get(), caller_name="María")
    recording_of(call, layout="dial", channels=2, started_at=call.answered_at, duration_s=65)
    return call


def story(browser: Client, call: Call) -> dict[str, object]:
    response = browser.get(f"/api/calls/{call.pk}/story")
    assert response.status_code == 200
    told: dict[str, object] = json.loads(response.content)
    return told


def test_it_tells_who_ended_the_call_and_gives_every_id(call: Call, bob: User, sam: User) -> None:
    hold = note(call, "talk.hold", **{"from": "TALKING", "to": "HELD", "agent": bob.agents.get().pk})
    end = note(call, "call.end_requested", after_s=70, by=sam.pk, reason="Probando")

    told = story(looking(sam), call)

    ended = told["ended"]
    assert (ended["by"], ended["who"], ended["reason"]) == ("supervisor", "Sam", "Probando")
    assert ended["words"] == {"es": "Sam terminó la llamada.", "en": "Sam ended the call."}
    by_id = {event_id: entry for entry in told["entries"] for event_id in entry["ids"]}
    assert by_id[str(hold.pk)]["what"] == {"es": "Retiene al cliente.", "en": "Holds the customer."}
    assert by_id[str(hold.pk)]["who"] == {"es": "Bob", "en": "Bob"}
    assert {event["id"] for event in told["events"]} == {str(hold.pk), str(end.pk)}
    moments = [entry["at"] for entry in told["entries"]]
    assert moments == sorted(moments)


def test_recordings_are_segments_in_order_each_with_its_channels(call: Call, sam: User) -> None:
    later = call.answered_at + timedelta(seconds=30)
    first = call.recordings.get()
    second = recording_of(call, layout="room", channels=2, started_at=later, duration_s=10)

    told = story(looking(sam), call)

    assert [(one["id"], one["segment"]) for one in told["recordings"]] == [(str(first.pk), 1), (str(second.pk), 2)]
    # The agent of the cast never answered by his leg: whoever he is, he is on the right.
    assert told["recordings"][1]["channels"] == {"left": "María", "right": "everybody else"}


def test_quality_stands_with_its_leg(call: Call, sam: User) -> None:
    leg = call.legs.get(kind="agent")
    LegQuality.objects.create(leg=leg, telnyx_mos=4.05, mos=3.65, updated_at=timezone.now())

    legs = {leg["id"]: leg["quality"] for leg in story(looking(sam), call)["legs"]}

    assert (legs[str(leg.pk)]["mos"], legs[str(leg.pk)]["sound"]) == (3.65, "fair")


def test_a_program_reads_it_too(call: Call, sam: User) -> None:
    program = Client(headers={"Authorization": f"Token {cast.make_token(sam)}"})

    assert story(program, call)["call_id"] == str(call.pk)


def test_mallory_and_nobody_get_nothing_and_it_is_only_read(call: Call, mallory: User, sam: User) -> None:
    address = f"/api/calls/{call.pk}/story"

    assert looking(mallory).get(address).status_code == 404
    assert Client().get(address).status_code == 401
    assert looking(sam).post(address).status_code == 405


def test_a_person_of_another_company_is_not_named(call: Call, mallory: User, sam: User) -> None:
    note(call, "hangup.requested", by=mallory.pk)

    assert "Mallory" not in json.dumps(story(looking(sam), call))


def test_the_number_of_queries_does_not_grow(
    call: Call, bob: User, sam: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = looking(sam)
    agent = bob.agents.get()
    for place in range(20):
        note(call, "talk.hold", after_s=11 + place, agent=agent.pk, **{"from": "TALKING", "to": "HELD"})
        note(call, "hangup.requested", after_s=40 + place, by=sam.pk)
        recording_of(call)

    with django_assert_num_queries(14):
        browser.get(f"/api/calls/{call.pk}/story")
