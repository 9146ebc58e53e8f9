"""What an agent says when a call is over, and that he is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Activity, Agent, BreakReason, PresenceChange, WrapUpMode
from agents.operations import release
from agents.wrap_ups import WrapUp
from curbe.companies.models import Company, User
from telephony.models import Call, CallWrapUp, Disposition
from telephony.operations import wrap_ups
from tests import cast
from tests.api.asking import Asker

SAVE, END, ME = "/api/agents/wrap-up", "/api/agents/wrap-up/end", "/api/agents/me"


def disposition_of(company: Company, code: str = "sale", **fields: Any) -> Disposition:
    return Disposition.objects.create(company=company, code=code, **{"name": code.title(), **fields})


def wrapping_up(user: User, mode: WrapUpMode = WrapUpMode.TIMED, *, ago_s: float = 0) -> Call:
    """Let the person's call have ended so long ago; return it."""
    agent, now = user.agents.get(), timezone.now() - timedelta(seconds=ago_s)
    cast.beat(agent, now=timezone.now())
    call = cast.make_call(agent.company, status="completed", agent=agent, answered_at=now, ended_at=now)
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.ON_CALL, busy_call_id=call.pk, presence="ON_CALL")
    policies = {agent.pk: WrapUp(mode, 30)}
    wrap_ups.began(call, policies, release(call_id=call.pk, reason="ended", wrap_ups=policies, now=now), now)
    return call


def test_a_page_loaded_in_the_middle_of_it_shows_the_same_form(acme: Company, bob: User) -> None:
    disposition_of(acme, "sale", position=2)
    disposition_of(acme, "complaint", position=1)
    disposition_of(acme, "old", is_active=False)
    call = wrapping_up(bob)
    asker = Asker(bob)

    assert asker.post(SAVE, {"disposition": "sale", "note": "Llama el lunes."}).status_code == 204

    found = asker.get(ME).json()
    assert (found["presence"], found["call"]) == ("WRAP_UP", None)
    shown = found["wrap_up"]
    assert shown["until"] > shown["since"]
    assert {name: shown[name] for name in shown.keys() - {"since", "until"}} == {
        "call_id": str(call.pk),
        "mode": "timed",
        "may_end": True,
        "disposition_required": False,
        "disposition": "sale",
        "note": "Llama el lunes.",
        "dispositions": [{"code": "complaint", "name": "Complaint"}, {"code": "sale", "name": "Sale"}],
    }


def test_who_is_done_is_available_and_the_call_keeps_what_he_said(acme: Company, bob: User) -> None:
    disposition_of(acme)
    call = wrapping_up(bob)
    asker = Asker(bob)

    answer = asker.post(END, {"disposition": "sale", "note": "Póliza nueva"})

    assert (answer.status_code, answer.json()) == (200, {"presence": "AVAILABLE"})
    kept = CallWrapUp.objects.get()
    assert (kept.call, kept.ended_how, kept.note) == (call, "done", "Póliza nueva")
    change = PresenceChange.objects.latest("id")
    assert (change.reason, change.actor, change.call_id) == ("wrap_up_done", bob, call.pk)
    story = asker.get(f"/api/calls/{call.pk}").json()
    assert (story["disposition"], story["note"]) == ({"code": "sale", "name": "Sale"}, "Póliza nueva")


def test_what_is_not_said_stays_and_what_is_empty_goes(acme: Company, bob: User) -> None:
    disposition_of(acme)
    wrapping_up(bob)
    asker = Asker(bob)
    asker.post(SAVE, {"disposition": "sale", "note": "una nota"})

    asker.post(SAVE, {"note": "otra"})
    asker.post(SAVE, {})
    assert CallWrapUp.objects.values_list("disposition__code", "note").get() == ("sale", "otra")
    asker.post(SAVE, {"disposition": ""})

    assert CallWrapUp.objects.values_list("disposition__code", "note").get() == (None, "otra")


def test_where_it_is_required_it_ends_when_it_is_said(acme: Company, bob: User) -> None:
    disposition_of(acme)
    wrapping_up(bob, WrapUpMode.REQUIRED_DISPOSITION)
    asker = Asker(bob)

    refused = asker.post(END, {"note": "sin resultado"})
    assert (refused.status_code, refused.json()["field"]) == (400, "disposition")
    assert asker.get(ME).json()["presence"] == "WRAP_UP"
    asker.post(SAVE, {"disposition": "sale"})
    assert asker.post(END, {"disposition": ""}).status_code == 400

    assert asker.post(END).json() == {"presence": "AVAILABLE"}


def test_nobody_must_choose_where_there_is_no_choice(acme: Company, bob: User) -> None:
    disposition_of(acme, "old", is_active=False)
    wrapping_up(bob, WrapUpMode.REQUIRED_DISPOSITION)
    asker = Asker(bob)

    assert asker.get(ME).json()["wrap_up"]["disposition_required"] is False
    assert asker.post(END).status_code == 200


@pytest.mark.parametrize("path", [SAVE, END])
@pytest.mark.parametrize("code", ["nothing", "old", "timed_out", "theirs"])
def test_what_cannot_be_chosen_is_named_and_changes_nothing(
    acme: Company, elsewhere: Company, bob: User, path: str, code: str
) -> None:
    disposition_of(acme, "old", is_active=False)
    disposition_of(acme, "timed_out", is_system=True)
    disposition_of(elsewhere, "theirs")
    wrapping_up(bob)

    answer = Asker(bob).post(path, {"disposition": code, "note": "x"})

    assert (answer.status_code, answer.json()["field"]) == (400, "disposition")
    assert CallWrapUp.objects.values_list("disposition", "note", "ended_at").get() == (None, "", None)


def test_a_note_that_is_too_long_is_named(bob: User) -> None:
    wrapping_up(bob)

    answer = Asker(bob).post(SAVE, {"note": "x" * 2_001})

    assert (answer.status_code, answer.json()["field"]) == (400, "note")


def test_a_locked_one_is_not_ended_but_keeps_what_is_said(acme: Company, bob: User) -> None:
    disposition_of(acme)
    wrapping_up(bob, WrapUpMode.TIMED_LOCKED)
    asker = Asker(bob)

    answer = asker.post(END, {"disposition": "sale"})

    assert (answer.status_code, answer.json()["code"]) == (409, "locked")
    assert asker.get(ME).json()["wrap_up"]["may_end"] is False
    assert asker.post(SAVE, {"disposition": "sale"}).status_code == 204


@pytest.mark.parametrize("path", [SAVE, END])
@pytest.mark.parametrize("ago_s", [None, 30])
def test_without_one_there_is_nothing_to_say(bob: User, path: str, ago_s: float | None) -> None:
    if ago_s is not None:
        wrapping_up(bob, ago_s=ago_s)

    answer = Asker(bob).post(path, {"note": "x"})

    assert (answer.status_code, answer.json()["code"]) == (409, "over")


def test_mallory_ends_only_her_own(acme: Company, bob: User, mallory: User) -> None:
    wrapping_up(bob)

    assert Asker(mallory).post(END, {"agentId": bob.agents.get().pk}).status_code == 409

    assert Asker(bob).get(ME).json()["presence"] == "WRAP_UP"


def test_who_answers_no_calls_has_none(alice: User) -> None:
    assert [Asker(alice).post(path).status_code for path in (SAVE, END)] == [403, 403]


def test_a_break_with_a_reason_is_pending_until_it_is_over(acme: Company, bob: User) -> None:
    wrapping_up(bob)
    asker = Asker(bob)

    answer = asker.post("/api/agents/intent", {"intent": "BREAK", "reason": "lunch"})

    assert answer.json() == {"ok": True, "presence": "WRAP_UP", "pending": "BREAK"}
    found = asker.get(ME).json()
    assert (found["pending"], found["break"]) == ("BREAK", None)
    assert asker.post(END).json() == {"presence": "BREAK"}
    found = asker.get(ME).json()
    assert found["pending"] is None
    assert (found["break"]["code"], found["break"]["name"]) == ("lunch", "Almuerzo")
    assert (found["break"]["soft_limit_s"], found["break"]["hard_limit_s"]) == (3_600, 5_400)
    assert found["break"]["since"]
    assert PresenceChange.objects.filter(agent__user=bob).latest("id").break_code == "lunch"


def test_a_pending_break_is_taken_back_by_choosing_available(bob: User) -> None:
    wrapping_up(bob)
    asker = Asker(bob)
    asker.post("/api/agents/intent", {"intent": "BREAK"})

    answer = asker.post("/api/agents/intent", {"intent": "AVAILABLE"})

    assert answer.json()["pending"] is None
    assert asker.post(END).json() == {"presence": "AVAILABLE"}


@pytest.mark.parametrize(
    "body",
    [
        {"intent": "BREAK", "reason": "siesta"},
        {"intent": "OFFLINE", "reason": "lunch"},
        {"intent": "BREAK", "reason": ["lunch"]},
    ],
)
def test_a_reason_that_cannot_be_is_named(bob: User, body: dict[str, Any]) -> None:
    answer = Asker(bob).post("/api/agents/intent", body)

    assert (answer.status_code, answer.json()["field"]) == (400, "reason")
    assert bob.agents.get().intent == "AVAILABLE"


def test_a_company_without_reasons_has_the_one_break(acme: Company, bob: User) -> None:
    BreakReason.objects.filter(company=acme).delete()
    cast.beat(bob.agents.get(), now=timezone.now())
    asker = Asker(bob)

    assert asker.post("/api/agents/intent", {"intent": "BREAK"}).json()["presence"] == "BREAK"

    found = asker.get(ME).json()
    assert (found["breaks"], found["break"]["code"]) == ([], "")
