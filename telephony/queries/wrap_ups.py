"""The work after a call as the agent's phone shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.models import Agent, WrapUpMode
from agents.presence import is_wrapping_up
from agents.queries import facts_of
from telephony.models import Call, CallWrapUp, Disposition


def dispositions_of(company_id: int) -> list[Disposition]:
    """Return the dispositions that the company's agents can choose, in their order."""
    rows = Disposition.objects.filter(company=company_id, is_active=True, is_system=False)
    return list(rows.order_by("position", "id"))


def requires_disposition(agent: Agent) -> bool:
    """Say whether the agent's wrap-up ends only when he has said how the call went. Without a choice nobody must."""
    required = agent.wrap_up_mode == WrapUpMode.REQUIRED_DISPOSITION
    return required and bool(dispositions_of(agent.company_id))


def wrap_up_of(agent: Agent, now: datetime) -> dict[str, Any] | None:
    """Return the agent's wrap-up as the API writes it, for a page that was loaded in the middle of it; None if none."""
    if not is_wrapping_up(facts_of(agent), now):
        return None
    rows = CallWrapUp.objects.filter(agent=agent, call=agent.wrap_up_call_id, ended_at=None)
    kept = rows.select_related("disposition").first()
    choices = dispositions_of(agent.company_id)
    return {
        "call_id": None if agent.wrap_up_call_id is None else str(agent.wrap_up_call_id),
        "mode": agent.wrap_up_mode,
        "since": agent.wrap_up_since,
        "until": agent.wrap_up_until,
        "may_end": agent.wrap_up_mode != WrapUpMode.TIMED_LOCKED,
        "disposition_required": agent.wrap_up_mode == WrapUpMode.REQUIRED_DISPOSITION and bool(choices),
        "disposition": kept.disposition.code if kept and kept.disposition else "",
        "note": kept.note if kept else "",
        "dispositions": [{"code": one.code, "name": one.name} for one in choices],
    }


def said_of(call: Call) -> tuple[Disposition | None, str]:
    """Return how the call went and the notes on it, as its agents said it, the last one's word first. One statement."""
    rows = list(CallWrapUp.objects.filter(call=call).select_related("disposition").order_by("-started_at", "-id"))
    chosen = [row.disposition for row in rows if row.disposition is not None and not row.disposition.is_system]
    timed_out = [row.disposition for row in rows if row.disposition is not None]
    notes = [row.note for row in rows if row.note]
    return next(iter([*chosen, *timed_out]), None), "\n\n".join(notes)
