"""Queues when something crosses, dies or comes late: nobody is stranded, rung twice, or counted twice."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from kombu.exceptions import OperationalError

from agents.models import Activity, Agent
from agents.signals import freed
from telephony.models import Call, Offer, Place, QueueVisit
from telephony.operations.control import decline
from telephony.operations.dispatch import agent_freed
from telephony.operations.moving import HELD_FOR_NEWS
from telephony.operations.reconcile import close_expired_offers
from telephony.tasks import offer_waiting_call
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.scenarios.line import ACCOUNT_SID, Caller, Line
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
API = "https://api.test/v2"
LEGS = re.compile(rf"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/.+")


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url=API, sleep=lambda seconds: None))


@pytest.fixture
def api() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(LEGS, status=503, json={"errors": [{"code": "10016", "title": "away"}]})
        yield mock


def waits(caller: Caller) -> bool:
    return "Play" in caller.document.verbs and caller.document.verbs[-1] == "Redirect"


def idle(agent: Agent) -> bool:
    row = Agent.objects.get(pk=agent.pk)
    return (row.activity, row.busy_call_id) == (Activity.IDLE, None)


# --- A caller who is gone -----------------------------------------------------------------------------------------


def test_who_hung_up_while_it_rang_rings_nobody_else_whatever_is_asked_afterwards(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=2, strategy="longest_idle")
    caller = line.caller()
    caller.hangs_up()

    caller.dial_ends("canceled")

    assert caller.document.verbs == ["Hangup"]
    assert caller.visits == ["abandoned_short"]
    assert Offer.objects.count() == 1
    assert all(idle(agent) for agent in line.agents)


def test_who_hung_up_while_he_waited_does_not_come_to_the_queue_again(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    caller.hangs_up()
    line.frees(line.agents[0])

    caller.goes_on()

    assert caller.document.verbs == ["Hangup"]
    assert caller.visits == ["abandoned_short"]
    assert idle(line.agents[0])


def test_a_dial_that_was_canceled_rings_nobody_until_the_caller_shows_that_he_is_there(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx, agents=2, strategy="longest_idle")
    caller = line.caller()

    caller.dial_ends("canceled")

    assert waits(caller), "should he be there all the same, he hears music"
    assert agent_freed(line.agents[1].pk, client, timezone.now()) is None
    assert Offer.objects.count() == 1
    caller.goes_on()
    assert caller.document.verbs == ["Dial"]
    assert caller.visits == ["waiting"]


def test_news_that_comes_after_the_end_leaves_an_abandoned_call_abandoned(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=1, strategy="longest_idle")
    caller = line.caller()
    caller.dial_ends("no-answer")
    assert waits(caller)
    caller.hangs_up()
    assert caller.call.outcome == "abandoned"

    caller.agent_leg_ends(line.agents[0], "v3:late", "no-answer")

    assert caller.visits == ["abandoned_short"]
    assert caller.call.outcome == "abandoned"


# --- An offer that Telnyx comes for late ----------------------------------------------------------------------------


def offered_in_vain(line: Line, client: TelnyxClient) -> Caller:
    """A caller who waits, and has been offered an agent to whom his leg could not be moved."""
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.frees(line.agents[0])
    assert agent_freed(line.agents[0].pk, client, timezone.now()) == caller.call.pk
    return caller


def lease_of(agent: Agent) -> Any:
    return Agent.objects.get(pk=agent.pk).reserved_until


def test_an_offer_that_is_come_for_late_holds_its_agent_for_the_whole_ringing(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx)
    agent = line.agents[0]
    caller = offered_in_vain(line, client)
    caller.has_waited(20)
    Agent.objects.filter(pk=agent.pk).update(reserved_until=timezone.now() + timedelta(seconds=10))

    caller.goes_on()

    assert caller.document.rung == [line.sip(agent)]
    expires_at = Offer.objects.get().expires_at
    assert expires_at > timezone.now() + timedelta(seconds=25)
    assert lease_of(agent) == expires_at + HELD_FOR_NEWS


def test_an_agent_whom_another_call_took_meanwhile_is_not_rung_for_two(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx, ring_timeout_s=5)
    agent = line.agents[0]
    late = offered_in_vain(line, client)
    # The lease is over before the piece of music is, and the reconciler finds the offer.
    late.has_waited(15)
    Agent.objects.filter(pk=agent.pk).update(reserved_until=timezone.now() - timedelta(seconds=5))
    own = cast.make_number(line.company, agent=agent)
    other = Caller(telnyx, own.e164)
    assert other.calls().rung == [line.sip(agent)]

    path = late.document.next
    late.goes_on(path)

    assert waits(late)
    assert late.visits == ["waiting"]
    assert Agent.objects.get(pk=agent.pk).busy_call_id == other.call.pk
    assert late.call.offers.get().outcome == "withdrawn"
    said = late.document.bytes
    assert late.goes_on(path).bytes == said, "asked twice, a step says the same"


def test_who_declines_before_it_rings_is_not_rung(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx)
    caller = offered_in_vain(line, client)
    decline(agent=line.agents[0], call_id=caller.call.pk, now=timezone.now())

    caller.goes_on()

    assert waits(caller)
    assert idle(line.agents[0])


def test_an_agent_whose_browser_died_before_it_rang_is_not_rung(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx, agents=2, strategy="longest_idle")
    caller = offered_in_vain(line, client)
    cast.beat(line.agents[0], now=timezone.now() - timedelta(seconds=40))
    line.frees(line.agents[1])

    caller.goes_on()

    assert caller.document.rung == [line.sip(line.agents[1])]
    assert idle(line.agents[0])


def test_an_offer_that_nobody_came_for_was_no_missed_call(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx)
    agent = line.agents[0]
    caller = offered_in_vain(line, client)
    caller.has_waited(31)

    close_expired_offers(client, timezone.now())

    assert caller.call.offers.get().outcome == "withdrawn"
    assert idle(agent)
    assert caller.goes_on().rung == [line.sip(agent)]


def test_a_call_whose_end_was_asked_for_rings_nobody_any_more(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx)
    caller = offered_in_vain(line, client)
    Call.objects.update(hangup_requested_at=timezone.now())

    assert caller.goes_on().verbs == ["Hangup"]
    assert idle(line.agents[0])


def test_a_broker_that_is_away_is_asked_once_however_many_agents_become_free(
    telnyx: Telnyx, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(telnyx, agents=3)
    line.everybody_is(Activity.ON_CALL)
    line.caller()
    asked = []

    def away(**wish: Any) -> None:
        asked.append(wish)
        raise OperationalError

    monkeypatch.setattr(offer_waiting_call, "apply_async", away)
    freed.send(None, agent_ids=[agent.pk for agent in line.agents], now=timezone.now())

    assert len(asked) == 1


# --- Several at once ------------------------------------------------------------------------------------------------


def test_two_who_become_free_together_are_both_offered_somebody(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx, agents=2, strategy="longest_idle")
    line.everybody_is(Activity.ON_CALL)
    line.caller(), line.caller()
    first, second = line.agents
    line.frees(second)
    line.frees(first)

    # The first caller gets the second agent, who is idle for longer; so the first looks further.
    agent_freed(first.pk, client, timezone.now())
    agent_freed(second.pk, client, timezone.now())

    assert Offer.objects.count() == 2
    assert not idle(first)
    assert not idle(second)


# --- Who missed what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "misses"), [("failed", 0), ("busy", 0), ("strange", 0), ("no-answer", 1)])
def test_only_a_ringing_that_nobody_answered_counts_as_missed(telnyx: Telnyx, status: str, misses: int) -> None:
    line = Line(telnyx, agents=2)
    caller = line.caller()

    caller.dial_ends(status)

    assert [Agent.objects.get(pk=agent.pk).missed_in_a_row for agent in line.agents] == [misses, misses]


def test_the_turn_follows_who_answered_where_the_queue_says_so(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=3, strategy="round_robin", cursor_follows_answer=True)

    rung = []
    for _ in range(3):
        caller = line.caller()
        rung += caller.document.rung
        agent = next(agent for agent in line.agents if line.sip(agent) == rung[-1])
        leg = caller.is_answered_by(agent)
        caller.agent_leg_ends(agent, leg, CallDuration="9")
        caller.hangs_up()

    assert rung == [line.sip(agent) for agent in line.agents]


def test_an_offer_that_a_queue_did_not_make_does_not_count_for_it(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.NOT_RESPONDING)
    helper = cast.ready_agent(line.company, "ayuda")
    line.queue.overflow = Place.objects.create(company=line.company, kind="user", agent=helper)
    line.queue.save()

    caller = line.caller()

    assert caller.document.rung == [line.sip(helper)]
    assert caller.visits == ["join_empty"]
    assert Offer.objects.get().queue is None


# --- What is only a number --------------------------------------------------------------------------------------------


def test_callers_without_a_number_know_nobody(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=2, strategy="longest_idle", sticky=True)
    first = line.caller(e164="anonymous")
    assert first.document.rung == [line.sip(line.agents[1])]
    leg = first.is_answered_by(line.agents[1])
    first.agent_leg_ends(line.agents[1], leg, CallDuration="9")
    first.hangs_up()

    assert line.caller(e164="anonymous").document.rung == [line.sip(line.agents[0])]


def test_a_wait_that_ended_in_a_talk_ended_when_the_talk_began_even_if_that_is_told_only_at_its_end(
    telnyx: Telnyx,
) -> None:
    line = Line(telnyx, agents=2)
    caller = line.caller()
    caller.has_waited(120)

    caller.dial_ends("completed", DialCallSid="v3:somebody", DialCallDuration="100")

    visit = QueueVisit.objects.get()
    assert visit.outcome == "answered"
    assert visit.ended_at is not None
    assert visit.ended_at < timezone.now() - timedelta(seconds=90)


def test_an_answer_of_an_older_call_that_is_told_late_takes_nobody_from_the_call_that_he_is_on(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    (agent,) = line.agents
    older = line.caller()
    older.dial_ends("no-answer")
    line.frees(agent)
    younger = line.caller()
    younger.is_answered_by(agent)

    leg = older.is_answered_by(agent, ago_s=3)
    older.agent_leg_ends(agent, leg, CallDuration="1")
    older.hangs_up()

    row = Agent.objects.get(pk=agent.pk)
    assert (row.activity, row.busy_call_id) == (Activity.ON_CALL, younger.call.pk)
