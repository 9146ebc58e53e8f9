"""As which agent somebody asks about a call."""

from __future__ import annotations

from uuid import UUID

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from agents.models import Agent
from agents.queries import agent_of
from agents.views import NOT_AN_AGENT, my_agent
from curbe.companies.access import NotAMember, membership_in
from telephony.models import Call


def agent_in_the_company_of(request: Request, call_id: UUID) -> Agent:
    """Return who asks as an agent of the call's company, which need not be the open one: another tab may have switched.

    Of a call in a company that is not his the answer is the open company's agent, who does not know it either.
    """
    company_id = Call.objects.filter(pk=call_id).values_list("company__public_id", flat=True).first()
    try:
        agent = agent_of(membership_in(request, company_id or ""))
    except NotAMember:
        return my_agent(request)
    if agent is None:
        raise PermissionDenied(NOT_AN_AGENT)
    return agent
