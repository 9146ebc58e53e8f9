"""Load the demo company, with passwords that everybody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from curbe.companies.company_file import import_company
from curbe.companies.models import Membership, User

DEMO_FILE: Final = Path(__file__).resolve().parents[2] / "demo" / "acme.yaml"
PASSWORD: Final = "curbe-demo"
ADMIN: Final = "admin"


class Command(BaseCommand):
    help = "Loads the demo company and sets its people's passwords. Only with DEBUG: everybody knows these passwords."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's passwords are known to everybody; it is set up only with DEBUG.")
        company = import_company(DEMO_FILE.read_text(encoding="utf-8")).company
        members = Membership.objects.filter(company=company).select_related("user").order_by("id")
        operator, _made = User.objects.get_or_create(
            username=ADMIN, defaults={"name": "Admin", "is_staff": True, "is_superuser": True}
        )
        for user in (*(one.user for one in members), operator):
            _give_password(user)
        self.stdout.write(f"Log in with the password {PASSWORD} as")
        for one in members:
            self.stdout.write(f"  {one.user.username:<6} {one.user.name} ({one.role})")
        self.stdout.write(f"  {ADMIN:<6} the operator, at /admin/")


def _give_password(user: User) -> None:
    # A person who has chosen a password keeps it; and hashing takes a tenth of a second each.
    if not user.password or not user.has_usable_password():
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
