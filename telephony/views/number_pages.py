"""``/numbers/``: the numbers of a company, and where each leads."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES
from curbe.lib.phone import is_e164
from telephony.forms.number_list import LEADS, WhereForm
from telephony.forms.numbers import NumberForm
from telephony.models import NumberOrder, NumberRelease, PhoneNumber
from telephony.operations.assignments import Target, assign
from telephony.queries.number_list import Leads, narrowed, page
from telephony.queries.place_choices import place_choices
from telephony.queries.roads import roads_of
from telephony.views import plan_pages

#: Fields by which the list is narrowed.
FILTERS = ("q", "leads")


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def numbers(request: HttpRequest) -> HttpResponse:
    company, may_edit = company_of(request), membership_of(request).administers
    text, leads = _filters(request)
    found = page(
        for_company(request, PhoneNumber),
        company_id=company.pk,
        text=text,
        leads=leads,
        after=_after(request.GET.get("after", "")),
    )
    narrows = {name: value for name, value in (("q", text), ("leads", str(leads))) if value}
    context = {
        "roads": roads_of(company, found.numbers),
        "releasing": set(
            for_company(request, NumberRelease)
            .filter(state=NumberRelease.State.REQUESTED)
            .values_list("e164", flat=True)
        ),
        "next": urlencode({**narrows, "after": found.after}) if found.after else "",
        "is_first": "after" not in request.GET,
        "is_narrowed": bool(narrows),
        "q": text,
        "leads": leads,
        "choices": [(value.value, label, value is leads) for value, label in LEADS.items()],
        "form": WhereForm(None, company=company, choices=place_choices(company), keeps=True) if may_edit else None,
        "open_orders": for_company(request, NumberOrder).filter(state__in=NumberOrder.OPEN).count(),
        "may_edit": may_edit,
    }
    return render(request, "telephony/plan_numbers.html", context)


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def assign_numbers(request: HttpRequest) -> HttpResponse:
    """Let the chosen numbers, or all that match, lead to one place; of many the person is asked once more."""
    company = company_of(request)
    text, leads = _filters(request)
    back = f"{reverse('numbers')}?{urlencode({'q': text, 'leads': str(leads)})}"
    takes_all = request.POST.get("all") == "1"
    chosen = narrowed(for_company(request, PhoneNumber), company_id=company.pk, text=text, leads=leads)
    if not takes_all:
        chosen = _chosen(request, chosen)
    form = WhereForm(request.POST, company=company, choices=place_choices(company), keeps=True)
    context = {"form": form, "q": text, "leads": leads, "back": back}
    if not form.is_valid():
        amount = chosen.count()
        return render(request, "telephony/numbers_assign.html", {**context, "amount": amount, "posted": request.POST,
                      "ids": request.POST.getlist("number"), "takes_all": takes_all}, status=422)  # fmt: skip
    if takes_all and "sure" not in request.POST:
        return render(request, "telephony/numbers_assign.html", {**context, "amount": chosen.count(),
                      "takes_all": True, "asks": True})  # fmt: skip
    amount = assign(chosen, Target(form.destination, company.pk), form.wish)
    if not amount:
        messages.error(request, _("Choose at least one number."))
    else:
        told = ngettext("%(amount)d number was assigned.", "%(amount)d numbers were assigned.", amount)
        messages.success(request, told % {"amount": amount})
    return redirect(back)


def _chosen(request: HttpRequest, numbers: QuerySet[PhoneNumber]) -> QuerySet[PhoneNumber]:
    ids = request.POST.getlist("number")
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in ids):
        raise BadRequest("number")
    # Whatever was narrowed since: those that were ticked are meant.
    return for_company(request, PhoneNumber).filter(pk__in=[int(one) for one in ids])


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


def _filters(request: HttpRequest) -> tuple[str, Leads]:
    given = request.POST if request.method == "POST" else request.GET
    text = given.get("q", "").replace("\x00", "").strip()[:64]
    try:
        return text, Leads(given.get("leads", ""))
    except ValueError as err:
        raise BadRequest("leads") from err


def _after(text: str) -> str:
    if text and not is_e164(text):
        raise BadRequest("after")
    return text
