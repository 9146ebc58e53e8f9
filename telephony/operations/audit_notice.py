"""The daily audit, and who is told: the operator by the log and by mail (``ADMINS``), companies on their own pages."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from django.core.mail import mail_admins
from django.db.models import QuerySet

from telephony.models import AccountAudit, Asker, AuditFinding
from telephony.operations import audits
from telephony.operations.account_repairs import By
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxError

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=23, minutes=30)
#: So many lines stand in a mail; the page has all of them.
LINES: Final = 50


def is_due(now: datetime) -> bool:
    """Say whether the last daily audit that saw the whole account began a day ago, or none ever did."""
    return not _daily().filter(error="", started_at__gt=now - EVERY).exists()


def _daily() -> QuerySet[AccountAudit]:
    """Return the daily audits that ended: what people ask for meanwhile tells the operator nothing."""
    return AccountAudit.objects.filter(asked_through=Asker.CLOCK, finished_at__isnull=False)


def audit_and_tell(client: TelnyxClient, now: datetime) -> AccountAudit | None:
    """Run the daily audit and tell of what the one before had not found; None if there is no result.

    One that fails is told once, and tried again with the next look of the clock.
    """
    last = _daily().order_by("-id").first()
    before = _daily().filter(error="").order_by("-id").first()
    try:
        audit = audits.begin(By(Asker.CLOCK), now)
    except audits.AlreadyRunning:
        return None
    try:
        audits.run(audit, client)
    except Exception as err:
        logger.error("The daily audit of the Telnyx account was not finished: %s", err)
        if last is None or not last.error:
            _mail("Telnyx account: the daily audit was not finished", f"{err}\n\nIt is tried again every hour.")
        if not isinstance(err, TelnyxError):
            raise
        return None
    known = set(before.findings.values_list("code", "subject", "field")) if before else set()
    found = audit.findings.filter(is_wrong=True).order_by("id")
    new = [one for one in found if (one.code, one.subject, one.field) not in known]
    if new:
        _tell(new)
    return audit


def _tell(new: Iterable[AuditFinding]) -> None:
    lines = [_line(one) for one in new]
    logger.error("The Telnyx account is not as Curbe needs it: %d new finding(s)", len(lines))
    more = [f"… {len(lines) - LINES} more"] if len(lines) > LINES else []
    text = "\n".join(
        [*lines[:LINES], *more, "", "manage.py telnyx_audit shows all of it; --fix puts right what can be."]
    )
    _mail(f"Telnyx account: {len(lines)} new finding(s)", text)


def _mail(subject: str, text: str) -> None:
    try:
        mail_admins(subject, text)
    except (SMTPException, OSError):
        logger.exception("Unable to mail the operator; the page has what was found")


def _line(one: AuditFinding) -> str:
    what = f"{one.code} {one.subject}" + (f" {one.field}" if one.field else "")
    return f"{what}: is {one.found or '—'}, should be {one.wanted or '—'}"
