"""The addresses of a conversation: who may ask, and what is refused. What they do is told in tests/scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.utils import timezone

from agents.models import Activity, Agent
from curbe.companies.models import Company, User
from telephony.models import Call, CallLeg, TelnyxEvent
from tests import cast
from tests.api.asking import Asker
from tests.scenarios.switchboard import Switchboard

WISHES: dict[str, dict[str, Any]] = {
    "hold": {"on": True},
    "mute": {"on": True},
    "digits": {"digits": "1"},
    "transfer": {"to": {"number": "+13125550177"}},
    "consult": {"to": {"number": "+13125550177"}},
    "consult/complete": {},
    "consult/cancel": {},
    "consult/merge": {},
    "consult/swap": {},
    "leave": {},
}
wishes = pytest.mark.parametrize("wish", sorted(WISHES))


@pytest.fixture
def board() -> Iterator[Switchboard]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Switchboard(mock)


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    """Bob talks with a caller."""
    now, agent = timezone.now(), bob.agents.get()
    call = cast.make_call(
        acme,
        root_call_sid="v3:caller",
        account_sid="6a9a7976-012e-45d2-9258-6f5dc68d861e",
        status=Call.Status.IN_PROGRESS,
        agent=agent,
        answered_at=now,
    )
    for sid, kind, who in (("v3:caller", "caller", None), ("v3:bob", "agent", agent)):
        CallLeg.objects.create(
            call=call, call_sid=sid, kind=kind, agent=who, status="in_progress", started_at=now, answered_at=now
        )
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.ON_CALL, busy_call_id=call.pk)
    return call


@wishes
def test_strangers_supervisors_and_nobody(call: Call, wish: str, mallory: User, sam: User) -> None:
    path = f"/api/calls/{call.pk}/{wish}"

    assert Asker(mallory).post(path, WISHES[wish]).status_code == 404
    # Sam answers no calls: what he may do has addresses of its own.
    assert Asker(sam).post(path, WISHES[wish]).status_code == 403
    assert Asker(None).post(path, WISHES[wish]).status_code == 401
    call.refresh_from_db()
    assert call.phase == ""


@wishes
def test_a_colleague_who_is_not_on_it(call: Call, wish: str, acme: Company) -> None:
    carol = cast.make_agent(acme, "carol").user

    assert Asker(carol).post(f"/api/calls/{call.pk}/{wish}", WISHES[wish]).status_code == 404


@wishes
def test_only_posts(call: Call, wish: str, bob: User) -> None:
    assert Asker(bob).get(f"/api/calls/{call.pk}/{wish}").status_code == 405


@pytest.mark.parametrize(
    ("wish", "body", "field"),
    [
        ("hold", {}, "on"),
        ("hold", {"on": "perhaps"}, "on"),
        ("digits", {"digits": "12x"}, "digits"),
        ("digits", {"digits": "1" * 65}, "digits"),
        ("transfer", {}, "to"),
        ("transfer", {"to": {}}, "to"),
        ("transfer", {"to": {"agent": 1, "queue": 2}}, "to"),
        ("consult", {"to": {"agent": "Luis"}}, "to"),
    ],
)
def test_a_body_that_is_wrong_is_told_by_its_field(
    call: Call, bob: User, wish: str, body: dict[str, Any], field: str
) -> None:
    answer = Asker(bob).post(f"/api/calls/{call.pk}/{wish}", body)

    assert answer.status_code == 400
    assert field in answer.json()["error"]


def test_a_call_that_is_over_takes_no_wish(call: Call, bob: User) -> None:
    Call.objects.filter(pk=call.pk).update(status=Call.Status.COMPLETED)

    answer = Asker(bob).post(f"/api/calls/{call.pk}/hold", {"on": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_now")


def test_how_a_plain_call_stands(call: Call, bob: User) -> None:
    told = Asker(bob).get(f"/api/calls/{call.pk}/talk").json()

    assert (told["phase"], told["held"], told["consult"]) == ("TALKING", False, None)
    assert {"hold", "transfer", "consult", "digits", "leave", "mute"} <= set(told["may"])
    assert "complete" not in told["may"]


def test_a_call_that_still_rings_offers_nothing_to_do(acme: Company, bob: User) -> None:
    told = Asker(bob).get(f"/api/calls/{cast.make_call(acme).pk}/talk").json()

    assert (told["phase"], told["may"]) == ("ROUTING", ["end"])


def test_what_is_refused_is_said_in_the_readers_language(call: Call, bob: User) -> None:
    bob.language = "es"
    bob.save()

    answer = Asker(bob).post(f"/api/calls/{call.pk}/consult/merge")

    assert answer.json() == {"error": "Eso no se puede hacer ahora.", "code": "not_now"}


# --- End for everybody --------------------------------------------------------------------------------------------


def test_who_supervises_ends_a_call_and_says_why(call: Call, sam: User, board: Switchboard) -> None:
    answer = Asker(sam).post(f"/api/calls/{call.pk}/end", {"reason": "Nobody is there any more"})

    assert answer.status_code == 202
    # The customer's first.
    assert board.of("hang_up") == ["v3:caller", "v3:bob"]
    event = TelnyxEvent.objects.get(call=call, kind="call.end_requested")
    assert event.payload == {"by": sam.pk, "reason": "Nobody is there any more"}


def test_an_agent_ends_no_call_of_others(call: Call, bob: User, mallory: User, sam: User) -> None:
    path = f"/api/calls/{call.pk}/end"

    assert Asker(bob).post(path, {"reason": "x"}).status_code == 403
    assert Asker(mallory).post(path, {"reason": "x"}).status_code == 404
    assert Asker(None).post(path, {"reason": "x"}).status_code == 401
    assert "reason" in Asker(sam).post(path, {}).json()["error"]


# --- To whom ------------------------------------------------------------------------------------------------------


def test_who_can_take_it_comes_first_and_everybody_is_shown_as_he_stands(acme: Company, bob: User) -> None:
    anna, zoe = cast.make_agent(acme, "anna"), cast.ready_agent(acme)
    cast.make_queue(acme, "ventas", members=[zoe])

    rows = Asker(bob).get("/api/transfer-targets").json()["results"]

    assert [(row["kind"], row["id"]) for row in rows[:2]] == [("agent", zoe.pk), ("agent", anna.pk)]
    assert [(row["presence"], row["may"]) for row in rows[:2]] == [("AVAILABLE", True), ("OFFLINE", False)]
    assert {name: rows[2][name] for name in ("kind", "name", "waiting", "free")} == {
        "kind": "queue",
        "name": "ventas",
        "waiting": 0,
        "free": 1,
    }


def test_a_part_of_a_name_is_enough(acme: Company, bob: User) -> None:
    cast.make_agent(acme, "anna")
    cast.make_queue(acme, "ventas")

    assert [row["name"] for row in Asker(bob).get("/api/transfer-targets", {"q": "ann"}).json()["results"]] == ["Anna"]
    assert [row["name"] for row in Asker(bob).get("/api/transfer-targets", {"q": "VEN"}).json()["results"]] == [
        "ventas"
    ]


def test_nobody_of_another_company_is_a_target(acme: Company, bob: User, mallory: User) -> None:
    assert Asker(bob).get("/api/transfer-targets").json()["results"] == []


def test_as_many_statements_for_twenty_as_for_two(acme: Company, bob: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        cast.ready_agent(acme)
    asker = Asker(bob)

    with django_assert_max_num_queries(8):
        assert len(asker.get("/api/transfer-targets").json()["results"]) == 20
