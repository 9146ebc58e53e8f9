from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from responses import matchers

from agents.models import Agent
from curbe.companies.models import Company, Role, User
from telephony.models import Call, CallIdentifier, CallLeg, Offer, TelnyxEvent
from tests import cast
from tests.api.asking import Asker

PATH = "/api/webrtc/server-hangup"
ACCOUNT = "6a9a7976-012e-45d2-9258-6f5dc68d861e"


def leg(call: Call, sid: str, kind: str, **fields: Any) -> CallLeg:
    defaults = {"status": "in_progress", "started_at": call.started_at}
    return CallLeg.objects.create(call=call, call_sid=sid, kind=kind, **{**defaults, **fields})


def answered_by(agent: Agent) -> Call:
    """Return a call on which the agent talks: the agent's leg was made first, the customer's must end first."""
    now = timezone.now()
    call = cast.make_call(agent.company, status="in_progress", answered_at=now, agent=agent, root_call_sid="v3:caller")
    leg(call, "v3:agent", "agent", agent=agent, answered_at=now)
    leg(call, "v3:caller", "caller", answered_at=now)
    CallIdentifier.objects.create(call=call, kind="call_sid", value="v3:caller")
    CallIdentifier.objects.create(call=call, kind="leg_id", value="leg-id-of-the-caller")
    CallIdentifier.objects.create(call=call, kind="sdk_call_id", value="sdk-id", agent=agent)
    return call


def texml(sid: str) -> str:
    return f"{django_settings.TELNYX_API_URL}/texml/Accounts/{ACCOUNT}/Calls/{sid.replace(':', '%3A')}"


def expect_hangup(telnyx_api: responses.RequestsMock, *sids: str, **answer: Any) -> None:
    for sid in sids:
        form = matchers.urlencoded_params_matcher({"Status": "completed"})
        telnyx_api.post(texml(sid), match=[form], **(answer or {"json": {"sid": sid, "status": "completed"}}))


def hang_up(user: User, any_id: object, company: Company) -> Any:
    return Asker(user).post(PATH, {"webrtcCallId": str(any_id), "companyId": company.public_id})


def test_every_live_leg_ends_and_the_customers_first(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    leg(call, "v3:loser", "agent", status="ended")
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    answer = hang_up(bob, call.pk, acme)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [asked.request.url for asked in telnyx_api.calls] == [texml("v3:caller"), texml("v3:agent")]
    call.refresh_from_db()
    assert call.hangup_requested_at is not None
    assert call.hangup_requested_by == bob.agents.get()
    # The call itself ends by what Telnyx says next, not by what we asked for.
    assert call.status == "in_progress"


def test_the_wish_is_in_the_ledger_before_telnyx_is_asked(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    seen: list[str] = []

    def look(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        seen.extend(TelnyxEvent.objects.filter(call=call).values_list("kind", flat=True))
        return 200, {}, "{}"

    telnyx_api.add_callback(responses.POST, texml("v3:caller"), callback=look)
    expect_hangup(telnyx_api, "v3:agent")

    hang_up(bob, call.pk, acme)

    assert seen == ["hangup.requested"]
    event = TelnyxEvent.objects.get(call=call)
    assert (event.source, event.payload["by"]) == ("curbe", bob.pk)


@pytest.mark.parametrize("any_id", ["sdk-id", "v3:caller", "leg-id-of-the-caller"])
def test_any_id_that_the_browser_knows_finds_the_call(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock, any_id: str
) -> None:
    answered_by(bob.agents.get())
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    assert hang_up(bob, any_id, acme).status_code == 200


def test_a_second_hangup_is_a_success_and_calls_nobody(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")
    hang_up(bob, call.pk, acme)
    asked = len(telnyx_api.calls)

    assert hang_up(bob, call.pk, acme).json() == {"success": True}

    assert len(telnyx_api.calls) == asked


def test_a_hangup_that_nobody_confirmed_is_asked_again(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    Call.objects.filter(pk=call.pk).update(hangup_requested_at=timezone.now() - timedelta(seconds=11))
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    assert hang_up(bob, call.pk, acme).status_code == 200
    assert len(telnyx_api.calls) == 2


def test_a_call_that_is_over_is_a_success_and_calls_nobody(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    Call.objects.filter(pk=call.pk).update(status="completed", ended_at=timezone.now())

    assert hang_up(bob, call.pk, acme).json() == {"success": True}

    assert not telnyx_api.calls


def test_legs_that_telnyx_has_ended_already_are_a_success(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    over = {"errors": [{"code": "90018", "title": "Call has already ended"}]}
    expect_hangup(telnyx_api, "v3:caller", status=422, json=over)
    gone = {"errors": [{"code": "90015", "title": "Invalid call control id"}]}
    expect_hangup(telnyx_api, "v3:agent", status=404, json=gone)
    by_call_control = f"{django_settings.TELNYX_API_URL}/calls/v3%3Aagent/actions/hangup"
    telnyx_api.post(by_call_control, status=404, json=gone)

    assert hang_up(bob, call.pk, acme).status_code == 200


def test_without_the_account_call_control_ends_the_legs(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    Call.objects.filter(pk=call.pk).update(account_sid="")
    for sid in ("v3%3Acaller", "v3%3Aagent"):
        telnyx_api.post(f"{django_settings.TELNYX_API_URL}/calls/{sid}/actions/hangup", json={"data": {"result": "ok"}})

    assert hang_up(bob, call.pk, acme).status_code == 200


@pytest.mark.parametrize("any_id", ["0192f0a4-7c3e-7d12-8f5b-3a1c9e6d4b20", "nonsense", "v3:nobody's", "%", "'; --"])
def test_an_id_that_nobody_knows_is_not_found(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock, any_id: str
) -> None:
    answer = hang_up(bob, any_id, acme)

    assert (answer.status_code, answer.json()) == (404, {"error": "Call not found"})


def test_a_company_of_his_that_is_not_the_open_one_is_as_good(
    acme: Company, elsewhere: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    """Another tab may have switched: the one with the call stays where the call is."""
    cast.make_agent(elsewhere, user=bob)
    cast.make_membership(elsewhere, bob)
    call = answered_by(bob.agents.get(company=elsewhere))
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    assert hang_up(bob, call.pk, elsewhere).status_code == 200


def test_a_program_has_only_the_company_of_its_token(
    acme: Company, elsewhere: Company, sam: User, telnyx_api: responses.RequestsMock
) -> None:
    cast.make_membership(elsewhere, sam, role=Role.OWNER)
    call = answered_by(cast.make_agent(elsewhere, "eve"))
    body = {"webrtcCallId": str(call.pk), "companyId": elsewhere.public_id}

    answer = Asker(None).post(PATH, body, authorization=f"Token {cast.make_token(sam)}")

    assert (answer.status_code, answer.json()) == (403, {"error": "Invalid company"})


def test_another_company_is_invalid(
    acme: Company, elsewhere: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())

    answer = hang_up(bob, call.pk, elsewhere)

    assert (answer.status_code, answer.json()) == (403, {"error": "Invalid company"})


@pytest.mark.parametrize("any_id", ["call", "sdk-id", "v3:caller"])
def test_mallory_ends_no_call_of_acme(
    acme: Company, elsewhere: Company, bob: User, mallory: User, telnyx_api: responses.RequestsMock, any_id: str
) -> None:
    call = answered_by(bob.agents.get())
    named = call.pk if any_id == "call" else any_id

    assert hang_up(mallory, named, acme).status_code == 403
    answer = hang_up(mallory, named, elsewhere)

    assert (answer.status_code, answer.json()) == (404, {"error": "Call not found"})
    assert not telnyx_api.calls


def ringing_for(agent: Agent) -> Call:
    call, now = cast.make_call(agent.company, root_call_sid="v3:caller"), timezone.now()
    leg(call, "v3:caller", "caller")
    leg(call, "v3:agent", "agent", agent=agent, status="ringing")
    Offer.objects.create(call=call, agent=agent, step=1, offered_at=now, expires_at=now + timedelta(seconds=30))
    return call


def test_who_has_not_answered_may_decline_but_not_hang_up(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = ringing_for(bob.agents.get())

    answer = hang_up(bob, call.pk, acme)

    assert answer.status_code == 409
    assert "decline" in answer.json()["error"]
    assert not telnyx_api.calls
    assert not TelnyxEvent.objects.exists()


def test_a_colleagues_call_is_not_an_agents_to_end(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(cast.make_agent(acme, "carol"))

    assert hang_up(bob, call.pk, acme).status_code == 409


def test_an_answer_that_only_the_leg_knows_of_counts(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = ringing_for(bob.agents.get())
    CallLeg.objects.filter(call_sid="v3:agent").update(status="in_progress", answered_at=timezone.now())
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    assert hang_up(bob, call.pk, acme).status_code == 200


def test_a_supervisor_may_end_a_call(acme: Company, bob: User, sam: User, telnyx_api: responses.RequestsMock) -> None:
    call = answered_by(bob.agents.get())
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    assert hang_up(sam, call.pk, acme).status_code == 200
    call.refresh_from_db()
    assert call.hangup_requested_by is None


def test_a_supervisor_who_is_being_rung_declines_like_anybody(
    acme: Company, sam: User, telnyx_api: responses.RequestsMock
) -> None:
    call = ringing_for(cast.make_agent(acme, user=sam))

    assert hang_up(sam, call.pk, acme).status_code == 409


def test_a_refusal_of_telnyx_is_502_and_the_other_legs_are_tried_all_the_same(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    refusal = {"errors": [{"code": "10010", "title": "Authorization failed"}]}
    expect_hangup(telnyx_api, "v3:caller", status=403, json=refusal)
    expect_hangup(telnyx_api, "v3:agent")

    answer = hang_up(bob, call.pk, acme)

    assert answer.status_code == 502
    assert "refused" in answer.json()["error"]
    assert set(TelnyxEvent.objects.filter(call=call).values_list("kind", flat=True)) == {
        "hangup.requested",
        "hangup.failed",
    }
    call.refresh_from_db()
    assert call.hangup_requested_at is None


def test_telnyx_away_is_502_and_the_person_waits_for_one_leg_only(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    call = answered_by(bob.agents.get())
    expect_hangup(telnyx_api, "v3:caller", body=requests.ConnectionError("refused"))

    answer = hang_up(bob, call.pk, acme)

    assert answer.status_code == 502
    assert {asked.request.url for asked in telnyx_api.calls} == {texml("v3:caller")}


def test_nobody_gives_his_call_the_name_of_somebody_elses(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    answered_by(bob.agents.get())
    carol = cast.make_agent(acme, "carol")
    other = cast.make_call(acme, status="in_progress", agent=carol)
    CallIdentifier.objects.create(call=other, kind="sdk_call_id", value="sdk-id", agent=carol)
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")

    assert hang_up(bob, "sdk-id", acme).status_code == 200


@pytest.mark.parametrize("field", ["webrtcCallId", "companyId"])
@pytest.mark.parametrize("value", [None, "", ["x"], {"a": 1}, "x" * 161, "a\x00b"])
def test_a_wrong_field_is_named(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock, field: str, value: object
) -> None:
    body = {"webrtcCallId": "sdk-id", "companyId": acme.public_id, field: value}

    answer = Asker(bob).post(PATH, body)

    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_our_part_costs_few_statements(
    acme: Company,
    bob: User,
    telnyx_api: responses.RequestsMock,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    call = answered_by(bob.agents.get())
    expect_hangup(telnyx_api, "v3:caller", "v3:agent")
    asker = Asker(bob)
    asker.get("/api/agents/me")

    # Who asks, his membership, his agent; the call, its legs, whether he answered; the wish (2), what came of it.
    with django_assert_max_num_queries(9):
        asker.post(PATH, {"webrtcCallId": str(call.pk), "companyId": acme.public_id})
