"""How every change of an agent ends: the word derived anew, written with the row, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from agents import signals, standing
from agents.models import Activity, Presence
from agents.presence import is_reserved, is_wrapping_up
from agents.standing import NOBODY, By, Standing
from curbe.lib import push


def settle(
    rows: Sequence[Standing],
    *,
    reason: str | Mapping[int, str],
    now: datetime,
    call_id: UUID | Mapping[int, UUID | None] | None = None,
    by: By = NOBODY,
) -> int:
    """Write locked rows as they are now, the word derived anew, and tell of each word that changed; return how many.

    ``reason`` and ``call_id`` are one for all, or one per agent.
    """
    reasons = dict.fromkeys((row.id for row in rows), reason) if isinstance(reason, str) else reason
    calls = call_id if isinstance(call_id, Mapping) else dict.fromkeys((row.id for row in rows), call_id)
    changes = standing.write(rows, reasons=reasons, calls=calls, now=now, by=by)
    for change in changes:
        tell(change.agent_id, change.company_id, change.after)
    freed = [change.agent_id for change in changes if change.after == Presence.AVAILABLE]
    if freed:
        # After the commit: who looks for a caller must find them free.
        transaction.on_commit(partial(signals.freed.send_robust, None, agent_ids=freed, now=now), robust=True)
    return len(changes)


def tell(agent_id: int, company_id: int, presence: str) -> None:
    groups = [push.agent_group(agent_id), push.supervisors_group(company_id)]
    push.send("agent.presence", groups=groups, agent_id=agent_id, presence=presence)


def tell_intent(agent_id: int) -> None:
    """Tell the agent's tabs and computers that what he chose is another now."""
    push.send("agent.intent", groups=[push.agent_group(agent_id)], agent_id=agent_id)


def end_what_ran_out(row: Standing, now: datetime) -> str:
    """End a lease, a wrap-up or a break whose time is over; return the code of what it was, empty if nothing was."""
    facts, code = row.facts(), ""
    if row.activity == Activity.RESERVED and not is_reserved(facts, now):
        row.free()
        code = "lease_over"
    elif row.activity == Activity.WRAP_UP and not is_wrapping_up(facts, now):
        row.free()
        code = "wrap_up_over"
    if row.break_until is not None and row.break_until <= now:
        row.reach_break_limit()
        code = "break_limit"
    return code
