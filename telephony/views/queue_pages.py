"""``/queues/``: the queues of a company, the editor of one, and what became of those who came to it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.models import WrapUpMode
from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES
from telephony.core.plan import Destination, DestinationKind
from telephony.forms.after_calls import DEFINITIONS as WRAP_UP_DEFINITIONS
from telephony.forms.queues import DEFINITIONS, QueueForm
from telephony.models import CallQueue
from telephony.queries import desks, visit_report
from telephony.queries.history import zone_of
from telephony.queries.place_choices import place_choices
from telephony.views import plan_pages


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def queues(request: HttpRequest) -> HttpResponse:
    company = company_of(request)
    context = {
        "desks": desks.desks_of(company, timezone.now()),
        "may_edit": membership_of(request).administers,
        "zone": zone_of(company.timezone),
    }
    return render(request, "telephony/plan_queues.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def new_queue(request: HttpRequest) -> HttpResponse:
    # Proposed for a new queue: what a file or an older queue does not say is no work after the call.
    return _edit(request, CallQueue(wrap_up_mode=WrapUpMode.TIMED))


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def queue(request: HttpRequest, queue_id: int) -> HttpResponse:
    rows = for_company(request, CallQueue).select_related("overflow", "when_closed")
    return _edit(request, get_for_company(request, rows, pk=queue_id))


def _edit(request: HttpRequest, row: CallQueue) -> HttpResponse:
    company = company_of(request)
    data = request.POST if request.method == "POST" else None
    form = QueueForm(data, company=company, choices=place_choices(company), instance=row)
    context = {"queue": row, "name": row.name, "definitions": DEFINITIONS.items()}
    context["wrap_up_definitions"] = WRAP_UP_DEFINITIONS.items()
    return plan_pages.edit(request, form, "telephony/plan_queue.html", context, place=_place)


def _place(row: CallQueue) -> Destination:
    return Destination(DestinationKind.QUEUE, row.pk)


@require_POST
@role_required(*ADMINISTERING_ROLES)
def delete_queue(request: HttpRequest, queue_id: int) -> HttpResponse:
    return plan_pages.delete(request, get_for_company(request, CallQueue, pk=queue_id), to="queues")


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def queue_visits(request: HttpRequest, queue_id: int) -> HttpResponse:
    """What became of those who came to the queue on one day; today unless ``day`` says another."""
    row = get_for_company(request, CallQueue, pk=queue_id)
    zone = zone_of(company_of(request).timezone)
    today = timezone.now().astimezone(zone).date()
    day = _day(request.GET.get("day", ""), today)
    midnight, next_midnight = (datetime.combine(one, time.min, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    context = {
        "queue": row,
        "report": visit_report.report(row, midnight, next_midnight),
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < today else None,
        "is_today": day == today,
        "zone": zone,
    }
    return render(request, "telephony/plan_visits.html", context)


def _day(text: str, today: date) -> date:
    """Return the day that an address names. Far ones would leave the range of time itself."""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as err:
        raise BadRequest("day") from err
    if not 2000 <= day.year <= 2099:
        raise BadRequest("day")
    return day
