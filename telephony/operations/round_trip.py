"""Does what Telnyx signs reach us? It is asked to ring somebody who is never there, and to tell us what became of it.

No request of Telnyx's API sends a test to a webhook. This call rings a credential with which nobody registers, from a
number of ours: it ends by itself, nobody hears it, and its status callbacks are signed like those of every call.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from curbe.lib.ids import first_id_at
from telephony.core.account import address
from telephony.core.audit import PROBE_NAME, Reach
from telephony.models import PhoneNumber, TelnyxAccount, TelnyxEvent
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused

logger = logging.getLogger(__name__)

#: Telnyx tells of a leg within a second; a webhook that was not answered at first is repeated after two.
WAIT_S: Final = 12.0
LOOK_EVERY_S: Final = 0.25
#: What the webhook calls news of such a call (telephony.webhooks.notifications).
KIND: Final = "probe"
#: Why it could not be asked for; said in words by ``audit_words``.
NO_APPLICATION: Final = "NO_APPLICATION"
NO_NUMBER: Final = "NO_NUMBER"


@dataclass(frozen=True)
class RoundTrip:
    reach: Reach
    #: Why it could not be asked for: one of the codes above, or what Telnyx said.
    why_not: str = ""


def ask(client: TelnyxClient, now: datetime, *, sleep: Callable[[float], None] = time.sleep) -> RoundTrip:
    """Return whether something signed came back. Raises TelnyxUnreachable."""
    account = TelnyxAccount.objects.filter(company=None).first()
    if account is None or not (account.texml_application_id and account.credential_connection_id):
        return RoundTrip(Reach.COULD_NOT_ASK, NO_APPLICATION)
    number = _number_of(account)
    if number is None:
        return RoundTrip(Reach.COULD_NOT_ASK, NO_NUMBER)
    nonce = str(uuid.uuid4())
    try:
        _ring_nobody(client, account, from_=number, nonce=nonce)
    except TelnyxRefused as err:
        logger.warning("The round trip could not be asked for: %s", err)
        return RoundTrip(Reach.COULD_NOT_ASK, "\n".join(map(str, err.complaints)) or str(err.status))
    for _ in range(int(WAIT_S / LOOK_EVERY_S)):
        if _came(nonce, now):
            return RoundTrip(Reach.CAME)
        sleep(LOOK_EVERY_S)
    return RoundTrip(Reach.CAME if _came(nonce, now) else Reach.DID_NOT_COME)


def last_signed_at() -> datetime | None:
    """Return when something signed came last."""
    came = TelnyxEvent.objects.filter(source=TelnyxEvent.Source.CALLBACK)
    return came.order_by("-id").values_list("received_at", flat=True).first()


def _number_of(account: TelnyxAccount) -> str | None:
    """Return a number of ours that the account has; the one that is wired to this application first."""
    linked = PhoneNumber.objects.exclude(telnyx_id="")
    wired = linked.filter(connection_id=account.texml_application_id)
    first = wired.order_by("id").first() or linked.order_by("id").first()
    return first.e164 if first else None


def _ring_nobody(client: TelnyxClient, account: TelnyxAccount, *, from_: str, nonce: str) -> None:
    connection_id = account.credential_connection_id
    there = [one for one in client.credentials(tag=PROBE_NAME) if not one.expired]
    probe = min(there, key=lambda one: one.id) if there else None
    probe = probe or client.create_credential(connection_id=connection_id, tag=PROBE_NAME)
    client.ring_nobody(
        # Telnyx's id of the account, which the first call tells; until then the credential's owner is the same.
        account_sid=account.account_sid or probe.account_sid,
        application_id=account.texml_application_id,
        from_=from_,
        sip_username=probe.sip_username,
        callback=f"{address(settings.PUBLIC_URL, 'status')}?probe={nonce}",
    )


def _came(nonce: str, asked_at: datetime) -> bool:
    # The key is ordered by time: only what came since is looked at.
    since = TelnyxEvent.objects.filter(pk__gte=first_id_at(asked_at - timedelta(minutes=1)), kind=KIND)
    return since.filter(payload___url__probe=nonce).exists()
