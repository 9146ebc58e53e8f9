"""What comes after a call: how long its work may last, what the agent says of it, and how it ended."""

from __future__ import annotations

from typing import Final

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import WRAP_UP_CAP_S, Agent, WrapUpMode
from curbe.companies.models import Company, CompanyOwned
from telephony.models.calls import Call

#: What an agent writes about a call.
LONGEST_NOTE: Final = 2_000


class Disposition(CompanyOwned):
    """How a call went, in the company's own words."""

    #: The code of the one that the product writes when nobody said anything in time; nobody chooses it.
    TIMED_OUT: Final = "timed_out"

    #: What the company file and the API call it.
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    is_system = models.BooleanField(_("written by the product"), default=False, editable=False)
    is_active = models.BooleanField(_("can be chosen"), default=True)
    #: The order in which they are offered.
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0)

    class Meta:
        verbose_name = _("disposition")
        verbose_name_plural = _("dispositions")
        constraints = [
            models.UniqueConstraint(fields=["company", "code"], name="one_disposition_per_code_and_company"),
            models.CheckConstraint(
                condition=Q(is_system=True, code="timed_out") | (Q(is_system=False) & ~Q(code="timed_out")),
                name="only_the_product_times_out",
            ),
        ]

    def __str__(self) -> str:
        return str(_("Not said in time")) if self.is_system else self.name


class WrapUpPolicy(CompanyOwned):
    """What comes after calls that no queue speaks for. Without a row: nothing."""

    class Calls(models.TextChoices):
        DIRECT = "direct", _("Calls of no queue")
        OUTBOUND = "outbound", _("Outbound calls that were answered")
        FAILED_OUTBOUND = "failed_outbound", _("Outbound calls that nobody answered")

    calls = models.CharField(_("calls"), max_length=16, choices=Calls)
    mode = models.CharField(_("after the call"), max_length=24, choices=WrapUpMode, default=WrapUpMode.NONE)
    seconds = models.PositiveSmallIntegerField(
        _("time for it (s)"), default=30, validators=[MaxValueValidator(WRAP_UP_CAP_S)]
    )

    class Meta:
        verbose_name = _("wrap-up without a queue")
        verbose_name_plural = _("wrap-up without a queue")
        constraints = [models.UniqueConstraint(fields=["company", "calls"], name="one_wrap_up_policy_per_kind")]

    def __str__(self) -> str:
        return str(self.get_calls_display())


class CallWrapUp(CompanyOwned):
    """One agent's work after one call, from its beginning to how it ended. The agent's own row has the deadline."""

    class Ended(models.TextChoices):
        NOT_YET = "", _("Not ended")
        DONE = "done", _("The agent was done")
        TIMED_OUT = "timed_out", _("The time was over")
        RELEASED = "released", _("A supervisor ended it")
        CALL = "call", _("Another call was answered")

    # Read by call and by agent; a company that goes takes its calls along.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("company")
    )
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="wrap_ups", verbose_name=_("call"))
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="wrap_ups", db_index=False, verbose_name=_("agent")
    )
    mode = models.CharField(_("mode"), max_length=24, choices=WrapUpMode)
    started_at = models.DateTimeField(_("started at"))
    #: The deadline; nobody's work after a call lasts longer.
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_how = models.CharField(_("how it ended"), max_length=12, choices=Ended, blank=True, default=Ended.NOT_YET)
    disposition = models.ForeignKey(
        Disposition,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="wrap_ups",
        verbose_name=_("disposition"),
    )
    note = models.TextField(_("note"), max_length=LONGEST_NOTE, blank=True, default="")

    class Meta:
        verbose_name = _("wrap-up")
        verbose_name_plural = _("wrap-ups")
        constraints = [
            # Those that are open are few: the same index finds the ones whose time is over.
            models.UniqueConstraint(
                fields=["agent"], condition=Q(ended_at__isnull=True), name="an_agent_wraps_up_one_call"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.agent_id}"
