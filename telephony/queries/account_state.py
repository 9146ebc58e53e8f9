"""How the account stands, as the last audit saw it: what a company's page shows, and what is counted elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from curbe.companies.models import Company
from telephony.models import AccountAudit, AccountRepair, AuditFinding, SipEndpoint, TelnyxAccount

#: So many lines of one kind stand on a page; a company may have thousands of numbers.
SHOWN: Final = 200
REPAIRS_SHOWN: Final = 20


@dataclass(frozen=True)
class State:
    #: The last audit that was finished, whatever came of it; None before the first.
    audit: AccountAudit | None
    findings: tuple[AuditFinding, ...]
    #: How many there are, of which the first are in ``findings``.
    wrong: int
    mendable: int
    repairs: tuple[AccountRepair, ...]
    #: The company's own set, or None: it uses the platform's.
    own: TelnyxAccount | None
    endpoints: tuple[SipEndpoint, ...]


def state_of(company: Company) -> State:
    audit = last_audit()
    mine = AuditFinding.objects.filter(company=company, audit=audit, repaired_at=None)
    repairs = AccountRepair.objects.filter(company=company).select_related("asked_by").order_by("-id")
    endpoints = SipEndpoint.objects.filter(company=company).select_related("agent__user")
    return State(
        audit=audit,
        findings=tuple(mine.order_by("-is_wrong", "id")[:SHOWN]),
        wrong=mine.filter(is_wrong=True).count(),
        mendable=mine.exclude(repair="").count(),
        repairs=tuple(repairs[:REPAIRS_SHOWN]),
        own=TelnyxAccount.objects.filter(company=company).first(),
        endpoints=tuple(endpoints.order_by("agent__user__name", "id")[:SHOWN]),
    )


def last_audit() -> AccountAudit | None:
    """Return the newest audit that saw the whole account; None before the first."""
    return _finished().filter(error="").first()


def last_failure() -> AccountAudit | None:
    """Return the newest audit if it could not be finished; None if it was."""
    newest = _finished().first()
    return newest if newest is not None and newest.error else None


def wrong_of(company: Company) -> int:
    """Return how many things of the company the last audit found wrong, and nobody has repaired since."""
    audit = last_audit()
    mine = AuditFinding.objects.filter(company=company, audit=audit, repaired_at=None, is_wrong=True)
    return mine.count() if audit is not None else 0


def _finished() -> QuerySet[AccountAudit]:
    return AccountAudit.objects.filter(finished_at__isnull=False).order_by("-id")
