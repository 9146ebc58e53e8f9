"""``/agents/<id>/why/``: why an agent gets no calls, for himself and for who supervises, who can release him there."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from agents.freeing import HeldAnew
from agents.models import Agent
from agents.operations import UnknownAgent
from agents.standing import By
from curbe.companies.access import (
    company_of,
    for_company,
    get_for_company,
    member_required,
    membership_of,
    role_required,
)
from curbe.companies.models import SUPERVISING_ROLES
from telephony.models import Offer
from telephony.operations import releasing
from telephony.queries.history import zone_of
from telephony.queries.why import standing_of

#: Rings that are listed, newest first.
LISTED = 10
#: Codes of what somebody else can release an agent from. A call is not: it is ended.
RELEASABLE = frozenset({"wrap_up", "chose_break", "not_responding", "busy", "ringing"})
LONGEST_REASON = 200


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
    standing = standing_of(agent, company, timezone.now())
    context = {
        "who": agent,
        "is_himself": is_himself,
        "standing": standing,
        "may_release": membership.supervises and standing.why_not in RELEASABLE,
        "offers": list(offers),
        "supervises": membership.supervises,
        "zone": zone_of(company.timezone),
    }
    return render(request, "telephony/plan_why.html", context)


@require_POST
@role_required(*SUPERVISING_ROLES)
def release_agent(request: HttpRequest, agent_id: int) -> HttpResponse:
    agent = get_for_company(request, for_company(request, Agent).select_related("user"), pk=agent_id)
    reason = request.POST.get("reason", "").strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        messages.error(request, _("Write why, in up to 200 characters. Nothing was changed."))
        return redirect("agent-why", agent.pk)
    by = By(membership_of(request).user_id, reason)
    try:
        releasing.release_agent(agent=agent, by=by, now=timezone.now())
    except releasing.HasLiveLeg:
        messages.error(request, _("The phone rings there, or the agent talks: end the call instead."))
    except (HeldAnew, UnknownAgent):
        messages.error(request, _("Something has just changed there. Look again."))
    else:
        messages.success(request, _("%(name)s was released.") % {"name": agent.user.get_full_name()})
    return redirect("agent-why", agent.pk)
