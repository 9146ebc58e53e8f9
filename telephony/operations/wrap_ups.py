"""The work after a call: whether there is any, what the agent says of the call in it, and how it ends.

The deadline stands in the agent's own row (``agents``); here is what the call's history keeps of it. Rows are locked
after the agents', whose operations come first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from agents.freeing import NotWrappingUp, end_wrap_up
from agents.models import Activity, Agent, WrapUpMode
from agents.presence import is_wrapping_up
from agents.queries import facts_of
from agents.standing import By
from agents.wrap_ups import WrapUp
from telephony.models import Call, CallLeg, CallQueue, CallWrapUp, Disposition, Offer, WrapUpPolicy
from telephony.queries.wrap_ups import requires_disposition

#: Wrap-ups that one run ends; the next one, 10 s later, goes on.
ENDED_AT_ONCE: Final = 1_000


class UnknownDisposition(Exception):
    """The company has no such disposition that can be chosen."""


class DispositionMissing(Exception):
    """This wrap-up ends when the agent has said how the call went."""


# --- It begins ----------------------------------------------------------------------------------------------------


def policies_of(call: Call, legs: Sequence[CallLeg], offers: Sequence[Offer]) -> dict[int, WrapUp]:
    """Return what comes after this call for the agents who talked on it; nobody is in it for whom nothing does.

    Of an inbound call the queue that offered it speaks, of any other call the company.
    """
    talked = {leg.agent_id for leg in legs if leg.agent_id is not None and leg.answered_at is not None}
    if not talked:
        return {}
    if call.direction == Call.Direction.OUTBOUND:
        reached = any(leg.agent_id is None and leg.answered_at is not None for leg in legs)
        kind = WrapUpPolicy.Calls.OUTBOUND if reached else WrapUpPolicy.Calls.FAILED_OUTBOUND
        found = dict.fromkeys(talked, _of_company(call.company_id, kind))
    else:
        queues = {offer.agent_id: offer.queue_id for offer in offers if offer.outcome == Offer.Outcome.ANSWERED}
        of_queues = _of_queues({queue_id for queue_id in queues.values() if queue_id is not None})
        of_none = None
        if any(queues.get(agent_id) not in of_queues for agent_id in talked):
            of_none = _of_company(call.company_id, WrapUpPolicy.Calls.DIRECT)
        found = {agent_id: of_queues.get(queues.get(agent_id) or 0, of_none) for agent_id in talked}
    return {agent_id: policy for agent_id, policy in found.items() if policy is not None and policy.lasts_s}


def _of_queues(queue_ids: Collection[int]) -> dict[int, WrapUp]:
    if not queue_ids:
        return {}
    rows = CallQueue.objects.filter(pk__in=queue_ids).values_list("pk", "wrap_up_mode", "wrap_up_s")
    return {queue_id: WrapUp(WrapUpMode(mode), seconds) for queue_id, mode, seconds in rows}


def _of_company(company_id: int, kind: WrapUpPolicy.Calls) -> WrapUp | None:
    row = WrapUpPolicy.objects.filter(company=company_id, calls=kind).first()
    return None if row is None else WrapUp(WrapUpMode(row.mode), row.seconds)


def began(call: Call, policies: Mapping[int, WrapUp], released: Collection[int], now: datetime) -> None:
    """Keep that the work after this call began for those who were released into it. Part of a transaction."""
    asked = sorted(policies.keys() & set(released))
    if not asked:
        return
    working = Agent.objects.filter(pk__in=asked, activity=Activity.WRAP_UP, wrap_up_call_id=call.pk)
    agents = list(working.filter(wrap_up_since=now).order_by("pk"))
    # The clock ended the one before, and nobody has come by since to write that down.
    _time_out(_open().filter(agent__in=agents), now)
    CallWrapUp.objects.bulk_create(
        CallWrapUp(
            company_id=call.company_id,
            call=call,
            agent=agent,
            mode=agent.wrap_up_mode,
            started_at=now,
            until=agent.wrap_up_until or now,
        )
        for agent in agents
    )


# --- What the agent says of the call, and that he is done ---------------------------------------------------------


def save(*, agent: Agent, disposition: str | None, note: str | None, now: datetime) -> None:
    """Keep what the agent says of the call, and go on. None: as it is. Raises NotWrappingUp, UnknownDisposition."""
    if not is_wrapping_up(facts_of(agent), now):
        raise NotWrappingUp(agent.pk)
    if not _running(agent).update(**_said(agent, disposition, note)):
        raise NotWrappingUp(agent.pk)


def finish(*, agent: Agent, disposition: str | None, note: str | None, by: By, now: datetime) -> str:
    """Keep what the agent says of the call, and end its work; return his presence.

    Raises NotWrappingUp, UnknownDisposition, DispositionMissing, and WrapUpIsLocked of ``agents.freeing``.
    """
    if not is_wrapping_up(facts_of(agent), now):
        raise NotWrappingUp(agent.pk)
    said = _said(agent, disposition, note)
    with transaction.atomic():
        running = _running(agent)
        if requires_disposition(agent):
            known = running.values_list("disposition_id", flat=True).first()
            if said.get("disposition_id", known) is None:
                raise DispositionMissing(agent.pk)
        presence = end_wrap_up(agent_id=agent.pk, by=by, now=now)
        running.update(**said, ended_at=now, ended_how=CallWrapUp.Ended.DONE)
    return presence


def _said(agent: Agent, disposition: str | None, note: str | None) -> dict[str, object]:
    said: dict[str, object] = {} if note is None else {"note": note}
    if disposition is not None:
        said["disposition_id"] = _disposition_id(agent.company_id, disposition) if disposition else None
    # An update of nothing is none; which call it is stays as it is.
    return said or {"agent_id": agent.pk}


def _disposition_id(company_id: int, code: str) -> int:
    found = Disposition.objects.filter(company=company_id, code=code, is_active=True, is_system=False).first()
    if found is None:
        raise UnknownDisposition(code)
    return found.pk


def _open() -> QuerySet[CallWrapUp]:
    return CallWrapUp.objects.filter(ended_at=None)


def _running(agent: Agent) -> QuerySet[CallWrapUp]:
    return _open().filter(agent=agent, call=agent.wrap_up_call_id)


# --- It ends otherwise --------------------------------------------------------------------------------------------


def ended_by(how: CallWrapUp.Ended, *, agent_id: int, now: datetime) -> None:
    """Note that something else than its time ended an agent's work. Part of the transaction that ended it."""
    of_agent = _open().filter(agent=agent_id)
    _time_out(of_agent, now)
    of_agent.update(ended_at=now, ended_how=how)


def end_overdue(now: datetime) -> int:
    """Note the ends that the clock made, with the product's own disposition where nobody said any; return how many.

    Nothing depends on it but the history: whoever routes calls compares the times himself.
    """
    with transaction.atomic():
        # Whoever is locked is being ended by somebody who knows more, and waits for nobody here.
        overdue = _open().filter(until__lte=now).select_for_update(skip_locked=True)
        ids = list(overdue.order_by("pk").values_list("pk", flat=True)[:ENDED_AT_ONCE])
        return _time_out(CallWrapUp.objects.filter(pk__in=ids), now) if ids else 0


def _time_out(rows: QuerySet[CallWrapUp], now: datetime) -> int:
    overdue = rows.filter(ended_at=None, until__lte=now)
    silent = overdue.filter(disposition=None)
    for company_id in set(silent.order_by().values_list("company_id", flat=True)):
        silent.filter(company=company_id).update(disposition=_timed_out_of(company_id))
    return overdue.update(ended_at=F("until"), ended_how=CallWrapUp.Ended.TIMED_OUT)


def _timed_out_of(company_id: int) -> Disposition:
    """Return the disposition that says that nobody said any, made at its first use."""
    named = {"name": Disposition.TIMED_OUT, "is_system": True, "is_active": False}
    return Disposition.objects.get_or_create(company_id=company_id, code=Disposition.TIMED_OUT, defaults=named)[0]
