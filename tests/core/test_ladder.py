"""Who can be rung now, and whom a call leaves in peace."""

from __future__ import annotations

import pytest

from telephony.core import ladder
from telephony.core.types import Candidate, PastOffer
from tests.core.routing_cast import NOW, agent, offer, seconds


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
        (agent(1, degraded=True), "no_sound"),
        (agent(1, intent="BREAK"), "chose_break"),
        (agent(1, intent="OFFLINE"), "chose_offline"),
        (agent(1, activity="ON_CALL"), "busy"),
        (agent(1, activity="WRAP_UP"), "wrap_up"),
        (agent(1, activity="WRAP_UP", wrap_up_until=NOW + seconds(1)), "wrap_up"),
        (agent(1, activity="WRAP_UP", wrap_up_until=NOW), ""),
        (agent(1, activity="NOT_RESPONDING"), "not_responding"),
        (agent(1, activity="RESERVED"), "ringing"),
        (agent(1, activity="RESERVED", reserved_until=NOW + seconds(1)), "ringing"),
        (agent(1, activity="RESERVED", reserved_until=NOW), ""),
        # A break that was asked for during a call blocks new offers at once.
        (agent(1, activity="ON_CALL", intent="BREAK"), "chose_break"),
    ],
)
def test_an_agent_is_rung_only_when_every_fact_allows_it(candidate: Candidate, reason: str) -> None:
    assert ladder.why_not(candidate, NOW) == reason


@pytest.mark.parametrize(
    ("candidate", "is_at_work"),
    [
        (agent(1), True),
        (agent(1, activity="ON_CALL"), True),
        (agent(1, activity="WRAP_UP"), True),
        (agent(1, activity="RESERVED"), True),
        (agent(1, activity="NOT_RESPONDING"), False),
        (agent(1, intent="BREAK"), False),
        (agent(1, last_seen_at=None), False),
        (agent(1, ready=False), False),
    ],
)
def test_at_work_is_who_could_take_a_call_now_or_soon(candidate: Candidate, is_at_work: bool) -> None:
    assert ladder.is_at_work(candidate, NOW) is is_at_work


@pytest.mark.parametrize(
    ("offers", "refused"),
    [
        ([], {}),
        ([offer(1, "declined", ended_s_ago=29)], {1: "declined_before"}),
        ([offer(1, "declined", ended_s_ago=30)], {}),
        ([offer(1, "missed", ended_s_ago=9)], {1: "missed_before"}),
        ([offer(1, "missed", ended_s_ago=10)], {}),
        ([offer(1, "device_lost", ended_s_ago=9)], {1: "device_lost_before"}),
        ([offer(1, "device_lost", ended_s_ago=10)], {}),
        ([offer(1, "withdrawn")], {}),
        ([offer(1, "pending")], {}),
        ([offer(1, "answered")], {}),
        # A later, shorter pause does not end an earlier, longer one.
        ([offer(1, "declined", ended_s_ago=20), offer(1, "missed", ended_s_ago=15)], {1: "declined_before"}),
        # Three refusals are enough, however long ago.
        ([offer(1, "missed", ended_s_ago=s) for s in (900, 600, 300)], {1: "offered_enough"}),
        ([offer(1, o, ended_s_ago=300) for o in ("missed", "declined", "missed")], {1: "offered_enough"}),
        ([offer(1, o, ended_s_ago=300) for o in ("missed", "declined", "withdrawn")], {}),
        ([offer(1, "device_lost", ended_s_ago=300)] * 5, {}),
        ([offer(1, "missed"), offer(2, "declined")], {1: "missed_before", 2: "declined_before"}),
    ],
)
def test_a_call_leaves_in_peace_who_refused_it(offers: list[PastOffer], refused: dict[int, str]) -> None:
    assert ladder.refused_by(offers, NOW) == refused


@pytest.mark.parametrize(
    ("offers", "in_s"),
    [
        ([], None),
        ([offer(1, "declined", ended_s_ago=5)], 25),
        ([offer(1, "declined", ended_s_ago=5), offer(2, "missed", ended_s_ago=4)], 6),
        ([offer(1, "missed", ended_s_ago=11)], None),
        ([offer(1, "withdrawn")], None),
    ],
)
def test_the_next_pause_to_end_is_known(offers: list[PastOffer], in_s: float | None) -> None:
    assert ladder.next_pause_end(offers, NOW) == (None if in_s is None else NOW + seconds(in_s))


def test_whoever_was_rung_was_asked_however_it_ended() -> None:
    offers = [offer(1, "declined"), offer(2, "withdrawn"), offer(3, "device_lost"), offer(1, "missed")]

    assert ladder.was_offered(offers) == {1, 2, 3}
