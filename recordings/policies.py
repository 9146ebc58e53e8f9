"""What a company wants of its audio: how long it is kept, who holds it, what was done with it, and by whom."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import Company, CompanyOwned
from curbe.lib.ids import uuid7
from telephony.models import Call

#: Ten years: nobody's law asks for more of a telephone call.
LONGEST_KEPT_DAYS: Final = 3_653


class Kind(models.TextChoices):
    CALL = "call", _("Call")
    VOICEMAIL = "voicemail", _("Voicemail")


class RecordingPolicy(CompanyOwned):
    """How long one kind of recording is kept. Without a row: for ever, and Telnyx keeps its copy."""

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    keep_days = models.PositiveSmallIntegerField(
        _("kept for (days, 0: for ever)"),
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(LONGEST_KEPT_DAYS)],
    )
    delete_at_telnyx = models.BooleanField(
        _("delete at Telnyx"), default=False, help_text=_("As soon as our own copy is checked.")
    )

    class Meta:
        verbose_name = _("retention of recordings")
        verbose_name_plural = _("retention of recordings")
        constraints = [models.UniqueConstraint(fields=["company", "kind"], name="one_recording_policy_per_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.keep_days}"


class CompanyHold(CompanyOwned):
    """A legal hold on every recording of a company: while the row is there, nothing is deleted."""

    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        constraints = [models.UniqueConstraint(fields=["company"], name="one_legal_hold_per_company")]

    def __str__(self) -> str:
        return self.reason


class RecordingAudit(CompanyOwned):
    """One line on one recording: who did what with it, when, from where. Nobody changes it; it outlives the audio."""

    class Action(models.TextChoices):
        LISTENED = "listened", _("Listened")
        DOWNLOADED = "downloaded", _("Downloaded")
        HELD = "held", _("Held")
        RELEASED = "released", _("Hold ended")
        #: How long recordings are kept was changed, or that Telnyx's copies go.
        KEEPING = "keeping", _("Retention changed")
        DELETED = "deleted", _("Deleted")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    #: Not a foreign key: the line stays when the call and its rows go. Empty: every recording of the company.
    recording_id = models.UUIDField(_("recording"), null=True, blank=True)
    call_id = models.UUIDField(_("call"), null=True, blank=True)
    action = models.CharField(_("action"), max_length=12, choices=Action)
    #: Empty: the clock, by the company's retention.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    #: As he was called then: people leave, and their accounts with them.
    by_name = models.CharField(_("name"), max_length=120, blank=True, default="")
    at = models.DateTimeField(_("at"))
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)
    agent = models.CharField(_("browser"), max_length=200, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("line of the recordings' audit")
        verbose_name_plural = _("audit of recordings")
        indexes = [
            models.Index(fields=["recording_id", "-at"], name="audit_of_a_recording"),
            models.Index(fields=["company", "-at"], name="audit_of_a_company"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.recording_id or ''}"


class RemoteDeletion(models.Model):
    """A recording, or what was written down of one, that is to go at Telnyx too, until it has gone."""

    class What(models.TextChoices):
        RECORDING = "recording", _("Recording")
        TEXT = "text", _("Text")

    #: Of a text it is the text's own id.
    telnyx_recording_id = models.CharField(_("Telnyx recording id"), max_length=64, unique=True)
    what = models.CharField(
        _("what"), max_length=12, choices=What, default=What.RECORDING, db_default=What.RECORDING.value
    )
    company = models.ForeignKey(
        Company, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("company")
    )
    wanted_at = models.DateTimeField(_("wanted at"))
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("deletion at Telnyx")
        verbose_name_plural = _("deletions at Telnyx")
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="remote_deletion_due", condition=models.Q(done_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.telnyx_recording_id


class RecordingGap(CompanyOwned):
    """A stretch of a call that an agent kept out of its recordings (card data). Open while ``ended_at`` is empty."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="recording_gaps", verbose_name=_("call"))
    agent = models.ForeignKey(
        Agent, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("agent")
    )
    asked_at = models.DateTimeField(_("asked at"))
    #: When Telnyx had paused it; empty while it has not, or if it could not.
    began_at = models.DateTimeField(_("from"), null=True, blank=True)
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("gap in a recording")
        verbose_name_plural = _("gaps in recordings")
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=models.Q(ended_at__isnull=True), name="one_open_gap_per_call"
            )
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.asked_at:%H:%M:%S}"


class PollMark(models.Model):
    """Until when the recordings of a connection have been read from Telnyx's list."""

    connection_id = models.CharField(_("Telnyx connection id"), max_length=32, primary_key=True)
    polled_until = models.DateTimeField(_("read until"))
    #: When it was read far back last: what is listed by the time of its beginning appears late.
    read_back_at = models.DateTimeField(_("read far back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reading of Telnyx's list")
        verbose_name_plural = _("readings of Telnyx's list")

    def __str__(self) -> str:
        return self.connection_id
