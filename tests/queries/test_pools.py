"""Who waits in a queue, as one statement reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from agents.models import Agent
from telephony.core.plan import Destination, DestinationKind
from telephony.core.types import Handled, Pool
from telephony.models import Call, CallQueue, CallWrapUp, Offer, QueueVisit
from telephony.queries import pools
from telephony.queries.plans import compile_plan
from tests import cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.fixture
def ana() -> Agent:
    return cast.ready_agent(cast.make_company(), now=NOW)


@pytest.fixture
def queue(ana: Agent) -> CallQueue:
    return cast.make_queue(ana.company, members=[ana])


def pool_of(queue: CallQueue, *, except_call: Any = None) -> Pool:
    plan = compile_plan(queue.company)
    place = Destination(DestinationKind.QUEUE, queue.pk)
    return pools.pool_of(place, company_id=queue.company_id, plan=plan, call_id=except_call, now=NOW)


def visit(queue: CallQueue, seconds: float, **fields: Any) -> QueueVisit:
    call = cast.make_call(queue.company, started_at=ago(seconds))
    return QueueVisit.objects.create(company=queue.company, queue=queue, call=call, entered_at=ago(seconds), **fields)


def offer(call: Call, agent: Agent, outcome: str, *, offered_s: float, expires_s: float, ended_s: float | None) -> None:
    Offer.objects.create(
        call=call,
        agent=agent,
        step=call.offers.count() + 1,
        outcome=outcome,
        offered_at=ago(offered_s),
        expires_at=NOW + timedelta(seconds=expires_s),
        ended_at=None if ended_s is None else ago(ended_s),
    )


def test_those_who_wait_stand_in_the_order_of_their_coming_without_who_asks(queue: CallQueue) -> None:
    first, me, last = (visit(queue, seconds, priority=2, language="es") for seconds in (90, 60, 30))
    visit(queue, 80, outcome=QueueVisit.Outcome.ABANDONED, ended_at=NOW)
    visit(cast.make_queue(queue.company, "otra"), 70)

    waiting = pool_of(queue, except_call=me.call_id).waiting

    assert [one.visit_id for one in waiting] == [str(first.pk), str(last.pk)]
    assert (waiting[0].entered_at, waiting[0].priority, waiting[0].language) == (ago(90), 2, "es")
    assert len(pool_of(queue, except_call=None).waiting) == 3


def test_who_is_being_offered_stands_before_nobody_and_an_offer_that_ran_out_offers_nothing(
    ana: Agent, queue: CallQueue
) -> None:
    ringing, forgotten = visit(queue, 60), visit(queue, 50)
    offer(ringing.call, ana, "pending", offered_s=5, expires_s=25, ended_s=None)
    # Its end was never heard; what was declined since runs on only on paper.
    offer(forgotten.call, ana, "pending", offered_s=40, expires_s=-10, ended_s=None)
    offer(forgotten.call, ana, "declined", offered_s=5, expires_s=25, ended_s=4)

    waiting = pool_of(queue, except_call=uuid4()).waiting

    assert [one.visit_id for one in waiting] == [str(forgotten.pk)]


@pytest.mark.parametrize(
    ("outcome", "ended_s", "is_left_in_peace"),
    [
        ("declined", 29, True),
        ("declined", 30, False),
        ("missed", 9, True),
        ("device_lost", 9, True),
        ("withdrawn", 1, False),
        ("answered", 1, False),
    ],
)
def test_whom_the_call_must_leave_in_peace_is_said_of_each(
    ana: Agent, queue: CallQueue, outcome: str, ended_s: float, is_left_in_peace: bool
) -> None:
    offer(visit(queue, 90).call, ana, outcome, offered_s=60, expires_s=-30, ended_s=ended_s)

    (one,) = pool_of(queue, except_call=None).waiting

    assert one.excluded == ({ana.pk} if is_left_in_peace else set())


def test_an_agent_is_awaited_in_each_queue_of_his_and_in_no_other(ana: Agent, queue: CallQueue) -> None:
    second = cast.make_queue(ana.company, "otra", members=[ana])
    mine = [visit(queue, 60), visit(second, 50)]
    visit(cast.make_queue(ana.company, "ajena"), 70)

    found = pools.waiting_for(ana.pk, company_id=ana.company_id, now=NOW)

    assert [(one.queue_id, one.call_id) for one in found] == [(one.queue_id, one.call_id) for one in mine]


def test_how_long_calls_take_is_told_by_those_answered_within_the_last_half_hour(queue: CallQueue) -> None:
    for answered_s, talk_s in ((600, 100), (1_700, 300), (1_900, 9_000)):
        call = visit(queue, answered_s + 30, outcome=QueueVisit.Outcome.ANSWERED, ended_at=ago(answered_s)).call
        Call.objects.filter(pk=call.pk).update(ended_at=ago(answered_s - talk_s))
    visit(queue, 60)

    assert pool_of(queue).handled == Handled(2, 200.0)
    other = cast.make_queue(queue.company, "otra")
    visit(other, 20)
    assert pool_of(other).handled == Handled(0, 0.0)


def test_the_last_call_of_a_queue_ends_with_its_wrap_up(queue: CallQueue, ana: Agent) -> None:
    queue.strategy = CallQueue.Strategy.LEAST_RECENT
    queue.save()
    call = cast.make_call(queue.company, status="completed", ended_at=ago(100))
    offer(call, ana, "answered", offered_s=300, expires_s=-270, ended_s=290)
    Offer.objects.update(queue=queue)
    assert pool_of(queue).candidates[0].last_queue_call_at == ago(100)

    work = {"mode": "timed", "started_at": ago(100), "until": ago(70)}
    CallWrapUp.objects.create(company=queue.company, call=call, agent=ana, ended_at=ago(80), **work)

    assert pool_of(queue).candidates[0].last_queue_call_at == ago(80)
