"""What Curbe has at Telnyx: the connections of the platform, and one credential per agent."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import Company, CompanyOwned

country_validator = RegexValidator(r"^[A-Z]{2}$", _("Two capital letters: US, MX, ES."))


class TelnyxAccount(models.Model):
    """The set of connections that calls go through: one row for the platform (``company`` empty)."""

    company = models.OneToOneField(
        Company,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="telnyx_account",
        verbose_name=_("company"),
    )
    texml_application_id = models.CharField(_("TeXML application id"), max_length=32, blank=True, default="")
    credential_connection_id = models.CharField(_("credential connection id"), max_length=32, blank=True, default="")
    outbound_voice_profile_id = models.CharField(_("outbound voice profile id"), max_length=32, blank=True, default="")
    #: Telnyx's id of the account, learned from the first signed request.
    account_sid = models.CharField(_("Telnyx account id"), max_length=64, blank=True, default="")
    #: Countries that may be called (ISO 3166 alpha-2). Empty, like the limits below: as somebody set it in the portal.
    destinations = ArrayField(
        models.CharField(max_length=2, validators=[country_validator]),
        verbose_name=_("countries that may be called"),
        blank=True,
        default=list,
        db_default=[],
        help_text=_("Two letters each, with commas: US, CA, MX. Empty: as it is set at Telnyx."),
    )
    daily_spend_usd = models.DecimalField(
        _("most a day (USD)"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("Calls out stop for the day once they have cost so much. Empty: as it is set at Telnyx."),
    )
    concurrent_calls = models.PositiveIntegerField(
        _("most calls out at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as it is set at Telnyx."),
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Telnyx account")
        verbose_name_plural = _("Telnyx accounts")
        constraints = [
            models.UniqueConstraint(fields=["company"], nulls_distinct=False, name="one_telnyx_account_per_company"),
        ]

    def __str__(self) -> str:
        return str(self.company) if self.company else "platform"


class SipEndpoint(CompanyOwned):
    """An agent's Telnyx telephony credential: what ``<Sip>`` rings. Its password is never kept."""

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="endpoint", verbose_name=_("agent"))
    telnyx_credential_id = models.CharField(_("Telnyx credential id"), max_length=64, unique=True)
    sip_username = models.CharField(_("SIP user name"), max_length=80, unique=True)
    connection_id = models.CharField(_("Telnyx connection id"), max_length=32)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("SIP endpoint")
        verbose_name_plural = _("SIP endpoints")

    def __str__(self) -> str:
        return self.sip_username
