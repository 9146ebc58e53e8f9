"""Plans: whom a number can ring."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import CompanyOwned


class CallQueue(CompanyOwned):
    """A named group of agents with a ring strategy."""

    class Strategy(models.TextChoices):
        RING_ALL = "ring_all", _("Ring all together (at most 10)")

    name = models.CharField(_("name"), max_length=80)
    strategy = models.CharField(_("strategy"), max_length=16, choices=Strategy, default=Strategy.RING_ALL)
    #: Telnyx allows 5–120 s for <Dial timeout> (developers.telnyx.com, Dial verb, 2026-04).
    ring_timeout_s = models.PositiveSmallIntegerField(
        _("ring time (s)"), default=25, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    members: models.ManyToManyField[Agent, QueueMember] = models.ManyToManyField(
        Agent, through="QueueMember", related_name="queues", verbose_name=_("members")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="one_queue_per_name_and_company")]

    def __str__(self) -> str:
        return self.name


class QueueMember(models.Model):
    queue = models.ForeignKey(CallQueue, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("queue"))
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="queue_memberships", verbose_name=_("agent")
    )

    class Meta:
        verbose_name = _("member of a queue")
        verbose_name_plural = _("members of queues")
        constraints = [models.UniqueConstraint(fields=["queue", "agent"], name="an_agent_is_once_in_a_queue")]

    def __str__(self) -> str:
        return str(self.agent)
