"""``/menus/``: the spoken menus of a company, and the editor of one."""

from __future__ import annotations

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES
from telephony.core.plan import Destination, DestinationKind
from telephony.forms.menus import MenuForm
from telephony.models import Menu, MenuOption
from telephony.queries.place_choices import place_choices
from telephony.views import plan_pages


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def menus(request: HttpRequest) -> HttpResponse:
    options = MenuOption.objects.select_related("place__agent__user", "place__queue", "place__menu").order_by("digit")
    rows = for_company(request, Menu).prefetch_related(Prefetch("options", options)).order_by("name", "id")
    context = {"menus": list(rows), "may_edit": membership_of(request).administers}
    return render(request, "telephony/plan_menus.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def new_menu(request: HttpRequest) -> HttpResponse:
    return _edit(request, Menu())


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def menu(request: HttpRequest, menu_id: int) -> HttpResponse:
    rows = for_company(request, Menu).select_related("on_timeout", "on_wrong")
    return _edit(request, get_for_company(request, rows, pk=menu_id))


def _edit(request: HttpRequest, row: Menu) -> HttpResponse:
    company = company_of(request)
    data = request.POST if request.method == "POST" else None
    form = MenuForm(data, company=company, choices=place_choices(company), instance=row)
    return plan_pages.edit(request, form, "telephony/plan_menu.html", {"menu": row, "name": row.name}, place=_place)


def _place(row: Menu) -> Destination:
    return Destination(DestinationKind.MENU, row.pk)


@require_POST
@role_required(*ADMINISTERING_ROLES)
def delete_menu(request: HttpRequest, menu_id: int) -> HttpResponse:
    return plan_pages.delete(request, get_for_company(request, Menu, pk=menu_id), to="menus")
