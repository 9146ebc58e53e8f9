"""Transfers, rescues and the way back, decided from plain facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from telephony.core.missions import HEAD_PRIORITY, TRANSFER_RING_S, Mission, MissionKind
from telephony.core.plan import NOWHERE, CompanyPlan, Destination, DestinationKind, NumberPlan
from telephony.core.routing import decide
from telephony.core.types import (
    Decision,
    DialStatus,
    Entered,
    Forward,
    Hangup,
    Missing,
    Pool,
    Ring,
    Room,
    RouteContext,
    Routed,
    Voicemail,
    Wait,
    Walk,
    walk_as_json,
    walk_from_json,
)
from tests.core.routing_cast import NOW, QUEUE, agent, away, busy, plan, queue, seconds

ANA, LUIS = 1, 2
TO_LUIS = Destination(DestinationKind.USER, LUIS)
TO_ANA = Destination(DestinationKind.USER, ANA)
OVER = Hangup()
OUTSIDE = Destination(DestinationKind.NUMBER, text="+13125550177")


def mission(kind: MissionKind, to: Destination = TO_LUIS, **facts: Any) -> Mission:
    return replace(Mission(kind, origin=QUEUE, to=to, from_agent_id=ANA, waited_s=90), **facts)


def context(
    *,
    begins: Mission | None = None,
    on: Mission | None = None,
    previous: Decision = OVER,
    dial: DialStatus | None = None,
    people: dict[int, Any] | None = None,
    company: CompanyPlan | None = None,
    **facts: Any,
) -> RouteContext:
    people = {ANA: agent(ANA), LUIS: agent(LUIS)} if people is None else people
    pools = {Destination(DestinationKind.USER, number): Pool((one,)) for number, one in people.items()}
    return RouteContext(
        step=4,
        now=NOW,
        plan=company or plan(queue()),
        number=NumberPlan(NOWHERE),
        walk=Walk(QUEUE, NOW - seconds(300), "es", mission=on),
        previous=previous,
        dial=dial,
        mission=begins,
        pools={**pools, QUEUE: Pool((busy(ANA), busy(LUIS)))},
        **facts,
    )


def routed(ctx: RouteContext) -> Routed:
    result = decide(ctx)
    assert isinstance(result, Routed), result
    return result


def rung(decision: Decision) -> list[int]:
    assert isinstance(decision, Ring), decision
    return [target.agent_id for target in decision.targets]


def codes(result: Routed) -> list[str]:
    return [reason["code"] for reason in result.reasons]


def entered(result: Routed) -> list[Entered]:
    return [change for change in result.visits if isinstance(change, Entered)]


def test_a_transfer_rings_its_target_for_twenty_seconds_whatever_came_before() -> None:
    for previous in (Room("curbe-x-1"), Wait(20), Voicemail(), Ring((), 25)):
        result = routed(context(begins=mission(MissionKind.TRANSFER), previous=previous))

        assert rung(result.decision) == [LUIS]
        assert isinstance(result.decision, Ring) and result.decision.timeout_s == TRANSFER_RING_S
        assert codes(result) == ["transferred_to", "rung"]


def test_a_transfer_to_a_number_is_a_forward() -> None:
    result = routed(context(begins=mission(MissionKind.TRANSFER, to=OUTSIDE)))

    assert result.decision == Forward("+13125550177", TRANSFER_RING_S)


def test_a_transfer_to_a_queue_is_that_queues_from_then_on() -> None:
    result = routed(context(begins=mission(MissionKind.TRANSFER, to=QUEUE)))

    assert isinstance(result.decision, Wait)
    assert result.walk is not None and result.walk.mission is None
    # He is new there: nobody served him in it.
    assert [one.priority for one in entered(result)] == [0]


@pytest.mark.parametrize("dial", [DialStatus.NO_ANSWER, DialStatus.BUSY, DialStatus.FAILED])
@pytest.mark.parametrize("previous", [Ring((), 20), Forward("+13125550177", 20)])
def test_not_answered_it_goes_back_to_whoever_sent_it(dial: DialStatus, previous: Decision) -> None:
    result = routed(context(on=mission(MissionKind.TRANSFER), previous=previous, dial=dial))

    assert rung(result.decision) == [ANA]
    assert "returned_to" in codes(result)
    assert result.walk is not None and result.walk.mission is not None
    assert result.walk.mission.kind is MissionKind.RETURN


def test_a_target_who_became_busy_meanwhile_sends_it_straight_back() -> None:
    result = routed(context(begins=mission(MissionKind.TRANSFER), people={ANA: agent(ANA), LUIS: busy(LUIS)}))

    assert rung(result.decision) == [ANA]


@pytest.mark.parametrize(
    "ctx",
    [
        context(on=mission(MissionKind.RETURN), previous=Ring((), 20), dial=DialStatus.NO_ANSWER),
        context(on=mission(MissionKind.TRANSFER), previous=Ring((), 20), dial=DialStatus.BUSY, people={ANA: busy(ANA)}),
        context(begins=mission(MissionKind.HEAD)),
    ],
)
def test_with_nobody_left_he_is_the_first_in_line_with_his_age(ctx: RouteContext) -> None:
    result = routed(ctx)

    assert isinstance(result.decision, Wait)
    (visit,) = entered(result)
    assert (visit.queue_id, visit.priority, visit.entered_at) == (QUEUE.id, HEAD_PRIORITY, NOW - seconds(90))
    assert "head_of_queue" in codes(result)
    assert result.walk is not None and result.walk.mission is None


def test_his_age_never_makes_the_queue_give_him_up_at_once() -> None:
    old = mission(MissionKind.HEAD, waited_s=10_000)

    (visit,) = entered(routed(context(begins=old, company=plan(queue(max_wait_s=300)))))

    assert visit.entered_at == NOW - seconds(150)


def test_a_call_of_no_queue_goes_on_where_it_was_answered() -> None:
    head = mission(MissionKind.HEAD, origin=TO_ANA)

    assert rung(routed(context(begins=head)).decision) == [ANA]


def test_a_rescue_rings_the_same_agent_as_soon_as_he_can_be_rung() -> None:
    rescue = mission(MissionKind.RESCUE, to=TO_ANA, until=NOW + seconds(30))

    begins = routed(context(begins=rescue, people={ANA: away(ANA)}))
    waits = routed(context(on=rescue, previous=Wait(5), people={ANA: away(ANA)}))
    back = routed(context(on=rescue, previous=Wait(5)))

    assert begins.decision == Wait(5, words="reconnecting")
    # Said once.
    assert waits.decision == Wait(5)
    assert rung(back.decision) == [ANA]


def test_a_rescue_that_is_not_answered_goes_on_until_its_time_is_over() -> None:
    rescue = mission(MissionKind.RESCUE, to=TO_ANA, until=NOW + seconds(5))
    over = replace(rescue, until=NOW)

    again = routed(context(on=rescue, previous=Ring((), 20), dial=DialStatus.NO_ANSWER))
    ends = routed(context(on=over, previous=Ring((), 20), dial=DialStatus.NO_ANSWER))

    assert rung(again.decision) == [ANA]
    assert codes(ends)[1:3] == ["rescue_over", "head_of_queue"]


def test_a_mission_that_was_answered_is_an_ended_conversation_when_its_dial_ends() -> None:
    result = routed(context(on=mission(MissionKind.TRANSFER), previous=Ring((), 20), dial=DialStatus.COMPLETED))

    assert result.decision == Hangup()


def test_whoever_asked_for_the_end_gets_it_before_any_mission() -> None:
    result = routed(context(begins=mission(MissionKind.RESCUE), hangup_requested=True))

    assert result.decision == Hangup()


def test_the_people_that_it_needs_are_asked_for() -> None:
    assert decide(context(begins=mission(MissionKind.TRANSFER), people={})) == Missing(TO_LUIS)


def test_a_room_that_ended_is_an_ended_conversation() -> None:
    assert routed(context(previous=Room("curbe-x-1"))).decision == Hangup()


@pytest.mark.parametrize("kind", MissionKind)
def test_a_walk_keeps_its_mission(kind: MissionKind) -> None:
    walk = Walk(QUEUE, NOW, "es", mission=mission(kind, until=NOW))

    assert walk_from_json(walk_as_json(walk)) == walk
