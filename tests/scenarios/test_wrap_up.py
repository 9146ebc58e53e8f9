"""The work after a call, in calls as Telnyx tells them: it begins, ends, and the next call comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.freeing import end_wrap_up
from agents.models import Activity, Agent, Beat, Intent, PresenceChange
from agents.operations import choose_intent, leg_answered, sweep
from agents.standing import By
from telephony.models import Call, CallLeg, CallWrapUp, Disposition, Offer, WrapUpPolicy
from telephony.operations import progress, wrap_ups
from telephony.operations.reconcile import free_forgotten_agents
from telephony.tasks import end_wrap_ups
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.scenarios.line import Caller, Line
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
TIMED: dict[str, Any] = {"wrap_up_mode": "timed", "wrap_up_s": 30}


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url="https://api.test/v2", sleep=lambda seconds: None))


def talked(line: Line, *, agent: Agent | None = None) -> Caller:
    """Let a call come, be answered, and end."""
    caller, agent = line.caller(), agent or line.agents[0]
    leg = caller.is_answered_by(agent, ago_s=5)
    caller.agent_leg_ends(agent, leg, CallDuration="5")
    caller.hangs_up()
    return caller


def now_of(agent: Agent) -> Agent:
    return Agent.objects.get(pk=agent.pk)


def goes_back(agent: Agent, seconds: float) -> None:
    """Let the agent's wrap-up, and what the call keeps of it, have begun so long ago."""
    back = timedelta(seconds=seconds)
    row, kept = now_of(agent), CallWrapUp.objects.get(agent=agent, ended_at=None)
    assert row.wrap_up_until is not None and row.wrap_up_since is not None
    Agent.objects.filter(pk=agent.pk).update(
        wrap_up_until=row.wrap_up_until - back, wrap_up_since=row.wrap_up_since - back
    )
    CallWrapUp.objects.filter(pk=kept.pk).update(until=kept.until - back, started_at=kept.started_at - back)


def test_a_call_ends_in_wrap_up_and_the_next_call_comes_when_its_time_is_over(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent = line.agents[0]
    caller = talked(line)

    assert (now_of(agent).activity, now_of(agent).wrap_up_call_id) == (Activity.WRAP_UP, caller.call.pk)
    waiting = line.caller()
    assert waiting.document.rung == [], "nobody is rung in his wrap-up"
    goes_back(agent, 30)
    assert waiting.goes_on().rung == [line.sip(agent)], "and nobody waits for a sweep after it"

    end_wrap_ups()
    kept = CallWrapUp.objects.get()
    assert (kept.call, kept.ended_how, kept.ended_at) == (caller.call, "timed_out", kept.until)
    assert kept.disposition is not None and kept.disposition.code == Disposition.TIMED_OUT


def test_the_browser_is_closed_in_it(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent = line.agents[0]
    talked(line)
    Beat.objects.filter(agent=agent).delete()

    sweep(timezone.now())
    assert now_of(agent).presence == "WRAP_UP"
    goes_back(agent, 31)
    sweep(timezone.now())

    assert now_of(agent).presence == "OFFLINE"
    cast.beat(agent, now=timezone.now())
    assert line.caller().document.rung == [line.sip(agent)]


def test_a_required_disposition_keeps_him_to_the_cap_and_no_longer(telnyx: Telnyx) -> None:
    line = Line(telnyx, wrap_up_mode="required_disposition")
    agent = line.agents[0]
    Disposition.objects.create(company=line.company, code="sale", name="Venta")
    talked(line)
    row = now_of(agent)
    assert row.wrap_up_until is not None and row.wrap_up_since is not None
    assert row.wrap_up_until - row.wrap_up_since == timedelta(seconds=900)

    goes_back(agent, 899)
    sweep(timezone.now())
    assert now_of(agent).activity == Activity.WRAP_UP
    goes_back(agent, 1)
    sweep(timezone.now())
    wrap_ups.end_overdue(timezone.now())

    assert now_of(agent).activity == Activity.IDLE
    assert CallWrapUp.objects.get().disposition == Disposition.objects.get(is_system=True)


def test_what_he_said_before_the_time_was_over_is_kept(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent = line.agents[0]
    sale = Disposition.objects.create(company=line.company, code="sale", name="Venta")
    talked(line)
    found = Agent.objects.select_related("beat").get(pk=agent.pk)
    wrap_ups.save(agent=found, disposition="sale", note="n", now=timezone.now())

    goes_back(agent, 31)
    assert wrap_ups.end_overdue(timezone.now()) == 1
    assert wrap_ups.end_overdue(timezone.now()) == 0

    assert CallWrapUp.objects.values_list("disposition", "note", "ended_how").get() == (sale.pk, "n", "timed_out")


def test_late_and_doubled_news_of_the_end_do_not_begin_it_anew(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent, caller = line.agents[0], line.caller()
    leg = caller.is_answered_by(agent, ago_s=5)
    caller.agent_leg_ends(agent, leg, CallDuration="5")
    until = now_of(agent).wrap_up_until
    caller.hangs_up()
    caller.agent_leg_ends(agent, leg, CallDuration="5")
    assert now_of(agent).wrap_up_until == until
    end_wrap_up(agent_id=agent.pk, by=By(), now=timezone.now())

    caller.agent_leg_ends(agent, leg, CallDuration="5")
    caller.hangs_up()

    assert now_of(agent).activity == Activity.IDLE
    assert CallWrapUp.objects.count() == 1


def test_a_break_chosen_in_the_call_begins_after_its_wrap_up(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent, caller = line.agents[0], line.caller()
    caller.is_answered_by(agent, ago_s=5)
    choose_intent(agent_id=agent.pk, intent=Intent.BREAK, reason="lunch", now=timezone.now())
    caller.hangs_up()
    assert now_of(agent).presence == "WRAP_UP"

    goes_back(agent, 31)
    sweep(timezone.now())

    row = now_of(agent)
    assert (row.presence, row.break_since is not None) == ("BREAK", True)
    words = PresenceChange.objects.filter(agent=agent).order_by("id").values_list("after", "break_code")
    assert list(words)[-3:] == [("ON_CALL", ""), ("WRAP_UP", ""), ("BREAK", "lunch")]


def test_who_only_rang_has_nothing_to_wrap_up(telnyx: Telnyx) -> None:
    line = Line(telnyx, agents=2, strategy="ring_all", **TIMED)
    answered, rang = line.agents
    talked(line, agent=answered)

    assert now_of(answered).activity == Activity.WRAP_UP
    assert now_of(rang).activity == Activity.IDLE
    assert CallWrapUp.objects.get().agent == answered


def test_a_queue_without_it_frees_at_once(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    talked(line)

    assert now_of(line.agents[0]).activity == Activity.IDLE
    assert not CallWrapUp.objects.exists()


def test_calls_of_no_queue_have_what_the_company_says(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent = line.agents[0]
    number = cast.make_number(line.company, agent=agent)
    for mode, activity in (("none", Activity.IDLE), ("timed", Activity.WRAP_UP)):
        WrapUpPolicy.objects.update_or_create(company=line.company, calls="direct", defaults={"mode": mode})
        caller = Caller(telnyx, number.e164)
        caller.calls()
        caller.is_answered_by(agent, ago_s=5)
        caller.hangs_up()

        assert now_of(agent).activity == activity, mode


@pytest.mark.parametrize("reached", [True, False])
def test_outbound_calls_have_it_as_an_option_and_failed_ones_as_another(telnyx: Telnyx, reached: bool) -> None:
    """An outbound call's rows as they stand when its last news comes, whoever made them."""
    line = Line(telnyx)
    agent, now = line.agents[0], timezone.now()
    kind = "outbound" if reached else "failed_outbound"
    WrapUpPolicy.objects.create(company=line.company, calls=kind, mode="timed", seconds=45)
    call = cast.make_call(line.company, direction=Call.Direction.OUTBOUND)
    over = {"call": call, "started_at": now, "ended_at": now, "status": "ended"}
    CallLeg.objects.create(**over, call_sid="v3:his", kind="agent", agent=agent, answered_at=now)
    CallLeg.objects.create(**over, call_sid=call.root_call_sid, kind="caller", answered_at=now if reached else None)
    leg_answered(agent_id=agent.pk, call_id=call.pk, today=now.date(), now=now)

    progress.settle_call(call, now)

    assert now_of(agent).wrap_up_until == now + timedelta(seconds=45)
    assert CallWrapUp.objects.get().call == call


def test_a_call_that_is_answered_in_it_ends_it(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent = line.agents[0]
    first = talked(line)
    second, now = line.caller(), timezone.now()
    # As a transfer does that was told to ring him all the same.
    Offer.objects.create(call=second.call, agent=agent, step=1, offered_at=now, expires_at=now + timedelta(seconds=30))

    second.is_answered_by(agent)

    assert (now_of(agent).activity, now_of(agent).busy_call_id) == (Activity.ON_CALL, second.call.pk)
    assert CallWrapUp.objects.values_list("call", "ended_how").get() == (first.call.pk, "call")


def test_the_next_call_is_wrapped_up_though_nobody_wrote_down_the_end_of_the_last(telnyx: Telnyx) -> None:
    line = Line(telnyx, **TIMED)
    agent = line.agents[0]
    talked(line)
    goes_back(agent, 31)

    second = talked(line)

    assert now_of(agent).wrap_up_call_id == second.call.pk
    assert list(CallWrapUp.objects.order_by("id").values_list("ended_how", flat=True)) == ["timed_out", ""]


def test_the_reconciler_takes_no_wrap_up_for_a_forgotten_call_and_lets_none_be_lost(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    line = Line(telnyx, **TIMED)
    agent, caller = line.agents[0], talked(line)
    until = now_of(agent).wrap_up_until

    free_forgotten_agents(client, timezone.now())
    assert now_of(agent).wrap_up_until == until

    Agent.objects.filter(pk=agent.pk).update(
        activity=Activity.ON_CALL, busy_call_id=caller.call.pk, wrap_up_until=None, wrap_up_call_id=None
    )
    CallWrapUp.objects.all().delete()
    free_forgotten_agents(client, timezone.now())
    assert now_of(agent).activity == Activity.WRAP_UP
    assert CallWrapUp.objects.get().call == caller.call


def test_a_phone_without_sound_has_missed_nothing(telnyx: Telnyx) -> None:
    line = Line(telnyx, max_misses=1)
    agent, caller = line.agents[0], line.caller()
    assert caller.document.rung == [line.sip(agent)]
    Beat.objects.filter(agent=agent).update(degraded=True)

    caller.dial_ends("no-answer")

    assert caller.call.offers.get().outcome == "device_lost"
    assert (now_of(agent).activity, now_of(agent).missed_in_a_row) == (Activity.IDLE, 0)
