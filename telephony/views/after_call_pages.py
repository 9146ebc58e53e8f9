"""``/breaks/``: why one may be away, how a call can have gone, and what comes after calls of no queue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.models import BreakReason
from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES
from telephony.forms.after_calls import DEFINITIONS, BreakForm, DispositionForm, PoliciesForm
from telephony.models import CallQueue, Disposition, WrapUpPolicy
from telephony.operations.after_calls import delete_disposition


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def breaks(request: HttpRequest) -> HttpResponse:
    known = {row.calls: row for row in for_company(request, WrapUpPolicy)}
    context = {
        "reasons": for_company(request, BreakReason).order_by("position", "id"),
        "dispositions": for_company(request, Disposition).filter(is_system=False).order_by("position", "id"),
        "policies": [known.get(kind) or WrapUpPolicy(calls=kind) for kind in WrapUpPolicy.Calls],
        "queues": for_company(request, CallQueue).order_by("name", "id"),
        "may_edit": membership_of(request).administers,
    }
    return render(request, "telephony/breaks.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def new_break(request: HttpRequest) -> HttpResponse:
    return _edit(request, BreakForm, BreakReason(), "telephony/break_edit.html")


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def break_reason(request: HttpRequest, break_id: int) -> HttpResponse:
    row = get_for_company(request, BreakReason, pk=break_id)
    return _edit(request, BreakForm, row, "telephony/break_edit.html")


@require_POST
@role_required(*ADMINISTERING_ROLES)
def delete_break(request: HttpRequest, break_id: int) -> HttpResponse:
    row = get_for_company(request, BreakReason, pk=break_id)
    row.delete()
    messages.success(request, _("%(name)s was deleted.") % {"name": row.name})
    return redirect("breaks")


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def new_disposition(request: HttpRequest) -> HttpResponse:
    return _edit(request, DispositionForm, Disposition(), "telephony/disposition_edit.html")


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def disposition(request: HttpRequest, disposition_id: int) -> HttpResponse:
    row = get_for_company(request, for_company(request, Disposition).filter(is_system=False), pk=disposition_id)
    return _edit(request, DispositionForm, row, "telephony/disposition_edit.html")


@require_POST
@role_required(*ADMINISTERING_ROLES)
def remove_disposition(request: HttpRequest, disposition_id: int) -> HttpResponse:
    row = get_for_company(request, for_company(request, Disposition).filter(is_system=False), pk=disposition_id)
    if delete_disposition(row):
        messages.success(request, _("%(name)s was deleted.") % {"name": row.name})
    else:
        text = _("%(name)s stands at calls, so it was switched off: it cannot be chosen any more.")
        messages.success(request, text % {"name": row.name})
    return redirect("breaks")


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def wrap_up_policies(request: HttpRequest) -> HttpResponse:
    may_edit = membership_of(request).administers
    form = PoliciesForm(request.POST if request.method == "POST" else None, company=company_of(request))
    if request.method == "POST":
        if not may_edit:
            raise PermissionDenied
        if form.is_valid():
            form.save()
            messages.success(request, _("Saved. It holds from the next call on."))
            return redirect("breaks")
    context = {"form": form, "definitions": DEFINITIONS.items(), "may_edit": may_edit}
    return render(request, "telephony/wrap_up_edit.html", context, status=422 if form.is_bound else 200)


def _edit(request: HttpRequest, form_of: type[Any], row: BreakReason | Disposition, template: str) -> HttpResponse:
    may_edit, is_new = membership_of(request).administers, row.pk is None
    name = row.name
    form = form_of(request.POST if request.method == "POST" else None, company=company_of(request), instance=row)
    if request.method == "POST":
        if not may_edit:
            raise PermissionDenied
        if form.is_valid():
            form.save()
            messages.success(request, _("Saved. Agents can choose it at once.") if is_new else _("Saved."))
            return redirect(reverse("breaks"))
    context = {"form": form, "row": row, "name": name, "is_new": is_new, "may_edit": may_edit}
    return render(request, template, context, status=422 if form.is_bound else 200)
