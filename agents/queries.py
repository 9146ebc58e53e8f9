"""Reads about agents."""

from __future__ import annotations

from datetime import datetime

from agents.models import Agent
from agents.presence import BEAT_TTL, AgentFacts, derive
from curbe.companies.models import Membership


def agent_of(membership: Membership) -> Agent | None:
    """Return the agent that this member answers as, with his beat; None for members who do not answer calls."""
    rows = Agent.objects.filter(company_id=membership.company_id, user_id=membership.user_id, is_active=True)
    return rows.select_related("beat").first()


def presence_of(agent: Agent, now: datetime) -> str:
    """Return the word as it is now, whatever the cache says. Reads the beat, if it was not selected with the agent."""
    return derive(facts_of(agent), now)


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
    )
