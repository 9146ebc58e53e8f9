"""The derived word, what is pending and the reach, for every activity, intent, wrap-up and reach there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from agents.presence import AgentFacts, Reach, Word, derive, expires_at, pending, reach

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
INTENTS = ("AVAILABLE", "BREAK", "OFFLINE")
#: Reach → how long ago the browser beat, whether it is registered, has a microphone, and no sound.
PHONES: dict[Reach, tuple[float, bool, bool, bool]] = {
    Reach.REGISTERED: (1, True, True, False),
    Reach.DEGRADED: (1, True, True, True),
    Reach.LOST: (31, True, True, False),
    Reach.NO_MIC: (1, True, False, False),
}
#: Seconds until the wrap-up is over, if there is one.
RUNNING, OVER = 20, 0


def facts(
    activity: str, intent: str, phone: Reach = Reach.REGISTERED, *, left_s: float = RUNNING, before: str = "AVAILABLE"
) -> AgentFacts:
    age_s, ready, microphone, degraded = PHONES[phone]
    until = NOW + timedelta(seconds=left_s)
    return AgentFacts(
        intent=intent,
        activity=activity,
        reserved_until=until if activity == "RESERVED" else None,
        wrap_up_until=until if activity == "WRAP_UP" else None,
        last_seen_at=NOW - timedelta(seconds=age_s),
        ready=ready,
        microphone=microphone,
        has_live_call=activity in {"RESERVED", "ON_CALL"},
        degraded=degraded,
        intent_before=before,
    )


#: What is read of somebody who is not busy, by his intent and reach.
FREE: dict[tuple[str, Reach], Word] = {
    **{(intent, Reach.LOST): Word.OFFLINE for intent in INTENTS},
    **{("OFFLINE", phone): Word.OFFLINE for phone in Reach},
    **{("BREAK", phone): Word.BREAK for phone in Reach if phone != Reach.LOST},
    ("AVAILABLE", Reach.REGISTERED): Word.AVAILABLE,
    ("AVAILABLE", Reach.DEGRADED): Word.NO_DEVICE,
    ("AVAILABLE", Reach.NO_MIC): Word.NO_DEVICE,
}
every_free = pytest.mark.parametrize(("intent", "phone"), list(product(INTENTS, Reach)))


@every_free
def test_who_is_idle_is_what_he_chose_if_his_phone_lets_him(intent: str, phone: Reach) -> None:
    assert derive(facts("IDLE", intent, phone), NOW) == FREE[intent, phone]


@every_free
def test_a_call_is_a_call_whatever_he_chose_and_whatever_his_browser_says(intent: str, phone: Reach) -> None:
    assert derive(facts("ON_CALL", intent, phone), NOW) == Word.ON_CALL


@every_free
def test_a_wrap_up_outlives_the_browser_until_its_deadline(intent: str, phone: Reach) -> None:
    running, over = facts("WRAP_UP", intent, phone), facts("WRAP_UP", intent, phone, left_s=OVER)

    assert derive(running, NOW) == Word.WRAP_UP
    assert derive(over, NOW) == FREE[intent, phone], "nobody waits for a sweep"


@every_free
def test_a_ringing_needs_a_phone_that_can_ring(intent: str, phone: Reach) -> None:
    rings = Word.RINGING if phone == Reach.REGISTERED else FREE[intent, phone]

    assert derive(facts("RESERVED", intent, phone), NOW) == rings


@every_free
def test_who_did_not_respond_reads_so_where_he_would_read_available(intent: str, phone: Reach) -> None:
    word = FREE[intent, phone]

    expected = Word.NOT_RESPONDING if word == Word.AVAILABLE else word
    assert derive(facts("NOT_RESPONDING", intent, phone), NOW) == expected


@pytest.mark.parametrize("activity", ["RESERVED", "ON_CALL", "WRAP_UP"])
@pytest.mark.parametrize(("before", "intent"), list(product(INTENTS, INTENTS)))
def test_what_is_chosen_while_busy_is_pending_and_is_taken_back_by_choosing_again(
    activity: str, before: str, intent: str
) -> None:
    chosen = facts(activity, intent, before=before)

    assert pending(chosen, NOW) == (intent if intent != before else None)


@pytest.mark.parametrize("activity", ["IDLE", "NOT_RESPONDING"])
@pytest.mark.parametrize("intent", INTENTS)
def test_nothing_is_pending_for_who_is_not_busy(activity: str, intent: str) -> None:
    assert pending(facts(activity, intent), NOW) is None


def test_nothing_is_pending_any_more_when_the_wrap_up_is_over() -> None:
    assert pending(facts("WRAP_UP", "BREAK", left_s=OVER), NOW) is None


@pytest.mark.parametrize("phone", Reach)
def test_the_reach_is_what_stands_between_him_and_a_voice(phone: Reach) -> None:
    assert reach(facts("IDLE", "AVAILABLE", phone), NOW) == phone


def test_a_browser_that_is_not_registered_is_lost() -> None:
    assert reach(AgentFacts("AVAILABLE", "IDLE", None, None, NOW, False, True, False), NOW) == Reach.LOST


@pytest.mark.parametrize(("activity", "left_s"), [("RESERVED", RUNNING), ("WRAP_UP", RUNNING), ("IDLE", 29)])
def test_the_word_stands_until_the_next_deadline(activity: str, left_s: int) -> None:
    assert expires_at(facts(activity, "AVAILABLE"), NOW) == NOW + timedelta(seconds=left_s)
