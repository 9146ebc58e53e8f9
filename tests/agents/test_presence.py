from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models import Activity, Intent, Presence
from agents.presence import BEAT_EVERY_S, BEAT_TTL_S, AgentFacts, Word, derive, expires_at, is_reserved

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def facts(
    *,
    intent: str = "AVAILABLE",
    activity: str = "IDLE",
    beat_age_s: float | None = 1,
    reserved_left_s: float | None = None,
    wrap_up_left_s: float | None = None,
    ready: bool = True,
    microphone: bool = True,
    live_call: bool = False,
) -> AgentFacts:
    def left(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    return AgentFacts(
        intent=intent,
        activity=activity,
        reserved_until=left(reserved_left_s),
        wrap_up_until=left(wrap_up_left_s),
        last_seen_at=None if beat_age_s is None else NOW - timedelta(seconds=beat_age_s),
        ready=ready,
        microphone=microphone,
        has_live_call=live_call,
    )


ringing: dict[str, Any] = {"activity": "RESERVED", "reserved_left_s": 20.0, "live_call": True}
talking: dict[str, Any] = {"activity": "ON_CALL", "live_call": True}
wrapping_up: dict[str, Any] = {"activity": "WRAP_UP", "wrap_up_left_s": 5.0}


@pytest.mark.parametrize(
    ("given_facts", "word"),
    [
        (facts(), Word.AVAILABLE),
        # The browser.
        (facts(beat_age_s=29.999), Word.AVAILABLE),
        (facts(beat_age_s=30), Word.OFFLINE),
        (facts(beat_age_s=31), Word.OFFLINE),
        (facts(beat_age_s=None), Word.OFFLINE),
        (facts(ready=False), Word.NO_DEVICE),
        (facts(microphone=False), Word.NO_DEVICE),
        # What the person chose.
        (facts(intent="BREAK"), Word.BREAK),
        (facts(intent="BREAK", ready=False), Word.BREAK),
        (facts(intent="BREAK", beat_age_s=31), Word.OFFLINE),
        (facts(intent="OFFLINE"), Word.OFFLINE),
        (facts(intent="OFFLINE", ready=False), Word.OFFLINE),
        # Ringing ends with its lease, with the browser, and with the device; not with a wish.
        (facts(**ringing), Word.RINGING),
        (facts(**{**ringing, "reserved_left_s": 0.0}), Word.AVAILABLE),
        (facts(**{**ringing, "reserved_left_s": -1.0}, intent="BREAK"), Word.BREAK),
        (facts(**{**ringing, "reserved_left_s": None}), Word.AVAILABLE),
        (facts(**ringing, beat_age_s=31), Word.OFFLINE),
        (facts(**ringing, ready=False), Word.NO_DEVICE),
        (facts(**ringing, intent="BREAK"), Word.RINGING),
        (facts(**ringing, intent="OFFLINE"), Word.RINGING),
        # The carrier holds a call: neither a dead browser nor a wish ends it.
        (facts(**talking), Word.ON_CALL),
        (facts(**talking, beat_age_s=31), Word.ON_CALL),
        (facts(**talking, beat_age_s=None), Word.ON_CALL),
        (facts(**talking, ready=False, microphone=False), Word.ON_CALL),
        (facts(**talking, intent="OFFLINE"), Word.ON_CALL),
        (facts(activity="ON_CALL", live_call=False), Word.AVAILABLE),
        # The server holds the clock of the wrap-up.
        (facts(**wrapping_up), Word.WRAP_UP),
        (facts(**wrapping_up, intent="BREAK"), Word.WRAP_UP),
        (facts(**wrapping_up, beat_age_s=31), Word.WRAP_UP),
        (facts(**{**wrapping_up, "wrap_up_left_s": 0.0}), Word.AVAILABLE),
        (facts(**{**wrapping_up, "wrap_up_left_s": -1.0}, intent="BREAK"), Word.BREAK),
        # Who did not answer.
        (facts(activity="NOT_RESPONDING"), Word.NOT_RESPONDING),
        (facts(activity="NOT_RESPONDING", intent="BREAK"), Word.BREAK),
        (facts(activity="NOT_RESPONDING", ready=False), Word.NO_DEVICE),
        (facts(activity="NOT_RESPONDING", beat_age_s=31), Word.OFFLINE),
    ],
)
def test_the_first_true_row_wins(given_facts: AgentFacts, word: Word) -> None:
    assert derive(given_facts, NOW) == word


@pytest.mark.parametrize(
    ("given_facts", "left_s"),
    [
        (facts(beat_age_s=10), 20),
        (facts(beat_age_s=30), None),
        (facts(beat_age_s=None), None),
        (facts(beat_age_s=0, activity="RESERVED", reserved_left_s=12), 12),
        (facts(beat_age_s=25, activity="RESERVED", reserved_left_s=12), 5),
        (facts(beat_age_s=0, activity="IDLE", reserved_left_s=12), 30),
        (facts(beat_age_s=40, activity="WRAP_UP", wrap_up_left_s=7), 7),
        (facts(beat_age_s=40, activity="WRAP_UP", wrap_up_left_s=-7), None),
    ],
)
def test_the_next_deadline_is_the_earliest_that_is_still_ahead(given_facts: AgentFacts, left_s: int | None) -> None:
    expected = None if left_s is None else NOW + timedelta(seconds=left_s)

    assert expires_at(given_facts, NOW) == expected


any_facts = st.builds(
    facts,
    intent=st.sampled_from(list(Intent.values)),
    activity=st.sampled_from(list(Activity.values)),
    beat_age_s=st.none() | st.integers(0, 60),
    reserved_left_s=st.none() | st.integers(-40, 40),
    wrap_up_left_s=st.none() | st.integers(-40, 40),
    ready=st.booleans(),
    microphone=st.booleans(),
    live_call=st.booleans(),
)


@given(any_facts)
def test_the_word_stands_until_the_moment_that_expires_at_names(any_agent: AgentFacts) -> None:
    until = expires_at(any_agent, NOW)
    last_moment = NOW + timedelta(days=365) if until is None else until - MOMENT

    assert derive(any_agent, last_moment) == derive(any_agent, NOW)


@given(any_facts)
def test_only_who_is_available_idle_and_seen_with_a_phone_reads_available(any_agent: AgentFacts) -> None:
    if derive(any_agent, NOW) == Word.AVAILABLE:
        assert any_agent.intent == "AVAILABLE"
        assert any_agent.ready and any_agent.microphone
        assert any_agent.last_seen_at is not None and NOW - any_agent.last_seen_at < timedelta(seconds=BEAT_TTL_S)
        assert not is_reserved(any_agent, NOW)
        assert any_agent.activity != "NOT_RESPONDING"


@given(any_facts)
def test_a_beat_never_makes_an_agent_less_reachable(any_agent: AgentFacts) -> None:
    seen_now = replace(any_agent, last_seen_at=NOW, ready=True, microphone=True)

    assert derive(seen_now, NOW) != Word.NO_DEVICE
    assert derive(seen_now, NOW) != Word.OFFLINE or any_agent.intent == "OFFLINE"


def test_the_words_of_the_core_are_the_choices_of_the_model() -> None:
    assert [word.value for word in Word] == Presence.values


def test_three_beats_may_be_missed() -> None:
    assert BEAT_TTL_S == 3 * BEAT_EVERY_S
