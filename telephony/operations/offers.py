"""Offers end: because the ``<Dial>`` that made them did, or because their time is over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.operations import release_each
from telephony.core import events, leg_state
from telephony.core.leg_state import LegKind, OfferOutcome
from telephony.core.types import DialStatus
from telephony.models import Call, Offer
from telephony.operations import progress


def dial_ended(
    call_id: uuid.UUID, *, step: int, dial_status: DialStatus, now: datetime, payload: Mapping[str, Any] | None = None
) -> None:
    """Close the offers of a step whose ``<Dial>`` ended, and free their agents.

    ``payload`` is the request that said so: the leg that it names was connected and is over, which makes good every
    callback of that leg that was lost. The call's row is locked first, as the ledger does it, so that an instruction
    and a notification that meet wait for each other and never deadlock.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=call_id)
        _connected_leg_ended(call, step, events.dialled_leg(payload or {}), now)
        offers = list(Offer.objects.filter(call_id=call_id, step=step).order_by("id"))
        outcomes = {
            offer.pk: leg_state.offer_after_dial(OfferOutcome(offer.outcome), dial_status, rung=len(offers))
            for offer in offers
        }
        ended = progress.close_offers(offers, outcomes, now)
        # Only a ringing that nobody answered is one that he let ring out: that the Dial of a group failed, or was busy,
        # says nothing of any one of them, and counts for none.
        missed = progress.most_misses(ended) if dial_status is DialStatus.NO_ANSWER else {}
        _free(call_id, ended, missed, now)


def withdraw(call_id: uuid.UUID, *, step: int, now: datetime) -> None:
    """Take back the offers of a step of a locked call that nobody rang for, and free their agents."""
    made = list(Offer.objects.filter(call_id=call_id, step=step).order_by("id"))
    outcomes = {offer.pk: leg_state.offer_after_call(OfferOutcome(offer.outcome)) for offer in made}
    _free(call_id, progress.close_offers(made, outcomes, now), {}, now)


def _connected_leg_ended(call: Call, step: int, news: events.LegProgress | None, now: datetime) -> None:
    if news is None:
        return
    rung = list(Offer.objects.filter(call=call, step=step).values_list("agent_id", flat=True))
    # Of one agent who was rung alone it is known who he is, even if no callback of his leg ever came.
    news = replace(news, agent_id=rung[0] if len(rung) == 1 else None)
    progress.heard(call, news, heard_at=now, now=now, kind=LegKind.AGENT if rung else LegKind.FORWARD)


def _free(call_id: uuid.UUID, ended: Sequence[Offer], most_misses: Mapping[int, int], now: datetime) -> None:
    reasons = {offer.agent_id: str(offer.outcome) for offer in ended}
    release_each(call_id=call_id, reasons=reasons, now=now, most_misses=most_misses)
