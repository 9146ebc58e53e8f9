"""``/recordings/<id>/``: one recording, for who administers: who heard it, its legal hold, its end."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, role_required
from curbe.companies.models import ADMINISTERING_ROLES
from recordings import audit, deletions
from recordings.models import Recording, RecordingAudit
from telephony.core.hours import zone

LINES: Final = 200


@require_GET
@never_cache
@role_required(*ADMINISTERING_ROLES)
def recording_page(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    recording = get_for_company(request, Recording.objects.select_related("call"), pk=recording_id)
    lines = for_company(request, RecordingAudit).filter(recording_id=recording.pk)
    context = {
        "recording": recording,
        "lines": lines.order_by("-at", "-id")[:LINES],
        "company_is_held": deletions.is_company_on_hold(company_of(request).pk),
        "is_deleted": recording.state == Recording.State.DELETED,
        "zone": zone(company_of(request).timezone),
    }
    return render(request, "recordings/one.html", context)


@require_POST
@role_required(*ADMINISTERING_ROLES)
def hold_recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Begin or end the legal hold on one recording."""
    recording = get_for_company(request, Recording, pk=recording_id)
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:200]
    on = request.POST.get("on") == "1"
    if not reason:
        messages.error(request, _("Write why, in up to 200 characters. Nothing was changed."))
        return redirect("recording-page", recording.pk)
    try:
        deletions.hold(recording.pk, on=on, who=audit.who_asks(request), now=timezone.now(), reason=reason)
    except deletions.Gone:
        messages.error(request, _("It was deleted: there is nothing to hold."))
    else:
        messages.success(request, _("It is kept until the hold ends.") if on else _("The hold has ended."))
    return redirect("recording-page", recording.pk)


@require_POST
@role_required(*ADMINISTERING_ROLES)
def delete_recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    recording = get_for_company(request, Recording, pk=recording_id)
    try:
        deletions.delete(recording.pk, who=audit.who_asks(request), now=timezone.now(), reason=audit.ASKED_FOR)
    except deletions.OnHold:
        messages.error(request, _("It is under a legal hold, and is not deleted."))
    else:
        messages.success(request, _("The audio is gone for good."))
    return redirect("recording-page", recording.pk)
