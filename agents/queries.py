"""Reads about agents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.models import Agent, BreakReason, Intent
from agents.presence import BEAT_TTL, AgentFacts, derive, is_busy
from curbe.companies.models import Membership


def agent_of(membership: Membership) -> Agent | None:
    """Return the agent that this member answers as, with his beat; None for members who do not answer calls."""
    rows = Agent.objects.filter(company_id=membership.company_id, user_id=membership.user_id, is_active=True)
    return rows.select_related("beat", "break_reason").first()


def presence_of(agent: Agent, now: datetime) -> str:
    """Return the word as it is now, whatever the cache says. Reads the beat, if it was not selected with the agent."""
    return derive(facts_of(agent), now)


def break_of(agent: Agent, now: datetime) -> dict[str, Any] | None:
    """Return the break that the agent is on, as the API writes it; None while he works, or the break is pending."""
    if agent.intent != Intent.BREAK or is_busy(facts_of(agent), now):
        return None
    reason = agent.break_reason
    return {
        "code": reason.code if reason else "",
        "name": reason.name if reason else "",
        # One that began with the end of a wrap-up begins in the row with the next sweep or beat.
        "since": agent.break_since or agent.wrap_up_until or agent.presence_at,
        "soft_limit_s": reason.soft_limit_s if reason else 0,
        "hard_limit_s": reason.hard_limit_s if reason else 0,
    }


def breaks_of(company_id: int) -> list[BreakReason]:
    """Return the reasons that the company's agents can choose, in their order."""
    return list(BreakReason.objects.filter(company=company_id, is_active=True).order_by("position", "id"))


def phone_is_elsewhere(agent: Agent, phone_id: str, now: datetime) -> bool:
    """Say whether a phone other than this one holds the agent and is alive."""
    beat = getattr(agent, "beat", None)
    return beat is not None and beat.phone_id not in {"", phone_id} and beat.last_seen_at > now - BEAT_TTL


def facts_of(agent: Agent) -> AgentFacts:
    beat = getattr(agent, "beat", None)
    return AgentFacts(
        intent=agent.intent,
        activity=agent.activity,
        reserved_until=agent.reserved_until,
        wrap_up_until=agent.wrap_up_until,
        last_seen_at=None if beat is None else beat.last_seen_at,
        ready=beat is not None and beat.ready,
        microphone=beat is not None and beat.microphone,
        has_live_call=agent.busy_call_id is not None,
        degraded=beat is not None and beat.degraded,
        intent_before=agent.intent_before,
    )
