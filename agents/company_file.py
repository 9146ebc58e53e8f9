"""What the company file says of agents: who answers calls. Who has the role agent does, unless `answers` says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.models import Agent
from curbe.companies import field_types
from curbe.companies.company_file import Extension, Field, Import, Row
from curbe.companies.models import Company, Membership, Role


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    agents = {agent.user_id: agent for agent in Agent.objects.filter(company=run.company)}
    members = {one.user.username: one for one in _memberships(run.company)}
    for row in rows:
        membership = members.get(row["username"])
        if membership is not None:  # else he was refused
            _set(run, membership, agents.get(membership.user_id), row)


def _set(run: Import, membership: Membership, agent: Agent | None, row: Row) -> None:
    by_role = membership.role == Role.AGENT
    is_new = agent is None or membership.user_id in run.joined
    before = agent is not None and agent.is_active
    answers = run.wanted(row, "answers", now=by_role or before if is_new else before, default=by_role)
    if answers == before:
        return
    Agent.objects.update_or_create(company=run.company, user=membership.user, defaults={"is_active": answers})
    verb = "answers calls" if answers else "answers calls no more"
    run.note("~" if agent else "+", f"agent {membership.user.username}: {verb}")


def export(company: Company) -> Mapping[str, dict[str, Any]]:
    active = set(Agent.objects.filter(company=company, is_active=True).values_list("user_id", flat=True))
    return {
        one.user.username: {"answers": one.user_id in active}
        for one in _memberships(company)
        if (one.user_id in active) != (one.role == Role.AGENT)
    }


def _memberships(company: Company) -> list[Membership]:
    return list(Membership.objects.filter(company=company).select_related("user"))


EXTENSION: Final = Extension("users", (Field("answers", field_types.boolean),), apply, export)
