"""The pages: the phone with today's calls, one call; and what is shown when something is wrong."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from curbe.companies.access import company_of, for_company, get_for_company, member_required, membership_of
from curbe.contacts.queries import contact_with
from curbe.lib.http import BadParameter, json_error
from curbe.lib.phone import is_e164
from telephony.models import BlockedCaller, Call
from telephony.queries import history, story
from telephony.queries.spoken import texts
from telephony.queries.wrap_ups import said_of
from telephony.views.call_bars import bar_of


@require_GET
@never_cache
@member_required
def phone(request: HttpRequest) -> HttpResponse:
    """The page that agents have open all day. The phone itself stands in base.html, on every page."""
    return render(request, "telephony/phone.html", _todays_context(request))


@require_GET
@never_cache
@member_required
def todays_calls(request: HttpRequest) -> HttpResponse:
    return render(request, "telephony/_todays_calls.html", _todays_context(request))


@require_GET
@never_cache
@member_required
def call_row(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """One row, as every list includes it: what a push refetches."""
    rows = history.with_all_a_row_shows(for_company(request, Call), membership_of(request))
    call = get_for_company(request, rows, pk=call_id)
    return render(request, "telephony/_call_row.html", {"call": call, "zone": _zone(request)})


@require_GET
@never_cache
@member_required
def call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    rows = history.with_waits(story.with_story(for_company(request, Call)))
    rows = rows.prefetch_related(Prefetch("recordings__transcripts", texts()))
    found = get_for_company(request, rows, pk=call_id)
    told = story.story_of(found, language=get_language() or "es", now=timezone.now())
    disposition, note = said_of(found)
    may_block = membership_of(request).supervises and found.direction == Call.Direction.INBOUND
    may_block = may_block and is_e164(found.from_number)
    context = {
        "call": found,
        # Also one who was given this number after the call.
        "contact": found.contact or contact_with(found.company_id, found.customer_number),
        "story": told,
        "bar": bar_of(told.picture),
        "disposition": disposition,
        "note": note,
        "may_block": may_block,
        "is_blocked": may_block and for_company(request, BlockedCaller).filter(e164=found.from_number).exists(),
        "zone": _zone(request),
    }
    return render(request, "telephony/call.html", context)


@require_GET
@never_cache
@member_required
def incoming(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Who is calling, for the phone: fetched when the SDK rings, and again when the server knows of the answer."""
    rows = for_company(request, Call).select_related("queue", "number", "contact")
    return render(request, "telephony/_incoming.html", {"call": get_for_company(request, rows, pk=call_id)})


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    field = exception.field if isinstance(exception, BadParameter) else ""
    return _problem(request, 400, _("The address is not one that we understand."), field=field)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _problem(request, 403, _("You may not see this."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _problem(request, 404, _("There is nothing here."))


def server_error(request: HttpRequest) -> HttpResponse:
    # No context processor may run: what broke may be the database that they ask.
    if request.path_info.startswith("/api/"):
        return json_error(500, "We failed. It is in our log.")
    return HttpResponse(render_to_string("500.html"), status=500)


def _problem(request: HttpRequest, status: int, text: str, *, field: str = "") -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return json_error(status, text)
    return render(request, f"{status}.html", {"field": field}, status=status)


def _todays_context(request: HttpRequest) -> dict[str, Any]:
    zone = _zone(request)
    calls = for_company(request, Call)
    shown = history.todays(calls, now=timezone.now(), zone=zone, hearer=membership_of(request))
    return {"calls": shown, "zone": zone}


def _zone(request: HttpRequest) -> tzinfo:
    return history.zone_of(company_of(request).timezone)
