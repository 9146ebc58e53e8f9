"""``/recordings/settings/``: what is announced, how long audio is kept, what is held; and the audit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, role_required
from curbe.companies.models import ADMINISTERING_ROLES
from recordings import audit, deletions
from recordings.keeping_forms import KeepingForm, RuleForm
from recordings.models import CompanyHold, Recording, RecordingAudit
from telephony.core.hours import zone
from telephony.models import RecordingRule

#: Recordings without a call that the page shows; the operator's console has all.
STRAYS: Final = 50
LINES: Final = 200


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def settings_page(request: HttpRequest) -> HttpResponse:
    form = KeepingForm(request.POST if request.method == "POST" else None, company=company_of(request))
    if form.is_valid():
        form.save(who=audit.who_asks(request), now=timezone.now())
        messages.success(request, _("Saved. What is older than that goes within the hour."))
        return redirect("recording-settings")
    rules = for_company(request, RecordingRule).select_related("number").order_by("number__e164", "direction", "id")
    strays = for_company(request, Recording).filter(call=None).exclude(state=Recording.State.DELETED)
    context = {
        "form": form,
        "rules": rules,
        "hold": for_company(request, CompanyHold).select_related("by").first(),
        "strays": strays.order_by("-id")[:STRAYS],
        "may_edit": True,
        "zone": zone(company_of(request).timezone),
    }
    return render(request, "recordings/settings.html", context, status=422 if form.is_bound else 200)


@require_POST
@role_required(*ADMINISTERING_ROLES)
def company_hold(request: HttpRequest) -> HttpResponse:
    """Begin or end the legal hold on everything of the company."""
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:200]
    on = request.POST.get("on") == "1"
    if not reason:
        messages.error(request, _("Write why, in up to 200 characters. Nothing was changed."))
        return redirect("recording-settings")
    who = audit.who_asks(request)
    deletions.hold_company(company_of(request).pk, on=on, who=who, now=timezone.now(), reason=reason)
    messages.success(request, _("Nothing is deleted from now on.") if on else _("The hold has ended."))
    return redirect("recording-settings")


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def new_announcement(request: HttpRequest) -> HttpResponse:
    return _edit(request, RecordingRule())


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def announcement(request: HttpRequest, rule_id: int) -> HttpResponse:
    return _edit(request, get_for_company(request, RecordingRule, pk=rule_id))


@require_POST
@role_required(*ADMINISTERING_ROLES)
def delete_announcement(request: HttpRequest, rule_id: int) -> HttpResponse:
    get_for_company(request, RecordingRule, pk=rule_id).delete()
    messages.success(request, _("The announcement was deleted."))
    return redirect("recording-settings")


def _edit(request: HttpRequest, rule: RecordingRule) -> HttpResponse:
    is_new = rule.pk is None
    form = RuleForm(request.POST if request.method == "POST" else None, company=company_of(request), instance=rule)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved. It holds from the next call on."))
        return redirect("recording-settings")
    context = {"form": form, "row": rule, "is_new": is_new, "may_edit": True}
    return render(request, "recordings/announcement.html", context, status=422 if form.is_bound else 200)


@require_GET
@never_cache
@role_required(*ADMINISTERING_ROLES)
def audit_page(request: HttpRequest) -> HttpResponse:
    """The newest lines, or those before one of them; by key, so that the thousandth page costs as the first."""
    lines = for_company(request, RecordingAudit)
    named = _uuid(request.GET.get("before", ""))
    before = lines.filter(pk=named).first() if named else None
    if before is not None:
        lines = lines.filter(at__lte=before.at).exclude(at=before.at, pk__gte=before.pk)
    found = list(lines.order_by("-at", "-id")[: LINES + 1])
    context = {
        "lines": found[:LINES],
        "known": known_of(found),
        "older_than": found[LINES - 1].pk if len(found) > LINES else None,
        "zone": zone(company_of(request).timezone),
    }
    return render(request, "recordings/audit.html", context)


def known_of(lines: Iterable[RecordingAudit]) -> set[UUID]:
    """Return which of the recordings that the lines speak of have a page: lines outlive them."""
    rows = Recording.objects.filter(pk__in={line.recording_id for line in lines if line.recording_id})
    return set(rows.exclude(company=None).values_list("pk", flat=True))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
