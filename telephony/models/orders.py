"""Numbers on their way: bought, wanted back by nobody, and what Telnyx has to be told of them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import CompanyOwned, User, e164_validator
from telephony.models.numbers import PhoneNumber
from telephony.models.plans import BusinessHours, Place


class NumberOrder(CompanyOwned):
    """One number that a company wants to buy: written before Telnyx is asked: none is paid for without a row."""

    class State(models.TextChoices):
        #: We want it. Whether Telnyx heard of it is what asking for the reference says.
        REQUESTED = "requested", _("Being ordered")
        #: Telnyx has the order, and we know its id.
        PENDING = "pending", _("Telnyx is at it")
        DONE = "done", _("Bought")
        FAILED = "failed", _("Not bought")
        #: Telnyx holds the order until somebody hands in documents.
        NEEDS_DOCUMENTS = "needs_documents", _("Documents are missing")

    #: In these states nobody may order the same number again.
    OPEN = (State.REQUESTED, State.PENDING, State.NEEDS_DOCUMENTS)

    #: The orders of one click.
    purchase = models.UUIDField(_("purchase"), db_index=True, default=uuid.uuid4, editable=False)
    ordered_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("ordered by")
    )
    e164 = models.CharField(_("number"), max_length=16, validators=[e164_validator])
    #: Telnyx's word: local, toll_free, mobile, …; empty: not known.
    kind = models.CharField(_("kind"), max_length=16, blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.REQUESTED)
    #: Ours, sent with the order and asked for before anything is tried again.
    customer_reference = models.CharField(_("our reference"), max_length=64, unique=True)
    #: What the number shall be wired to: the TeXML application, never a SIP connection.
    connection_id = models.CharField(_("Telnyx connection id"), max_length=32)
    telnyx_order_id = models.CharField(_("Telnyx order id"), max_length=64, blank=True, default="", db_index=True)
    #: Prices as they were seen when it was ordered.
    upfront_cost = models.DecimalField(_("set-up price"), max_digits=10, decimal_places=4, null=True, blank=True)
    monthly_cost = models.DecimalField(_("monthly price"), max_digits=10, decimal_places=4, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    #: Where the number shall lead once it is ours; without one it is assigned to nobody.
    leads_to = models.ForeignKey(
        Place, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("leads to")
    )
    hours = models.ForeignKey(
        BusinessHours,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("business hours"),
    )
    caller_name = models.CharField(_("caller-ID name"), max_length=15, blank=True, default="")
    number = models.ForeignKey(
        PhoneNumber, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders", verbose_name=_("number")
    )
    #: Telnyx's code (85001, …), or a word of ours; what it means is in telephony.views.order_words.
    error_code = models.CharField(_("error code"), max_length=40, blank=True, default="")
    error_detail = models.CharField(_("error"), max_length=500, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    #: When the order was sent (last); empty: never, so there is nothing to ask for.
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    #: When the worker looks at it next; moved on by whoever takes it. Empty once nothing is left to do.
    next_look_at = models.DateTimeField(_("next look at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("number order")
        verbose_name_plural = _("number orders")
        constraints = [
            # Whichever company wants it: a number is bought once.
            models.UniqueConstraint(
                fields=["e164"],
                condition=Q(state__in=["requested", "pending", "needs_documents"]),
                name="one_open_order_per_number",
            ),
        ]
        indexes = [
            models.Index(fields=["next_look_at"], name="order_due", condition=Q(next_look_at__isnull=False)),
            models.Index(fields=["company", "-id"], name="order_company_newest"),
        ]

    def __str__(self) -> str:
        return self.e164

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class NumberRelease(CompanyOwned):
    """The trace of a number that a company gave up: written before Telnyx is asked, and kept for good."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Being released")
        DONE = "done", _("Released")
        FAILED = "failed", _("Not released")

    e164 = models.CharField(_("number"), max_length=16, validators=[e164_validator])
    telnyx_id = models.CharField(_("Telnyx id"), max_length=32, blank=True, default="")
    label = models.CharField(_("label"), max_length=80, blank=True, default="")
    #: Where it led then, in words.
    led_to = models.CharField(_("led to"), max_length=200, blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.REQUESTED)
    released_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("released by")
    )
    error_detail = models.CharField(_("error"), max_length=500, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_look_at = models.DateTimeField(_("next look at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("released number")
        verbose_name_plural = _("released numbers")
        constraints = [
            models.UniqueConstraint(
                fields=["e164"], condition=Q(state="requested"), name="one_open_release_per_number"
            ),
        ]
        indexes = [
            models.Index(fields=["next_look_at"], name="release_due", condition=Q(next_look_at__isnull=False)),
            models.Index(fields=["company", "-id"], name="release_company_newest"),
        ]

    def __str__(self) -> str:
        return self.e164


class EmergencyAddress(CompanyOwned):
    """Where help is sent when somebody calls it from a number. Immutable at Telnyx, and so here."""

    #: Who is there: a business, or a person's whole name.
    name = models.CharField(_("name"), max_length=80)
    street = models.CharField(_("street and number"), max_length=120)
    extended = models.CharField(_("floor, suite, door"), max_length=60, blank=True, default="")
    locality = models.CharField(_("city"), max_length=80)
    area = models.CharField(_("state or province"), max_length=60, blank=True, default="")
    postal_code = models.CharField(_("postal code"), max_length=16, blank=True, default="")
    country = models.CharField(_("country"), max_length=2)
    #: Ours: an address whose answer was lost is found by it, and not made twice.
    customer_reference = models.CharField(_("our reference"), max_length=64, unique=True)
    #: Empty until Telnyx has taken it.
    telnyx_id = models.CharField(_("Telnyx id"), max_length=64, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("emergency address")
        verbose_name_plural = _("emergency addresses")
        indexes = [models.Index(fields=["company", "name"], name="emergency_address_by_name")]

    def __str__(self) -> str:
        parts = (self.name, self.street, self.extended, self.locality, f"{self.area} {self.postal_code}".strip())
        return ", ".join(part for part in parts if part)


class BlockedCaller(CompanyOwned):
    """A number whose calls to one company are rejected by the first instruction."""

    e164 = models.CharField(_("caller"), max_length=16, validators=[e164_validator])
    note = models.CharField(_("note"), max_length=120, blank=True, default="")
    blocked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("blocked by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("blocked caller")
        verbose_name_plural = _("blocked callers")
        # A constraint and not a unique column: the first instruction of every call looks here, by both.
        constraints = [models.UniqueConstraint(fields=["company", "e164"], name="one_block_per_caller")]

    def __str__(self) -> str:
        return self.e164
