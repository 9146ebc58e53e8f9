"""An inbound call at the real address: what the caller meets, what is written, and that nothing makes it fail."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django import Settings as SettingsWrapper

from agents.models import Activity, Agent, AgentSkill, Beat, Intent, PresenceChange, Skill
from curbe.companies.models import Company
from telephony.models import (
    Call,
    CallLeg,
    CallQueue,
    Offer,
    PhoneNumber,
    QueueSkill,
    QueueVisit,
    RouteTrace,
    TelnyxEvent,
)
from telephony.operations import inbound, moving, plans
from telephony.operations.opening import Opened, Opening
from tests import cast
from tests.telnyx_post import Telnyx

CALLED = "+13055550100"
CALLER = "+13055551234"


@pytest.fixture
def company(acme: Company) -> Company:
    return acme


def call(telnyx: Telnyx, path: str = "/webhooks/telnyx/inbound", **fields: str) -> HttpResponse:
    sent = {
        "AccountSid": "6a9a7976-012e-45d2-9258-6f5dc68d861e",
        "CallSid": "v3:one",
        "CallSidLegacy": "v3:one",
        "CallerId": CALLER,
        "CallingPartyType": "pstn",
        "From": CALLER,
        "To": CALLED,
        "ConnectionId": "1568109700606592442",
        "CallStatus": "in-progress",
        **fields,
    }
    return telnyx.form(path, sent)


def verbs(answer: HttpResponse) -> list[str]:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    return [verb.tag for verb in ElementTree.fromstring(answer.content)]


def rung(answer: HttpResponse) -> list[str]:
    """Return the SIP users that the document rings, in order."""
    root = ElementTree.fromstring(answer.content)
    return [(sip.text or "").removeprefix("sip:").split("@")[0] for sip in root.iter("Sip")]


def spoken(answer: HttpResponse) -> str:
    return ElementTree.fromstring(answer.content).findtext("Say") or ""


# --- The rules, in the order of the contract -----------------------------------------------------------------------


def test_a_number_that_is_not_ours_is_said_so_and_no_company_hears_of_it(telnyx: Telnyx, company: Company) -> None:
    answer = call(telnyx, To="+19998887777")

    assert (verbs(answer), spoken(answer)) == (["Say", "Hangup"], "Número sin asignar")
    assert not Call.objects.exists()
    assert TelnyxEvent.objects.get().kind == "instruction.voice.unknown_number"


@pytest.mark.parametrize(("language", "text"), [("es", "Número sin asignar"), ("en", "Unassigned number")])
def test_a_number_without_a_destination_is_said_so_in_the_company_s_language(
    telnyx: Telnyx, company: Company, language: str, text: str
) -> None:
    company.language = language
    company.save()
    cast.make_number(company, CALLED)

    answer = call(telnyx)

    assert (verbs(answer), spoken(answer)) == (["Say", "Hangup"], text)
    assert Call.objects.get().company == company


def test_a_number_of_another_company_than_the_address_s_is_refused_and_is_an_alarm(
    telnyx: Telnyx, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    other = cast.make_company("other")
    cast.make_number(other, CALLED, destination=PhoneNumber.Destination.COMPANY)

    answer = call(telnyx, f"/webhooks/telnyx/voice/{company.public_id}")

    assert verbs(answer) == ["Say", "Hangup"]
    assert not Call.objects.exists()
    assert [record.levelname for record in caplog.records if record.name == "telephony.operations.inbound"] == ["ERROR"]


def test_a_number_of_a_user_rings_that_user_and_no_other(telnyx: Telnyx, company: Company) -> None:
    bob = cast.ready_agent(company, "bob")
    cast.ready_agent(company, "ana")
    cast.make_number(company, CALLED, agent=bob)

    answer = call(telnyx, f"/webhooks/telnyx/voice/{company.public_id}")

    assert rung(answer) == [bob.endpoint.sip_username]  # type: ignore[attr-defined]


def test_a_user_who_cannot_be_rung_passes_the_call_to_the_fallback_number(telnyx: Telnyx, company: Company) -> None:
    company.fallback_number = "+13055550199"
    company.save()
    bob = cast.make_agent(company, "bob")
    cast.make_number(company, CALLED, agent=bob)

    dial = ElementTree.fromstring(call(telnyx).content).find("Dial")

    assert dial is not None
    assert dial.findtext("Number") == "+13055550199"
    assert dial.get("callerId") == CALLED
    assert dial.get("passDiversionHeader") == "true"


def test_nobody_free_and_no_fallback_number_is_voicemail(telnyx: Telnyx, company: Company) -> None:
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    assert verbs(call(telnyx)) == ["Say", "Record"]


def test_a_queue_rings_its_members_longest_idle_first(telnyx: Telnyx, company: Company) -> None:
    ana, bob = cast.ready_agent(company, "ana", idle_s=10), cast.ready_agent(company, "bob", idle_s=900)
    cast.ready_agent(company, "stranger")
    cast.make_number(company, CALLED, queue=cast.make_queue(company, "ventas", members=[ana, bob]))

    assert rung(call(telnyx)) == [bob.endpoint.sip_username, ana.endpoint.sip_username]  # type: ignore[attr-defined]


def test_the_company_rings_everybody_who_is_free(telnyx: Telnyx, company: Company) -> None:
    free = cast.ready_agent(company, "ana")
    on_break = cast.ready_agent(company, "bob")
    Agent.objects.filter(pk=on_break.pk).update(intent=Intent.BREAK)
    silent = cast.ready_agent(company, "luis")
    Beat.objects.filter(agent=silent).update(last_seen_at=timezone.now() - timedelta(seconds=31))
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    assert rung(call(telnyx)) == [free.endpoint.sip_username]  # type: ignore[attr-defined]


# --- What is written ---------------------------------------------------------------------------------------------


def test_a_call_is_written_with_leg_offer_trace_and_event(telnyx: Telnyx, company: Company) -> None:
    bob = cast.ready_agent(company, "bob")
    number = cast.make_number(company, CALLED, agent=bob)
    contact = cast.make_contact(company, "Marta Ruiz", CALLER)

    answer = call(telnyx)

    made = Call.objects.get()
    assert (made.number, made.contact, made.caller_name) == (number, contact, "Marta Ruiz")
    assert (made.from_number, made.to_number, made.status) == (CALLER, CALLED, "ringing")
    leg = CallLeg.objects.get()
    assert (leg.call, leg.kind, leg.call_sid) == (made, CallLeg.Kind.CALLER, "v3:one")
    offer = Offer.objects.get()
    assert (offer.agent, offer.call, offer.outcome) == (bob, made, Offer.Outcome.PENDING)
    assert offer.expires_at - offer.offered_at == timedelta(seconds=30)
    trace = RouteTrace.objects.get()
    assert trace.document.encode() == answer.content
    assert [reason["code"] for reason in trace.reasons] == ["destination_user", "rung"]
    event = TelnyxEvent.objects.get()
    assert (event.kind, event.call, event.processed_at is not None) == ("instruction.voice", made, True)
    bob.refresh_from_db()
    assert (bob.activity, bob.busy_call_id) == (Activity.RESERVED, made.pk)
    assert PresenceChange.objects.filter(agent=bob, after="RINGING", call_id=made.pk).exists()


def test_the_same_request_twice_gets_the_same_bytes_and_one_call(telnyx: Telnyx, company: Company) -> None:
    cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    first, second = call(telnyx), call(telnyx)

    assert first.content == second.content
    assert Call.objects.count() == Offer.objects.count() == TelnyxEvent.objects.count() == 1


def test_two_calls_never_ring_one_agent(telnyx: Telnyx, company: Company) -> None:
    cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    assert verbs(call(telnyx, CallSid="v3:one")) == ["Dial"]
    assert verbs(call(telnyx, CallSid="v3:two")) == ["Say", "Record"]


def lose_before_claim(monkeypatch: pytest.MonkeyPatch, *lost: Agent) -> None:
    """Let another call take these agents between our reading and our claim."""
    real = inbound.claim_and_open

    def slow_claim(opening: Opening) -> Opened:
        Agent.objects.filter(pk__in=[agent.pk for agent in lost]).update(activity=Activity.ON_CALL)
        return real(opening)

    monkeypatch.setattr(inbound, "claim_and_open", slow_claim)


def test_agents_whom_another_call_claims_in_between_are_left_out_and_the_trace_says_so(
    telnyx: Telnyx, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bob = cast.ready_agent(company, "ana"), cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    lose_before_claim(monkeypatch, ana)

    assert rung(call(telnyx)) == [bob.endpoint.sip_username]  # type: ignore[attr-defined]
    codes = {(reason["code"], reason.get("agent_id")) for reason in RouteTrace.objects.get().reasons}
    assert {("claimed", ana.pk), ("rung", bob.pk)} <= codes
    assert ("rung", ana.pk) not in codes
    made = Call.objects.get()
    assert list(Offer.objects.values_list("agent", "call")) == [(bob.pk, made.pk)]
    assert list(Agent.objects.filter(busy_call_id=made.pk)) == [bob]


def test_when_every_claim_is_lost_the_plan_goes_on(
    telnyx: Telnyx, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = cast.ready_agent(company, "ana")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    lose_before_claim(monkeypatch, ana)

    assert verbs(call(telnyx)) == ["Say", "Record"]


def test_of_two_equal_requests_at_the_same_moment_one_reserves_and_both_get_its_answer(
    telnyx: Telnyx, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    answers: list[HttpResponse] = []
    real = inbound.claim_and_open

    def overtaken(opening: Opening) -> Opened:
        monkeypatch.setattr(inbound, "claim_and_open", real)
        answers.append(call(telnyx))
        # He is free again before we ask for him, so that only the call itself stands in our way.
        Agent.objects.filter(pk=bob.pk).update(activity=Activity.IDLE, busy_call_id=None, reserved_until=None)
        return real(opening)

    monkeypatch.setattr(inbound, "claim_and_open", overtaken)
    answers.append(call(telnyx))

    assert answers[0].content == answers[1].content
    assert Call.objects.count() == Offer.objects.count() == 1
    bob.refresh_from_db()
    assert (bob.activity, bob.busy_call_id) == (Activity.IDLE, None)


def test_an_event_that_came_before_its_call_runs_as_soon_as_the_call_is_there(telnyx: Telnyx, company: Company) -> None:
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    end = {"CallSid": "v3:one", "CallStatus": "completed", "SequenceNumber": "3", "HangupCause": "originator_cancel"}
    telnyx.form("/webhooks/telnyx/status", end)

    call(telnyx)

    assert Call.objects.get().status == Call.Status.COMPLETED


# --- Speed -------------------------------------------------------------------------------------------------------


def test_a_call_costs_two_queries(
    telnyx: Telnyx, company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    members = [cast.ready_agent(company, f"agent{number}") for number in range(12)]
    cast.make_number(company, CALLED, queue=cast.make_queue(company, "ventas", members=members))
    plans.current_plan(company.pk)  # A process reads each version of a plan once.

    with django_assert_num_queries(2):
        assert len(rung(call(telnyx))) == 10


@pytest.mark.parametrize("waiting", [1, 7])
@pytest.mark.parametrize("strategy", CallQueue.Strategy.values)
def test_a_call_behind_others_costs_three_queries_whatever_its_queue_looks_at(
    telnyx: Telnyx,
    company: Company,
    strategy: str,
    waiting: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    members = [cast.ready_agent(company, f"agent{number}") for number in range(12)]
    queue = cast.make_queue(company, "ventas", members=members, strategy=strategy)
    skill = Skill.objects.create(company=company, code="seguros")
    QueueSkill.objects.create(queue=queue, skill=skill, min_level=2)
    AgentSkill.objects.bulk_create([AgentSkill(agent=one, skill=skill, level=3) for one in members])
    cast.make_number(company, CALLED, queue=queue)
    for place in range(waiting):
        before = cast.make_call(company, root_call_sid=f"v3:before-{place}")
        QueueVisit.objects.create(company=company, queue=queue, call=before, entered_at=timezone.now())
    plans.current_plan(company.pk)

    with django_assert_num_queries(3):
        # Nobody overtakes: whom those before could have is left to them.
        assert len(rung(call(telnyx))) == (min(10, 12 - waiting) if strategy == "ring_all" else 1)


def test_a_call_that_waits_costs_three_queries_and_is_told_its_place_once(
    telnyx: Telnyx, company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bob = cast.ready_agent(company, "bob")
    queue = cast.make_queue(company, "ventas", members=[bob])
    cast.make_number(company, CALLED, queue=queue)
    QueueVisit.objects.create(
        company=company, queue=queue, call=cast.make_call(company), entered_at=timezone.now() - timedelta(minutes=1)
    )
    plans.current_plan(company.pk)

    with django_assert_num_queries(3):
        assert verbs(call(telnyx)) == ["Say", "Play", "Redirect"]

    visit = QueueVisit.objects.get(call__root_call_sid="v3:one")
    assert (visit.announced_position, visit.announced_at) == (2, visit.entered_at)


def test_a_repeated_request_costs_two_round_trips_more_and_writes_nothing(
    telnyx: Telnyx, company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    call(telnyx)

    with django_assert_num_queries(5):
        call(telnyx)


# --- What comes from outside is hostile --------------------------------------------------------------------------


HOSTILE = '"><Say>{{From}} & </Dial>\x00\x1f\ud7ff'


@pytest.mark.parametrize("field", ["From", "To", "CallerId", "AccountSid", "ConnectionId", "CallSid", "Unknown"])
def test_no_field_can_break_the_document(telnyx: Telnyx, company: Company, field: str) -> None:
    cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    answer = call(telnyx, **{field: HOSTILE * 50})

    assert verbs(answer)[0] in {"Dial", "Say"}
    assert b"{{" not in answer.content


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"not a form", b"&&&=", b"a=1&" * 300, urlencode({"From": CALLER}).encode(), b"{}"],
    ids=["empty", "bytes", "words", "ampersands", "many", "no-sid", "json"],
)
def test_a_malformed_form_still_gets_a_document(telnyx: Telnyx, company: Company, body: bytes) -> None:
    answer = telnyx.post(f"/webhooks/telnyx/voice/{company.public_id}", body)

    assert verbs(answer) == ["Say", "Record", "Hangup"]


def test_a_name_in_another_encoding_costs_nobody_his_call(telnyx: Telnyx, company: Company) -> None:
    cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    body = urlencode({"CallSid": "v3:one", "From": CALLER, "To": CALLED}).encode() + b"&CallerId=Jos%E9"

    assert verbs(telnyx.post("/webhooks/telnyx/inbound", body)) == ["Dial"]


# --- When we fail ------------------------------------------------------------------------------------------------


def test_an_error_of_ours_is_an_apology_and_voicemail_and_the_call_is_kept(
    telnyx: Telnyx, company: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(moving, "decide", broken)

    answer = call(telnyx)

    assert verbs(answer) == ["Say", "Record", "Hangup"]
    assert "problema técnico" in spoken(answer)
    assert "Unable to route call v3:one" in caplog.text
    made = Call.objects.get()
    assert [reason["code"] for reason in RouteTrace.objects.get(call=made).reasons] == ["failed"]
    monkeypatch.undo()
    assert verbs(call(telnyx)) == ["Say", "Record", "Hangup"], "a repeated request hears the same"


def test_with_the_language_unknown_the_apology_is_in_the_language_of_the_house(
    telnyx: Telnyx, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEFAULT_LANGUAGE = "en"
    monkeypatch.setattr(inbound, "voice_facts", lambda **_: 1 / 0)

    assert "technical problem" in spoken(call(telnyx))


def test_a_browser_s_call_that_nobody_announced_is_refused(telnyx: Telnyx, company: Company) -> None:
    answer = call(telnyx, f"/webhooks/telnyx/outbound/{company.public_id}", FromSipUri="gencred1@sip.telnyx.com")

    assert verbs(answer) == ["Reject"]
    assert not Call.objects.exists()
    assert TelnyxEvent.objects.get().kind == "instruction.outbound.refused"


def fail(_: Opening) -> Opened:
    raise ZeroDivisionError


@pytest.mark.parametrize("another_call_is_quicker", [False, True])
def test_a_call_that_could_not_be_written_leaves_nobody_ringing(
    telnyx: Telnyx, company: Company, monkeypatch: pytest.MonkeyPatch, another_call_is_quicker: bool
) -> None:
    ana, bob = cast.ready_agent(company, "ana"), cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, queue=cast.make_queue(company, "ventas", members=[ana, bob]))
    if another_call_is_quicker:
        lose_before_claim(monkeypatch, ana)
        monkeypatch.setattr(inbound, "open_call", fail)
    else:
        monkeypatch.setattr(inbound, "claim_and_open", fail)

    assert verbs(call(telnyx)) == ["Say", "Record", "Hangup"]

    bob.refresh_from_db()
    assert (bob.activity, bob.busy_call_id) == (Activity.IDLE, None)


def test_events_that_cannot_be_caught_up_with_do_not_cost_the_ring(
    telnyx: Telnyx, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, agent=bob)
    telnyx.form("/webhooks/telnyx/status", CallSid="v3:one", CallStatus="initiated", SequenceNumber="0")
    monkeypatch.setattr(inbound.ledger, "call_created", lambda *_: 1 / 0)

    assert rung(call(telnyx)) == [bob.endpoint.sip_username]  # type: ignore[attr-defined]


@pytest.mark.parametrize("other_company", [False, True])
def test_a_fallback_number_of_ours_is_not_rung_because_it_would_come_back_for_ever(
    telnyx: Telnyx, company: Company, other_company: bool
) -> None:
    fallback = "+13055550199"
    company.fallback_number = fallback
    company.save()
    cast.make_number(cast.make_company("other") if other_company else company, fallback)
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)

    assert verbs(call(telnyx)) == ["Say", "Record"]
    assert "fallback_loops" in {reason["code"] for reason in RouteTrace.objects.get().reasons}


def test_an_unknown_number_at_a_company_s_address_is_said_in_that_company_s_language(
    telnyx: Telnyx, company: Company
) -> None:
    company.language = "en"
    company.save()

    answer = call(telnyx, f"/webhooks/telnyx/voice/{company.public_id}", To="+19998887777")

    assert spoken(answer) == "Unassigned number"
