"""The facts that the audit compares, fetched: whole lists in pages, never a request per number.

Raises TelnyxRefused and TelnyxUnreachable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from telephony.core.account import Part
from telephony.core.audit import CredentialThere, NumberThere, SetFacts
from telephony.models import TelnyxAccount
from telephony.telnyx.account import ID_FIELDS, limits_of
from telephony.telnyx.client import TelnyxClient

Rows = Mapping[str, Mapping[str, Any]]
#: So many sets are asked for row by row; of more of them the whole lists are read.
FEW_SETS = 10


def sets(client: TelnyxClient) -> list[SetFacts]:
    """Return every set that we keep, the platform's first, with its rows as Telnyx has them."""
    kept = TelnyxAccount.objects.select_related("company").order_by("company_id", "id")
    platforms = [account for account in kept if account.company_id is None] or [TelnyxAccount()]
    accounts = [*platforms, *(account for account in kept if account.company_id is not None)]
    rows = {part: _rows(client, part, [getattr(one, ID_FIELDS[part]) for one in accounts]) for part in Part}
    return [_set_facts(account, rows) for account in accounts]


def _rows(client: TelnyxClient, part: Part, ids: list[str]) -> Rows:
    """Return the rows of a collection that are ours, by id. Other programs' rows are read past."""
    wanted = {one for one in ids if one}
    if len(wanted) <= FEW_SETS:
        found = {one: client.row(part, one) for one in sorted(wanted)}
        return {row_id: row for row_id, row in found.items() if row is not None}
    return {str(row.get("id")): row for row in client.each_row(part) if str(row.get("id")) in wanted}


def _set_facts(account: TelnyxAccount, rows: Mapping[Part, Rows]) -> SetFacts:
    ids = {part: getattr(account, ID_FIELDS[part]) for part in Part}
    return SetFacts(
        id=account.pk,
        company_id=account.company_id,
        company=account.company.public_id if account.company else "",
        ids=ids,
        rows={part: rows[part].get(ids[part]) for part in Part},
        limits=limits_of(account),
    )


def numbers(client: TelnyxClient) -> Iterator[NumberThere]:
    for number in client.each_phone_number():
        yield NumberThere(
            number.id,
            number.e164,
            number.connection_id,
            number.connection_name,
            number.status,
            number.customer_reference,
        )


def credentials(client: TelnyxClient) -> Iterator[CredentialThere]:
    for one in client.all_credentials():
        yield CredentialThere(one.id, one.name, one.sip_username, one.connection_id, one.expired)
