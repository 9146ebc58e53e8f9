"""Who can be rung for a call now: what an agent's own facts say, and what this call has offered him already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from agents.presence import BEAT_TTL_S
from telephony.core.types import Candidate, PastOffer

_BEAT_TTL: Final = timedelta(seconds=BEAT_TTL_S)

#: Who declined is left in peace by this call for so long, who missed it for so long.
PAUSE_AFTER: Final[Mapping[str, tuple[timedelta, str]]] = {
    "declined": (timedelta(seconds=30), "declined_before"),
    "missed": (timedelta(seconds=10), "missed_before"),
}
#: Offers of one call to one agent that he may decline or miss; more would ring a lone agent for ever.
MAX_OFFERS_PER_AGENT: Final = 3

#: Codes of ``why_not`` of people who are at work: they could take a call soon, if not now.
AT_WORK: Final = frozenset({"", "busy", "ringing", "wrap_up", "claimed"})


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
            return "wrap_up"
        case "NOT_RESPONDING":
            return "not_responding"
    return "busy"


def is_at_work(candidate: Candidate, now: datetime) -> bool:
    """Say whether the agent could take a call now or soon: free, ringing, talking or finishing."""
    return why_not(candidate, now) in AT_WORK


def refused_by(offers: Iterable[PastOffer], now: datetime) -> dict[int, str]:
    """Return the agents whom this call must leave in peace now, each with the code of why.

    Only declining and missing count: an offer that was withdrawn, or whose phone was lost, says nothing of the person.
    """
    pauses: dict[int, str] = {}
    refusals: dict[int, int] = {}
    for offer in offers:
        pause = PAUSE_AFTER.get(offer.outcome)
        if pause is None:
            continue
        refusals[offer.agent_id] = refusals.get(offer.agent_id, 0) + 1
        length, code = pause
        if offer.ended_at is not None and now < offer.ended_at + length:
            pauses[offer.agent_id] = code
        else:
            pauses.pop(offer.agent_id, None)
    enough = {agent_id for agent_id, count in refusals.items() if count >= MAX_OFFERS_PER_AGENT}
    return {**pauses, **dict.fromkeys(enough, "offered_enough")}


def was_offered(offers: Iterable[PastOffer]) -> frozenset[int]:
    """Return the agents who declined or missed this call: they come after those who were not asked yet."""
    return frozenset(offer.agent_id for offer in offers if offer.outcome in PAUSE_AFTER)
