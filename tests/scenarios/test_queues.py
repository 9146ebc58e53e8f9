"""Callers wait in a queue of ours: music, offers, agents who become free, and exactly one end for each visit."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.utils import timezone

from agents.models import Activity, Agent, AgentSkill, Intent, Presence, Skill
from agents.operations import choose_intent
from telephony.models import Call, Menu, MenuOption, Offer, PhoneNumber, Place, QueueVisit, RouteTrace
from telephony.operations.dispatch import agent_freed
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.scenarios.line import ACCOUNT_SID, Caller, Line, step_of
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
        yield mock


def moved_to(api: responses.RequestsMock) -> list[str]:
    """Return the addresses to which legs were moved, as paths."""
    urls = [parse_qs(str(call.request.body))["Url"][0] for call in api.calls]
    return [f"{urlsplit(url).path}?{urlsplit(url).query}" for url in urls]


def waits(caller: Caller) -> bool:
    return "Play" in caller.document.verbs and caller.document.verbs[-1] == "Redirect"


# --- Waiting -----------------------------------------------------------------------------------------------------


def test_with_everybody_busy_the_caller_hears_his_place_and_music(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)

    caller = line.caller()

    assert caller.document.verbs == ["Say", "Play", "Redirect"]
    assert caller.visits == ["waiting"]
    assert Call.objects.get().queue == line.queue


def test_a_caller_who_goes_on_waiting_leaves_one_trace_and_the_same_step_says_the_same(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()

    for _ in range(3):
        path = caller.document.next
        said = caller.goes_on().bytes
        assert waits(caller)
        assert caller.goes_on(path).bytes == said, "asked twice, a step says the same"

    assert RouteTrace.objects.count() == 2, "his coming, and his waiting"
    assert step_of(caller.document.next) == 5


def test_a_step_of_the_past_is_answered_with_what_holds_now(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    past = caller.document.next
    caller.goes_on()
    newest = caller.goes_on().bytes

    assert caller.goes_on(past).bytes == newest


def test_who_waits_longer_is_not_overtaken_by_a_newcomer(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    first = line.caller()
    line.frees(line.agents[0])

    second = line.caller()

    assert waits(second)
    codes = [reason["code"] for reason in RouteTrace.objects.get(call=second.call).reasons]
    assert "for_who_waits_longer" in codes
    first.goes_on()
    assert first.document.rung == [line.sip(line.agents[0])]


# --- An agent becomes free ---------------------------------------------------------------------------------------


def test_an_agent_who_becomes_free_is_offered_who_waits_at_once(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.frees(line.agents[0])

    assert agent_freed(line.agents[0].pk, client, timezone.now()) == caller.call.pk

    (path,) = moved_to(api)
    assert caller.goes_on(path).rung == [line.sip(line.agents[0])]
    assert Agent.objects.get(pk=line.agents[0].pk).activity == Activity.RESERVED
    leg = caller.is_answered_by(line.agents[0])
    assert caller.visits == ["answered"]
    assert QueueVisit.objects.get().agent == line.agents[0]
    caller.agent_leg_ends(line.agents[0], leg, CallDuration="30")


def test_two_agents_who_become_free_together_are_both_offered_somebody(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    """The first caller goes to who was free first; who was freed with him must not be left to the next tick."""
    api.post(LEGS, json={})
    line = Line(telnyx, agents=2, strategy="longest_idle")
    line.everybody_is(Activity.ON_CALL)
    callers = [line.caller(), line.caller()]
    earlier, later = line.agents
    line.frees(earlier)
    line.frees(later)

    assert agent_freed(later.pk, client, timezone.now()) == callers[1].call.pk
    assert agent_freed(earlier.pk, client, timezone.now()) is None

    offered = dict(Offer.objects.values_list("agent_id", "call_id"))
    assert offered == {earlier.pk: callers[0].call.pk, later.pk: callers[1].call.pk}
    assert len(moved_to(api)) == 2


def test_a_leg_that_cannot_be_moved_finds_its_offer_at_the_next_tick(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, status=503, json={"errors": [{"code": "10016", "title": "away"}]})
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.frees(line.agents[0])
    agent_freed(line.agents[0].pk, client, timezone.now())

    assert caller.goes_on().rung == [line.sip(line.agents[0])]
    assert Offer.objects.count() == 1


def test_a_caller_whose_leg_could_not_be_moved_rings_for_his_whole_time_and_nobody_rings_twice(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    """The music takes 20 s, and only then the ringing of 25 s begins: the agent is his for all of it."""
    api.post(LEGS, status=503)
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    first = line.caller()
    line.frees(line.agents[0])
    assert agent_freed(line.agents[0].pk, client, timezone.now()) == first.call.pk
    _later(line, first, 24)

    first.goes_on()
    assert first.document.rung == [line.sip(line.agents[0])]
    _later(line, first, 25)
    his_own = Caller(telnyx, cast.make_number(line.company, agent=line.agents[0]).e164)

    assert his_own.calls().verbs == ["Say", "Record"]


def test_where_our_answer_to_the_end_of_a_dial_came_too_late_the_fallback_goes_on_and_rings_nobody_anew(
    telnyx: Telnyx,
) -> None:
    """Telnyx then asks at the address of new calls, with the words of the request that was not answered in time."""
    line = Line(telnyx)
    caller = line.caller()
    agent_sid = caller.is_answered_by(line.agents[0])
    caller.agent_leg_ends(line.agents[0], agent_sid)

    caller.goes_on("/webhooks/telnyx/inbound", DialCallStatus="completed")

    assert caller.document.verbs == ["Hangup"]
    assert Offer.objects.count() == 1


def test_a_late_answer_to_a_tick_is_made_good_at_the_fallback(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.frees(line.agents[0])
    agent_freed(line.agents[0].pk, client, timezone.now())
    (path,) = moved_to(api)

    offered = caller.goes_on("/webhooks/telnyx/inbound").bytes
    assert caller.document.rung == [line.sip(line.agents[0])]
    assert caller.goes_on(path).bytes == offered
    assert caller.goes_on("/webhooks/telnyx/inbound").bytes == offered, "while it rings"

    assert caller.goes_on("/webhooks/telnyx/inbound", DialCallStatus="no-answer").rung == []
    assert waits(caller)
    assert caller.visits == ["waiting"]


def test_an_offer_that_nobody_asked_for_in_time_is_withdrawn_and_its_caller_looked_at_anew(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, status=503)
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    late = line.caller()
    line.frees(line.agents[0])
    agent_freed(line.agents[0].pk, client, timezone.now())
    offered = late.document.next
    _later(line, late, 200)
    other = Caller(telnyx, cast.make_number(line.company, agent=line.agents[0]).e164)
    assert other.calls().rung == [line.sip(line.agents[0])], "his lease ran out"

    late.goes_on(offered)

    assert waits(late), "the agent rings for somebody else by now"
    assert late.goes_on(offered).bytes == late.document.bytes
    assert list(Offer.objects.filter(call=late.call).values_list("outcome", flat=True)) == ["withdrawn"]
    assert Agent.objects.get().busy_call_id == other.call.pk
    assert late.visits == ["waiting"]


def test_an_agent_whose_answer_was_not_heard_of_is_not_rung_before_telnyx_was_asked(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    talking = line.caller()
    assert talking.document.rung == [line.sip(line.agents[0])]
    _later(line, talking, 45)

    his_own = Caller(telnyx, cast.make_number(line.company, agent=line.agents[0]).e164)

    # The offer is past its 30 s, and the reconciler comes every 15.
    assert Offer.objects.get().expires_at < timezone.now()
    assert his_own.calls().verbs == ["Say", "Record"]


def test_a_caller_who_has_left_unheard_holds_no_agent(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    gone = {"errors": [{"code": "90018", "title": "Call has already ended"}]}
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    left, there = line.caller(), line.caller()
    api.post(
        re.compile(rf"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/{left.sid.replace(':', '.*')}"), status=422, json=gone
    )
    api.post(LEGS, json={})
    line.frees(line.agents[0])

    assert agent_freed(line.agents[0].pk, client, timezone.now()) == there.call.pk

    assert left.call.status == Call.Status.COMPLETED
    assert left.visits == ["abandoned_short"]
    assert Agent.objects.get().busy_call_id == there.call.pk


def _later(line: Line, caller: Caller, seconds: float) -> None:
    """Let time have passed for a caller and for the agents, who are alive all the while."""
    caller.has_waited(seconds)
    for agent in Agent.objects.filter(pk__in=[agent.pk for agent in line.agents], reserved_until__isnull=False):
        assert agent.reserved_until is not None
        Agent.objects.filter(pk=agent.pk).update(reserved_until=agent.reserved_until - timedelta(seconds=seconds))


def test_a_tick_that_was_quicker_makes_the_only_offer(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.frees(line.agents[0])
    caller.goes_on()

    assert agent_freed(line.agents[0].pk, client, timezone.now()) is None
    assert Offer.objects.count() == 1
    assert not api.calls


def test_the_oldest_of_many_is_offered_and_priority_counts_as_minutes(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    line = Line(telnyx, service_level_s=300)
    line.everybody_is(Activity.ON_CALL)
    urgent = cast.make_queue(line.company, "urgente", members=line.agents, priority=5, service_level_s=300)
    urgent_number = cast.make_number(line.company, queue=urgent)
    old, young, important = line.caller(), line.caller(), Caller(telnyx, urgent_number.e164)
    important.calls()
    old.has_waited(100)
    line.frees(line.agents[0])

    # 5 points are 300 s.
    assert agent_freed(line.agents[0].pk, client, timezone.now()) == important.call.pk
    line.frees(line.agents[0])
    assert agent_freed(line.agents[0].pk, client, timezone.now()) == old.call.pk
    line.frees(line.agents[0])
    assert agent_freed(line.agents[0].pk, client, timezone.now()) == young.call.pk


def test_a_queue_about_to_miss_its_service_level_goes_before_one_that_is_not(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    patient = Line(telnyx, service_level_s=300)
    patient.everybody_is(Activity.ON_CALL)
    hasty = cast.make_queue(patient.company, "rápida", members=patient.agents, service_level_s=20)
    number = cast.make_number(patient.company, queue=hasty)
    long_wait, at_risk = patient.caller(), Caller(telnyx, number.e164)
    at_risk.calls()
    long_wait.has_waited(60)
    at_risk.has_waited(17)
    patient.frees(patient.agents[0])

    assert agent_freed(patient.agents[0].pk, client, timezone.now()) == at_risk.call.pk


# --- The ladder --------------------------------------------------------------------------------------------------


def test_busy_then_next_then_voicemail(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=2, strategy="longest_idle", max_wait_s=30)
    longest, shorter = line.agents[1], line.agents[0]

    caller = line.caller()
    assert caller.document.rung == [line.sip(longest)]
    caller.dial_ends("busy")
    assert caller.document.rung == [line.sip(shorter)]
    caller.dial_ends("no-answer")
    assert waits(caller), "both were asked, and are left in peace for a moment"
    caller.has_waited(31)
    # Longer than the longest wait: whoever could be asked again is asked once more, then the caller is sent on.
    while caller.document.verbs == ["Dial"] or caller.goes_on().verbs == ["Dial"]:
        caller.dial_ends("no-answer")
        if caller.document.verbs != ["Dial"]:
            break

    assert caller.document.verbs == ["Say", "Record"]
    assert caller.visits == ["overflow_wait"]
    outcomes = Offer.objects.filter(agent=longest).order_by("offered_at").values_list("outcome", flat=True)
    assert outcomes[0] == "declined"


def test_two_misses_in_a_row_make_an_agent_not_responding_and_one_click_brings_him_back(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=1, strategy="longest_idle")
    agent = line.agents[0]
    for _ in range(2):
        caller = line.caller()
        assert caller.document.rung == [line.sip(agent)]
        caller.dial_ends("no-answer")
        caller.hangs_up()

    row = Agent.objects.get(pk=agent.pk)
    assert (row.activity, row.missed_in_a_row, row.presence) == (
        Activity.NOT_RESPONDING,
        2,
        Presence.NOT_RESPONDING,
    )
    assert line.caller().document.verbs == ["Say", "Record"], "nobody is there: nobody waits for him"

    choose_intent(agent_id=agent.pk, intent=Intent.AVAILABLE, now=timezone.now())
    row.refresh_from_db()
    assert (row.activity, row.missed_in_a_row) == (Activity.IDLE, 0)
    assert line.caller().document.rung == [line.sip(agent)]


def test_a_decline_is_no_miss(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=1, strategy="longest_idle")

    line.caller().dial_ends("busy")

    assert Agent.objects.get(pk=line.agents[0].pk).missed_in_a_row == 0


def test_round_robin_goes_on_behind_the_last_one_who_was_offered_a_call(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=3, strategy="round_robin")

    rung = []
    for _ in range(4):
        caller = line.caller()
        rung += caller.document.rung
        caller.hangs_up()

    assert rung == [line.sip(line.agents[place]) for place in (0, 1, 2, 0)]


# --- Leaving -----------------------------------------------------------------------------------------------------


def test_who_gives_up_while_waiting_has_abandoned_and_at_once_is_told_apart(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    patient, hasty = line.caller(), line.caller()
    patient.has_waited(40)

    patient.hangs_up()
    hasty.hangs_up()

    assert (patient.visits, hasty.visits) == (["abandoned"], ["abandoned_short"])
    assert {patient.call.outcome, hasty.call.outcome} == {"abandoned"}


def test_a_caller_whose_end_was_heard_before_his_last_question_neither_waits_again_nor_rings_anybody(
    telnyx: Telnyx,
) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    caller.has_waited(30)
    caller.hangs_up()
    line.frees(line.agents[0])

    caller.goes_on()

    assert caller.document.verbs == ["Hangup"]
    assert caller.visits == ["abandoned"]
    assert Agent.objects.get().activity == Activity.IDLE
    assert not Offer.objects.exists()


def test_an_answer_that_is_told_after_the_end_still_counts(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    caller = line.caller()
    agent = line.agents[0]

    caller.hangs_up()
    caller.agent_leg_ends(
        agent, "v3:late", CallDuration="20", AnsweredTime=(timezone.now() - timedelta(seconds=20)).isoformat()
    )

    assert caller.visits == ["answered"]
    assert caller.call.outcome == "answered"


def test_a_full_queue_sends_on_who_comes(telnyx: Telnyx) -> None:
    line = Line(telnyx, max_size=1)
    line.everybody_is(Activity.ON_CALL)
    line.caller()

    late = line.caller()

    assert late.document.verbs == ["Say", "Record"]
    assert late.visits == ["overflow_full"]


def test_a_queue_overflows_into_another_and_each_visit_has_its_own_end(telnyx: Telnyx) -> None:
    line = Line(telnyx, max_wait_s=30)
    line.everybody_is(Activity.ON_CALL)
    helper = cast.ready_agent(line.company, "ayuda")
    second = cast.make_queue(line.company, "ayuda", members=[helper])
    line.queue.overflow = Place.objects.create(company=line.company, kind="queue", queue=second)
    line.queue.save()
    caller = line.caller()
    caller.has_waited(31)

    caller.goes_on()

    assert caller.document.rung == [line.sip(helper)]
    assert caller.visits == ["overflow_wait", "waiting"]
    caller.is_answered_by(helper)
    assert caller.visits == ["overflow_wait", "answered"]


def test_when_every_browser_dies_at_once_nobody_waits_for_empty_chairs(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=3)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.everybody_is(Activity.IDLE)
    for agent in line.agents:
        cast.beat(agent, now=timezone.now() - timedelta(seconds=60))

    caller.goes_on()

    assert caller.document.verbs == ["Say", "Record"]
    assert caller.visits == ["leave_empty"]


@pytest.mark.parametrize(
    ("when_closing", "verbs", "visits"),
    [("finish", "waits", ["waiting"]), ("overflow", ["Say", "Record"], ["closed"])],
)
def test_at_closing_time_those_who_wait_are_served_or_sent_on(
    telnyx: Telnyx, when_closing: str, verbs: Any, visits: list[str]
) -> None:
    line = Line(telnyx)
    hours = cast.make_hours(line.company, switch="open")
    line.queue.hours, line.queue.when_closing = hours, when_closing
    line.queue.save()
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    hours.switch = "closed"
    hours.save()

    caller.goes_on()

    assert waits(caller) if verbs == "waits" else caller.document.verbs == verbs
    assert caller.visits == visits
    assert line.caller().visits == ["closed"], "who comes now finds it closed"


# --- Menus and languages ------------------------------------------------------------------------------------------


@pytest.fixture
def bilingual(telnyx: Telnyx) -> tuple[Line, Agent, Agent, PhoneNumber]:
    """A menu that asks for the language, in front of a queue whose agents speak one each."""
    line = Line(telnyx, agents=2, strategy="longest_idle", match_language=True)
    spanish, english = line.agents
    for agent, code in ((spanish, "es"), (english, "en")):
        skill = Skill.objects.create(company=line.company, code=code, language=code)
        AgentSkill.objects.create(agent=agent, skill=skill, level=5)
    menu = Menu.objects.create(
        company=line.company, name="idioma", say_es="Para español, marque uno.", say_en="For English press two."
    )
    queue = Place.objects.create(company=line.company, kind="queue", queue=line.queue)
    MenuOption.objects.create(menu=menu, digit="1", place=queue, language="es")
    MenuOption.objects.create(menu=menu, digit="2", place=queue, language="en")
    number = PhoneNumber.objects.create(company=line.company, e164=f"+1786{menu.pk:07d}", destination="menu", menu=menu)
    return line, spanish, english, number


def test_the_language_that_the_caller_chose_decides_who_rings(
    telnyx: Telnyx, bilingual: tuple[Line, Agent, Agent, PhoneNumber]
) -> None:
    line, spanish, english, number = bilingual
    for digit, speaker in (("1", spanish), ("2", english)):
        caller = Caller(telnyx, number.e164)
        assert caller.calls().verbs == ["Gather", "Redirect"]
        assert caller.presses(digit).rung == [line.sip(speaker)]
        caller.hangs_up()


def test_nobody_at_work_with_the_language_is_no_silent_wait(
    telnyx: Telnyx, bilingual: tuple[Line, Agent, Agent, PhoneNumber]
) -> None:
    _line, _spanish, english, number = bilingual
    Agent.objects.filter(pk=english.pk).update(intent=Intent.OFFLINE)
    caller = Caller(telnyx, number.e164)
    caller.calls()

    assert caller.presses("2").verbs == ["Say", "Record"]
    assert caller.visits == ["join_empty"]


def test_a_wrong_digit_is_said_so_and_silence_gives_up_in_the_end(
    telnyx: Telnyx, bilingual: tuple[Line, Agent, Agent, PhoneNumber]
) -> None:
    _line, _spanish, _english, number = bilingual
    caller = Caller(telnyx, number.e164)
    caller.calls()

    assert caller.presses("9").verbs == ["Gather", "Redirect"]
    assert caller.goes_on().verbs == ["Gather", "Redirect"]
    assert caller.goes_on().verbs == ["Say", "Record"]


# --- The books --------------------------------------------------------------------------------------------------


def test_what_was_offered_is_the_sum_of_the_outcomes_and_who_waits(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=1, max_size=3, strategy="longest_idle")
    talking = line.caller()
    talking.is_answered_by(line.agents[0])
    waiting, leaving, full = line.caller(), line.caller(), None
    leaving.has_waited(20)
    leaving.hangs_up()
    more = [line.caller() for _ in range(3)]
    full = more[-1]

    outcomes = Counter(QueueVisit.objects.filter(queue=line.queue).values_list("outcome", flat=True))

    assert outcomes == {"answered": 1, "waiting": 3, "abandoned": 1, "overflow_full": 1}
    assert sum(outcomes.values()) == Call.objects.filter(queue=line.queue).count()
    assert full.visits == ["overflow_full"]
    assert waits(waiting)
