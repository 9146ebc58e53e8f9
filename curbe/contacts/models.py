"""Whom the company talks to: enough to know a caller's name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import CompanyOwned, Language, e164_validator


class Contact(CompanyOwned):
    name = models.CharField(_("name"), max_length=120)
    #: What the contact speaks; empty: not known.
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True, default="")
    #: Whose customer it is: that person is rung first where a queue prefers the agent whom the caller knows.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="owned_contacts",
        verbose_name=_("owner"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        # The list is read in this order, page by page.
        indexes = [models.Index(fields=["company", "name", "id"], name="contact_by_name")]

    def __str__(self) -> str:
        return self.name


class ContactNumber(CompanyOwned):
    """A number that a contact calls from; within a company it names one contact."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="numbers", verbose_name=_("contact"))
    e164 = models.CharField(_("number"), max_length=16, validators=[e164_validator])

    class Meta:
        verbose_name = _("number of a contact")
        verbose_name_plural = _("numbers of contacts")
        constraints = [
            models.UniqueConstraint(fields=["company", "e164"], name="one_contact_per_number"),
        ]

    def __str__(self) -> str:
        return self.e164
