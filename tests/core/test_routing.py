"""Who rings: the pure decision, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony.core.routing import decide, why_not
from telephony.core.types import (
    Candidate,
    Decision,
    DestinationKind,
    DialStatus,
    Forward,
    Hangup,
    Plan,
    Ring,
    RouteContext,
    Say,
    Target,
    Voicemail,
    decision_as_json,
    decision_from_json,
)

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def agent(number: int, **facts: object) -> Candidate:
    """Return an agent who can be rung, idle for ``number`` minutes; ``facts`` spoil it."""
    candidate = Candidate(
        agent_id=number,
        name=f"agent {number}",
        sip_username=f"gencred{number}",
        intent="AVAILABLE",
        activity="IDLE",
        reserved_until=None,
        idle_since=NOW - timedelta(minutes=number),
        last_seen_at=NOW - timedelta(seconds=5),
        ready=True,
        microphone=True,
    )
    return replace(candidate, **facts)  # type: ignore[arg-type]


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (agent(1), ""),
        (agent(1, sip_username=""), "no_credential"),
        (agent(1, last_seen_at=None), "offline"),
        (agent(1, last_seen_at=NOW - seconds(30)), "offline"),
        (agent(1, last_seen_at=NOW - seconds(29.9)), ""),
        (agent(1, ready=False), "no_device"),
        (agent(1, microphone=False), "no_device"),
        (agent(1, intent="BREAK"), "chose_break"),
        (agent(1, intent="OFFLINE"), "chose_offline"),
        (agent(1, activity="ON_CALL"), "busy"),
        (agent(1, activity="WRAP_UP"), "busy"),
        (agent(1, activity="NOT_RESPONDING"), "busy"),
        (agent(1, activity="RESERVED"), "busy"),
        (agent(1, activity="RESERVED", reserved_until=NOW + seconds(1)), "busy"),
        (agent(1, activity="RESERVED", reserved_until=NOW), ""),
    ],
)
def test_an_agent_is_rung_only_when_every_fact_allows_it(candidate: Candidate, reason: str) -> None:
    assert why_not(candidate, NOW) == reason


def plan(kind: DestinationKind, *candidates: Candidate, fallback: str = "") -> Plan:
    return Plan(
        destination=kind, target_name="ventas", candidates=candidates, ring_timeout_s=20, fallback_number=fallback
    )


def ring(*numbers: int) -> Ring:
    return Ring(tuple(Target(number, f"gencred{number}") for number in numbers), 20)


USER, QUEUE, COMPANY, NONE = DestinationKind.USER, DestinationKind.QUEUE, DestinationKind.COMPANY, DestinationKind.NONE
BUSY = agent(9, activity="ON_CALL")
FALLBACK = "+13055550199"


@pytest.mark.parametrize(
    ("the_plan", "decision"),
    [
        (plan(NONE), Say("unassigned")),
        (plan(NONE, fallback=FALLBACK), Say("unassigned")),
        (plan(USER, agent(1)), ring(1)),
        (plan(USER, BUSY, fallback=FALLBACK), Forward(FALLBACK, 25)),
        (plan(USER, BUSY), Voicemail()),
        (replace(plan(USER, BUSY, fallback=FALLBACK), fallback_loops=True), Voicemail()),
        (plan(QUEUE, agent(1), agent(2)), ring(2, 1)),
        (plan(QUEUE), Voicemail()),
        (plan(QUEUE, BUSY, fallback=FALLBACK), Forward(FALLBACK, 25)),
        (plan(COMPANY, agent(3)), ring(3)),
        (plan(COMPANY, agent(1), agent(2), BUSY), ring(2, 1)),
        (plan(COMPANY, BUSY), Voicemail()),
        (plan(COMPANY, *(agent(number) for number in range(1, 14))), ring(*range(13, 3, -1))),
    ],
)
def test_the_first_step_follows_the_plan(the_plan: Plan, decision: Decision) -> None:
    assert decide(RouteContext(step=1, now=NOW, plan=the_plan)).decision == decision


def test_agents_idle_equally_long_ring_in_the_order_of_their_ids() -> None:
    since = NOW - seconds(60)
    three = [agent(number, idle_since=since) for number in (3, 1, 2)]

    decision = decide(RouteContext(step=1, now=NOW, plan=plan(QUEUE, *three))).decision

    assert decision == ring(1, 2, 3)


def test_an_agent_whom_another_call_claimed_is_left_out_and_the_reason_says_so() -> None:
    routed = decide(RouteContext(step=1, now=NOW, plan=plan(QUEUE, agent(1), agent(2)), lost_claims=frozenset({2})))

    assert routed.decision == ring(1)
    assert [(r["code"], r.get("agent_id")) for r in routed.reasons] == [
        ("destination_queue", None),
        ("claimed", 2),
        ("rung", 1),
    ]


@pytest.mark.parametrize(
    ("previous", "dial", "decision"),
    [
        (ring(1), DialStatus.COMPLETED, Hangup()),
        (ring(1), DialStatus.NO_ANSWER, Voicemail()),
        (ring(1), DialStatus.BUSY, Voicemail()),
        (ring(1), DialStatus.CANCELED, Voicemail()),
        (ring(1), DialStatus.FAILED, Voicemail()),
        (ring(1), DialStatus.UNKNOWN, Voicemail()),
        (ring(1), None, Voicemail()),
        (Forward(FALLBACK, 25), DialStatus.COMPLETED, Hangup()),
        (Forward(FALLBACK, 25), DialStatus.NO_ANSWER, Voicemail()),
        (Voicemail(), None, Say("message_kept")),
        (Say("message_kept"), None, Hangup()),
        (Hangup(), None, Hangup()),
    ],
)
def test_every_end_of_a_step_has_a_next_one(previous: Decision, dial: DialStatus | None, decision: Decision) -> None:
    context = RouteContext(step=2, now=NOW, plan=Plan(NONE), previous=previous, dial=dial)

    assert decide(context).decision == decision


def test_a_call_that_somebody_asked_to_end_ends() -> None:
    context = RouteContext(
        step=2, now=NOW, plan=Plan(NONE), previous=ring(1), dial=DialStatus.BUSY, hangup_requested=True
    )

    assert decide(context).decision == Hangup()


@pytest.mark.parametrize(
    "decision", [ring(1, 2), Forward(FALLBACK, 25), Voicemail(90), Say("unassigned"), Hangup()], ids=str
)
def test_a_stored_decision_is_read_back_as_it_was(decision: Decision) -> None:
    assert decision_from_json(decision_as_json(decision)) == decision


def test_what_is_no_decision_is_refused() -> None:
    with pytest.raises(ValueError, match="not a decision"):
        decision_from_json({"verb": "sing"})
