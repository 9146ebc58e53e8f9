"""``/numbers/<id>/services/`` and ``/numbers/<id>/release/``: what Telnyx keeps beside a number, and its way back."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from curbe.companies.access import company_of, for_company, get_for_company, role_required
from curbe.companies.models import ADMINISTERING_ROLES, Company, User
from curbe.lib.phone import for_people
from telephony.forms.number_services import CallerNameForm, EmergencyForm, ReleaseForm
from telephony.models import EmergencyAddress, NumberRelease, PhoneNumber
from telephony.operations import number_releases, number_settings
from telephony.queries.history import zone_of
from telephony.queries.number_uses import uses_of
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError, TelnyxRefused
from telephony.views import order_words

logger = logging.getLogger(__name__)

#: Telnyx's words for how far an emergency address is, and their tones.
EMERGENCY = {
    "provisioning": (gettext_lazy("being set up"), "live"),
    "active": (gettext_lazy("in force"), "good"),
    "provisioning-failed": (gettext_lazy("refused"), "bad"),
    "deprovisioning": (gettext_lazy("being switched off"), "live"),
    "disabled": (gettext_lazy("off"), "quiet"),
}
#: Nothing is left to switch off.
OFF = frozenset({"", "disabled", "deprovisioning"})


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def number_services(request: HttpRequest, number_id: int) -> HttpResponse:
    """Caller-ID name and emergency address; a POST sets one of them, as ``what`` says."""
    company = company_of(request)
    row = get_for_company(request, for_company(request, PhoneNumber).select_related("emergency_address"), pk=number_id)
    what = request.POST.get("what", "") if request.method == "POST" else ""
    name_form = CallerNameForm(
        request.POST if what == "caller_name" else None, initial={"caller_name": row.caller_name}
    )
    address_form = EmergencyForm(
        request.POST if what == "emergency" else None, company=company, initial={"address": row.emergency_address}
    )
    status, error = (422, "") if request.method == "POST" else (200, "")
    address: EmergencyAddress | None = None
    try:
        if what == "caller_name" and name_form.is_valid():
            number_settings.set_caller_name(row, name_form.cleaned_data["caller_name"], get_client())
            messages.success(request, _("The caller-ID name was set. Networks show it after a few days."))
            return redirect("number-services", row.pk)
        if what == "emergency" and address_form.is_valid():
            address = address_form.cleaned_data["address"]
            if address is None:
                address = number_settings.add_address(company, address_form.new_address())
            number_settings.set_emergency_address(row, address, get_client())
            messages.success(request, _("The emergency address was given to Telnyx."))
            return redirect("number-services", row.pk)
        if what == "emergency_off":
            number_settings.switch_emergency_off(row, get_client())
            messages.success(request, _("The emergency address was switched off."))
            return redirect("number-services", row.pk)
    except TelnyxError as err:
        status, error = 422 if isinstance(err, TelnyxRefused) else 502, order_words.in_words(err)
        if address is not None and not address.telnyx_id:
            address_form = _after(err, address, address_form, company)
    except number_settings.NotAtTelnyx:
        status, error = 409, _("The number is not linked to Telnyx yet: the check of the account links it.")
    if request.method == "GET":
        _refresh(row)
    context = {
        "number": row,
        "name_form": name_form,
        "address_form": address_form,
        "error": error,
        "may_switch_off": bool(row.emergency_address) and row.emergency_status not in OFF,
        "emergency": EMERGENCY.get(row.emergency_status, (row.emergency_status, "quiet")),
    }
    return render(request, "telephony/number_services.html", context, status=status)


def _after(err: TelnyxError, address: EmergencyAddress, form: EmergencyForm, company: Company) -> EmergencyForm:
    """Return the form to go on with: one that Telnyx refused is corrected, one that it may have is tried again."""
    if isinstance(err, TelnyxRefused):
        address.delete()
        return form
    return EmergencyForm(None, company=company, initial={"address": address})


def _refresh(row: PhoneNumber) -> None:
    try:
        number_settings.refresh_emergency(row, get_client())
    except TelnyxError as err:
        # What was known is shown; it is asked for again with the next look.
        logger.warning("How the emergency address of number %s stands is not known: %s", row.pk, err)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def release_number(request: HttpRequest, number_id: int) -> HttpResponse:
    """Say what the number is used for; give it back once it has been typed."""
    row = get_for_company(request, for_company(request, PhoneNumber).select_related(
        "company", "agent__user", "queue", "menu"), pk=number_id)  # fmt: skip
    now = timezone.now()
    form = ReleaseForm(request.POST if request.method == "POST" else None, number=row)
    status, error = 200, ""
    if request.method == "POST":
        status = 422
        if form.is_valid():
            who = request.user if isinstance(request.user, User) else None
            asked = number_releases.ask_release(row, released_by=who, now=now)
            release = number_releases.finish_release(asked.pk, get_client(), now)
            if release.state != NumberRelease.State.FAILED:
                messages.success(request, _told(release))
                return redirect("numbers")
            error = _("Telnyx refused to release it: %(reason)s") % {"reason": release.error_detail}
    context: dict[str, Any] = {
        "number": row,
        "form": form,
        "uses": uses_of(row, now),
        "error": error,
        "zone": zone_of(row.company.timezone),
    }
    return render(request, "telephony/number_release.html", context, status=status)


def _told(release: NumberRelease) -> str:
    number = for_people(release.e164)
    if release.state == NumberRelease.State.DONE:
        return _("%(number)s was released.") % {"number": number}
    return _("Telnyx does not answer: %(number)s is released as soon as it does. Until then it goes on working.") % {
        "number": number
    }
