"""Buying numbers for any company, from the console: the company's own page, with the company chosen first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from curbe.companies.models import Company, User
from telephony.forms.number_purchase import PurchaseForm, SearchForm
from telephony.models import NumberOrder
from telephony.operations.number_orders import Ordered, UnableToOrder, Wired, order_numbers, repeated
from telephony.queries.place_choices import place_choices
from telephony.views import order_words
from telephony.views.number_buying import not_ordered, search_for, shown, where_it_rings


class CompanyForm(forms.Form):
    """For whom; a GET parameter of the page, so that it stays while somebody searches."""

    company = forms.ModelChoiceField(Company.objects.order_by("name"), label=gettext_lazy("company"))


def buy(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Search and buy for the company that the address names. Who may was checked by the console."""
    chosen = CompanyForm(request.GET if "company" in request.GET else None)
    company = chosen.cleaned_data["company"] if chosen.is_valid() else None
    page: dict[str, Any] = {**context, "chosen": chosen, "company": company, "title": _("Buy numbers")}
    if company is None:
        return TemplateResponse(request, "admin/telephony/phonenumber/buy.html", page)
    posted = request.POST if request.method == "POST" else None
    asked = posted or request.GET
    search = SearchForm(asked if "country" in asked else None)
    form = PurchaseForm(posted, company=company, choices=place_choices(company))
    if posted is not None and form.is_valid():
        ordered = _order(request, company, form)
        if ordered is not None and (ordered.orders or not (ordered.taken or ordered.owned)):
            return redirect("admin:telephony_phonenumber_purchase", ordered.purchase)
    found = search_for(company, search, chosen=posted.getlist("offer") if posted else [])
    page |= {"search": search, "form": form, "found": found}
    page["has_searched"] = search.is_bound and not search.errors and not found.error
    return TemplateResponse(request, "admin/telephony/phonenumber/buy.html", page)


def purchase(request: HttpRequest, context: dict[str, Any], purchase_id: UUID) -> HttpResponse:
    """The orders of one purchase as they arrive, and where a call to them rings. Who may was checked by the console."""
    rows = NumberOrder.objects.filter(purchase=purchase_id).order_by("e164")
    found = rows.select_related("company", "leads_to__agent__user", "leads_to__queue", "leads_to__menu")
    orders = [shown(order) for order in found]
    if not orders:
        raise Http404
    company = orders[0].order.company
    page = {
        **context,
        "title": _("Buy numbers"),
        "company": company,
        "orders": orders,
        "done": sum(one.order.state == NumberOrder.State.DONE for one in orders),
        "ended": sum(not one.order.is_open for one in orders),
        "is_open": any(one.order.is_open for one in orders),
        "rings": where_it_rings(company, orders),
    }
    return TemplateResponse(request, "admin/telephony/phonenumber/purchase.html", page)


def _order(request: HttpRequest, company: Company, form: PurchaseForm) -> Ordered | None:
    wish = form.wish
    wired = Wired(form.destination, wish.hours if wish else None, form.cleaned_data["caller_name"])
    who = request.user if isinstance(request.user, User) else None
    try:
        ordered = order_numbers(company, form.picks, wired, ordered_by=who, now=timezone.now())
    except UnableToOrder as err:
        form.add_error(None, order_words.refused(err.reason))
        return None
    if not ordered.orders and (again := repeated(company, form.picks, ordered_by=who, now=timezone.now())):
        return Ordered(again, (), (), ())
    for text in not_ordered(ordered):
        messages.error(request, text)
    if ordered.orders:
        amount = len(ordered.orders)
        text = ngettext("%(amount)d number is being bought.", "%(amount)d numbers are being bought.", amount)
        messages.info(request, text % {"amount": amount})
    return ordered
