"""Who can be rung for a call now: what an agent's own facts say, and what this call has offered him already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from agents.presence import BEAT_TTL_S
from telephony.core.types import Candidate, PastOffer

_BEAT_TTL: Final = timedelta(seconds=BEAT_TTL_S)

#: How an offer ended → for how long this call leaves the agent in peace, and the code of why. Withdrawn says nothing.
PAUSE_AFTER: Final[Mapping[str, tuple[timedelta, str]]] = {
    "declined": (timedelta(seconds=30), "declined_before"),
    "missed": (timedelta(seconds=10), "missed_before"),
    # Not his fault and no refusal; but a leg that failed at once would fail at once again, and again.
    "device_lost": (timedelta(seconds=10), "device_lost_before"),
}
#: What the agent himself did about an offer, or left undone.
REFUSALS: Final = frozenset({"declined", "missed"})
#: Offers of one call to one agent that he may decline or miss; more would ring a lone agent for ever.
MAX_REFUSALS: Final = 3

#: Codes of ``why_not`` of people who are at work: they could take a call soon, if not now.
AT_WORK: Final = frozenset({"", "busy", "ringing", "wrap_up"})


def why_not(candidate: Candidate, now: datetime) -> str:
    """Return the code of the first reason for which the agent cannot be rung now; empty when he can.

    The heartbeat's age is compared here, so a late sweep never rings an empty chair.
    """
    if not candidate.sip_username:
        return "no_credential"
    if candidate.last_seen_at is None or candidate.last_seen_at <= now - _BEAT_TTL:
        return "offline"
    if not (candidate.ready and candidate.microphone):
        return "no_device"
    if candidate.degraded:
        return "no_sound"
    if candidate.intent != "AVAILABLE":
        return "chose_" + candidate.intent.lower()
    match candidate.activity:
        case "IDLE":
            return ""
        case "RESERVED":
            # A reservation is a lease: past its end it holds nobody.
            ran_out = candidate.reserved_until is not None and candidate.reserved_until <= now
            return "" if ran_out else "ringing"
        case "WRAP_UP":
            # So is a wrap-up: a late sweep keeps nobody in it.
            is_over = candidate.wrap_up_until is not None and candidate.wrap_up_until <= now
            return "" if is_over else "wrap_up"
        case "NOT_RESPONDING":
            return "not_responding"
    return "busy"


def is_at_work(candidate: Candidate, now: datetime) -> bool:
    """Say whether the agent could take a call now or soon: free, ringing, talking or finishing."""
    return why_not(candidate, now) in AT_WORK


def refused_by(offers: Iterable[PastOffer], now: datetime) -> dict[int, str]:
    """Return the agents whom this call must leave in peace now, each with the code of why."""
    offers = tuple(offers)
    codes = {agent_id: code for agent_id, code, until in _pauses(offers) if now < until}
    refused = [offer.agent_id for offer in offers if offer.outcome in REFUSALS]
    return codes | {one: "offered_enough" for one in refused if refused.count(one) >= MAX_REFUSALS}


def next_pause_end(offers: Iterable[PastOffer], now: datetime) -> datetime | None:
    """Return when the next of those who are left in peace may be offered the call again; None if there are none."""
    return min((until for _agent_id, _code, until in _pauses(offers) if now < until), default=None)


def _pauses(offers: Iterable[PastOffer]) -> Iterator[tuple[int, str, datetime]]:
    """Yield agent, code and end of every pause that an offer brought, oldest first."""
    for offer in offers:
        if offer.outcome in PAUSE_AFTER:
            length, code = PAUSE_AFTER[offer.outcome]
            yield offer.agent_id, code, (offer.ended_at or offer.offered_at) + length


def was_offered(offers: Iterable[PastOffer]) -> frozenset[int]:
    """Return the agents who were rung for this call, however it ended: they come after those who were not."""
    return frozenset(offer.agent_id for offer in offers)
