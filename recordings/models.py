"""Audio that was kept, or is on its way."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import CompanyOwned
from curbe.lib.ids import uuid7
from telephony.core import channels
from telephony.models import Call


def audio_path(recording: Recording, filename: str) -> str:
    """Return where in the storage the audio lies: by company, day and recording, never by anything from outside."""
    day = recording.created_at.strftime("%Y/%m/%d")
    extension = "wav" if filename.endswith(".wav") else "mp3"
    return f"{recording.company.public_id}/{day}/{recording.id}.{extension}"


class Recording(CompanyOwned):
    """One file of one call. The row exists from the moment that Telnyx says there is audio."""

    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        VOICEMAIL = "voicemail", _("Voicemail")

    class Layout(models.TextChoices):
        MONO = channels.Layout.MONO, _("all in one")
        DIAL = channels.Layout.DIAL, _("who was recorded, whoever answered")
        ROOM = channels.Layout.ROOM, _("the customer, everybody else")
        MESSAGE = channels.Layout.MESSAGE, _("a message")

    class State(models.TextChoices):
        PENDING = "pending", _("On its way")
        STORED = "stored", _("Stored")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="recordings", verbose_name=_("call"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind, default=Kind.CALL)
    #: RecordingSid; asks Telnyx for a fresh link when the first one has died (after 10 minutes).
    telnyx_recording_id = models.CharField(_("Telnyx recording id"), max_length=64, unique=True)
    source_url = models.TextField(_("link to the source"), blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    audio = models.FileField(_("audio"), upload_to=audio_path, max_length=200, blank=True)
    content_type = models.CharField(_("content type"), max_length=32, blank=True, default="")
    size_bytes = models.PositiveBigIntegerField(_("size (bytes)"), null=True, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, default="")
    #: When the audio begins: the segments of a call stand in this order.
    started_at = models.DateTimeField(_("begins at"), null=True, blank=True)
    #: Which channel is whom: ``telephony.core.channels.Layout``; empty where nobody knows.
    layout = models.CharField(_("channels are"), max_length=8, choices=Layout, blank=True, default="", db_default="")
    channels = models.PositiveSmallIntegerField(_("channels"), default=1)
    duration_s = models.PositiveIntegerField(_("length (s)"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    #: In words, for the person who reads the row.
    error = models.TextField(_("error"), blank=True, default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    stored_at = models.DateTimeField(_("stored at"), null=True, blank=True)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        indexes = [
            models.Index(fields=["call"], name="recording_call_idx"),
            models.Index(fields=["next_attempt_at"], name="recording_pending", condition=models.Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Waveform(models.Model):
    """How loud a recording is, moment by moment: drawn by the player, and where it skips silence. Made once."""

    recording = models.OneToOneField(
        Recording, on_delete=models.CASCADE, primary_key=True, related_name="waveform", verbose_name=_("recording")
    )
    channels = models.PositiveSmallIntegerField(_("channels"))
    per_s = models.PositiveSmallIntegerField(_("peaks per second"))
    #: A byte per peak and channel, channel after channel within a moment (``recordings.peaks``). Empty: the audio could
    #: not be read, and it is not tried again.
    peaks = models.BinaryField(_("peaks"))
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("waveform")
        verbose_name_plural = _("waveforms")

    def __str__(self) -> str:
        return str(self.recording_id)
