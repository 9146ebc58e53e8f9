"""Says what would happen to a call, and why. Changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from curbe.lib.phone import NotANumber, to_e164
from telephony.core import hours
from telephony.models import PhoneNumber
from telephony.queries.explain import Branch, Explanation, explain_call

BRANCHES = {
    "es": {"digit": "Si el llamante marca {digit}:", "": "Si no marca nada:", None: "Si nadie contesta:"},
    "en": {"digit": "If the caller presses {digit}:", "": "If the caller presses nothing:", None: "If nobody answers:"},
}


class Command(BaseCommand):
    help = "Say what would happen to a call to one of our numbers, and why. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("to", metavar="+E164", help="the number that is called")
        parser.add_argument("--from", dest="from_number", default="", metavar="+E164", help="who calls")
        parser.add_argument(
            "--at",
            default="",
            metavar="ISO",
            help="when, as 2026-12-24T09:30 in the company's time zone (or with an offset); without it, now",
        )
        parser.add_argument("--language", choices=("es", "en"), help="of the sentences; without it, the company's")

    def handle(self, *args: Any, **options: Any) -> None:
        to, from_number = _number(options["to"]), _number(options["from_number"])
        number = PhoneNumber.objects.select_related("company").filter(e164=to).first()
        if number is None:
            raise CommandError(f"{to} is not a number of any company here.")
        company, now = number.company, timezone.now()
        at = _moment(options["at"], company.timezone) if options["at"] else now
        language = options["language"] or company.language
        found = explain_call(company, to, from_number, at, now=now, language=language)
        local = at.astimezone(hours.zone(company.timezone))
        self.stdout.write(f"{company.name} · {to} · {local:%Y-%m-%d %H:%M %Z} · plan {found.plan_version}")
        for line in _lines(found, language):
            self.stdout.write(line)


def _lines(found: Explanation, language: str) -> list[str]:
    lines = [*found.sentences, f"→ {found.decision}"]
    for branch in found.branches:
        lines += ["", _heading(branch, language), *(f"  {one}" for one in branch.sentences), f"  → {branch.decision}"]
    return lines


def _heading(branch: Branch, language: str) -> str:
    texts = BRANCHES[language]
    return texts["digit"].format(digit=branch.digit) if branch.digit else texts[branch.digit]


def _number(text: str) -> str:
    if not text:
        return ""
    try:
        return to_e164(text)
    except NotANumber as err:
        raise CommandError(f"{text} is not a number: write it as +13055550100.") from err


def _moment(text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise CommandError(f"{text} is not a moment: write it as 2026-12-24T09:30.") from err
    return at if at.tzinfo else at.replace(tzinfo=hours.zone(zone))
