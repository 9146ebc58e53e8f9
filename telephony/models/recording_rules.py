"""What is said before a call is recorded."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import CompanyOwned
from telephony.models.numbers import PhoneNumber

LONGEST_NOTICE: Final = 400


class RecordingRule(CompanyOwned):
    """Whether people are told that a call is recorded, and in which words. The narrowest rule counts."""

    class Direction(models.TextChoices):
        BOTH = "", _("Calls in and out")
        INBOUND = "inbound", _("Calls in")
        OUTBOUND = "outbound", _("Calls out")

    direction = models.CharField(_("direction"), max_length=8, choices=Direction, blank=True, default=Direction.BOTH)
    #: Empty: every number of the company.
    number = models.ForeignKey(
        PhoneNumber, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("number")
    )
    announces = models.BooleanField(_("announce"), default=True)
    #: Empty: the product's own words.
    say_es = models.CharField(_("words in Spanish"), max_length=LONGEST_NOTICE, blank=True, default="")
    say_en = models.CharField(_("words in English"), max_length=LONGEST_NOTICE, blank=True, default="")

    class Meta:
        verbose_name = _("announcement of recordings")
        verbose_name_plural = _("announcements of recordings")
        constraints = [
            models.UniqueConstraint(
                fields=["company", "direction", "number"],
                nulls_distinct=False,
                name="one_recording_rule_per_direction_and_number",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {self.number or ''}".strip()
