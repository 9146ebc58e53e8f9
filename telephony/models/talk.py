"""What happens to a call once people talk: rooms, holds, transfers, rescues, and what Telnyx is to be asked for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import CompanyOwned
from curbe.lib.ids import uuid7
from telephony.models.calls import Call
from telephony.models.numbers import PhoneNumber
from telephony.models.plans import CallQueue


class OutboundIntent(CompanyOwned):
    """An agent said that he is about to call somebody. Its id becomes the call's; without it no call leaves."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        PLACED = "placed", _("Placed")
        EXPIRED = "expired", _("Expired")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # The index below begins with it.
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="intents", db_index=False, verbose_name=_("agent")
    )
    #: The number of ours that the customer sees.
    number = models.ForeignKey(
        PhoneNumber, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("number")
    )
    to_e164 = models.CharField(_("to"), max_length=16)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("announced call")
        verbose_name_plural = _("announced calls")
        indexes = [models.Index(fields=["agent", "created_at"], name="intent_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.agent_id} → {self.to_e164}"


class Talk(models.Model):
    """Where a conversation stands that is more than one plain ``<Dial>``; made when the first such thing happens.

    Changed only by ``telephony.operations.talks``, with the call's row locked.
    """

    call = models.OneToOneField(
        Call, on_delete=models.CASCADE, primary_key=True, related_name="talk", verbose_name=_("call")
    )
    #: ``telephony.core.call_state.Phase``.
    phase = models.CharField(_("phase"), max_length=16)
    phase_at = models.DateTimeField(_("phase since"))
    #: What the room was asked for (``call_state.Wish``), while both are on their way into it.
    wish = models.CharField(_("wish"), max_length=12, blank=True, default="")

    #: The agent who talks with the customer; empty when it is somebody outside, or nobody.
    lead = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("lead"),
    )
    lead_sid = models.CharField(_("lead's CallSid"), max_length=160, blank=True, default="")
    #: The leg of whoever led before, which is to end now that the customer is somewhere else.
    former_sid = models.CharField(_("former lead's CallSid"), max_length=160, blank=True, default="")
    former = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("former lead"),
    )

    #: How many rooms this call has had; the newest is ``room_name``.
    rooms = models.PositiveSmallIntegerField(_("rooms"), default=0)
    room_is_open = models.BooleanField(_("room is open"), default=False)
    #: Telnyx's id of the room, learned from its callbacks or asked for.
    conference_sid = models.CharField(_("conference"), max_length=64, blank=True, default="")
    #: Telnyx was told to put him there; both are there when the room is open.
    customer_in_room = models.BooleanField(_("customer in the room"), default=False)
    lead_in_room = models.BooleanField(_("lead in the room"), default=False)
    #: When the room is looked at next; empty while there is none.
    check_at = models.DateTimeField(_("look at the room at"), null=True, blank=True)

    #: Whom the lead consults, or whom the customer is transferred to.
    target_agent = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("target"),
    )
    target_queue = models.ForeignKey(
        CallQueue,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("target queue"),
    )
    target_e164 = models.CharField(_("target number"), max_length=16, blank=True, default="")
    target_sid = models.CharField(_("target's CallSid"), max_length=160, blank=True, default="")
    target_at = models.DateTimeField(_("target since"), null=True, blank=True)
    #: How many targets were rung; each has its own leg and offer.
    targets = models.PositiveSmallIntegerField(_("targets"), default=0)

    #: ``telephony.core.missions.Mission`` that the customer's next step begins; empty once it has begun.
    mission = models.JSONField(_("mission"), null=True, blank=True)
    #: Code of the last thing that people are told besides the phase.
    message = models.CharField(_("message"), max_length=32, blank=True, default="")
    #: CallSids of legs that left the conversation, or are about to: none of them joins it once more.
    dropped = models.JSONField(_("legs that left"), default=list, db_default=[])
    is_muted = models.BooleanField(_("lead is muted"), default=False)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        indexes = [models.Index(fields=["check_at"], name="talk_to_check", condition=Q(check_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.phase}"

    @property
    def room_name(self) -> str:
        return f"curbe-{self.call_id}-{self.rooms}"


class TalkCommand(models.Model):
    """One thing to ask Telnyx for on behalf of a call: written with the wish, asked outside of any transaction."""

    class State(models.TextChoices):
        WANTED = "wanted", _("Wanted")
        DONE = "done", _("Done")
        #: Telnyx refused for good, or was away for too long.
        FAILED = "failed", _("Failed")
        #: It was no longer wanted when its turn came.
        DROPPED = "dropped", _("Dropped")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # The indexes below begin with it.
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, related_name="commands", db_index=False, verbose_name=_("call")
    )
    #: ``telephony.operations.commands.Kind``.
    kind = models.CharField(_("kind"), max_length=16)
    params = models.JSONField(_("parameters"), default=dict)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WANTED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        indexes = [
            models.Index(fields=["call", "id"], name="command_call"),
            models.Index(fields=["next_attempt_at"], name="command_due", condition=Q(state="wanted")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
