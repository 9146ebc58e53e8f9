"""A supervisor releases an agent from what keeps him from calls, unless it is a call that is really there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.freeing import set_free
from agents.models import Activity, Agent
from agents.standing import By
from curbe.lib.ids import uuid7
from telephony.models import Call, CallLeg, CallWrapUp, Offer, TelnyxEvent
from telephony.operations import ledger, wrap_ups


class HasLiveLeg(Exception):
    """The agent's phone rings, or he talks: a call ends by being ended."""


def release_agent(*, agent: Agent, by: By, now: datetime) -> str:
    """Release the agent; return his presence. Raises HasLiveLeg, and HeldAnew and UnknownAgent of ``agents``.

    1. the call that holds him is locked, and looked at; 2. he is freed if it has nothing of him, and it is noted with
    who and why; 3. of a call that is concerned the ledger is told.
    """
    with transaction.atomic():
        call_id = agent.busy_call_id if agent.activity in {Activity.RESERVED, Activity.ON_CALL} else None
        if call_id is not None and _is_live(agent, call_id, now):
            raise HasLiveLeg(agent.pk)
        presence = set_free(agent_id=agent.pk, held_by=agent.busy_call_id, by=by, now=now)
        wrap_ups.ended_by(CallWrapUp.Ended.RELEASED, agent_id=agent.pk, now=now)
    about = call_id or agent.wrap_up_call_id
    call = Call.objects.filter(pk=about, company=agent.company_id).first() if about is not None else None
    if call is not None:
        _tell_the_ledger(call, agent, by, now)
    return presence


def _is_live(agent: Agent, call_id: UUID, now: datetime) -> bool:
    call = Call.objects.select_for_update().filter(pk=call_id).first()
    if call is None:
        # A call that is being opened claims its agents a moment before its row is there.
        return agent.reserved_until is not None and agent.reserved_until > now
    if call.status == Call.Status.COMPLETED:
        return False
    legs = CallLeg.objects.filter(call=call, agent=agent).exclude(status=CallLeg.Status.ENDED)
    # Its leg may not have been heard of yet.
    rings = Offer.objects.filter(call=call, agent=agent, outcome=Offer.Outcome.PENDING, expires_at__gt=now)
    return legs.exists() or rings.exists()


def _tell_the_ledger(call: Call, agent: Agent, by: By, now: datetime) -> None:
    ledger.note(
        kind="agent.released",
        dedupe_key=f"curbe:agent.released:{uuid7()}",
        payload={"agent": agent.pk, "by": by.user_id, "reason": by.words},
        call=call,
        source=TelnyxEvent.Source.CURBE,
        now=now,
    )
