"""``/agents/<id>/why/``: why an agent gets no calls, for himself and for who supervises."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent
from curbe.companies.access import company_of, for_company, get_for_company, member_required, membership_of
from telephony.models import Offer
from telephony.queries.history import zone_of
from telephony.queries.why import standing_of

#: Rings that are listed, newest first.
LISTED = 10


@require_GET
@never_cache
@member_required
def agent_why(request: HttpRequest, agent_id: int) -> HttpResponse:
    company, membership = company_of(request), membership_of(request)
    agent = get_for_company(request, for_company(request, Agent).select_related("user"), pk=agent_id)
    is_himself = agent.user_id == membership.user_id
    if not (is_himself or membership.supervises):
        raise PermissionDenied
    offers = Offer.objects.filter(agent=agent).select_related("queue", "call").order_by("-id")[:LISTED]
    context = {
        "who": agent,
        "is_himself": is_himself,
        "standing": standing_of(agent, company, timezone.now()),
        "offers": list(offers),
        "supervises": membership.supervises,
        "zone": zone_of(company.timezone),
    }
    return render(request, "telephony/plan_why.html", context)
