"""Makes what Curbe needs in the Telnyx account, or puts it right, and links our numbers."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from curbe.companies.models import Company
from telephony.models import Asker, TelnyxAccount
from telephony.operations.account_repairs import By, wire_and_link
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

        parser.add_argument(
            "--adopt",
            action="store_true",
            help="take over a set that bears our name and serves another host: it was ours, at another address",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        client, now = get_client().patient(), timezone.now()
        owners = list(Company.objects.filter(telnyx_account__isnull=False).order_by("id"))
        if options["company"]:
            owners = [_company(options["company"])]
        refused: list[str] = []
        # The platform's first: a company without a whole set of its own uses it.
        for owner in (None, *owners):
            try:
                account = ensure_account(client, now, company=owner, adopt=options["adopt"])
                self.stdout.write(f"{account}: {_ids_of(account)}")
            except (TelnyxError, UnableToSetUp) as err:
                refused.append(f"{owner or 'platform'}: {err}")
        try:
            linked, not_wired = wire_and_link(client, By(Asker.COMMAND))
        except TelnyxError as err:
            raise CommandError("\n".join([*refused, str(err)])) from err
        self.stdout.write(f"{linked} number(s) newly linked")
        if refused or not_wired:
            raise CommandError("\n".join([*refused, *not_wired]))


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
