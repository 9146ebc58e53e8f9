"""Our numbers and the provider's: which of ours exist there, and what they are wired to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from telephony.models import PhoneNumber
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


def wire_numbers(remote: Iterable[RemoteNumber], *, application_id: str, client: TelnyxClient) -> list[RemoteNumber]:
    """Point each of our numbers at the TeXML application, and return the account's numbers as they are then.

    A number on a SIP connection bypasses us: it rings that connection, and no webhook is ever asked.
    """
    ours = set(PhoneNumber.objects.values_list("e164", flat=True))
    wired: list[RemoteNumber] = []
    for number in remote:
        if number.e164 in ours and number.connection_id != application_id:
            number = client.wire_number(number.id, connection_id=application_id)
        wired.append(number)
    return wired
