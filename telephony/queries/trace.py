"""Why a call was routed as it was: step by step, with whom it was offered to and why them, and where it waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from telephony.core import explain
from telephony.models import Call, Offer, QueueVisit, RouteTrace
from telephony.queries.plans import strategies_of

#: The places of ``Offer.rank``, which is compared from left to right, smallest first.
RANK: Final = ("tier", "key", "skill_score", "idle_s", "calls_today", "agent_id")
LANGUAGES: Final = ("es", "en")


@dataclass(frozen=True, slots=True)
class OfferMade:
    offer: Offer
    #: The strategy of the plan that held then; empty where no queue offered it.
    strategy: str

    def why_first(self, language: str) -> str:
        """Return the sentence that says why he and not another; empty for those who rang together."""
        return explain.rank_in_words(self.offer.rank or (), self.strategy, language)


@dataclass(frozen=True, slots=True)
class Step:
    trace: RouteTrace
    offers: tuple[OfferMade, ...]

    @property
    def at(self) -> datetime:
        return self.trace.at

    def sentences(self, language: str) -> list[str]:
        return explain.sentences(self.trace.reasons, language)


def steps_of(call: Call) -> list[Step]:
    """Return the steps of a call in order. Three statements."""
    traces = list(RouteTrace.objects.filter(call=call).order_by("step"))
    offers = list(Offer.objects.filter(call=call).select_related("agent__user").order_by("step", "id"))
    strategies = strategies_of(trace.plan_version for trace in traces)
    return [Step(trace, _offers_of(trace, offers, strategies)) for trace in traces]


def _offers_of(
    trace: RouteTrace, offers: Sequence[Offer], strategies: Mapping[tuple[int, int], str]
) -> tuple[OfferMade, ...]:
    return tuple(
        OfferMade(offer, strategies.get((trace.plan_version, offer.queue_id or 0), ""))
        for offer in offers
        if offer.step == trace.step
    )


def visits_of(call: Call) -> list[QueueVisit]:
    """Return the call's stays in queues, the oldest first."""
    return list(
        QueueVisit.objects.filter(call=call).select_related("queue", "agent__user").order_by("entered_at", "id")
    )


def as_json(call: Call) -> dict[str, Any]:
    """Return the trace as data and as sentences in both languages."""
    return {
        "steps": [_step_as_json(step) for step in steps_of(call)],
        "visits": [_visit_as_json(visit) for visit in visits_of(call)],
    }


def _step_as_json(step: Step) -> dict[str, Any]:
    trace = step.trace
    return {
        "step": trace.step,
        "at": trace.at,
        "decision": trace.decision,
        "reasons": trace.reasons,
        "sentences": {language: step.sentences(language) for language in LANGUAGES},
        "plan_version": trace.plan_version or None,
        "offers": [_offer_as_json(made) for made in step.offers],
    }


def _offer_as_json(made: OfferMade) -> dict[str, Any]:
    offer = made.offer
    return {
        "agent": {"id": offer.agent.pk, "name": str(offer.agent)},
        "outcome": offer.outcome,
        "offered_at": offer.offered_at,
        "ended_at": offer.ended_at,
        "strategy": made.strategy or None,
        "rank": dict(zip(RANK, offer.rank or (), strict=False)) or None,
        "why_first": {language: made.why_first(language) for language in LANGUAGES},
    }


def _visit_as_json(visit: QueueVisit) -> dict[str, Any]:
    return {
        "queue": {"id": visit.queue.pk, "name": visit.queue.name},
        "entered_at": visit.entered_at,
        "ended_at": visit.ended_at,
        "outcome": visit.outcome,
        "agent": None if visit.agent is None else {"id": visit.agent.pk, "name": str(visit.agent)},
    }
