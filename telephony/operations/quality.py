"""Keeps how the legs of a call sounded: what Telnyx measured, and what the agent's browser said meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from agents.models import Agent
from curbe.lib import push
from telephony.core.quality import telnyx_quality
from telephony.models import Call, CallLeg, LegQuality, Offer, TelnyxEvent

#: Reports of one leg that are kept: one every 10 s of two hours, or a browser gone mad.
MOST_REPORTS: Final = 720
#: Warnings of one leg that are kept; what comes after them says nothing new.
MOST_WARNINGS: Final = 100


class UnknownCall(LookupError):
    """There is no such call in this company, or it was never this agent's."""


class NoLegYet(Exception):
    """Telnyx has not told of the agent's leg yet: the next report will find it."""


class TooMany(Exception):
    """So many reports are enough for one leg."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a browser measured. None: it did not say."""

    warnings: Sequence[tuple[str, datetime]] = ()
    mos: float | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    loss_percent: float | None = None


def report(*, agent: Agent, call_id: UUID, said: Report, now: datetime) -> LegQuality:
    """Keep what the agent's browser says of his newest leg. Raises UnknownCall, NoLegYet, TooMany."""
    with transaction.atomic():
        call = Call.objects.filter(pk=call_id, company=agent.company_id).first()
        leg = CallLeg.objects.filter(call=call, agent=agent).order_by("-started_at", "-id").first() if call else None
        if call is None or leg is None:
            if call is not None and Offer.objects.filter(call=call, agent=agent).exists():
                raise NoLegYet(call_id)
            raise UnknownCall(call_id)
        LegQuality.objects.get_or_create(leg=leg, defaults={"updated_at": now})
        kept = LegQuality.objects.select_for_update().get(leg=leg)
        if kept.reports >= MOST_REPORTS:
            raise TooMany(call_id)
        kept.reports += 1
        kept.mos = _worse(min, kept.mos, said.mos)
        kept.jitter_ms = _worse(max, kept.jitter_ms, said.jitter_ms)
        kept.rtt_ms = _worse(max, kept.rtt_ms, said.rtt_ms)
        kept.loss_percent = _worse(max, kept.loss_percent, said.loss_percent)
        kept.warnings = _with(kept.warnings, said.warnings)
        kept.updated_at = now
        kept.save()
        push.send("call.updated", groups=[push.company_group(call.company_id)], call_id=str(call.pk))
    return kept


def keep_telnyx(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Keep what the end of a leg says of its sound, if it does. The call's row is locked, and the leg's is there."""
    measured = telnyx_quality(event.payload.get("CallQualityStats"))
    if measured is None:
        return
    leg = CallLeg.objects.filter(call=call, call_sid=event.payload.get("CallSid", "")).first()
    if leg is not None:
        LegQuality.objects.update_or_create(
            leg=leg,
            defaults={
                "telnyx_mos": measured.mos,
                "telnyx_jitter_ms": measured.jitter_ms,
                "telnyx_packets": measured.packets,
                "telnyx_lost": measured.lost,
                "updated_at": now,
            },
        )


def _worse(which: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return which(one, other)


def _with(kept: list[dict[str, Any]], said: Sequence[tuple[str, datetime]]) -> list[dict[str, Any]]:
    """Return the warnings with the new ones; one that was told before is told once."""
    known = {(one["code"], one["at"]) for one in kept}
    new = [{"code": code, "at": at.isoformat()} for code, at in said]
    return [*kept, *(one for one in new if (one["code"], one["at"]) not in known)][:MOST_WARNINGS]
