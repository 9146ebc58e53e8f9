"""The audits of the Telnyx account: what each found, and who put what right."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import Company


class Asker(models.TextChoices):
    """Through what an audit or a repair was asked for."""

    COMMAND = "COMMAND", _("The command")
    PAGE = "PAGE", _("The company's page")
    ADMIN = "ADMIN", _("The admin")
    CLOCK = "CLOCK", _("The daily check")


class AccountAudit(models.Model):
    """One comparison of the account with what Curbe needs. One runs at a time."""

    asked_through = models.CharField(_("asked through"), max_length=8, choices=Asker)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    started_at = models.DateTimeField(_("started at"), db_index=True)
    #: Empty while it runs, or when its process died.
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    #: How many things of each kind were looked at.
    looked_at = models.JSONField(_("looked at"), default=dict)
    #: What of the account concerns the platform as a whole: balance, last signed request.
    facts = models.JSONField(_("facts"), default=dict)
    #: Why it could not be finished, in words.
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        verbose_name = _("account audit")
        verbose_name_plural = _("account audits")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class AuditFinding(models.Model):
    """One line of an audit; see ``telephony.core.audit.Finding``."""

    audit = models.ForeignKey(AccountAudit, on_delete=models.CASCADE, related_name="findings", verbose_name=_("audit"))
    #: Empty: the platform's. Such lines are the operator's alone.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("company")
    )
    code = models.CharField(_("code"), max_length=32)
    subject = models.CharField(_("about"), max_length=120)
    found = models.TextField(_("is"), blank=True, default="")
    wanted = models.TextField(_("should be"), blank=True, default="")
    part = models.CharField(_("part"), max_length=32, blank=True, default="")
    field = models.CharField(_("field"), max_length=80, blank=True, default="")
    telnyx_id = models.CharField(_("Telnyx id"), max_length=64, blank=True, default="")
    our_id = models.BigIntegerField(_("our id"), null=True, blank=True)
    #: How it can be put right; empty: only by a person.
    repair = models.CharField(_("repair"), max_length=20, blank=True, default="")
    is_wrong = models.BooleanField(_("wrong"), default=True)
    repaired_at = models.DateTimeField(_("repaired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("audit finding")
        verbose_name_plural = _("audit findings")
        indexes = [models.Index(fields=["company", "audit"], name="finding_of_company")]

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"


class AccountRepair(models.Model):
    """Something that was put right in the account: written before Telnyx is asked, and again when it has answered."""

    class Outcome(models.TextChoices):
        ASKED = "ASKED", _("Asked for")
        DONE = "DONE", _("Done")
        FAILED = "FAILED", _("Failed")

    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("company")
    )
    code = models.CharField(_("code"), max_length=32)
    repair = models.CharField(_("repair"), max_length=20)
    subject = models.CharField(_("about"), max_length=120)
    part = models.CharField(_("part"), max_length=32, blank=True, default="")
    field = models.CharField(_("field"), max_length=80, blank=True, default="")
    before = models.TextField(_("before"), blank=True, default="")
    after = models.TextField(_("after"), blank=True, default="")
    telnyx_id = models.CharField(_("Telnyx id"), max_length=64, blank=True, default="")
    asked_through = models.CharField(_("asked through"), max_length=8, choices=Asker)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    asked_at = models.DateTimeField(_("asked at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, default=Outcome.ASKED)
    #: Why not: a code (``account_repairs.Why``), or what Telnyx said.
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        verbose_name = _("account repair")
        verbose_name_plural = _("account repairs")
        indexes = [models.Index(fields=["company", "-id"], name="repair_of_company")]

    def __str__(self) -> str:
        return f"{self.repair} {self.subject}"

    @property
    def is_done(self) -> bool:
        return self.outcome == self.Outcome.DONE
