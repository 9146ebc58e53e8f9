"""``/contacts/``: whom the company talks to, and each one's calls."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from curbe.companies.access import company_of, for_company, get_for_company, member_required, membership_of
from curbe.contacts import queries
from curbe.contacts.models import Contact
from curbe.lib.http import BadParameter
from telephony.forms.contacts import ContactForm, NumberTaken
from telephony.models import Call
from telephony.queries import history
from telephony.queries.filters import Filters


@require_GET
@never_cache
@member_required
def contacts(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("search", "").replace("\x00", "").strip()[:64]
    page = queries.page(for_company(request, Contact), text=text, after=_after(request))
    filters = {"search": text} if text else {}
    context = {
        "contacts": page.contacts,
        "text": text,
        "is_first": "after" not in request.GET,
        "more": urlencode({**filters, "name": page.after[0], "after": page.after[1]}) if page.after else "",
    }
    return render(request, "telephony/contacts.html", context)


@require_GET
@never_cache
@member_required
def contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    rows = for_company(request, Contact).select_related("owner").prefetch_related("numbers")
    found = get_for_company(request, rows, pk=contact_id)
    zone = history.zone_of(company_of(request).timezone)
    page = history.page(
        for_company(request, Call),
        Filters(contact=found.pk),
        older_than=_id_or_none(request.GET.get("older", "")),
        now=timezone.now(),
        zone=zone,
        hearer=membership_of(request),
    )
    context = {
        "contact": found,
        "calls": page.calls,
        "older": urlencode({"older": page.older_than}) if page.older_than else "",
        "is_newest": "older" not in request.GET,
        "zone": zone,
    }
    return render(request, "telephony/contact.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@member_required
def new_contact(request: HttpRequest) -> HttpResponse:
    """A new contact; ``?number=`` is the number of a caller whom nobody has named yet."""
    return _edit(request, Contact(), number=request.GET.get("number", "")[:32])


@require_http_methods(["GET", "POST"])
@never_cache
@member_required
def edit_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    return _edit(request, get_for_company(request, Contact, pk=contact_id))


def _edit(request: HttpRequest, row: Contact, number: str = "") -> HttpResponse:
    is_new, name = row.pk is None, row.name
    data = request.POST if request.method == "POST" else None
    form = ContactForm(data, company=company_of(request), instance=row, numbers=number)
    if data is not None and form.is_valid():
        try:
            saved = form.save()
        except NumberTaken:
            form.add_error("numbers", _("Somebody else was given one of these numbers just now. Look again."))
        else:
            messages.success(request, _("Saved."))
            return redirect("contact", saved.pk)
    context: dict[str, Any] = {"form": form, "row": row, "name": name, "is_new": is_new, "may_edit": True}
    return render(request, "telephony/contact_edit.html", context, status=422 if form.is_bound else 200)


def _after(request: HttpRequest) -> tuple[str, int] | None:
    text = request.GET.get("after", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadParameter("after")
    return request.GET.get("name", "").replace("\x00", "")[:120], int(text)


def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as err:
        raise BadParameter("older") from err
