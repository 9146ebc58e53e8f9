"""``/numbers/blocked/``: callers whom the company takes no calls from."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, role_required
from curbe.companies.models import SUPERVISING_ROLES, User
from curbe.lib.phone import for_people
from telephony.forms.number_services import BlockForm
from telephony.models import BlockedCaller, Call
from telephony.operations import blocking
from telephony.queries.history import zone_of

PAGE_SIZE = 100


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def blocked_callers(request: HttpRequest) -> HttpResponse:
    company, status = company_of(request), 200
    form = BlockForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if form.is_valid():
            data = form.cleaned_data
            row = blocking.block(company, data["caller"], note=data["note"], blocked_by=_who(request))
            messages.success(request, _told(row))
            return redirect("blocked-callers")
        status = 422
    older = request.GET.get("older", "")
    if older and not (older.isascii() and older.isdigit() and len(older) < 19):
        raise BadRequest("older")
    rows = for_company(request, BlockedCaller).select_related("blocked_by").order_by("-id")
    found = list((rows.filter(pk__lt=int(older)) if older else rows)[: PAGE_SIZE + 1])
    context = {
        "form": form,
        "callers": found[:PAGE_SIZE],
        "older": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
        "zone": zone_of(company.timezone),
    }
    return render(request, "telephony/blocked_callers.html", context, status=status)


@require_POST
@never_cache
@role_required(*SUPERVISING_ROLES)
def unblock_caller(request: HttpRequest, blocked_id: int) -> HttpResponse:
    row = get_for_company(request, BlockedCaller, pk=blocked_id)
    blocking.unblock(row)
    messages.success(request, _("Calls from %(number)s are taken again.") % {"number": for_people(row.e164)})
    return redirect("blocked-callers")


@require_POST
@never_cache
@role_required(*SUPERVISING_ROLES)
def block_caller_of(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Block whoever made this call."""
    call = get_for_company(request, Call, pk=call_id)
    try:
        row = blocking.block(call.company, call.from_number, note=call.caller_name, blocked_by=_who(request))
    except blocking.UnableToBlock:
        messages.error(request, _("This caller keeps the number to himself, so there is nothing to block."))
    else:
        messages.success(request, _told(row))
    return redirect("call", call.pk)


def _told(row: BlockedCaller) -> str:
    return _("Calls from %(number)s are rejected from now on.") % {"number": for_people(row.e164)}


def _who(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
