"""``/routing/``: where calls go, what is wrong with that, who is at work; and what would happen to a call."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from curbe.companies.access import company_of, membership_of, role_required
from curbe.companies.models import SUPERVISING_ROLES
from telephony.forms.rehearsals import ExplainForm
from telephony.queries import account_state, desks, health
from telephony.queries.explain import explain_call
from telephony.queries.history import zone_of
from telephony.queries.roads import roads_of
from telephony.views.problem_words import described


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def routing(request: HttpRequest) -> HttpResponse:
    company, now = company_of(request), timezone.now()
    context = {
        "problems": [described(problem) for problem in health.problems(health.facts_of(company, now))],
        "roads": roads_of(company),
        "desks": desks.desks_of(company, now),
        "wrong_at_telnyx": account_state.wrong_of(company),
        "may_edit": membership_of(request).administers,
        "zone": zone_of(company.timezone),
    }
    return render(request, "telephony/plan_routing.html", context)


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def routing_desks(request: HttpRequest) -> HttpResponse:
    """The queues of the overview, as a push refetches them."""
    company = company_of(request)
    context = {"desks": desks.desks_of(company, timezone.now()), "zone": zone_of(company.timezone)}
    return render(request, "telephony/_plan_desks.html", context)


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def routing_explain(request: HttpRequest) -> HttpResponse:
    """What would happen to a call to a number, from somebody, at some moment. Changes nothing."""
    company, now = company_of(request), timezone.now()
    form = ExplainForm(request.GET if "call-to" in request.GET else None, company=company)
    explanation = None
    if form.is_bound and form.is_valid():
        asked = form.cleaned_data
        explanation = explain_call(
            company, asked["to"], asked["caller"], asked["at"] or now, now=now, language=get_language() or "es"
        )
    context = {"form": form, "explanation": explanation, "zone": zone_of(company.timezone)}
    return render(request, "telephony/plan_explain.html", context)
