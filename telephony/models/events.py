"""The ledger of everything that was heard of calls, and why each was routed as it was."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import Company
from curbe.lib.ids import uuid7
from telephony.models.calls import Call


class TelnyxEvent(models.Model):
    """Something that was said about a call, once. Rows are added, then processed; never edited otherwise."""

    class Source(models.TextChoices):
        CALLBACK = "callback", _("Telnyx called us")
        API = "api", _("Answer of the Telnyx API")
        RECONCILER = "reconciler", _("Reconciler")
        CURBE = "curbe", _("Curbe")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    #: What makes two deliveries the same event; see ``telephony.core.events``.
    dedupe_key = models.CharField(_("key against doubles"), max_length=255)
    #: ``instruction.voice``, ``status.ringing``, ``recording.completed``, ``call.recording.saved``, ….
    kind = models.CharField(_("kind"), max_length=48)
    source = models.CharField(_("source"), max_length=12, choices=Source, default=Source.CALLBACK)
    #: When it happened according to whoever told it; our clock where he did not say.
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    payload = models.JSONField(_("payload"), default=dict)
    company = models.ForeignKey(
        Company,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("company"),
    )
    #: Empty while the call is not there yet: the event waits and runs when the call is created.
    call = models.ForeignKey(
        Call,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
        verbose_name=_("call"),
    )
    #: CallSid of the leg that opened the call, as far as the event tells: under this name it waits for its call.
    root_call_sid = models.CharField(_("first leg's CallSid"), max_length=160, blank=True, default="")
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    #: When the worker takes it up again; empty when it was processed, or given up.
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["dedupe_key"], name="an_event_is_kept_once")]
        indexes = [
            models.Index(fields=["call", "id"], name="event_call"),
            # The work list of the worker; nearly all events are processed at once and leave it.
            models.Index(
                fields=["next_attempt_at"], name="event_unprocessed", condition=models.Q(processed_at__isnull=True)
            ),
            # Each new call asks whether somebody waits for it.
            models.Index(
                fields=["root_call_sid"],
                name="event_awaits_call",
                condition=models.Q(processed_at__isnull=True, call__isnull=True),
            ),
            # What supervisors look through, newest first. Nearly no event is one of these.
            models.Index(
                fields=["company", "-id"],
                name="event_repair",
                condition=models.Q(source="reconciler") & ~models.Q(kind="reconciler.recording_asked"),
            ),
            models.Index(
                fields=["company", "-id"],
                name="event_refused",
                condition=models.Q(kind="instruction.outbound.refused"),
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class RouteTrace(models.Model):
    """What one step of a call was told, and why. Asked twice, the step is answered with ``document`` again."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, related_name="traces", db_index=False, verbose_name=_("call")
    )
    step = models.PositiveSmallIntegerField(_("step"))
    #: ``{"verb": "ring", …}``; see ``telephony.core.types.Decision``.
    decision = models.JSONField(_("decision"))
    #: ``[{"code": …, "agent": …, …}, …]``; sentences are made of it by ``telephony.core.explain``.
    reasons = models.JSONField(_("reasons"), default=list)
    document = models.TextField(_("document"))
    #: Where the call stood afterwards (``telephony.core.types.Walk``); empty where nothing more is asked.
    walk = models.JSONField(_("place in the plan"), null=True, blank=True)
    #: The id of the ``PlanVersion`` by which it was decided; 0 where none was.
    plan_version = models.BigIntegerField(_("version of the plan"), default=0)
    #: When Telnyx asked for it; empty for a step that was made for a caller who waited, until he comes for it.
    asked_at = models.DateTimeField(_("asked at"), null=True, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("routing trace")
        verbose_name_plural = _("routing traces")
        constraints = [models.UniqueConstraint(fields=["call", "step"], name="one_trace_per_step")]

    def __str__(self) -> str:
        return f"{self.call_id} {self.step}"
