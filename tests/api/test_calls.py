from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from curbe.lib.ids import uuid7
from recordings.models import Recording
from telephony.models import Call
from tests import cast
from tests.api.asking import Asker

PATH = "/api/calls"
START = datetime(2024, 11, 21, 9, 0, tzinfo=UTC)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_a_call_is_written_as_the_contract_says(acme: Company, bob: User) -> None:
    agent = bob.agents.get()
    queue = cast.make_queue(acme, "ventas")
    call = cast.make_call(
        acme,
        started_at=START,
        answered_at=START + timedelta(seconds=7),
        ended_at=START + timedelta(seconds=67, milliseconds=400),
        status="completed",
        outcome="answered",
        agent=agent,
        queue=queue,
    )
    recording = Recording.objects.create(
        company=acme, call=call, telnyx_recording_id="rec-1", state="stored", duration_s=60
    )

    answer = Asker(bob).get(PATH)

    assert answer.json() == {
        "results": [
            {
                "id": str(call.pk),
                "direction": "inbound",
                "from": "+13055551234",
                "to": "+13055550100",
                "status": "completed",
                "outcome": "answered",
                "started_at": "2024-11-21T09:00:00Z",
                "answered_at": "2024-11-21T09:00:07Z",
                "ended_at": "2024-11-21T09:01:07.400000Z",
                "duration_s": 60,
                "agent": {"id": agent.pk, "name": "Bob"},
                "queue": {"id": queue.pk, "name": "ventas"},
                "recordings": [{"id": str(recording.pk), "kind": "call", "state": "stored", "duration_s": 60}],
            }
        ],
        "next": None,
    }


def test_what_is_not_known_yet_is_null(acme: Company, bob: User) -> None:
    cast.make_call(acme)

    row = Asker(bob).get(PATH).json()["results"][0]

    assert row["status"] == "ringing"
    for name in ("outcome", "answered_at", "ended_at", "duration_s", "agent", "queue"):
        assert row[name] is None
    assert row["recordings"] == []


def test_nobody_talked_in_a_call_that_nobody_answered(acme: Company, bob: User) -> None:
    cast.make_call(acme, status="completed", outcome="missed", ended_at=timezone.now() + timedelta(seconds=25))

    assert Asker(bob).get(PATH).json()["results"][0]["duration_s"] == 0


def test_every_call_comes_once_newest_first_page_by_page(acme: Company, bob: User) -> None:
    # Ids sort by the millisecond; calls of one millisecond have an order too, any.
    made = sorted(str(cast.make_call(acme).pk) for _ in range(7))
    asker, seen, query = Asker(bob), [], {"limit": "3"}

    for _ in range(3):
        answer = asker.get(PATH, query)
        seen += ids(answer)
        query = {"limit": "3", "cursor": answer.json()["next"] or ""}

    assert seen == made[::-1]
    assert answer.json()["next"] is None


def test_a_call_that_arrives_between_two_pages_shifts_nothing(acme: Company, bob: User) -> None:
    made = sorted(str(cast.make_call(acme).pk) for _ in range(4))
    asker = Asker(bob)
    first = asker.get(PATH, {"limit": "2"}).json()

    cast.make_call(acme, id="ffffffff-ffff-7fff-bfff-ffffffffffff")
    second = asker.get(PATH, {"limit": "2", "cursor": first["next"]})

    assert ids(second) == [made[1], made[0]]


@pytest.fixture
def three(acme: Company, bob: User) -> dict[str, str]:
    """Three calls that differ in everything; ``{"old": id, "mid": id, "new": id}``, whose ids are in this order."""
    keys = dict(zip(("old", "mid", "new"), sorted(uuid7() for _ in range(3)), strict=True))
    carol = cast.make_agent(acme, "carol")
    ventas, soporte = cast.make_queue(acme, "ventas"), cast.make_queue(acme, "soporte")
    hours = timedelta(hours=1)
    rows = {
        "old": cast.make_call(
            acme,
            id=keys["old"],
            from_number="+13055550001",
            to_number="+13055550100",
            status="completed",
            started_at=START - hours,
            agent=carol,
            queue=ventas,
        ),
        "mid": cast.make_call(
            acme,
            id=keys["mid"],
            from_number="+13055550002",
            to_number="+13055550101",
            status="in_progress",
            started_at=START,
            agent=bob.agents.get(),
            queue=soporte,
        ),
        "new": cast.make_call(
            acme,
            id=keys["new"],
            from_number="anonymous",
            to_number="+13055550102",
            started_at=START + hours,
        ),
    }
    return {name: str(row.pk) for name, row in rows.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from": "+13055550001"}, ["old"]),
        ({"from": "13055550001"}, ["old"]),
        ({"from": " 13055550001"}, ["old"]),
        ({"from": "anonymous"}, ["new"]),
        ({"from": "+13055559999"}, []),
        ({"to": "+13055550101"}, ["mid"]),
        ({"status": "ringing"}, ["new"]),
        ({"status": "in_progress"}, ["mid"]),
        ({"status": "completed"}, ["old"]),
        ({"since": "2024-11-21T09:00:00Z"}, ["new", "mid"]),
        ({"since": "2024-11-21T09:00:00.000001Z"}, ["new"]),
        ({"since": "2024-11-21T05:00:00-04:00"}, ["new", "mid"]),
        ({"since": "2024-11-21T11:00:00 02:00"}, ["new", "mid"]),
        ({"status": "completed", "from": "+13055550002"}, []),
    ],
)
def test_filters_narrow(three: dict[str, str], bob: User, query: dict[str, str], found: list[str]) -> None:
    assert ids(Asker(bob).get(PATH, query)) == [three[name] for name in found]


def test_filters_by_agent_and_queue_take_ids(three: dict[str, str], bob: User) -> None:
    by_agent = Asker(bob).get(PATH, {"agent": bob.agents.get().pk})
    by_queue = Asker(bob).get(PATH, {"queue": Call.objects.get(pk=three["old"]).queue_id})

    assert (ids(by_agent), ids(by_queue)) == ([three["mid"]], [three["old"]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from", ""),
        ("from", "x" * 65),
        ("to", "a\x00b"),
        ("status", "busy"),
        ("status", ""),
        ("since", "yesterday"),
        ("since", "2026-11-21"),
        ("since", "2024-11-21T09:00:00"),
        ("since", "2026-13-41T09:00:00Z"),
        ("since", ""),
        ("since", "0001-01-01T00:00:00Z"),
        ("since", "0001-01-01T00:00:00+23:00"),
        ("since", "1999-12-31T23:59:59Z"),
        ("since", "2100-01-01T00:00:00Z"),
        ("since", "9999-12-31T23:59:59-23:00"),
        ("agent", "bob"),
        ("agent", "-1"),
        ("agent", "1" * 30),
        ("agent", "٣"),
        ("queue", "1.5"),
        ("cursor", "7"),
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "all"),
        ("form", "+13055550001"),
        ("id[]", "1"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named(bob: User, name: str, value: str) -> None:
    answer = Asker(bob).get(PATH, {name: value})

    assert answer.status_code == 400
    assert answer.json()["field"] == name
    assert answer.json()["error"].startswith(f"{name}: ")


@pytest.mark.parametrize("who", ["alice", "bob", "sam"])
def test_every_member_sees_the_companys_calls(acme: Company, who: str, request: pytest.FixtureRequest) -> None:
    call = cast.make_call(acme)

    assert ids(Asker(request.getfixturevalue(who)).get(PATH)) == [str(call.pk)]


def test_mallory_sees_her_own_companys_calls_only(acme: Company, elsewhere: Company, bob: User, mallory: User) -> None:
    cast.make_call(acme, agent=bob.agents.get())
    hers = cast.make_call(elsewhere)

    assert ids(Asker(mallory).get(PATH)) == [str(hers.pk)]
    assert ids(Asker(mallory).get(PATH, {"agent": bob.agents.get().pk})) == []


def test_a_page_costs_the_same_for_one_call_and_for_fifty(
    acme: Company, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agent, queue = bob.agents.get(), cast.make_queue(acme, "ventas")
    for number in range(50):
        call = cast.make_call(acme, agent=agent, queue=queue)
        Recording.objects.create(company=acme, call=call, telnyx_recording_id=f"rec-{number}")
    asker = Asker(bob)
    asker.get(PATH)

    # The session, who asks, his membership; the calls, their recordings.
    with django_assert_num_queries(5):
        assert len(ids(asker.get(PATH))) == 50


def test_a_call_whose_row_is_older_than_its_start_is_found_all_the_same(acme: Company, bob: User) -> None:
    # The key bounds the rows that are read, and carries the moment of the row.
    late = cast.make_call(acme, started_at=timezone.now() + timedelta(minutes=10))

    since = (timezone.now() + timedelta(minutes=9)).isoformat()

    assert ids(Asker(bob).get(PATH, {"since": since})) == [str(late.pk)]
