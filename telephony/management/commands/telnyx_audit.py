"""Compares the Telnyx account with what Curbe needs, line by line. Exit 1 while something is wrong."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import override

from telephony.models import AccountAudit, AccountRepair, Asker, AuditFinding
from telephony.operations import audits
from telephony.operations.account_repairs import By
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError
from telephony.views.audit_words import described, reason_of, repair_word


class Command(BaseCommand):
    # They load every page that there is; what concerns Telnyx is looked at here anyway.
    requires_system_checks = ()
    help = "Compare the Telnyx account with what Curbe needs, line by line. Exit code 1 while something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="put right what can be, and compare again")
        parser.add_argument("--language", choices=("es", "en"), default="en", help="of the lines")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            audit = audits.begin(By(Asker.COMMAND), now)
        except audits.AlreadyRunning as err:
            raise CommandError("Another audit runs just now. Try again in a minute.") from err
        try:
            audits.run(audit, get_client().patient(), fix=options["fix"])
        except TelnyxError as err:
            raise CommandError(str(err)) from err
        with override(options["language"]):
            self._tell(audit)
        wrong = audit.findings.filter(is_wrong=True).count()
        if wrong:
            raise CommandError(f"{wrong} thing(s) wrong in the Telnyx account", returncode=1)

    def _tell(self, audit: AccountAudit) -> None:
        looked = " · ".join(f"{count} {kind}" for kind, count in sorted(audit.looked_at.items()))
        self.stdout.write(f"Looked at: {looked}")
        repairs = AccountRepair.objects.filter(asked_through=Asker.COMMAND, asked_at__gte=audit.started_at)
        self._repairs(repairs.order_by("id"))
        findings = list(audit.findings.select_related("company").order_by("-is_wrong", "id"))
        for finding in findings:
            self._finding(finding)
        if not findings:
            self.stdout.write(self.style.SUCCESS("All is as it should be."))

    def _repairs(self, repairs: Iterable[AccountRepair]) -> None:
        for one in repairs:
            if one.is_done:
                self.stdout.write(self.style.SUCCESS(f"repaired  {one.subject}: {repair_word(one)}"))
            else:
                self.stdout.write(self.style.ERROR(f"not repaired  {one.subject}: {reason_of(one)}"))

    def _finding(self, finding: AuditFinding) -> None:
        line = described(finding)
        whose = f" [{finding.company.name}]" if finding.company else ""
        style = self.style.ERROR if finding.is_wrong else self.style.WARNING
        self.stdout.write(style(f"{'WRONG' if finding.is_wrong else 'note '}  {line.title}{whose}"))
        self.stdout.write(f"       is: {line.found}")
        if line.wanted:
            self.stdout.write(f"       should be: {line.wanted}")
        self.stdout.write(f"       {line.why}")
        if finding.repair:
            self.stdout.write("       --fix repairs it")
