"""Notifications are lost; every 5 s Telnyx is asked, and what we believe becomes what is true."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from django.db import connections
from django.utils import timezone

from agents.models import Activity, Agent
from telephony.models import Call, CallIdentifier, CallLeg, Offer, SipEndpoint, TelnyxAccount, TelnyxEvent
from telephony.operations.reconcile import LOCK, reconcile_all
from telephony.operations.silence import SILENT
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests.scenarios.story import ACCOUNT_SID, CONNECTION_ID, Leg, Story
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
API = "https://api.test/v2"
ACTIVE = f"{API}/connections/{CONNECTION_ID}/active_calls"

#: Where legs that ring credentials may be listed instead.
ACTIVE_OF_CREDENTIALS = f"{API}/connections/2001/active_calls"


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url=API, sleep=lambda seconds: None))


@pytest.fixture(autouse=True)
def api() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def active(api: responses.RequestsMock, *legs: Leg) -> None:
    rows = [
        {"call_control_id": leg.sid, "call_leg_id": leg.leg_id, "call_session_id": leg.session_id, "call_duration": 9}
        for leg in legs
    ]
    api.get(ACTIVE, json={"data": rows, "meta": {"page_number": 1, "total_pages": 1}})
    api.get(ACTIVE_OF_CREDENTIALS, json={"data": [], "meta": {"page_number": 1, "total_pages": 1}})


def truth(api: responses.RequestsMock, leg: Leg, status: str, **more: str) -> None:
    sid = leg.sid.replace(":", "%3A")
    api.get(f"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/{sid}", json={"sid": leg.sid, "status": status, **more})


def after(story: Story, seconds: float) -> datetime:
    return story.now + timedelta(seconds=seconds)


def activity(agent: Agent) -> str:
    return Agent.objects.get(pk=agent.pk).activity


def repairs() -> list[tuple[str, str]]:
    found = TelnyxEvent.objects.filter(source=TelnyxEvent.Source.RECONCILER).order_by("id")
    return [(event.kind, event.payload["did"]) for event in found]


def ringing(story: Story) -> Leg:
    story.begin()
    leg = story.leg_of(story.agents[0])
    story.send(leg.rings())
    return leg


def talking(story: Story) -> Leg:
    leg = ringing(story)
    story.send(leg.answers(4))
    return leg


def test_a_call_that_is_still_up_is_left_alone_and_its_ids_are_learned(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    active(api, story.caller, leg)

    reconcile_all(client, after(story, 40))

    assert story.call.status == Call.Status.IN_PROGRESS
    assert activity(story.agents[0]) == Activity.ON_CALL
    assert CallIdentifier.objects.filter(call=story.call, value=story.session_id, kind="session_id").exists()
    assert repairs() == []
    # One list for the connection, and no question about a single call.
    assert [call.request.method for call in api.calls] == ["GET"]


def test_a_call_with_news_is_not_asked_about(telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock) -> None:
    story = Story(telnyx, agents=1)
    talking(story)

    reconcile_all(client, timezone.now() + SILENT - timedelta(seconds=1))

    assert len(api.calls) == 0


def test_a_silent_call_is_asked_about_once_per_silence(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    active(api, story.caller, leg)

    asked_at = after(story, 40)
    for now in (asked_at, asked_at + SILENT / 2, asked_at + SILENT):
        reconcile_all(client, now)
    assert len(api.calls) == 1

    reconcile_all(client, asked_at + SILENT + timedelta(seconds=1))
    assert len(api.calls) == 2


def test_a_call_whose_end_was_lost_is_ended(telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    active(api)
    ended = "Sat, 21 Nov 2020 09:00:00 +0000"
    truth(api, story.caller, "completed", duration="30", end_time=ended)
    truth(api, leg, "completed", duration="26", end_time=ended)

    reconcile_all(client, after(story, 40))

    call = story.call
    assert (call.status, call.outcome, call.agent_id) == (Call.Status.COMPLETED, "answered", story.agents[0].pk)
    assert not call.legs.exclude(status=CallLeg.Status.ENDED).exists()
    assert activity(story.agents[0]) == Activity.IDLE
    assert [kind for kind, _ in repairs()] == ["status.completed", "status.completed"]
    believed = TelnyxEvent.objects.filter(source="reconciler").first()
    assert believed is not None
    assert set(believed.payload) >= {"believed", "true", "did"}


def test_an_agents_leg_may_be_listed_with_his_credentials_connection(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    row = {"call_control_id": leg.sid, "call_leg_id": leg.leg_id, "call_session_id": leg.session_id}
    api.get(ACTIVE_OF_CREDENTIALS, json={"data": [row], "meta": {"page_number": 1, "total_pages": 1}})
    active(api, story.caller)

    reconcile_all(client, after(story, 40))

    assert activity(story.agents[0]) == Activity.ON_CALL
    assert [call.request.method for call in api.calls] == ["GET", "GET"]


def test_an_agents_leg_that_cannot_be_read_does_not_end_his_talk(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    talking(story)
    active(api, story.caller)
    api.get(re.compile(f"{API}/(texml|calls)/.*"), status=404, json={"errors": [{"code": "90015"}]})

    reconcile_all(client, after(story, 40))

    assert story.call.status == Call.Status.IN_PROGRESS
    assert activity(story.agents[0]) == Activity.ON_CALL


def test_a_call_that_telnyx_forgot_is_over(telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock) -> None:
    story = Story(telnyx, agents=1)
    talking(story)
    active(api)
    api.get(re.compile(f"{API}/(texml|calls)/.*"), status=404, json={"errors": [{"code": "90015"}]})

    reconcile_all(client, after(story, 40))

    assert story.call.status == Call.Status.COMPLETED
    assert activity(story.agents[0]) == Activity.IDLE


def test_only_the_agents_end_was_lost_and_he_is_freed(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    active(api, story.caller)
    truth(api, leg, "completed", duration="26")

    reconcile_all(client, after(story, 40))

    assert story.call.status == Call.Status.IN_PROGRESS
    assert activity(story.agents[0]) == Activity.IDLE


def test_an_answer_that_was_lost_is_found_when_the_offers_time_is_over(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=2)
    leg = ringing(story)
    truth(api, leg, "in-progress", duration="20")

    reconcile_all(client, after(story, 31))

    ana, luis = story.agents
    assert story.call.status == Call.Status.IN_PROGRESS
    assert (activity(ana), activity(luis)) == (Activity.ON_CALL, Activity.IDLE)
    assert dict(Offer.objects.values_list("agent_id", "outcome")) == {ana.pk: "answered", luis.pk: "withdrawn"}


def test_an_offer_past_its_time_of_which_nothing_was_heard_is_closed_and_its_agent_free(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    story.begin()

    reconcile_all(client, after(story, 31))

    assert Offer.objects.get().outcome == Offer.Outcome.MISSED
    assert activity(story.agents[0]) == Activity.IDLE
    assert [kind for kind, _ in repairs()] == ["reconciler.offer_closed"]


def test_a_hang_up_that_nobody_confirmed_is_asked_for_again(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    active(api, story.caller, leg)
    Call.objects.update(hangup_requested_at=after(story, 10))
    hangup = api.post(re.compile(f"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/.*"), json={"status": "completed"})

    reconcile_all(client, after(story, 15))
    assert hangup.call_count == 0

    reconcile_all(client, after(story, 21))
    assert hangup.call_count == 2
    # The customer's leg first: the other ends with it.
    assert story.caller_sid.replace(":", "%3A") in str(hangup.calls[0].request.url)


def test_a_hang_up_of_what_is_gone_ends_the_call(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    talking(story)
    Call.objects.update(hangup_requested_at=after(story, 10))
    gone = {"errors": [{"code": "90018", "title": "Call has already ended"}]}
    api.post(re.compile(f"{API}/texml/.*"), status=422, json=gone)

    reconcile_all(client, after(story, 21))

    assert story.call.status == Call.Status.COMPLETED
    assert activity(story.agents[0]) == Activity.IDLE


def test_an_agent_whom_a_finished_call_still_holds_is_freed(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    story.send([*leg.ends("completed", 10, answered_at_s=4), *story.caller.ends("completed", 10)])
    Agent.objects.update(activity=Activity.ON_CALL, busy_call_id=story.call.pk)

    reconcile_all(client, after(story, 12))

    assert activity(story.agents[0]) == Activity.IDLE
    assert [kind for kind, _ in repairs()] == ["reconciler.agent_freed"]


def test_an_agent_whose_call_never_came_to_be_is_freed_when_his_lease_is_over(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx, agents=1)
    Agent.objects.update(
        activity=Activity.RESERVED,
        busy_call_id="01900000-0000-7000-8000-000000000000",
        reserved_until=after(story, 30),
    )

    reconcile_all(client, after(story, 29))
    assert activity(story.agents[0]) == Activity.RESERVED

    reconcile_all(client, after(story, 31))
    assert activity(story.agents[0]) == Activity.IDLE


def test_a_leg_that_outlived_its_call_is_hung_up(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    story.send(story.caller.ends("completed", 10, answered_at_s=4))
    truth(api, leg, "in-progress")
    hangup = api.post(re.compile(f"{API}/texml/.*"), json={"status": "completed"})

    reconcile_all(client, after(story, 40))

    assert hangup.call_count == 1
    assert leg.sid.replace(":", "%3A") in str(hangup.calls[0].request.url)


def test_telnyx_away_changes_nothing_and_breaks_nothing(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    story = Story(telnyx, agents=1)
    talking(story)
    api.get(re.compile(f"{API}/.*"), body=requests.ConnectionError("away"))
    caplog.set_level(logging.WARNING)

    reconcile_all(client, after(story, 60))

    assert story.call.status == Call.Status.IN_PROGRESS
    assert "ask_about_silent_calls waits for Telnyx" in caplog.text


def test_one_call_that_telnyx_refuses_to_speak_of_does_not_stop_the_others(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    stubborn, other = Story(telnyx, agents=1), Story(telnyx, agents=1)
    talking(stubborn)
    leg = talking(other)
    active(api)
    truth(api, other.caller, "completed")
    truth(api, leg, "completed", duration="5")
    api.get(re.compile(f"{API}/texml/.*"), status=403, json={"errors": [{"code": "10010"}]})

    reconcile_all(client, timezone.now() + timedelta(seconds=60))

    assert (stubborn.call.status, other.call.status) == (Call.Status.IN_PROGRESS, Call.Status.COMPLETED)


def test_an_agent_without_a_credential_gets_one(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    SipEndpoint.objects.all().delete()
    TelnyxAccount.objects.create(credential_connection_id="2001")
    agent = story.agents[0]
    tag = f"curbe-agent-{agent.pk}-{story.company.public_id}"
    api.get(re.compile(f"{API}/telephony_credentials.*"), json={"data": []})
    made = {"data": {"id": "cred-1", "sip_username": "gencredNew", "name": tag}}
    api.post(f"{API}/telephony_credentials", json=made)

    reconcile_all(client, after(story, 5))

    endpoint = SipEndpoint.objects.get(agent=agent)
    assert (endpoint.sip_username, endpoint.connection_id) == ("gencredNew", "2001")


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_are_one(telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock) -> None:
    story = Story(telnyx, agents=1)
    story.begin()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        reconcile_all(client, after(story, 31))
        assert Offer.objects.get().outcome == Offer.Outcome.PENDING
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    finally:
        other.close()

    reconcile_all(client, after(story, 31))
    assert Offer.objects.get().outcome == Offer.Outcome.MISSED


def test_the_accounts_id_is_learned_from_a_call(telnyx: Telnyx, client: TelnyxClient) -> None:
    account = TelnyxAccount.objects.create(credential_connection_id="2001")
    reconcile_all(client, timezone.now())
    account.refresh_from_db()
    assert account.account_sid == ""

    story = Story(telnyx, agents=1)
    story.begin()
    reconcile_all(client, after(story, 1))

    account.refresh_from_db()
    assert account.account_sid == ACCOUNT_SID
