"""Our numbers and the provider's: which of ours exist there, and what they are wired to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from telephony.models import PhoneNumber, TelnyxAccount
from telephony.telnyx.answers import RemoteNumber

BATCH: Final = 500


def link_numbers(remote: Iterable[RemoteNumber]) -> int:
    """Note Telnyx's id and connection beside each of our numbers that Telnyx has; return how many rows changed.

    A number of the account that is not ours is left alone: importing never buys, and linking never adopts.
    """
    by_e164 = {number.e164: number for number in remote}
    changed: list[PhoneNumber] = []
    for number in PhoneNumber.objects.only("e164", "telnyx_id", "connection_id").iterator(chunk_size=2000):
        found = by_e164.get(number.e164)
        if found and (number.telnyx_id, number.connection_id) != (found.id, found.connection_id):
            number.telnyx_id, number.connection_id = found.id, found.connection_id
            changed.append(number)
    PhoneNumber.objects.bulk_update(changed, ["telnyx_id", "connection_id"], batch_size=BATCH)
    return len(changed)


def applications_by_company() -> dict[int | None, str]:
    """Return the TeXML applications of companies that have their own; under None the platform's, for all others."""
    made = TelnyxAccount.objects.exclude(texml_application_id="")
    return dict(made.values_list("company_id", "texml_application_id"))
