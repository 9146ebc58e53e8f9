"""Makes what Curbe needs in the Telnyx account, or puts it right, and links our numbers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from telephony.operations.numbers import link_numbers, wire_numbers
from telephony.telnyx.account import UnableToSetUp, ensure_account
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError


class Command(BaseCommand):
    help = "Make, or put right, the TeXML application, connection and profile at Telnyx. A second run changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        client = get_client()
        try:
            account = ensure_account(client, timezone.now())
            remote = wire_numbers(client.phone_numbers(), application_id=account.texml_application_id, client=client)
        except (TelnyxError, UnableToSetUp) as err:
            raise CommandError(str(err)) from err
        linked = link_numbers(remote)
        self.stdout.write(
            f"TeXML application {account.texml_application_id} · connection {account.credential_connection_id} · "
            f"profile {account.outbound_voice_profile_id} · {linked} number(s) newly linked"
        )
