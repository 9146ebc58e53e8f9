"""Make a company be as its file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from curbe.companies.company_file import Result, UnableToImport, import_company
from curbe.companies.invitations import invitation_link


class Command(BaseCommand):
    help = (
        "Makes a company be as FILE says: all of it, or nothing when any line is wrong. Idempotent. "
        "An absent section is left alone; what is missing inside a section goes only with --prune. Buys nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--prune", action="store_true", help="remove what the file's sections do not name")

    def handle(self, *args: Any, file: Path, dry_run: bool, prune: bool, **options: Any) -> None:
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except OSError as err:
            raise CommandError(f"{file}: {err.strerror}") from err
        except UnicodeDecodeError as err:
            line = err.object.count(b"\n", 0, err.start) + 1
            raise CommandError(f"{file}:{line}: this is not UTF-8 text") from err
        try:
            result = import_company(text, prune=prune, dry_run=dry_run)
        except UnableToImport as err:
            lines = [f"{file}:{problem.line}: {problem.reason}" for problem in err.problems]
            raise CommandError("\n".join([*lines, "Nothing was changed."])) from err
        self._tell(result, dry_run=dry_run)

    def _tell(self, result: Result, *, dry_run: bool) -> None:
        for change in result.changes:
            hint = "  (not in the file; --prune removes it)" if change.sign == "=" else ""
            self.stdout.write(f"{change}{hint}")
        if result.is_unchanged:
            self.stdout.write(f"{result.company.slug} is as the file says.")
        elif dry_run:
            self.stdout.write("A dry run: nothing was changed.")
        elif result.new_users:
            self.stdout.write("Invitations (each works once, for three days):")
            for user in result.new_users:
                self.stdout.write(f"  {user.username}: {invitation_link(user)}")
