"""Gives the sandbox's account the numbers of our database, so that they can be called there."""

from __future__ import annotations

from typing import Any, Final

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telephony.models import PhoneNumber
from telephony.operations.numbers import applications_by_company, link_numbers
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError

TIMEOUT_S: Final = 5.0


class Command(BaseCommand):
    help = "Make the sandbox's account own every number of the database, wired to our TeXML application."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TELNYX_SANDBOX:
            raise CommandError("This is a real Telnyx account: numbers are bought there, not made up.")
        applications = applications_by_company()
        if None not in applications:
            raise CommandError("There is no TeXML application yet: run manage.py telnyx_setup first.")
        try:
            owned = {number.e164: number.connection_id for number in get_client().phone_numbers()}
            made = self._make_missing(owned, applications)
            linked = link_numbers(get_client().phone_numbers())
        except (TelnyxError, requests.RequestException) as err:
            raise CommandError(f"The sandbox at {settings.SANDBOX_URL} did not do it: {err}") from err
        self.stdout.write(f"{made} number(s) made in the sandbox, {linked} linked")

    def _make_missing(self, owned: dict[str, str], applications: dict[int | None, str]) -> int:
        made = 0
        with requests.Session() as session:
            session.trust_env = False
            # A setting of the portal at Telnyx: where events of the whole account go.
            events_url = f"{settings.PUBLIC_URL}/webhooks/telnyx/events"
            self._post(session, "settings", {"events_url": events_url})
            for e164, company_id in PhoneNumber.objects.order_by("e164").values_list("e164", "company_id"):
                application_id = applications.get(company_id, applications[None])
                if owned.get(e164) == application_id:
                    continue
                self._post(session, "numbers", {"e164": e164, "connection_id": application_id})
                made += 1
        return made

    def _post(self, session: requests.Session, what: str, body: dict[str, str]) -> None:
        response = session.post(f"{settings.SANDBOX_URL}/_sandbox/{what}", json=body, timeout=TIMEOUT_S)
        if not response.ok:
            raise CommandError(f"The sandbox refused {what} {body}: {response.status_code} {response.text[:300]}")
