"""How a call goes on: a Dial or a Record ended. Told as Telnyx's requests at the real addresses."""

from __future__ import annotations

import uuid
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent
from curbe.companies.models import Company
from telephony.models import Call, Offer, PhoneNumber, RouteTrace
from telephony.operations import moving, steps
from tests import cast
from tests.telnyx_post import Telnyx
from tests.webhooks.test_voice import CALLED, call, spoken, verbs


@pytest.fixture
def company(acme: Company) -> Company:
    return acme


@pytest.fixture
def ringing(telnyx: Telnyx, company: Company) -> Call:
    """A call that rings Bob."""
    bob = cast.ready_agent(company, "bob")
    cast.make_number(company, CALLED, agent=bob)
    call(telnyx)
    return Call.objects.get()


def ended(telnyx: Telnyx, what: Call, status: str, *, step: int = 2, **fields: str) -> HttpResponse:
    path = f"/webhooks/telnyx/dial-complete/{what.company.public_id}?call={what.pk}&step={step}"
    sent = {"CallSid": what.root_call_sid, "CallStatus": "in-progress", "DialCallStatus": status, **fields}
    return telnyx.form(path, sent)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("completed", ["Hangup"]),
        ("no-answer", ["Say", "Record"]),
        ("busy", ["Say", "Record"]),
        ("failed", ["Say", "Record"]),
        ("canceled", ["Say", "Record"]),
        ("something-new", ["Say", "Record"]),
    ],
)
def test_what_follows_a_dial(telnyx: Telnyx, ringing: Call, status: str, said: list[str]) -> None:
    assert verbs(ended(telnyx, ringing, status)) == said


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("no-answer", Offer.Outcome.MISSED), ("canceled", Offer.Outcome.WITHDRAWN), ("busy", Offer.Outcome.DECLINED)],
)
def test_the_end_of_a_dial_closes_its_offers_and_frees_its_agents(
    telnyx: Telnyx, ringing: Call, status: str, outcome: str
) -> None:
    ended(telnyx, ringing, status)

    assert Offer.objects.get().outcome == outcome
    assert Agent.objects.get(user__username="bob").activity == Activity.IDLE


def test_the_same_end_twice_gets_the_same_bytes_and_writes_one_step(telnyx: Telnyx, ringing: Call) -> None:
    first, second = ended(telnyx, ringing, "no-answer"), ended(telnyx, ringing, "no-answer")

    assert first.content == second.content
    assert list(RouteTrace.objects.order_by("step").values_list("step", flat=True)) == [1, 2]


def test_a_message_is_taken_and_the_caller_is_thanked(telnyx: Telnyx, ringing: Call) -> None:
    record = ElementTree.fromstring(ended(telnyx, ringing, "no-answer").content).find("Record")
    assert record is not None
    path = (record.get("action") or "").split("8000", 1)[-1]

    answer = telnyx.form(path, CallSid=ringing.root_call_sid, RecordingSid=str(uuid.uuid4()), RecordingDuration="7")

    assert (verbs(answer), spoken(answer)) == (["Say", "Hangup"], "Hemos guardado su mensaje. Gracias.")


def test_a_forward_that_nobody_answers_ends_in_voicemail(telnyx: Telnyx, company: Company) -> None:
    company.fallback_number = "+13055550199"
    company.save()
    cast.make_number(company, CALLED, destination=PhoneNumber.Destination.COMPANY)
    call(telnyx)

    assert verbs(ended(telnyx, Call.objects.get(), "no-answer")) == ["Say", "Record"]


def test_a_call_that_an_agent_asked_to_end_is_not_asked_for_a_message(telnyx: Telnyx, ringing: Call) -> None:
    Call.objects.update(hangup_requested_at=timezone.now())

    assert verbs(ended(telnyx, ringing, "canceled")) == ["Hangup"]


@pytest.mark.parametrize(
    ("where", "sid"),
    [
        ("call={other}&step=2", "v3:one"),
        ("call=nonsense&step=2", "v3:one"),
        ("call={call}&step=2", "v3:somebody-else"),
        ("call={call}&step=2", ""),
        ("call={call}", "v3:one"),
        ("call={call}&step=x", "v3:one"),
        ("call={call}&step=99999999999", "v3:one"),
        ("step=2", "v3:one"),
    ],
)
def test_an_address_that_does_not_fit_the_call_changes_nothing_and_takes_a_message(
    telnyx: Telnyx, ringing: Call, where: str, sid: str
) -> None:
    query = where.format(call=ringing.pk, other=uuid.uuid4())
    path = f"/webhooks/telnyx/dial-complete/{ringing.company.public_id}?{query}"

    answer = telnyx.form(path, CallSid=sid, DialCallStatus="no-answer")

    assert verbs(answer) == ["Say", "Record", "Hangup"]
    assert RouteTrace.objects.count() == 1


def test_a_call_of_another_company_is_not_found_at_this_one_s_address(telnyx: Telnyx, ringing: Call) -> None:
    other = cast.make_company("other")
    path = f"/webhooks/telnyx/dial-complete/{other.public_id}?call={ringing.pk}&step=2"

    assert verbs(telnyx.form(path, CallSid="v3:one", DialCallStatus="no-answer")) == ["Say", "Record", "Hangup"]
    assert RouteTrace.objects.count() == 1


def test_an_error_in_a_later_step_is_an_apology_and_nothing_of_it_is_kept(
    telnyx: Telnyx, ringing: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(moving, "decide", broken)
    assert verbs(ended(telnyx, ringing, "no-answer")) == ["Say", "Record", "Hangup"]
    monkeypatch.undo()

    assert verbs(ended(telnyx, ringing, "no-answer")) == ["Say", "Record"]


def test_an_error_after_a_message_hangs_up_instead_of_asking_again(
    telnyx: Telnyx, ringing: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_next_step", lambda *_: 1 / 0)
    path = f"/webhooks/telnyx/voicemail/{ringing.company.public_id}?call={ringing.pk}&step=3"

    assert verbs(telnyx.form(path, CallSid="v3:one")) == ["Hangup"]


def test_a_step_keeps_its_queries(
    telnyx: Telnyx, ringing: Call, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(26):
        ended(telnyx, ringing, "no-answer")
