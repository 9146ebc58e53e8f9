"""Makes what Curbe needs in the Telnyx account, or puts it right, and links our numbers."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from curbe.companies.models import Company
from telephony.models import TelnyxAccount
from telephony.operations.numbers import link_numbers, wire_numbers
from telephony.telnyx.account import UnableToSetUp, ensure_account
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError


class Command(BaseCommand):
    help = "Make, or put right, the TeXML application, connection and profile at Telnyx. A second run changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--company",
            metavar="SLUG",
            help="give this company a set of its own; its agents' credentials move there with telnyx_audit --fix",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        client, now = get_client(), timezone.now()
        owners = list(Company.objects.filter(telnyx_account__isnull=False).order_by("id"))
        if options["company"]:
            owners = [_company(options["company"])]
        try:
            accounts = [ensure_account(client, now), *(ensure_account(client, now, company=one) for one in owners)]
            remote = wire_numbers(client.phone_numbers(), client=client)
        except (TelnyxError, UnableToSetUp) as err:
            raise CommandError(str(err)) from err
        linked = link_numbers(remote)
        for account in accounts:
            self.stdout.write(f"{account}: {_ids_of(account)}")
        self.stdout.write(f"{linked} number(s) newly linked")


def _company(slug: str) -> Company:
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        raise CommandError(f"There is no company {slug}.")
    return company


def _ids_of(account: TelnyxAccount) -> str:
    return (
        f"TeXML application {account.texml_application_id} · connection {account.credential_connection_id} · "
        f"profile {account.outbound_voice_profile_id}"
    )
