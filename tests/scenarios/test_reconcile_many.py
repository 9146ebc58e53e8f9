"""Thousands of calls, a refused connection, an agent who is refused for ever: nobody keeps the others waiting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Activity, Agent
from curbe.companies.models import Company
from telephony.models import Call, CallIdentifier, CallLeg, Offer, SipEndpoint, TelnyxAccount
from telephony.operations import reconcile, silence
from telephony.operations.reconcile import reconcile_all
from telephony.operations.repairs import Turns
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.scenarios.story import ACCOUNT_SID, CONNECTION_ID, Leg, Story
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
API = "https://api.test/v2"
LISTS = re.compile(f"{API}/connections/.*")
FORGOTTEN = {"errors": [{"code": "90015"}]}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url=API, sleep=lambda seconds: None))


@pytest.fixture(autouse=True)
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def listed(sids: list[str]) -> dict[str, Any]:
    rows = [{"call_control_id": sid, "call_leg_id": f"leg-{sid}", "call_session_id": f"session-{sid}"} for sid in sids]
    return {"data": rows, "meta": {"page_number": 1, "total_pages": 1}}


def leg_url(sid: str) -> str:
    return f"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/{sid.replace(':', '%3A')}"


def asked_about(api: responses.RequestsMock) -> list[str]:
    """The addresses that were asked, without their query."""
    return [str(call.request.url).partition("?")[0].removeprefix(API) for call in api.calls]


def talks(company: Company, number: int, began_at: datetime, connection_id: str = CONNECTION_ID) -> list[str]:
    """Make calls whose callers talk, silent since ``began_at``; return the callers' legs."""
    sids = []
    for _ in range(number):
        call = cast.make_call(company, started_at=began_at, connection_id=connection_id, account_sid=ACCOUNT_SID)
        CallLeg.objects.create(call=call, call_sid=call.root_call_sid, kind="caller", started_at=began_at)
        sids.append(call.root_call_sid)
    return sids


def answered_unheard(story: Story) -> Leg:
    """Let the first agent's browser ring, and lose the word that he answered."""
    story.begin()
    leg = story.leg_of(story.agents[0])
    story.send(leg.rings())
    return leg


# --- An answer that nobody told -----------------------------------------------------------------------------------


def test_an_agent_whose_answer_was_lost_is_on_his_call_before_his_lease_is_over(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=2)
    leg = answered_unheard(story)
    api.get(LISTS, json=listed([story.caller_sid, leg.sid]))
    api.get(leg_url(leg.sid), json={"sid": leg.sid, "status": "in-progress"})

    reconcile_all(client, story.now + timedelta(seconds=20))

    talks_now, rang = (Agent.objects.get(pk=agent.pk) for agent in story.agents)
    assert (talks_now.activity, rang.activity) == (Activity.ON_CALL, Activity.IDLE)
    assert (story.call.status, story.call.agent_id) == (Call.Status.IN_PROGRESS, talks_now.pk)


def test_a_leg_that_only_rings_is_left_to_ring(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = answered_unheard(story)
    api.get(LISTS, json=listed([story.caller_sid, leg.sid]))
    api.get(leg_url(leg.sid), json={"sid": leg.sid, "status": "ringing"})

    reconcile_all(client, story.now + timedelta(seconds=20))

    assert story.call.status == Call.Status.RINGING
    assert Offer.objects.get().outcome == Offer.Outcome.PENDING
    assert Agent.objects.get().activity == Activity.RESERVED


def test_the_answer_of_whom_a_call_was_forwarded_to_is_found_too(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    (sid,) = talks(acme, 1, now)
    call = Call.objects.get()
    CallLeg.objects.create(call=call, call_sid="v3:mobile", kind="forward", started_at=now, status="ringing")
    api.get(LISTS, json=listed([sid, "v3:mobile"]))
    api.get(leg_url("v3:mobile"), json={"sid": "v3:mobile", "status": "in-progress"})

    reconcile_all(client, now + timedelta(seconds=20))

    call.refresh_from_db()
    assert (call.status, call.outcome) == (Call.Status.IN_PROGRESS, Call.Outcome.FORWARDED)


def test_an_agent_whose_leg_cannot_be_read_can_still_be_heard_of(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = answered_unheard(story)
    api.get(LISTS, json=listed([story.caller_sid]))
    api.get(re.compile(f"{API}/(texml|calls)/.*"), status=404, json=FORGOTTEN)

    reconcile_all(client, story.now + timedelta(seconds=40))
    assert Offer.objects.get().outcome == Offer.Outcome.MISSED
    assert Agent.objects.get().activity == Activity.IDLE
    assert CallLeg.objects.get(call_sid=leg.sid).status != CallLeg.Status.ENDED

    story.send(leg.answers(24))

    assert Agent.objects.get().activity == Activity.ON_CALL
    assert (story.call.status, story.call.agent_id) == (Call.Status.IN_PROGRESS, story.agents[0].pk)
    assert Offer.objects.get().outcome == Offer.Outcome.ANSWERED


def test_an_offer_whose_leg_telnyx_refuses_to_speak_of_is_closed(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    answered_unheard(story)
    api.get(LISTS, json=listed([story.caller_sid]))
    api.get(re.compile(f"{API}/texml/.*"), status=403, json={"errors": [{"code": "10010"}]})

    reconcile_all(client, story.now + timedelta(seconds=40))

    assert Offer.objects.get().outcome == Offer.Outcome.MISSED
    assert Agent.objects.get().activity == Activity.IDLE


# --- Many calls ---------------------------------------------------------------------------------------------------


def test_a_hundred_talks_cost_one_list_and_as_many_statements_as_one(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    costs = []
    for number in (1, 100):
        sids = talks(acme, number, now)
        api.reset()
        api.get(LISTS, json=listed([*Call.objects.values_list("root_call_sid", flat=True)]))
        now += timedelta(seconds=30)

        with CaptureQueriesContext(connection) as queries:
            silence.ask_about_silent_calls(client, now)

        assert len(api.calls) == 1
        assert not Call.objects.exclude(last_news_at=now).exists()
        assert CallIdentifier.objects.filter(value__in=[f"session-{sid}" for sid in sids]).count() == number
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(("open_calls", "after_s"), [(0, 5), (100, 5), (125, 6), (1_500, 17), (10_000, 85)])
def test_the_lists_are_read_the_less_often_the_longer_they_are(open_calls: int, after_s: int) -> None:
    assert silence.silent_after(open_calls) == timedelta(seconds=after_s)


def test_one_reading_answers_for_the_calls_that_are_not_silent_yet(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    talking = [*talks(acme, 1, now), *talks(acme, 1, now + timedelta(seconds=4))]
    api.get(LISTS, json=listed(talking))

    # The second one would be silent three seconds after the first was asked about.
    for second in range(6, 12):
        silence.ask_about_silent_calls(client, now + timedelta(seconds=second))

    assert len(api.calls) == 1


def test_a_call_with_news_that_is_not_listed_is_given_the_time_to_tell_its_end(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    (silent,), (just_ended,) = talks(acme, 1, now), talks(acme, 1, now + timedelta(seconds=4))
    api.get(LISTS, json=listed([silent]))

    silence.ask_about_silent_calls(client, now + timedelta(seconds=6))

    assert set(asked_about(api)) == {f"/connections/{CONNECTION_ID}/active_calls"}
    assert Call.objects.get(root_call_sid=just_ended).status == Call.Status.RINGING


def test_what_telnyx_does_not_know_is_over_only_when_it_has_had_the_time_to_know_it(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    talks(acme, 1, now)
    api.get(LISTS, json=listed([]))
    api.get(re.compile(f"{API}/(texml|calls)/.*"), status=404, json=FORGOTTEN)

    silence.ask_about_silent_calls(client, now + timedelta(seconds=6))
    assert Call.objects.get().status == Call.Status.RINGING

    silence.ask_about_silent_calls(client, now + timedelta(seconds=12))
    assert Call.objects.get().status == Call.Status.COMPLETED


def test_a_leg_that_rings_is_asked_about_every_ten_seconds(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    (sid,) = talks(acme, 1, now)
    CallLeg.objects.create(call=Call.objects.get(), call_sid="v3:mobile", kind="forward", started_at=now)
    api.get(LISTS, json=listed([sid, "v3:mobile"]))
    api.get(leg_url("v3:mobile"), json={"sid": "v3:mobile", "status": "ringing"})

    for second in range(5, 30, 5):
        silence.ask_about_silent_calls(client, now + timedelta(seconds=second, milliseconds=1))

    assert asked_about(api).count(leg_url("v3:mobile").removeprefix(API)) == 2


def test_an_end_is_noticed_in_the_first_run_however_many_talk_or_ring(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "BATCH", 1)
    sids = talks(acme, 5, now - timedelta(seconds=30))
    for sid in sids:
        call = Call.objects.get(root_call_sid=sid)
        CallLeg.objects.create(call=call, call_sid=f"{sid}-rings", kind="forward", started_at=now)
    (ended,) = talks(acme, 1, now)
    api.get(LISTS, json=listed([*sids, *(f"{sid}-rings" for sid in sids)]))
    api.get(leg_url(ended), json={"sid": ended, "status": "completed"})

    reconcile_all(client, now + timedelta(seconds=11))

    assert list(Call.objects.filter(status=Call.Status.COMPLETED).values_list("root_call_sid", flat=True)) == [ended]


def test_a_connection_that_telnyx_refuses_is_asked_once_and_its_calls_one_by_one(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    refused = talks(acme, 3, now, connection_id="666")
    (other,) = talks(acme, 1, now)
    api.get(f"{API}/connections/666/active_calls", status=403, json={"errors": [{"code": "10010"}]})
    api.get(f"{API}/connections/{CONNECTION_ID}/active_calls", json=listed([other]))
    for sid, status in zip(refused, ("completed", "in-progress", "in-progress"), strict=True):
        api.get(leg_url(sid), json={"sid": sid, "status": status})

    reconcile_all(client, now + timedelta(seconds=20))

    assert asked_about(api).count("/connections/666/active_calls") == 1
    over = Call.objects.filter(status=Call.Status.COMPLETED)
    assert list(over.values_list("root_call_sid", flat=True)) == [refused[0]]
    assert not Call.objects.filter(last_news_at=now, status=Call.Status.RINGING).exists()


def test_a_call_at_which_telnyx_falls_silent_is_not_the_first_of_the_next_run(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    (stubborn,) = talks(acme, 1, now - timedelta(seconds=5))
    (other,) = talks(acme, 1, now)
    api.get(LISTS, json=listed([]))
    api.get(leg_url(stubborn), body=requests.ConnectionError("away"))
    api.get(leg_url(other), json={"sid": other, "status": "completed"})

    reconcile_all(client, now + timedelta(seconds=15))
    assert not Call.objects.filter(status=Call.Status.COMPLETED).exists()

    reconcile_all(client, now + timedelta(seconds=30))
    assert Call.objects.get(status=Call.Status.COMPLETED).root_call_sid == other


def test_busy_agents_are_read_by_one_statement_that_finds_only_the_forgotten(
    client: TelnyxClient, acme: Company, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "_held", Turns[Agent](2))
    for place in range(6):
        call = cast.make_call(acme, status="completed" if place == 5 else "in_progress")
        agent = cast.make_agent(acme, f"busy-{place}", activity=Activity.ON_CALL, busy_call_id=call.pk)
        CallLeg.objects.create(call=call, call_sid=f"v3:{place}", kind="agent", agent=agent, started_at=now)

    reconcile.free_forgotten_agents(client, now)

    assert list(Agent.objects.filter(activity=Activity.IDLE).values_list("user__username", flat=True)) == ["busy-5"]


def test_ten_agents_whose_credentials_are_refused_do_not_keep_the_eleventh_waiting(
    client: TelnyxClient, api: responses.RequestsMock, acme: Company, now: datetime
) -> None:
    TelnyxAccount.objects.create(credential_connection_id="2001")
    agents = [cast.make_agent(acme, f"agent-{place}") for place in range(11)]
    tag = f"curbe-agent-{agents[-1].pk}-{acme.public_id}"
    refusal = {"errors": [{"code": "10015", "title": "Bad Request"}]}
    api.get(re.compile(f"{API}/telephony_credentials.*"), json={"data": []})

    def make(request: Any) -> tuple[int, dict[str, str], str]:
        if tag in str(request.body):
            return 200, {}, '{"data": {"id": "cred-1", "sip_username": "gencredNew", "name": "%s"}}' % tag  # noqa: UP031
        return 422, {}, str(refusal).replace("'", '"')

    api.add_callback("POST", f"{API}/telephony_credentials", callback=make)

    for _ in range(4):
        reconcile.make_missing_endpoints(client, now)

    assert SipEndpoint.objects.get().agent_id == agents[-1].pk


def test_a_long_list_is_gone_through_in_slices_round_and_round(acme: Company) -> None:
    made = [cast.make_call(acme).pk for _ in range(5)]
    turns = Turns[Call](2)

    seen = [[call.pk for call in turns.take(Call.objects.all())] for _ in range(4)]

    assert [made.index(pk) for part in seen for pk in part] == [0, 1, 2, 3, 4, 0, 1, 2]


def test_the_next_slice_begins_after_the_row_that_failed(acme: Company) -> None:
    made = [cast.make_call(acme).pk for _ in range(3)]
    turns = Turns[Call](3)

    taken = turns.take(Call.objects.all())
    assert next(taken).pk == made[0]
    taken.close()  # type: ignore[attr-defined]  # a generator, as when the loop around it is left by an exception

    assert [call.pk for call in turns.take(Call.objects.all())] == [made[1], made[2], made[0]]
