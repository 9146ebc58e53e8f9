"""``/numbers/``: the numbers of a company, and where each leads."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from curbe.companies.access import company_of, for_company, get_for_company, role_required
from curbe.companies.models import SUPERVISING_ROLES
from telephony.forms.numbers import NumberForm
from telephony.models import PhoneNumber
from telephony.queries.place_choices import place_choices
from telephony.queries.roads import roads_of
from telephony.views import plan_pages


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def numbers(request: HttpRequest) -> HttpResponse:
    return render(request, "telephony/plan_numbers.html", {"roads": roads_of(company_of(request))})


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def number(request: HttpRequest, number_id: int) -> HttpResponse:
    rows = for_company(request, PhoneNumber).select_related("when_closed")
    row = get_for_company(request, rows, pk=number_id)
    company = company_of(request)
    data = request.POST if request.method == "POST" else None
    form = NumberForm(data, company=company, choices=place_choices(company), instance=row)
    context = {"number": row, "name": row.label}
    return plan_pages.edit(request, form, "telephony/plan_number.html", context, place=_place)


def _place(row: PhoneNumber) -> str:
    return row.e164
