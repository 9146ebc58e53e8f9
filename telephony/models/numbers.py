"""The numbers (DIDs) that people call, and where each leads."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import CompanyOwned, e164_validator
from telephony.models.plans import CallQueue


class PhoneNumber(CompanyOwned):
    """A bought number. Without a Telnyx id it is *unlinked*: it can be called, and the audit links it."""

    class Destination(models.TextChoices):
        NONE = "none", _("Not assigned")
        USER = "user", _("A user")
        QUEUE = "queue", _("A queue")
        COMPANY = "company", _("The company (automatic)")

    e164 = models.CharField(_("number"), max_length=16, unique=True, validators=[e164_validator])
    label = models.CharField(_("label"), max_length=80, blank=True, default="")
    #: Telnyx's numeric id of the number; empty while unlinked.
    telnyx_id = models.CharField(_("Telnyx id"), max_length=32, blank=True, default="", db_index=True)
    #: What the number is wired to at Telnyx; must be the id of a TeXML application, never of a SIP connection.
    connection_id = models.CharField(_("Telnyx connection id"), max_length=32, blank=True, default="")
    destination = models.CharField(
        _("destination"), max_length=16, choices=Destination, default=Destination.NONE, db_index=True
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="numbers", verbose_name=_("user")
    )
    queue = models.ForeignKey(
        CallQueue, on_delete=models.SET_NULL, null=True, blank=True, related_name="numbers", verbose_name=_("queue")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        constraints = [
            # SET_NULL may leave a user or queue destination without its row: that number is treated as not assigned.
            models.CheckConstraint(
                condition=(Q(agent__isnull=True) | Q(destination="user"))
                & (Q(queue__isnull=True) | Q(destination="queue")),
                name="a_number_has_only_the_target_of_its_destination",
            ),
        ]

    def __str__(self) -> str:
        return self.e164
