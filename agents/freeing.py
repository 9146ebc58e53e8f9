"""Ends what keeps an agent from calls by somebody's word: his own, or that of who supervises him."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents import standing
from agents.models import Activity, Intent, WrapUpMode
from agents.operations import UnknownAgent
from agents.presence import is_wrapping_up
from agents.settling import end_what_ran_out, settle, tell_intent
from agents.standing import By, Standing


class NotWrappingUp(Exception):
    """There is no wrap-up, or it is over."""


class WrapUpIsLocked(Exception):
    """This wrap-up ends by the clock, or by who supervises."""


class HeldAnew(Exception):
    """Another call has taken the agent since who asks looked."""


def end_wrap_up(*, agent_id: int, by: By, now: datetime) -> str:
    """End the agent's wrap-up as he wishes; return his presence: what he chose meanwhile holds now.

    Raises UnknownAgent, NotWrappingUp, WrapUpIsLocked.
    """
    with transaction.atomic():
        row = _locked(agent_id)
        if row.activity != Activity.WRAP_UP or not is_wrapping_up(row.facts(), now):
            raise NotWrappingUp(agent_id)
        if row.wrap_up_mode == WrapUpMode.TIMED_LOCKED:
            raise WrapUpIsLocked(agent_id)
        call_id = row.wrap_up_call_id
        row.free()
        settle([row], reason="wrap_up_done", call_id=call_id, by=by, now=now)
    return row.presence


def set_free(*, agent_id: int, held_by: UUID | None, by: By, now: datetime) -> str:
    """Make the agent available again as far as others may; return his presence. Always noted, with who and why.

    What ends: a wrap-up, a call or a ringing (``held_by``: the call that who asks found to be over), not responding, a
    break. What he chose while busy holds now, and being offline is his own. Raises UnknownAgent, HeldAnew.
    """
    with transaction.atomic():
        row = _locked(agent_id)
        if row.busy_call_id != held_by:
            raise HeldAnew(agent_id)
        end_what_ran_out(row, now)
        call_id = row.busy_call_id or row.wrap_up_call_id
        was_busy = row.activity not in {Activity.IDLE, Activity.NOT_RESPONDING}
        row.free()
        row.missed_in_a_row = 0
        was_on_a_break = row.intent == Intent.BREAK and not was_busy
        if was_on_a_break:
            row.choose(Intent.AVAILABLE, None)
        row.is_noted = True
        settle([row], reason="released", call_id=call_id, by=by, now=now)
        if was_on_a_break:
            tell_intent(agent_id)
    return row.presence


def _locked(agent_id: int) -> Standing:
    rows = standing.lock(standing.LOCK_THESE, agents=[agent_id])
    if not rows or not rows[0].is_active:
        raise UnknownAgent(agent_id)
    return rows[0]
