"""What Curbe has at Telnyx: the connections of the platform, and one credential per agent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import Company, CompanyOwned


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
