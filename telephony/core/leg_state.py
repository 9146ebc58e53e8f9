"""Where a leg, an offer and a call stand, whatever order the news came in.

Pure. News of a call may come twice, late, in any order or not at all, so every rule here is a join: taking a piece of
news twice changes nothing, and two pieces end in the same state whichever is taken first. Status only climbs; an end
is final; of two moments the earlier one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from telephony.core.events import END_STATUSES, LegProgress
from telephony.core.types import DialStatus

T = TypeVar("T")


class LegKind(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    FORWARD = "forward"
    #: The customer of a call that an agent placed.
    CALLED = "called"


class LegStatus(StrEnum):
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    ENDED = "ended"


class OfferOutcome(StrEnum):
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    MISSED = "missed"
    DEVICE_LOST = "device_lost"
    DECLINED = "declined"
    ANSWERED = "answered"


class CallStatus(StrEnum):
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Outcome(StrEnum):
    NONE = ""
    CANCELED = "canceled"
    ABANDONED = "abandoned"
    MISSED = "missed"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNASSIGNED = "unassigned"
    BLOCKED = "blocked"
    FAILED = "failed"
    VOICEMAIL = "voicemail"
    FORWARDED = "forwarded"
    ANSWERED = "answered"


#: The order of climbing. What is not further up never replaces what is.
LEG_ORDER: Final = tuple(LegStatus)
OFFER_ORDER: Final = tuple(OfferOutcome)
CALL_ORDER: Final = tuple(CallStatus)
OUTCOME_ORDER: Final = tuple(Outcome)

#: Telnyx's word → where the leg stands. Words that are not here (dtmf, …) say nothing of it.
_LEG_STATUS: Final[Mapping[str, LegStatus]] = {
    "initiated": LegStatus.INITIATED,
    "ringing": LegStatus.RINGING,
    "in-progress": LegStatus.IN_PROGRESS,
    **dict.fromkeys(END_STATUSES, LegStatus.ENDED),
}

#: How an unanswered leg ended → what became of the offer behind it.
_UNANSWERED: Final[Mapping[str, OfferOutcome]] = {
    "busy": OfferOutcome.DECLINED,
    "no-answer": OfferOutcome.MISSED,
    "failed": OfferOutcome.DEVICE_LOST,
    "canceled": OfferOutcome.WITHDRAWN,
    # Ended like a conversation, yet never answered: somebody else was quicker, or the caller went.
    "completed": OfferOutcome.WITHDRAWN,
}

#: How a <Dial> ended → what became of the offers of its step. One word for all of its legs proves little of any one of
#: them, so it ranks below what the leg itself, or the agent, said: busy may be one agent's word and not another's.
_DIAL_ENDED: Final[Mapping[DialStatus, OfferOutcome]] = {
    DialStatus.COMPLETED: OfferOutcome.WITHDRAWN,
    DialStatus.CANCELED: OfferOutcome.WITHDRAWN,
    DialStatus.NO_ANSWER: OfferOutcome.MISSED,
    DialStatus.BUSY: OfferOutcome.MISSED,
    DialStatus.FAILED: OfferOutcome.MISSED,
    DialStatus.UNKNOWN: OfferOutcome.MISSED,
}

#: Where one was rung alone, the Dial's word is his leg's.
_DIAL_OF_ONE: Final[Mapping[DialStatus, OfferOutcome]] = {
    DialStatus.BUSY: OfferOutcome.DECLINED,
    DialStatus.FAILED: OfferOutcome.DEVICE_LOST,
}


@dataclass(frozen=True, slots=True)
class Leg:
    """One party's connection."""

    call_sid: str
    kind: LegKind
    started_at: datetime
    agent_id: int | None = None
    parent_call_sid: str = ""
    status: LegStatus = LegStatus.INITIATED
    #: Telnyx's final word; empty while the leg is up.
    end_status: str = ""
    hangup_cause: str = ""
    hangup_source: str = ""
    sip_code: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.status is not LegStatus.ENDED

    @property
    def was_answered(self) -> bool:
        return self.answered_at is not None


class HowEnded(StrEnum):
    """What the end of a browser's leg says of whoever sat before it."""

    #: A bye, or somebody ended the leg on purpose.
    LEFT = "left"
    #: No sound, no socket: nobody said good-bye.
    LOST = "lost"
    UNKNOWN = "unknown"


#: Telnyx's causes of a leg that nobody ended (webhooks.md section 6; docs/telnyx-assumptions.md, C-16).
_LOST_CAUSES: Final = frozenset({"timeout", "unspecified", "not_found"})


def how_ended(leg: Leg) -> HowEnded:
    """Say how an answered leg ended, as far as its own news tells."""
    if not leg.hangup_cause:
        return HowEnded.UNKNOWN
    return HowEnded.LOST if leg.hangup_cause in _LOST_CAUSES else HowEnded.LEFT


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the legs of a call amount to."""

    status: CallStatus
    outcome: Outcome
    #: Which of our agents answered first; None when nobody of ours did.
    agent_id: int | None
    answered_at: datetime | None
    ended_at: datetime | None
    hangup_cause: str


def advance(leg: Leg, news: LegProgress, heard_at: datetime) -> Leg:
    """Return the leg after a piece of news. ``heard_at`` stands in for a moment that the news does not name."""
    status = _LEG_STATUS.get(news.status)
    at = news.occurred_at or heard_at
    ended = status is LegStatus.ENDED
    return replace(
        leg,
        status=_later(LEG_ORDER, leg.status, status or LegStatus.INITIATED),
        agent_id=leg.agent_id if leg.agent_id is not None else news.agent_id,
        parent_call_sid=leg.parent_call_sid or news.parent_call_sid,
        started_at=min(leg.started_at, news.started_at or leg.started_at),
        answered_at=_earlier(leg.answered_at, _answered_at(news, status, at)),
        ended_at=_earlier(leg.ended_at, (news.ended_at or at) if ended else None),
        end_status=max(leg.end_status, news.status) if ended else leg.end_status,
        hangup_cause=max(leg.hangup_cause, news.hangup_cause),
        hangup_source=max(leg.hangup_source, news.hangup_source),
        sip_code=max(leg.sip_code, news.sip_code),
    )


def _answered_at(news: LegProgress, status: LegStatus | None, at: datetime) -> datetime | None:
    """Return since when the leg has been answered, if this news says so.

    The end of a leg repeats when it was answered, so a lost ``answered`` is made good. A bare ``completed`` proves
    nothing: whether the losers of a ring group end with that word is not documented.
    """
    if news.answered_at is not None:
        return news.answered_at
    if status is LegStatus.IN_PROGRESS:
        return at
    if news.status == "completed" and news.duration_s:
        return (news.ended_at or at) - timedelta(seconds=news.duration_s)
    return None


def offer_after(offer: OfferOutcome, leg: Leg) -> OfferOutcome:
    """Return the outcome of an agent's offer, given where his leg stands."""
    if leg.was_answered:
        return OfferOutcome.ANSWERED
    if leg.is_live:
        return offer
    return _later(OFFER_ORDER, offer, _UNANSWERED.get(leg.end_status, OfferOutcome.WITHDRAWN))


def offer_after_dial(offer: OfferOutcome, dial: DialStatus, rung: int) -> OfferOutcome:
    """Return the outcome of an offer after its ``<Dial>``, which rang so many, ended; the leg's own word is surer."""
    if rung == 1 and dial in _DIAL_OF_ONE:
        return _later(OFFER_ORDER, offer, _DIAL_OF_ONE[dial])
    return _later(OFFER_ORDER, offer, _DIAL_ENDED[dial])


def offer_after_call(offer: OfferOutcome) -> OfferOutcome:
    """Return the outcome of an offer whose call is over, or was answered by somebody else."""
    return OfferOutcome.WITHDRAWN if offer is OfferOutcome.PENDING else offer


def offer_after_answer(offer: OfferOutcome, *, is_over: bool, same_step_answered: bool) -> OfferOutcome:
    """Return the outcome of an offer once somebody talks: only those who were rung together with him rang in vain."""
    return offer_after_call(offer) if is_over or same_step_answered else offer


#: How the called party's leg ended unanswered → the outcome of the agent's call.
_OUTBOUND: Final[Mapping[str, Outcome]] = {
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "canceled": Outcome.CANCELED,
    "completed": Outcome.CANCELED,
    "failed": Outcome.FAILED,
}


def fold_outbound(legs: Sequence[Leg], known: Outcome = Outcome.NONE) -> CallFacts:
    """Return what the legs say of a call that an agent placed. The called party's leg is the call.

    Before there is one, the call is over as soon as nobody of ours is on it.
    """
    called = next((leg for leg in legs if leg.kind is LegKind.CALLED), None)
    agents = sorted(
        (leg for leg in legs if leg.kind is LegKind.AGENT and leg.agent_id is not None),
        key=lambda leg: (leg.started_at, leg.call_sid),
    )
    if called is None:
        over = bool(legs) and not any(leg.is_live for leg in legs)
        ended_at = max((leg.ended_at for leg in legs if leg.ended_at is not None), default=None)
    else:
        over, ended_at = not called.is_live, called.ended_at
    talked = called is not None and called.was_answered
    outcome = known
    if talked:
        outcome = Outcome.ANSWERED
    elif over and known is Outcome.NONE:
        outcome = _OUTBOUND.get(called.end_status, Outcome.FAILED) if called else Outcome.CANCELED
    return CallFacts(
        status=CallStatus.COMPLETED if over else CallStatus.IN_PROGRESS if talked else CallStatus.RINGING,
        outcome=outcome,
        agent_id=agents[0].agent_id if agents else None,
        answered_at=called.answered_at if called else None,
        ended_at=ended_at if over else None,
        hangup_cause=called.hangup_cause if over and called else "",
    )


def fold(legs: Sequence[Leg], offers: Iterable[OfferOutcome], known: Outcome = Outcome.NONE) -> CallFacts:
    """Return what the legs say of a call that came in; ``fold_outbound`` does it for one that an agent placed.

    ``known`` is what is certain without them: voicemail (a message was left), unassigned, blocked, failed. The call is
    over when the caller's leg is: whatever is connected to it ends with it (webhooks.md section 5).
    """
    caller = next((leg for leg in legs if leg.kind is LegKind.CALLER), None)
    answered = sorted(
        (leg for leg in legs if leg.kind is not LegKind.CALLER and leg.was_answered),
        key=lambda leg: (leg.answered_at or leg.started_at, leg.call_sid),
    )
    agents = [leg.agent_id for leg in answered if leg.kind is LegKind.AGENT and leg.agent_id is not None]
    over = caller is not None and not caller.is_live
    return CallFacts(
        status=CallStatus.COMPLETED if over else CallStatus.IN_PROGRESS if answered else CallStatus.RINGING,
        outcome=_outcome(answered, tuple(offers), known, over),
        agent_id=agents[0] if agents else None,
        answered_at=answered[0].answered_at if answered else None,
        ended_at=caller.ended_at if over and caller else None,
        hangup_cause=caller.hangup_cause if over and caller else "",
    )


def _outcome(answered: Sequence[Leg], offers: Sequence[OfferOutcome], known: Outcome, over: bool) -> Outcome:
    if any(leg.kind is LegKind.AGENT for leg in answered):
        return Outcome.ANSWERED
    if answered:
        return Outcome.FORWARDED
    if known in {Outcome.VOICEMAIL, Outcome.FAILED, Outcome.UNASSIGNED, Outcome.BLOCKED} or not over:
        return known
    # The caller went while somebody rang; otherwise he had met nobody, or an empty voicemail.
    rang = {OfferOutcome.PENDING, OfferOutcome.WITHDRAWN}
    return Outcome.ABANDONED if any(offer in rang for offer in offers) else Outcome.MISSED


def later_status(one: CallStatus, other: CallStatus) -> CallStatus:
    return _later(CALL_ORDER, one, other)


def later_outcome(one: Outcome, other: Outcome) -> Outcome:
    return _later(OUTCOME_ORDER, one, other)


def _later(order: Sequence[T], one: T, other: T) -> T:
    return one if order.index(one) >= order.index(other) else other


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)
