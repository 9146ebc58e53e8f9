"""A blocked caller hears a rejection by the first instruction, and nobody's phone rings."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent
from curbe.companies.models import Company
from telephony.core import explain
from telephony.models import Call, Offer, PhoneNumber, RouteTrace, TelnyxEvent
from telephony.operations import blocking
from telephony.operations.plans import publish
from telephony.queries.explain import explain_call
from tests import cast
from tests.telnyx_post import Telnyx
from tests.webhooks.test_voice import CALLED, CALLER, call, verbs

REJECTED = b'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Reject reason="rejected"/></Response>'


@pytest.fixture
def ana(acme: Company) -> Agent:
    ana = cast.ready_agent(acme, "ana")
    cast.make_number(acme, CALLED, queue=cast.make_queue(acme, members=[ana]))
    return ana


def test_the_call_is_rejected_kept_and_explained(telnyx: Telnyx, acme: Company, ana: Agent) -> None:
    blocking.block(acme, CALLER)

    answer = call(telnyx)

    assert answer.content == REJECTED
    made = Call.objects.get()
    assert (made.outcome, made.status, made.from_number) == ("blocked", "ringing", CALLER)
    assert not Offer.objects.exists()
    trace = RouteTrace.objects.get()
    assert (trace.decision, trace.reasons) == ({"verb": "reject"}, [{"code": "blocked"}])
    assert "bloqueado" in explain.sentences(trace.reasons, "es")[0]
    assert "blocked" in explain.sentences(trace.reasons, "en")[0]
    assert TelnyxEvent.objects.get().kind == "instruction.voice.blocked"
    ana.refresh_from_db()
    assert ana.activity == Activity.IDLE


def test_the_end_of_the_call_leaves_it_blocked(telnyx: Telnyx, acme: Company, ana: Agent) -> None:
    blocking.block(acme, CALLER)
    call(telnyx)

    telnyx.form("/webhooks/telnyx/status", CallSid="v3:one", CallStatus="busy", From=CALLER, To=CALLED)

    made = Call.objects.get()
    assert (made.status, made.outcome) == ("completed", "blocked")


def test_the_same_request_again_gets_the_same_rejection(telnyx: Telnyx, acme: Company, ana: Agent) -> None:
    blocking.block(acme, CALLER)

    assert call(telnyx).content == call(telnyx).content == REJECTED
    assert Call.objects.count() == 1


def test_who_is_blocked_elsewhere_is_heard_here(telnyx: Telnyx, acme: Company, elsewhere: Company, ana: Agent) -> None:
    blocking.block(elsewhere, CALLER)
    blocking.block(acme, "+13055559999")

    assert verbs(call(telnyx)) == ["Dial"]


def test_who_was_let_in_again_is_heard(telnyx: Telnyx, acme: Company, ana: Agent) -> None:
    blocking.unblock(blocking.block(acme, CALLER))

    assert verbs(call(telnyx)) == ["Dial"]


@pytest.mark.parametrize("blocked", [True, False])
def test_it_takes_two_round_trips_as_ever(
    telnyx: Telnyx, acme: Company, ana: Agent, blocked: bool, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # A queue of people is one more, to see who waits in it.
    PhoneNumber.objects.update(destination="company", queue=None)
    if blocked:
        blocking.block(acme, CALLER)
    publish(acme.pk)
    call(telnyx, CallSid="v3:warm")
    Agent.objects.update(activity=Activity.IDLE, reserved_until=None, busy_call_id=None)

    with django_assert_num_queries(2):
        call(telnyx)


def test_a_preview_says_that_a_caller_is_blocked(acme: Company, ana: Agent) -> None:
    blocking.block(acme, CALLER)

    seen = explain_call(acme, CALLED, CALLER, timezone.now(), language="en")

    assert seen.decision == "The call would be rejected unanswered."
