"""What every template may know. Nothing is read before a template asks for it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import DisallowedHost
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from curbe.companies.access import NotAMember, membership_of, memberships_of
from curbe.companies.models import Company, Membership, User
from curbe.lib.http import websocket_origin


def current_company(request: HttpRequest) -> dict[str, Any]:
    """Give ``company``, ``membership``, ``agent`` (each may be None) and ``other_companies`` (a list)."""
    return {
        "company": SimpleLazyObject(lambda: _company(request)),
        "membership": SimpleLazyObject(lambda: _membership(request)),
        "other_companies": SimpleLazyObject(lambda: _other_companies(request)),
        "agent": SimpleLazyObject(lambda: _agent(request)),
    }


def addresses(request: HttpRequest) -> dict[str, str]:
    """Give ``live_url``: where the WebSocket of this browser is."""
    try:
        return {"live_url": f"{websocket_origin(request)}/ws/live"}
    except DisallowedHost:
        # The page that says so is rendered too.
        return {"live_url": ""}


def _membership(request: HttpRequest) -> Membership | None:
    # Some error pages are rendered before anybody knows who asks.
    if not hasattr(request, "user"):
        return None
    try:
        return membership_of(request)
    except NotAMember:
        return None


def _company(request: HttpRequest) -> Company | None:
    membership = _membership(request)
    return membership.company if membership else None


def _other_companies(request: HttpRequest) -> list[Company]:
    membership = _membership(request)
    return [one.company for one in memberships_of(request) if one != membership] if membership else []


def _agent(request: HttpRequest) -> Model | None:
    """Return the agent that the member answers as, if he is one. Agents know companies, not the other way round."""
    membership = _membership(request)
    if membership is None or not isinstance(request.user, User):
        return None
    # By request.user, who is there already: membership.user would be asked for.
    agent: Model | None = request.user.agents.filter(company_id=membership.company_id, is_active=True).first()
    return agent
