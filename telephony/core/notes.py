"""The reasons of one decision, collected while it is made."""

from __future__ import annotations

from datetime import datetime

from telephony.core import hours
from telephony.core.plan import CompanyPlan
from telephony.core.types import Candidate, Reason


class Notes:
    """Reasons in the order in which they were weighed; codes are those of ``telephony.core.explain``."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []

    def add(self, code: str, **values: object) -> None:
        self.reasons.append({"code": code, **values})

    def of(self, agent: Candidate, code: str, **values: object) -> None:
        """Note what became of one agent."""
        self.reasons.append({"code": code, "agent": agent.name, "agent_id": agent.agent_id, **values})

    def is_closed(self, plan: CompanyPlan, hours_id: int | None, now: datetime) -> bool:
        """Say whether the hours are closed now, and note it if they are. No hours, or hours that are gone: open."""
        calendar = plan.hours.get(hours_id) if hours_id is not None else None
        if calendar is None:
            return False
        standing = hours.standing(calendar, now)
        if standing.is_open:
            return False
        if standing.name:
            self.add("closed_on_named_date", name=calendar.name, date=standing.name)
        else:
            self.add(f"closed_{standing.why}", name=calendar.name)
        return True
