"""Presence: one word from what an agent chose, what the server has him doing and what his browser said last. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

BEAT_EVERY_S: Final = 10
#: Three missed heartbeats: shorter, and a laptop that changes its network drops its agent.
BEAT_TTL_S: Final = 30
BEAT_TTL: Final = timedelta(seconds=BEAT_TTL_S)


class Word(StrEnum):
    """The codes of ``agents.models.Presence``, for code that knows no Django; a test holds the two equal."""

    AVAILABLE = "AVAILABLE"
    RINGING = "RINGING"
    ON_CALL = "ON_CALL"
    WRAP_UP = "WRAP_UP"
    BREAK = "BREAK"
    NOT_RESPONDING = "NOT_RESPONDING"
    NO_DEVICE = "NO_DEVICE"
    OFFLINE = "OFFLINE"


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """Everything that the word depends on.

    ``intent`` and ``activity`` are codes of ``agents.models``; ``last_seen_at`` is None for an agent whose phone never
    beat (or whose beats went down with the database); ``has_live_call`` says that a call holds him.
    """

    intent: str
    activity: str
    reserved_until: datetime | None
    wrap_up_until: datetime | None
    last_seen_at: datetime | None
    ready: bool
    microphone: bool
    has_live_call: bool
    #: The browser beats, but no sound would come through.
    degraded: bool = False
    #: What held when the call or the wrap-up began, if he is in one.
    intent_before: str = "AVAILABLE"


def derive(facts: AgentFacts, now: datetime) -> str:
    """Return the word for these facts at ``now``: the first row of the table that is true."""
    for is_true, word in TABLE:
        if is_true(facts, now):
            return word.value
    return Word.AVAILABLE.value


def expires_at(facts: AgentFacts, now: datetime) -> datetime | None:
    """Return the moment at which the word may change though nothing happens; None if it never does.

    Until then ``derive`` gives what it gives now. The moment itself is past the word (bounds are exclusive).
    """
    deadlines = (
        facts.reserved_until if facts.activity == "RESERVED" else None,
        facts.wrap_up_until if facts.activity == "WRAP_UP" else None,
        beat_expires_at(facts.last_seen_at),
    )
    return min((moment for moment in deadlines if moment is not None and moment > now), default=None)


def beat_expires_at(last_seen_at: datetime | None) -> datetime | None:
    return None if last_seen_at is None else last_seen_at + BEAT_TTL


def is_seen(facts: AgentFacts, now: datetime) -> bool:
    """Say whether the browser beat within the last 30 s: the half of being online that only the clock can end."""
    return facts.last_seen_at is not None and now < facts.last_seen_at + BEAT_TTL


def has_phone(facts: AgentFacts) -> bool:
    return facts.ready and facts.microphone and not facts.degraded


class Reach(StrEnum):
    """What the heartbeats say of the phone."""

    REGISTERED = "registered"
    DEGRADED = "degraded"
    LOST = "lost"
    NO_MIC = "no_mic"


def reach(facts: AgentFacts, now: datetime) -> Reach:
    """Return what stands between the agent and a caller's voice, the greatest obstacle first."""
    if not (is_seen(facts, now) and facts.ready):
        return Reach.LOST
    if not facts.microphone:
        return Reach.NO_MIC
    return Reach.DEGRADED if facts.degraded else Reach.REGISTERED


def is_busy(facts: AgentFacts, now: datetime) -> bool:
    """Say whether a call, its ringing or its wrap-up is before what he chose."""
    return is_talking(facts) or is_wrapping_up(facts, now) or is_reserved(facts, now)


def pending(facts: AgentFacts, now: datetime) -> str | None:
    """Return the intent that was chosen while busy, and holds as soon as the call and its wrap-up are over."""
    return facts.intent if is_busy(facts, now) and facts.intent != facts.intent_before else None


def is_talking(facts: AgentFacts) -> bool:
    return facts.activity == "ON_CALL" and facts.has_live_call


def is_reserved(facts: AgentFacts, now: datetime) -> bool:
    """Say whether an offer holds the agent. A reservation is a lease: past its end it holds nobody."""
    return facts.activity == "RESERVED" and facts.reserved_until is not None and now < facts.reserved_until


def is_wrapping_up(facts: AgentFacts, now: datetime) -> bool:
    return facts.activity == "WRAP_UP" and facts.wrap_up_until is not None and now < facts.wrap_up_until


Row = tuple[Callable[[AgentFacts, datetime], bool], Word]

#: The order is the meaning. A call and its wrap-up outlive the browser, because the carrier and the server hold them; a
#: ringing does not, because nobody is there to answer. What the person chose while busy shows when he is free.
TABLE: Final[tuple[Row, ...]] = (
    (lambda facts, now: is_talking(facts), Word.ON_CALL),
    (is_wrapping_up, Word.WRAP_UP),
    (lambda facts, now: not is_seen(facts, now), Word.OFFLINE),
    (lambda facts, now: is_reserved(facts, now) and has_phone(facts), Word.RINGING),
    (lambda facts, now: facts.intent == "OFFLINE", Word.OFFLINE),
    (lambda facts, now: facts.intent == "BREAK", Word.BREAK),
    (lambda facts, now: not has_phone(facts), Word.NO_DEVICE),
    (lambda facts, now: facts.activity == "NOT_RESPONDING", Word.NOT_RESPONDING),
)
