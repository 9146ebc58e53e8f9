"""What the tests about agents need beside the cast: an agent in an exact state, and what was said of him."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from uuid import UUID

from agents.models import Activity, Agent, Beat, Intent, Presence, PresenceChange
from agents.queries import presence_of
from curbe.companies.models import Company, Membership, Role, User

_numbers = itertools.count(1)


def company_of_agents(name: str = "acme") -> Company:
    return Company.objects.create(slug=f"{name}-{next(_numbers)}", name=name)


def agent_in(
    company: Company,
    *,
    now: datetime,
    beat_age_s: float | None = 1,
    phone_id: str = "phone-1",
    ready: bool = True,
    microphone: bool = True,
    intent: Intent = Intent.AVAILABLE,
    activity: Activity = Activity.IDLE,
    busy_call_id: UUID | None = None,
    reserved_until: datetime | None = None,
    wrap_up_until: datetime | None = None,
    is_active: bool = True,
    presence: Presence | None = None,
) -> Agent:
    """Make an agent; the word that is cached is the true one unless ``presence`` says otherwise."""
    user = User.objects.create(username=f"person-{next(_numbers)}")
    Membership.objects.create(company=company, user=user, role=Role.AGENT)
    agent = Agent.objects.create(
        company=company,
        user=user,
        intent=intent,
        activity=activity,
        busy_call_id=busy_call_id,
        reserved_until=reserved_until,
        wrap_up_until=wrap_up_until,
        is_active=is_active,
    )
    long_ago = now - timedelta(hours=1)
    Agent.objects.filter(id=agent.id).update(idle_since=long_ago, presence_at=long_ago)
    if beat_age_s is not None:
        Beat.objects.create(
            agent=agent,
            phone_id=phone_id,
            last_seen_at=now - timedelta(seconds=beat_age_s),
            ready=ready,
            microphone=microphone,
        )
    agent = Agent.objects.select_related("beat").get(id=agent.id)
    agent.presence = presence or presence_of(agent, now)
    agent.save(update_fields=["presence"])
    return agent


def changes_of(agent: Agent) -> list[tuple[str, str, str]]:
    """Return ``(before, after, reason)`` of each change of the agent's word, oldest first."""
    rows = PresenceChange.objects.filter(agent=agent).order_by("id")
    return [(row.before, row.after, row.reason) for row in rows]
