from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from curbe.companies.models import Company, User
from telephony.models import Call, RouteTrace
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
                    "es": ["La llamada es para Bob.", "Sonó el teléfono de Bob."],
                    "en": ["The call is for Bob.", "The phone of Bob rang."],
                },
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
            },
        ]
    }


def test_a_call_that_was_never_routed_has_no_steps(acme: Company, bob: User) -> None:
    assert Asker(bob).get(path(cast.make_call(acme).pk)).json() == {"steps": []}


def test_a_call_of_another_company_is_not_there(acme: Company, mallory: User) -> None:
    call = cast.make_call(acme)
    step(call, 1, "ring", {"code": "rung", "agent": "Bob"})

    for call_id in (call.pk, uuid4()):
        assert Asker(mallory).get(path(call_id)).status_code == 404
