"""``/calls/``: the history, narrowed by what stands in its address, and its export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent
from curbe.companies.access import company_of, for_company, member_required, membership_of, role_required
from curbe.companies.models import SUPERVISING_ROLES
from curbe.contacts.models import Contact
from curbe.lib.http import BadParameter, json_error
from telephony.models import Call, CallQueue, Disposition
from telephony.queries import export, history
from telephony.queries.bounds import BadFilter
from telephony.queries.filters import Audio, Filters, Period, Show, read
from telephony.queries.hearing import audible
from telephony.queries.spoken import LONGEST_QUESTION


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that holds, and the address without it."""

    name: str
    value: str
    address: str


@require_GET
@never_cache
@member_required
def calls(request: HttpRequest) -> HttpResponse:
    filters, older_than = _filters(request), _id_or_none(request, "older")
    zone, now = history.zone_of(company_of(request).timezone), timezone.now()
    page = history.page(
        for_company(request, Call), filters, older_than=older_than, now=now, zone=zone, hearer=membership_of(request)
    )
    query, fields = filters.as_query(), _fields(request, filters)
    context = {
        "calls": page.calls,
        "filters": filters,
        "fields": fields,
        "chips": _chips(request, filters, fields),
        "hidden_chosen": sum(name not in {"number", "show"} for name in query),
        "is_narrowed": bool(filters),
        "is_newest": older_than is None,
        "newest": page.calls[0].pk if page.calls else "",
        "query": urlencode(query),
        "older": urlencode({**query, "older": page.older_than}) if page.older_than else "",
        "this_page": urlencode({**query, **({"older": older_than} if older_than else {})}),
        "may_export": membership_of(request).supervises,
        "may_search_words": membership_of(request).supervises,
        "longest_question": LONGEST_QUESTION,
        "zone": zone,
    }
    return render(request, "telephony/calls.html", context)


@require_GET
@never_cache
@member_required
def calls_news(request: HttpRequest) -> HttpResponse:
    """How many calls that fit have come since the page was painted: a bar, which moves nothing under the reader."""
    filters, newest = _filters(request), _id_or_none(request, "newest")
    zone = history.zone_of(company_of(request).timezone)
    ids = history.newer(for_company(request, Call), filters, than=newest, now=timezone.now(), zone=zone)
    query = filters.as_query()
    context = {
        "amount": min(len(ids), history.MOST_NEWS),
        "is_many": len(ids) > history.MOST_NEWS,
        "newest": newest or "",
        "query": urlencode(query),
    }
    return render(request, "telephony/_calls_news.html", context)


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def calls_export(request: HttpRequest) -> HttpResponse:
    """The calls that fit, as CSV, row by row: no page of it waits for the next, and none is kept."""
    filters = _filters(request)
    company = company_of(request)
    wish = export.Wish(
        for_company(request, Call),
        filters,
        now=timezone.now(),
        zone=history.zone_of(company.timezone),
        language=get_language() or "es",
    )
    try:
        rows = export.Export(wish)
    except export.TooManyExports:
        response = json_error(503, _("Other exports are running. Try again in a minute."))
        response.headers["Retry-After"] = "30"
        return response
    name = f"{company.slug}_{timezone.now():%Y-%m-%d_%H-%M}.csv"
    # The doors speak of HttpResponse, of which a stream is a sister.
    return StreamingHttpResponse(  # type: ignore[return-value]
        rows,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


def _filters(request: HttpRequest) -> Filters:
    try:
        filters = read(request.GET)
    except BadFilter as err:
        raise BadParameter(err.field) from err
    # What was said in a colleague's call is as little an agent's as its audio.
    membership = membership_of(request)
    if filters.said and not membership.supervises:
        raise PermissionDenied
    return replace(filters, heard_by=audible(membership)) if filters.said else filters


def _id_or_none(request: HttpRequest, name: str) -> UUID | None:
    text = request.GET.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError as err:
        raise BadParameter(name) from err


def _fields(request: HttpRequest, filters: Filters) -> dict[str, list[Choice]]:
    """Return what can be chosen, field by field. Four statements at the most."""
    agents = for_company(request, Agent).select_related("user").order_by("user__name", "id")
    queues = for_company(request, CallQueue).order_by("name", "id")
    said = for_company(request, Disposition).order_by("position", "id")
    outcomes = [(value, label) for value, label in Call.Outcome.choices if value]
    chosen = filters.as_query()
    fields: dict[str, Iterable[tuple[str, object]]] = {
        "show": _shows(),
        "period": _periods(),
        "direction": Call.Direction.choices,
        "outcome": outcomes,
        "queue": ((str(queue.pk), queue.name) for queue in queues),
        "agent": ((str(agent.pk), agent) for agent in agents),
        "disposition": ((one.code, one) for one in said),
        "recording": [(Audio.WITH.value, _("With recording")), (Audio.WITHOUT.value, _("Without recording"))],
    }
    if filters.contact:
        contacts = for_company(request, Contact).filter(pk=filters.contact)
        fields["contact"] = [(str(contact.pk), contact) for contact in contacts]
    return {
        name: [Choice(value, str(label), chosen.get(name) == value) for value, label in choices]
        for name, choices in fields.items()
    }


def _shows() -> list[tuple[str, str]]:
    return [
        (Show.NOW.value, _("Going on now")),
        (Show.ANSWERED.value, _("Answered")),
        (Show.MISSED.value, _("Missed")),
        (Show.VOICEMAIL.value, _("Voicemail")),
    ]


def _periods() -> list[tuple[str, str]]:
    return [
        (Period.TODAY.value, _("Today")),
        (Period.YESTERDAY.value, _("Yesterday")),
        (Period.WEEK.value, _("Last 7 days")),
        (Period.MONTH.value, _("Last 30 days")),
    ]


def _chips(request: HttpRequest, filters: Filters, fields: dict[str, list[Choice]]) -> list[Chip]:
    """Return one chip for each filter that holds, in the order of the form."""
    names = {
        "number": _("Search"),
        "show": _("Show"),
        "direction": _("Direction"),
        "outcome": _("How it ended"),
        "queue": _("Queue"),
        "agent": _("Agent"),
        "disposition": _("Disposition"),
        "recording": _("Recording"),
        "said": _("What was said"),
        "period": _("When"),
        "from": _("From"),
        "to": _("Until"),
        "contact": _("Contact"),
    }
    days = {"from": filters.from_date, "to": filters.to_date}
    chips = []
    for name, value in filters.as_query().items():
        label = next((one.label for one in fields.get(name, ()) if one.is_chosen), value)
        if day := days.get(name):
            label = formats.date_format(day, "SHORT_DATE_FORMAT")
        left = urlencode(filters.without(name).as_query())
        chips.append(Chip(names[name], label, f"{reverse('calls')}{'?' if left else ''}{left}"))
    return chips
