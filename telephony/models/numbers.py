"""The numbers (DIDs) that people call, and where each leads."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import CompanyOwned, Language, e164_validator
from telephony.models.plans import BusinessHours, CallQueue, Menu, Place


class PhoneNumber(CompanyOwned):
    """A bought number. Without a Telnyx id it is *unlinked*: it can be called, and the audit links it."""

    class Destination(models.TextChoices):
        NONE = "none", _("Not assigned")
        USER = "user", _("A user")
        QUEUE = "queue", _("A queue")
        MENU = "menu", _("A menu")
        COMPANY = "company", _("The company (automatic)")
        NUMBER = "number", _("Another number")
        VOICEMAIL = "voicemail", _("Voicemail")
        SAY = "say", _("An announcement")

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
    menu = models.ForeignKey(
        Menu, on_delete=models.SET_NULL, null=True, blank=True, related_name="numbers", verbose_name=_("menu")
    )
    forward_to = models.CharField(_("forward to"), max_length=16, blank=True, default="", validators=[e164_validator])
    words = models.CharField(_("announcement"), max_length=500, blank=True, default="")
    hours = models.ForeignKey(
        BusinessHours,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="numbers",
        verbose_name=_("business hours"),
    )
    when_closed = models.ForeignKey(
        Place,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="closed_of_numbers",
        verbose_name=_("while closed"),
        help_text=_("Empty: the company's fallback number if it has one, else voicemail."),
    )
    #: The language of who calls this number; empty: the company's, and nobody chose it.
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True, default="")
    #: As Telnyx has it: what the networks show of us when we call from this number; empty: nothing is listed.
    caller_name = models.CharField(_("caller-ID name"), max_length=15, blank=True, default="", db_default="")
    emergency_address = models.ForeignKey(
        "telephony.EmergencyAddress",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="numbers",
        verbose_name=_("emergency address"),
    )
    #: Telnyx's word: disabled, provisioning, active, provisioning-failed, deprovisioning; empty: never asked for.
    emergency_status = models.CharField(_("emergency status"), max_length=24, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        # The list of a company, page by page.
        indexes = [models.Index(fields=["company", "e164"], name="number_of_company")]
        constraints = [
            # SET_NULL may leave a user or queue destination without its row: that number is treated as not assigned.
            models.CheckConstraint(
                condition=(Q(agent__isnull=True) | Q(destination="user"))
                & (Q(queue__isnull=True) | Q(destination="queue"))
                & (Q(menu__isnull=True) | Q(destination="menu"))
                & (Q(forward_to="") | Q(destination="number"))
                & (Q(words="") | Q(destination="say")),
                name="a_number_has_only_the_target_of_its_destination",
            ),
        ]

    def __str__(self) -> str:
        return self.e164
