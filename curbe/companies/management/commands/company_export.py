"""Write a company as one file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from curbe.companies.company_file import export_company
from curbe.companies.models import Company


class Command(BaseCommand):
    help = "Prints the company as one document, which company_import takes. Passwords and Telnyx's ids are not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        company = Company.objects.filter(slug=slug).first()
        if company is None:
            known = ", ".join(Company.objects.order_by("slug").values_list("slug", flat=True)[:20])
            raise CommandError(f"There is no company {slug}. There are: {known or 'none'}.")
        self.stdout.write(export_company(company), ending="")
