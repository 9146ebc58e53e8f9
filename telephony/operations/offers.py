"""Offers end: because the ``<Dial>`` that made them did, or because their time is over."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from agents.operations import release
from telephony.core import call_state
from telephony.core.call_state import OfferOutcome
from telephony.core.types import DialStatus
from telephony.models import Call, Offer
from telephony.operations.progress import tell_ended


def dial_ended(call_id: uuid.UUID, *, step: int, dial_status: DialStatus, now: datetime) -> None:
    """Close the offers of a step whose ``<Dial>`` ended, and free their agents.

    An agent who answered keeps the call until his own leg ends. The call's row is locked first, as the ledger does it,
    so that an instruction and a notification that meet wait for each other and never deadlock.
    """
    with transaction.atomic():
        Call.objects.select_for_update().only("pk").get(pk=call_id)
        offers = list(Offer.objects.filter(call_id=call_id, step=step).order_by("id"))
        ended: list[Offer] = []
        for offer in offers:
            before = OfferOutcome(offer.outcome)
            after = call_state.offer_after_dial(before, dial_status)
            if after is before:
                continue
            offer.outcome = after
            if before is OfferOutcome.PENDING:
                offer.ended_at = now
                ended.append(offer)
            offer.save(update_fields=["outcome", "ended_at"])
        _free(call_id, ended, now)


def _free(call_id: uuid.UUID, ended: Sequence[Offer], now: datetime) -> None:
    for outcome in sorted({offer.outcome for offer in ended}):
        agent_ids = sorted(offer.agent_id for offer in ended if offer.outcome == outcome)
        release(call_id=call_id, agent_ids=agent_ids, reason=str(outcome), now=now)
    tell_ended(ended)
