"""What was put right by itself, what must never be true for long, and what people may put right with one click."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from curbe.companies.access import company_of, role_required
from curbe.companies.models import SUPERVISING_ROLES
from telephony.core import repair_words
from telephony.core.repair_words import RepairKind
from telephony.queries import invariants
from telephony.queries import repairs as repair_rows
from telephony.queries.history import zone_of

MOST_OPEN: Final = 50
#: What holds, and what is seen where it does not.
INVARIANTS: Final[dict[str, tuple[Promise, Promise]]] = {
    "agent_without_leg": (
        _("Whoever is on a call has a live line in it"),
        _("On a call without a live line"),
    ),
    "leg_without_call": (
        _("No line outlives its call"),
        _("A line that outlived its call"),
    ),
    "call_without_news": (
        _("Of no open call nothing was heard for 30 s unasked"),
        _("Nothing heard, and not asked"),
    ),
}


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def repairs(request: HttpRequest) -> HttpResponse:
    company, now = company_of(request), timezone.now()
    language, zone = get_language() or "es", zone_of(company.timezone)
    kind = _kind(request.GET.get("kind", ""))
    older_than = _id_or_none(request.GET.get("older", ""))
    page = repair_rows.page(company.pk, kind=kind, older_than=older_than, language=language)
    filters = {"kind": str(kind)} if kind else {}
    counters = repair_rows.counters(company.pk, now=now, zone=zone)
    context = {
        "counters": counters,
        "kinds": [(one, repair_words.title(one.kind, language)) for one in counters.kinds],
        "choices": [(str(one), repair_words.title(one, language), one is kind) for one in RepairKind],
        "repairs": page.repairs,
        "kind": kind,
        "is_newest": older_than is None,
        "this_page": urlencode(filters),
        "older": urlencode({**filters, "older": page.older_than}) if page.older_than else "",
        "refused": repair_rows.refused(company.pk) if counters.refused_week else [],
        "zone": zone,
        **_now(company.pk, now),
    }
    return render(request, "telephony/repairs.html", context)


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def repairs_now(request: HttpRequest) -> HttpResponse:
    """How things stand at this moment: what a push refetches."""
    company = company_of(request)
    context = {**_now(company.pk, timezone.now()), "zone": zone_of(company.timezone)}
    return render(request, "telephony/_repairs_now.html", context)


def _now(company_id: int, now: datetime) -> dict[str, Any]:
    calls = list(invariants.open_calls(company_id)[: MOST_OPEN + 1])
    return {
        "invariants": [
            {"holds": INVARIANTS[one.code][0], "broken": INVARIANTS[one.code][1], "one": one}
            for one in invariants.all_of(company_id, now)
        ],
        "open_calls": calls[:MOST_OPEN],
        "has_more_calls": len(calls) > MOST_OPEN,
        "busy_agents": list(invariants.busy_agents(company_id)[:MOST_OPEN]),
        "now": now,
    }


def _kind(text: str) -> RepairKind | None:
    try:
        return RepairKind(text) if text else None
    except ValueError as err:
        raise BadRequest("kind") from err


def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as err:
        raise BadRequest("older") from err
