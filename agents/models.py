"""The people who answer: what they chose, what the server has them doing, and what their browser last said."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import CompanyOwned
from curbe.lib.ids import uuid7


class Intent(models.TextChoices):
    """What the person chose. Nobody else sets it."""

    AVAILABLE = "AVAILABLE", _("Available")
    BREAK = "BREAK", _("On a break")
    OFFLINE = "OFFLINE", _("Offline")


class Activity(models.TextChoices):
    """What the server has the agent doing. Nobody else sets it."""

    IDLE = "IDLE", _("Idle")
    RESERVED = "RESERVED", _("Ringing")
    ON_CALL = "ON_CALL", _("On a call")
    WRAP_UP = "WRAP_UP", _("Wrap-up")
    NOT_RESPONDING = "NOT_RESPONDING", _("Not responding")


class Presence(models.TextChoices):
    """The one word on the screen, derived by ``agents.presence.derive``."""

    AVAILABLE = "AVAILABLE", _("Available")
    RINGING = "RINGING", _("Ringing")
    ON_CALL = "ON_CALL", _("On a call")
    WRAP_UP = "WRAP_UP", _("Wrap-up")
    BREAK = "BREAK", _("On a break")
    NOT_RESPONDING = "NOT_RESPONDING", _("Not responding")
    NO_DEVICE = "NO_DEVICE", _("No phone")
    OFFLINE = "OFFLINE", _("Offline")


class Agent(CompanyOwned):
    """A member who answers calls. ``presence`` is a cache of the derivation: readers that route compute it anew."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agents", verbose_name=_("user")
    )
    is_active = models.BooleanField(_("active"), default=True)
    intent = models.CharField(_("intent"), max_length=16, choices=Intent, default=Intent.AVAILABLE)
    activity = models.CharField(_("activity"), max_length=16, choices=Activity, default=Activity.IDLE)
    #: The call that reserved the agent, or that he is on. A call's id; agents know no calls.
    busy_call_id = models.UUIDField(_("call id"), null=True, blank=True, editable=False)
    #: A reservation is a lease: past this moment the agent is idle, whether or not anybody released him.
    reserved_until = models.DateTimeField(_("reserved until"), null=True, blank=True, editable=False)
    wrap_up_until = models.DateTimeField(_("wrap-up until"), null=True, blank=True, editable=False)
    #: Since when he has had no call; the longest idle rings first.
    idle_since = models.DateTimeField(_("idle since"), auto_now_add=True)
    presence = models.CharField(
        _("presence"), max_length=16, choices=Presence, default=Presence.OFFLINE, editable=False
    )
    presence_at = models.DateTimeField(_("presence since"), auto_now_add=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = [
            models.UniqueConstraint(fields=["user", "company"], name="one_agent_per_person_and_company"),
        ]
        indexes = [
            # Who is held by a call: read at each end of a call, and by the reconciler. Few rows are busy.
            models.Index(
                fields=["busy_call_id"], name="agents_agent_busy_call", condition=models.Q(busy_call_id__isnull=False)
            ),
            # Whose lease or wrap-up may have run out: read at each sweep. Few rows are not idle.
            models.Index(
                fields=["activity"], name="agents_agent_not_idle", condition=~models.Q(activity=Activity.IDLE)
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Beat(models.Model):
    """The last sign of life of an agent's phone: soft state in a narrow unlogged row of its own.

    Written every 10 s by each agent, so it carries no index but its key (an index on what every heartbeat changes ends
    HOT updates; measured in docs/architecture.md). After a crash of the database everybody is offline for one beat.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, primary_key=True, related_name="beat")
    #: The one browser tab that holds the phone; made by the page.
    phone_id = models.CharField(max_length=36)
    last_seen_at = models.DateTimeField()
    ready = models.BooleanField(default=False)
    microphone = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.agent_id} {self.last_seen_at:%H:%M:%S}"


class PresenceChange(CompanyOwned):
    """One change of the derived word; append-only."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="presence_changes", verbose_name=_("agent"))
    before = models.CharField(_("before"), max_length=16, choices=Presence)
    after = models.CharField(_("after"), max_length=16, choices=Presence)
    #: A short code: heartbeat, sweep, claim, answered, ended, declined, withdrawn, intent, ….
    reason = models.CharField(_("reason"), max_length=32)
    call_id = models.UUIDField(_("call id"), null=True, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("presence change")
        verbose_name_plural = _("presence changes")
        indexes = [models.Index(fields=["agent", "-at"], name="presence_change_agent_at")]

    def __str__(self) -> str:
        return f"{self.agent_id}: {self.before} → {self.after}"
