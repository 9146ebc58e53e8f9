from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from curbe.companies.models import Company, User
from telephony.models import Call, Offer, QueueVisit, RouteTrace
from telephony.operations import plans
from tests import cast
from tests.api.asking import Asker

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def path(call_id: object) -> str:
    return f"/api/calls/{call_id}/trace"


def step(call: Call, number: int, verb: str, *reasons: dict[str, object]) -> None:
    RouteTrace.objects.create(
        call=call,
        step=number,
        decision={"verb": verb},
        reasons=list(reasons),
        document="<Response/>",
        at=AT + timedelta(seconds=number),
    )


def test_each_step_says_why_as_data_and_in_both_languages(acme: Company, bob: User) -> None:
    call = cast.make_call(acme)
    step(call, 2, "voicemail", {"code": "not_answered", "status": "no-answer"})
    step(call, 1, "ring", {"code": "destination_user", "name": "Bob"}, {"code": "rung", "agent": "Bob"})

    answer = Asker(bob).get(path(call.pk))

    assert answer.status_code == 200
    assert answer.json() == {
        "steps": [
            {
                "step": 1,
                "at": "2026-11-21T09:00:01Z",
                "decision": {"verb": "ring"},
                "reasons": [{"code": "destination_user", "name": "Bob"}, {"code": "rung", "agent": "Bob"}],
                "sentences": {
                    "es": ["La llamada es para Bob.", "Suena el teléfono de Bob."],
                    "en": ["The call is for Bob.", "The phone of Bob rings."],
                },
                "plan_version": None,
                "offers": [],
            },
            {
                "step": 2,
                "at": "2026-11-21T09:00:02Z",
                "decision": {"verb": "voicemail"},
                "reasons": [{"code": "not_answered", "status": "no-answer"}],
                "sentences": {
                    "es": ["No hubo conversación: nadie contestó."],
                    "en": ["There was no conversation: nobody answered."],
                },
                "plan_version": None,
                "offers": [],
            },
        ],
        "visits": [],
    }


def test_an_offer_says_why_he_and_not_another(acme: Company, bob: User) -> None:
    first, second = cast.ready_agent(acme, idle_s=600), cast.ready_agent(acme, idle_s=60)
    queue = cast.make_queue(acme, members=[first, second], strategy="longest_idle")
    call = cast.make_call(acme, queue=queue)
    version = plans.publish(acme.pk)
    step(call, 1, "ring", {"code": "rung", "agent": "First"})
    RouteTrace.objects.update(plan_version=version)
    Offer.objects.create(
        call=call,
        agent=first,
        step=1,
        queue=queue,
        rank=[1, -600.0, 0, -600.0, 2, first.pk],
        offered_at=AT,
        expires_at=AT + timedelta(seconds=30),
    )
    QueueVisit.objects.create(company=acme, queue=queue, call=call, entered_at=AT)

    answer = Asker(bob).get(path(call.pk)).json()

    (offer,) = answer["steps"][0]["offers"]
    assert (offer["agent"]["id"], offer["strategy"], offer["rank"]["idle_s"]) == (first.pk, "longest_idle", -600.0)
    assert "10 min 0 s" in offer["why_first"]["en"]
    assert "sin llamadas" in offer["why_first"]["es"]
    assert answer["visits"] == [
        {
            "queue": {"id": queue.pk, "name": queue.name},
            "entered_at": "2026-11-21T09:00:00Z",
            "ended_at": None,
            "outcome": "waiting",
            "agent": None,
        }
    ]


def test_a_call_that_was_never_routed_has_no_steps(acme: Company, bob: User) -> None:
    assert Asker(bob).get(path(cast.make_call(acme).pk)).json() == {"steps": [], "visits": []}


def test_a_call_of_another_company_is_not_there(acme: Company, mallory: User) -> None:
    call = cast.make_call(acme)
    step(call, 1, "ring", {"code": "rung", "agent": "Bob"})

    for call_id in (call.pk, uuid4()):
        assert Asker(mallory).get(path(call_id)).status_code == 404
