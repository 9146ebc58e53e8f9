"""``/account/``: how the company's numbers and credentials stand at Telnyx, and the buttons that put them right.

Of the account a company sees what is its own. Lines of the platform are the operator's (admin and command).
"""

from __future__ import annotations

import logging

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError

from agents.models import Agent
from curbe.companies.access import company_of, for_company, get_for_company, role_required
from curbe.companies.models import ADMINISTERING_ROLES, User
from telephony.models import Asker, AuditFinding, PhoneNumber
from telephony.operations import account_repairs, audits, endpoints
from telephony.operations.account_repairs import By
from telephony.queries import account_state
from telephony.queries.history import zone_of
from telephony.tasks import run_audit
from telephony.telnyx.account import row_of
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError
from telephony.views.audit_words import described, named, reason_of, repair_word

logger = logging.getLogger(__name__)


@require_GET
@never_cache
@role_required(*ADMINISTERING_ROLES)
def account(request: HttpRequest) -> HttpResponse:
    company, now = company_of(request), timezone.now()
    state = account_state.state_of(company)
    context = {
        "state": state,
        "running": audits.running(now),
        "has_failed": account_state.last_failure() is not None,
        "lines": [(one, described(one)) for one in state.findings],
        "repairs": [
            {"event": one, "what": named(one.subject), "done": repair_word(one), "why_not": reason_of(one)}
            for one in state.repairs
        ],
        "numbers": for_company(request, PhoneNumber).count(),
        "zone": zone_of(company.timezone),
    }
    return render(request, "telephony/account.html", context)


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def account_check(request: HttpRequest) -> HttpResponse:
    _start(request, fix=False)
    return redirect("account")


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def account_repair_all(request: HttpRequest) -> HttpResponse:
    _start(request, fix=True)
    return redirect("account")


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def account_repair(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Put one line right now, and say how it went."""
    mendable = for_company(request, AuditFinding).filter(repaired_at=None).exclude(repair="")
    finding = get_for_company(request, mendable, pk=finding_id)
    done = account_repairs.repair_kept(finding, _by(request), get_client(), timezone.now())
    if done.is_done:
        messages.success(request, f"{named(finding.subject)}: {repair_word(done)}.")
    else:
        messages.error(request, _("It could not be repaired: %(why)s") % {"why": reason_of(done)})
    return redirect("account")


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def account_own_set(request: HttpRequest) -> HttpResponse:
    """Give the company a set of its own: the row now, the rest by a check that repairs."""
    row_of(company_of(request))
    _start(request, fix=True)
    return redirect("account")


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def account_credential(request: HttpRequest, agent_id: int) -> HttpResponse:
    """Cut off whoever has an agent's computer: his log-ins end, and a new credential takes the place of his."""
    rows = Agent.objects.select_related("user", "company").filter(is_active=True, user__is_active=True)
    agent = get_for_company(request, rows, pk=agent_id)
    try:
        endpoints.cut_off(agent, get_client(), timezone.now(), keep_session=request.session.session_key)
    except endpoints.IsTalking:
        messages.error(request, _("%(name)s is on a call, which would end. Try again afterwards.") % {"name": agent})
    except endpoints.NoConnection:
        messages.error(request, _("There is no credential connection yet; it is made first."))
    except TelnyxError as err:
        logger.warning("No new credential for agent %s: %s", agent.pk, err)
        text = _("%(name)s is logged out everywhere, but Telnyx did not renew the credential. Try again in a moment.")
        messages.error(request, text % {"name": agent})
    else:
        text = _("%(name)s is logged out everywhere and has a new credential. It is used from the next log-in on.")
        messages.success(request, text % {"name": agent})
    return redirect("account")


def _by(request: HttpRequest) -> By:
    return By(Asker.PAGE, request.user if isinstance(request.user, User) else None)


def _start(request: HttpRequest, *, fix: bool) -> None:
    """Have the worker compare the account, and put right what is this company's."""
    try:
        audit = audits.begin(_by(request), timezone.now())
    except audits.AlreadyRunning:
        messages.info(request, _("A check is running already. Its result will be shown here."))
        return
    try:
        run_audit.apply_async(kwargs={"audit_id": audit.pk, "fix": fix, "company_id": company_of(request).pk})
    except OperationalError:
        audits.give_up(audit, "The broker was away.")
        messages.error(request, _("The check could not be started. Try again in a moment."))
