"""Callers whom a company does not take calls from."""

from __future__ import annotations

from curbe.companies.models import Company, User
from curbe.lib.phone import is_e164
from telephony.models import BlockedCaller


class UnableToBlock(ValueError):
    """What called has no number that could be told from another: a withheld one, say."""


def block(company: Company, e164: str, *, note: str = "", blocked_by: User | None = None) -> BlockedCaller:
    """Reject the caller's calls from now on; return the row, the known one if he is blocked already.

    Raises UnableToBlock.
    """
    if not is_e164(e164):
        raise UnableToBlock(e164)
    row, _made = BlockedCaller.objects.get_or_create(
        company=company, e164=e164, defaults={"note": note[:120], "blocked_by": blocked_by}
    )
    return row


def unblock(row: BlockedCaller) -> None:
    """Take the caller's calls again."""
    row.delete()
