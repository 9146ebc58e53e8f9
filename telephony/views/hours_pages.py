"""The pages of business hours: a list of how they stand now, and the form. Supervisors read, administrators change."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES, Company
from curbe.lib.phone import for_people
from telephony.core.hours import zone
from telephony.forms import hours as hours_forms
from telephony.forms.hours import HoursForm
from telephony.models import BusinessHours
from telephony.operations.hours import NameTaken, UnableToDelete, delete_hours, save_hours
from telephony.queries.hours import with_all_a_page_shows
from telephony.queries.plans import calendar_of
from telephony.views.hours_words import verdict, week_in_words

#: What the button says that keeps the form; the others change it.
SAVE: Final = "save"


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def hours(request: HttpRequest) -> HttpResponse:
    company, now = company_of(request), timezone.now()
    rows = with_all_a_page_shows(for_company(request, BusinessHours)).order_by("name", "id")
    shown = [
        {
            "hours": one,
            "verdict": verdict(calendar_of(one, company.timezone), now),
            "week": week_in_words(one.weekly),
            "used_by": _used_by(one),
        }
        for one in rows
    ]
    return render(request, "telephony/hours.html", {"shown": shown})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def hours_new(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _answer(request, None)
    now = timezone.now()
    return _form_page(request, HoursForm.blank(_today(None, company_of(request), now)), None, now)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def hours_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show hours to who supervises; take a change from who administers."""
    found = _get(request, pk)
    if request.method == "POST":
        if not membership_of(request).administers:
            raise PermissionDenied
        return _answer(request, found)
    now = timezone.now()
    return _form_page(request, HoursForm.of(found, _today(found, company_of(request), now)), found, now)


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def hours_new_preview(request: HttpRequest) -> HttpResponse:
    return _preview_of(request, None)


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def hours_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a call would find now if the form were saved as it is."""
    return _preview_of(request, _get(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def hours_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask before hours go; while they are in use, say where."""
    found = _get(request, pk)
    if request.method == "POST":
        try:
            delete_hours(hours=found)
        except UnableToDelete:
            return _delete_page(request, _get(request, pk), status=409)
        return redirect("hours")
    return _delete_page(request, found)


def _get(request: HttpRequest, pk: int) -> BusinessHours:
    return get_for_company(request, with_all_a_page_shows(for_company(request, BusinessHours)), pk=pk)


def _answer(request: HttpRequest, found: BusinessHours | None) -> HttpResponse:
    """Do what the button of the form says: save, and go to the list; or show the form as it is now."""
    company, now, language = company_of(request), timezone.now(), _language()
    form = HoursForm.posted(request.POST, _today(found, company, now))
    action = request.POST.get("action", SAVE)
    if action != SAVE:
        form.act(action, language)
        return _form_page(request, form, found, now)
    wanted = form.read(language)
    if wanted is not None:
        try:
            save_hours(company=company, hours=found, wanted=wanted)
            return redirect("hours")
        except NameTaken:
            form.errors["name"] = _("Other hours have this name already.")
    return _form_page(request, form, found, now, status=422)


def _form_page(
    request: HttpRequest, form: HoursForm, found: BusinessHours | None, now: datetime, *, status: int = 200
) -> HttpResponse:
    company = company_of(request)
    today = _today(found, company, now)
    context = {
        "form": form,
        "hours": found,
        "may_edit": membership_of(request).administers,
        "used_by": _used_by(found) if found else [],
        "company_zone": company.timezone,
        "zones": hours_forms.zones(),
        "switches": [(value, label, value == form.switch) for value, label in BusinessHours.Switch.choices],
        "countries": hours_forms.countries(),
        "regions": hours_forms.regions(form.holidays.country) if form.holidays.is_open else (),
        "years": hours_forms.years(today),
        "proposals": form.proposals(_language()),
        **_preview(form, company, now),
    }
    return render(request, "telephony/hours_edit.html", context, status=status)


def _preview_of(request: HttpRequest, found: BusinessHours | None) -> HttpResponse:
    company, now = company_of(request), timezone.now()
    form = HoursForm.posted(request.POST, _today(found, company, now))
    return render(request, "telephony/_hours_preview.html", _preview(form, company, now))


def _preview(form: HoursForm, company: Company, now: datetime) -> dict[str, Any]:
    # Reading marks the errors, and nobody wants them marked while he is still typing; nor does a name matter yet.
    draft = deepcopy(form)
    draft.name = draft.name.strip() or "?"
    wanted = draft.read(_language())
    if wanted is None:
        return {"verdict": None, "problem": draft.first_error}
    return {"verdict": verdict(hours_forms.calendar_of(wanted, company), now), "problem": ""}


def _delete_page(request: HttpRequest, found: BusinessHours, *, status: int = 200) -> HttpResponse:
    context = {"hours": found, "used_by": _used_by(found)}
    return render(request, "telephony/hours_delete.html", context, status=status)


def _used_by(found: BusinessHours) -> list[str]:
    queues = [_("queue %(name)s") % {"name": one.name} for one in found.queues.all()]
    return queues + [_("number %(number)s") % {"number": for_people(one.e164)} for one in found.numbers.all()]


def _today(found: BusinessHours | None, company: Company, now: datetime) -> date:
    return now.astimezone(zone((found.timezone if found else "") or company.timezone)).date()


def _language() -> str:
    return get_language() or "es"
