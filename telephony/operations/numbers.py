"""Our numbers and the provider's: which of ours exist there, and what they are wired to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from telephony.models import PhoneNumber, TelnyxAccount
from telephony.telnyx.answers import RemoteNumber
from telephony.telnyx.client import TelnyxClient

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


def wire_numbers(remote: Iterable[RemoteNumber], *, client: TelnyxClient) -> list[RemoteNumber]:
    """Point each of our numbers at its company's TeXML application; return the account's numbers as they are then.

    A number on a SIP connection bypasses us: it rings that connection, and no webhook is ever asked.
    """
    applications = applications_by_company()
    ours = dict(PhoneNumber.objects.values_list("e164", "company_id"))
    wired: list[RemoteNumber] = []
    for number in remote:
        wanted = applications.get(ours[number.e164], applications.get(None)) if number.e164 in ours else None
        if wanted and number.connection_id != wanted:
            number = client.wire_number(number.id, connection_id=wanted)
        wired.append(number)
    return wired


def applications_by_company() -> dict[int | None, str]:
    """Return the TeXML applications of companies that have their own; under None the platform's, for all others."""
    made = TelnyxAccount.objects.exclude(texml_application_id="")
    return dict(made.values_list("company_id", "texml_application_id"))
