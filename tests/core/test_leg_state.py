"""Whatever order the news of a call comes in, and however often, it ends in the same state."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core import leg_state
from telephony.core.events import LegProgress
from telephony.core.leg_state import CallFacts, CallStatus, Leg, LegKind, LegStatus, OfferOutcome, Outcome
from telephony.core.types import DialStatus

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def news(sid: str, status: str, second: float, **more: object) -> LegProgress:
    ended_at = at(second) if status in {"completed", "busy", "no-answer", "canceled", "failed"} else None
    return replace(
        LegProgress(call_sid=sid, status=status, occurred_at=at(second), ended_at=ended_at),
        **more,  # type: ignore[arg-type]
    )


def agent_leg(sid: str = "a", agent_id: int = 1) -> Leg:
    return Leg(call_sid=sid, kind=LegKind.AGENT, started_at=NOW, agent_id=agent_id)


# --- One leg ------------------------------------------------------------------------------------------------------

ANSWERED = [
    news("a", "initiated", 1),
    news("a", "ringing", 2),
    news("a", "in-progress", 6),
    news(
        "a", "completed", 60, answered_at=at(6), duration_s=54, hangup_cause="normal_clearing", hangup_source="caller"
    ),
]


@pytest.mark.parametrize("told", [ANSWERED, ANSWERED[::-1], ANSWERED * 2, ANSWERED[2:] + ANSWERED[:2], ANSWERED[3:]])
def test_an_answered_leg_ends_the_same_in_any_order_doubled_or_with_only_its_end(told: list[LegProgress]) -> None:
    leg = agent_leg()
    for piece in told:
        leg = leg_state.advance(leg, piece, LATER)

    assert leg == replace(
        agent_leg(),
        status=LegStatus.ENDED,
        end_status="completed",
        answered_at=at(6),
        ended_at=at(60),
        hangup_cause="normal_clearing",
        hangup_source="caller",
    )


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [
        (LegStatus.INITIATED, "ringing", LegStatus.RINGING),
        (LegStatus.RINGING, "initiated", LegStatus.RINGING),
        (LegStatus.IN_PROGRESS, "ringing", LegStatus.IN_PROGRESS),
        (LegStatus.ENDED, "in-progress", LegStatus.ENDED),
        (LegStatus.INITIATED, "completed", LegStatus.ENDED),
        (LegStatus.RINGING, "busy", LegStatus.ENDED),
        (LegStatus.RINGING, "dtmf", LegStatus.RINGING),
        (LegStatus.RINGING, "levitating", LegStatus.RINGING),
    ],
)
def test_status_only_climbs(before: LegStatus, word: str, after: LegStatus) -> None:
    assert leg_state.advance(replace(agent_leg(), status=before), news("a", word, 5), LATER).status is after


@pytest.mark.parametrize(
    ("end", "answered_at"),
    [
        (news("a", "completed", 60, answered_at=at(6)), at(6)),
        (news("a", "completed", 60, duration_s=54), at(6)),
        (news("a", "completed", 60, duration_s=0), None),
        (news("a", "completed", 60), None),
        (news("a", "no-answer", 25, duration_s=25), None),
    ],
)
def test_the_end_of_a_leg_makes_a_lost_answer_good_but_invents_none(
    end: LegProgress, answered_at: datetime | None
) -> None:
    assert leg_state.advance(agent_leg(), end, LATER).answered_at == answered_at


def test_news_without_a_time_counts_from_when_it_was_heard() -> None:
    leg = leg_state.advance(agent_leg(), LegProgress(call_sid="a", status="in-progress"), LATER)

    assert leg.answered_at == LATER


# --- One offer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (news("a", "busy", 5), OfferOutcome.DECLINED),
        (news("a", "no-answer", 25), OfferOutcome.MISSED),
        (news("a", "failed", 1), OfferOutcome.DEVICE_LOST),
        (news("a", "canceled", 5), OfferOutcome.WITHDRAWN),
        (news("a", "completed", 5), OfferOutcome.WITHDRAWN),
        (news("a", "completed", 60, answered_at=at(6)), OfferOutcome.ANSWERED),
        (news("a", "in-progress", 6), OfferOutcome.ANSWERED),
        (news("a", "ringing", 2), OfferOutcome.PENDING),
    ],
)
def test_the_leg_says_what_became_of_the_offer(end: LegProgress, outcome: OfferOutcome) -> None:
    leg = leg_state.advance(agent_leg(), end, LATER)

    assert leg_state.offer_after(OfferOutcome.PENDING, leg) is outcome


@pytest.mark.parametrize(
    ("before", "dial", "after"),
    [
        (OfferOutcome.PENDING, DialStatus.NO_ANSWER, OfferOutcome.MISSED),
        (OfferOutcome.WITHDRAWN, DialStatus.NO_ANSWER, OfferOutcome.MISSED),
        (OfferOutcome.PENDING, DialStatus.COMPLETED, OfferOutcome.WITHDRAWN),
        (OfferOutcome.PENDING, DialStatus.CANCELED, OfferOutcome.WITHDRAWN),
        (OfferOutcome.PENDING, DialStatus.BUSY, OfferOutcome.MISSED),
        (OfferOutcome.PENDING, DialStatus.FAILED, OfferOutcome.MISSED),
        (OfferOutcome.PENDING, DialStatus.UNKNOWN, OfferOutcome.MISSED),
        (OfferOutcome.DECLINED, DialStatus.NO_ANSWER, OfferOutcome.DECLINED),
        (OfferOutcome.ANSWERED, DialStatus.NO_ANSWER, OfferOutcome.ANSWERED),
        (OfferOutcome.DEVICE_LOST, DialStatus.NO_ANSWER, OfferOutcome.DEVICE_LOST),
    ],
)
def test_the_dial_speaks_for_offers_that_nobody_else_has_spoken_for(
    before: OfferOutcome, dial: DialStatus, after: OfferOutcome
) -> None:
    assert leg_state.offer_after_dial(before, dial, rung=2) is after


@pytest.mark.parametrize(
    ("dial", "after"),
    [
        (DialStatus.BUSY, OfferOutcome.DECLINED),
        (DialStatus.FAILED, OfferOutcome.DEVICE_LOST),
        (DialStatus.NO_ANSWER, OfferOutcome.MISSED),
    ],
)
def test_the_dial_of_one_speaks_for_his_leg(dial: DialStatus, after: OfferOutcome) -> None:
    assert leg_state.offer_after_dial(OfferOutcome.PENDING, dial, rung=1) is after


def test_every_way_for_a_dial_to_end_is_in_the_table() -> None:
    for dial in DialStatus:
        assert leg_state.offer_after_dial(OfferOutcome.PENDING, dial, rung=2) is not OfferOutcome.PENDING


_ENDS = st.sampled_from(["busy", "no-answer", "failed", "canceled", "completed", "in-progress"])


@given(_ENDS, st.sampled_from(list(DialStatus)), st.sampled_from(list(OfferOutcome)))
def test_leg_and_dial_may_speak_in_either_order(word: str, dial: DialStatus, before: OfferOutcome) -> None:
    leg = leg_state.advance(agent_leg(), news("a", word, 5), LATER)

    leg_first = leg_state.offer_after_dial(leg_state.offer_after(before, leg), dial, rung=2)
    dial_first = leg_state.offer_after(leg_state.offer_after_dial(before, dial, rung=2), leg)

    assert leg_first is dial_first


# --- The whole call -----------------------------------------------------------------------------------------------


def caller(**more: object) -> Leg:
    return replace(Leg("root", LegKind.CALLER, NOW), **more)  # type: ignore[arg-type]


OVER = {"status": LegStatus.ENDED, "end_status": "completed", "ended_at": at(60)}
TALKED = replace(agent_leg(), answered_at=at(4))
FORWARD = Leg("f", LegKind.FORWARD, NOW, answered_at=at(9))


@pytest.mark.parametrize(
    ("legs", "offers", "known", "status", "outcome"),
    [
        ([caller()], [], "", "ringing", ""),
        ([caller(), agent_leg()], ["pending"], "", "ringing", ""),
        ([caller(), TALKED], ["answered"], "", "in_progress", "answered"),
        ([caller(**OVER), TALKED], ["answered"], "", "completed", "answered"),
        ([caller(**OVER), FORWARD], [], "", "completed", "forwarded"),
        ([caller(**OVER)], ["pending"], "", "completed", "abandoned"),
        ([caller(**OVER)], ["declined", "withdrawn"], "", "completed", "abandoned"),
        ([caller(**OVER)], ["declined", "missed"], "", "completed", "missed"),
        ([caller(**OVER)], [], "", "completed", "missed"),
        ([caller(**OVER)], ["missed"], "voicemail", "completed", "voicemail"),
        ([caller(**OVER)], [], "unassigned", "completed", "unassigned"),
        ([caller(**OVER)], [], "abandoned", "completed", "missed"),
        ([caller(**OVER), TALKED], [], "voicemail", "completed", "answered"),
        ([caller()], ["missed"], "voicemail", "ringing", "voicemail"),
    ],
)
def test_the_legs_of_a_call_amount_to(
    legs: list[Leg], offers: list[str], known: str, status: str, outcome: str
) -> None:
    facts = leg_state.fold(legs, [OfferOutcome(offer) for offer in offers], Outcome(known))

    assert (facts.status, facts.outcome) == (CallStatus(status), Outcome(outcome))


def test_who_answered_first_has_answered_the_call() -> None:
    second = replace(agent_leg("b", 2), answered_at=at(5))

    assert leg_state.fold([caller(), second, TALKED], []).agent_id == 1


def _story(seed: int) -> list[LegProgress]:
    """A call with two agents: rung together; one answers, or none; the caller ends it."""
    rng = random.Random(seed)
    told: list[LegProgress] = []
    winner = rng.choice(["a", "b", None])
    for sid in ("a", "b"):
        told += [news(sid, "initiated", 1), news(sid, "ringing", 2)]
        if sid == winner:
            told += [news(sid, "in-progress", 6)]
            told += [news(sid, "completed", 60, answered_at=at(6), duration_s=54, hangup_cause="normal_clearing")]
        else:
            told += [news(sid, rng.choice(["canceled", "busy", "no-answer", "failed"]), 7)]
    told.append(news("root", "completed" if winner else "canceled", 61, hangup_cause="normal_clearing"))
    return told


def _end_of(told: Sequence[LegProgress], dial: DialStatus | None) -> tuple[CallFacts, list[Leg], list[OfferOutcome]]:
    legs = {"root": caller(), "a": agent_leg("a", 1), "b": agent_leg("b", 2)}
    offers = {"a": OfferOutcome.PENDING, "b": OfferOutcome.PENDING}
    outcome = Outcome.NONE
    for piece in told:
        legs[piece.call_sid] = leg_state.advance(legs[piece.call_sid], piece, LATER)
        offers = {sid: leg_state.offer_after(offer, legs[sid]) for sid, offer in offers.items()}
        facts = leg_state.fold(list(legs.values()), offers.values(), outcome)
        if facts.status is CallStatus.COMPLETED or facts.answered_at:
            offers = {sid: leg_state.offer_after_call(offer) for sid, offer in offers.items()}
        outcome = facts.outcome
    if dial is not None:
        offers = {sid: leg_state.offer_after_dial(offer, dial, rung=2) for sid, offer in offers.items()}
    facts = leg_state.fold(list(legs.values()), offers.values(), outcome)
    return facts, list(legs.values()), list(offers.values())


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_any_order_and_any_doubling_of_a_calls_news_ends_in_the_same_state(seed: int, rng: random.Random) -> None:
    told = _story(seed)
    shuffled = told + rng.choices(told, k=rng.randrange(len(told)))
    rng.shuffle(shuffled)

    assert _end_of(shuffled, None) == _end_of(told, None)


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_lost_news_of_the_middle_changes_nothing_at_the_end(seed: int, rng: random.Random) -> None:
    told = _story(seed)
    heard = [piece for piece in told if piece.ended_at is not None or rng.random() < 0.5]
    rng.shuffle(heard)

    assert _end_of(heard, None) == _end_of(told, None)
