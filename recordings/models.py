"""Audio that was kept, or is on its way."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import Company, CompanyOwned
from curbe.lib.ids import uuid7
from recordings import policies
from recordings.policies import CompanyHold, PollMark, RecordingAudit, RecordingGap, RecordingPolicy, RemoteDeletion
from telephony.core import channels
from telephony.models import Call, VoicemailBox

__all__ = [
    "CompanyHold",
    "PollMark",
    "Recording",
    "RecordingAudit",
    "RecordingGap",
    "RecordingPolicy",
    "RemoteDeletion",
    "audio_path",
]

#: The folder of what no company is known for.
NOBODYS = "unmatched"


def audio_path(recording: Recording, filename: str) -> str:
    """Return where in the storage the audio lies: by company, day and recording, never by anything from outside."""
    day = recording.created_at.strftime("%Y/%m/%d")
    extension = "wav" if filename.endswith(".wav") else "mp3"
    owner = recording.company.public_id if recording.company is not None else NOBODYS
    return f"{owner}/{day}/{recording.id}.{extension}"


class Recording(CompanyOwned):
    """One file of one call. The row exists from the moment that Telnyx says there is audio, and outlives the audio.

    ``company`` and ``call`` are empty while nobody knows whose it is: such a row is matched later, or listed.
    """

    Kind = policies.Kind

    class Layout(models.TextChoices):
        MONO = channels.Layout.MONO, _("all in one")
        DIAL = channels.Layout.DIAL, _("who was recorded, whoever answered")
        ROOM = channels.Layout.ROOM, _("the customer, everybody else")
        MESSAGE = channels.Layout.MESSAGE, _("a message")

    class State(models.TextChoices):
        PENDING = "pending", _("On its way")
        STORED = "stored", _("Stored")
        FAILED = "failed", _("Failed")
        #: The audio is gone, here and at Telnyx; that it was there is not, and no look-up fetches it again.
        DELETED = "deleted", _("Deleted")

    company = models.ForeignKey(  # type: ignore[assignment]
        Company, on_delete=models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("company")
    )
    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, related_name="recordings", null=True, blank=True, verbose_name=_("call")
    )
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
    #: The net's (an outbound profile, or a number, records by itself): kept only where TeXML recorded nothing.
    is_net = models.BooleanField(_("recorded by the net"), default=False, db_default=False)
    #: What Telnyx says of one that belongs to no call of ours.
    connection_id = models.CharField(_("Telnyx connection id"), max_length=32, blank=True, default="", db_default="")
    from_number = models.CharField(_("from number"), max_length=64, blank=True, default="", db_default="")
    to_number = models.CharField(_("to number"), max_length=64, blank=True, default="", db_default="")
    #: The beat has handed it to the workers: it does not do so again before this.
    queued_until = models.DateTimeField(_("queued until"), null=True, blank=True)
    #: Who tries holds a lock as long as he lives; empty while nobody tries.
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    #: A legal hold on this one.
    is_held = models.BooleanField(_("held"), default=False, db_default=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)
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
            models.Index(fields=["company", "-id"], name="recording_stray", condition=models.Q(call__isnull=True)),
            # The retention's sweep reads what is there, and never what is gone.
            models.Index(fields=["company", "kind", "id"], name="recording_kept", condition=~models.Q(state="deleted")),
            # Deletions that the storage did not carry out yet: few, and soon none.
            models.Index(
                fields=["deleted_at"],
                name="recording_to_remove",
                condition=models.Q(state="deleted") & ~models.Q(audio=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Message(CompanyOwned):
    """What a caller left in a voicemail box. The row exists as soon as its recording does."""

    class State(models.TextChoices):
        #: Its audio is on its way, and nobody has looked whether anything is said in it.
        ARRIVING = "arriving", _("Arriving")
        NEW = "new", _("New")
        HEARD = "heard", _("Heard")
        #: Kept with why, and never shown as new.
        DROPPED = "dropped", _("Dropped")

    class Dropped(models.TextChoices):
        NOT = "", _("Not dropped")
        SHORT = "short", _("The caller hung up within 2 seconds")
        SILENT = "silent", _("Nothing is said in it")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # The index below begins with it.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("company")
    )
    #: Messages of a box that goes are the company's from then on (``recordings.box_endings``).
    box = models.ForeignKey(
        VoicemailBox, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", verbose_name=_("box")
    )
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="messages", verbose_name=_("call"))
    recording = models.OneToOneField(
        Recording, on_delete=models.CASCADE, related_name="message", verbose_name=_("recording")
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ARRIVING)
    dropped_why = models.CharField(_("why dropped"), max_length=8, choices=Dropped, blank=True, default=Dropped.NOT)
    #: When somebody of ours listened whether anything is said in it; empty: not yet.
    judged_at = models.DateTimeField(_("judged at"), null=True, blank=True)
    heard_at = models.DateTimeField(_("heard at"), null=True, blank=True)
    heard_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("heard by"),
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    #: When the mail about it is to be sent; empty: none is, or it was.
    mail_due_at = models.DateTimeField(_("mail due at"), null=True, blank=True)
    mail_attempts = models.PositiveSmallIntegerField(_("attempts to mail"), default=0)
    mailed_at = models.DateTimeField(_("mailed at"), null=True, blank=True)
    created_at = models.DateTimeField(_("left at"))

    #: By which call somebody called back, where it was looked for (``queries.messages.with_calls_back``).
    called_back: Call | None = None

    class Meta:
        verbose_name = _("voicemail message")
        verbose_name_plural = _("voicemail messages")
        indexes = [
            models.Index(fields=["company", "-id"], name="message_company_newest"),
            # The badge counts these; the worker looks at those that nobody judged.
            models.Index(fields=["company", "box"], name="message_new", condition=Q(state="new")),
            models.Index(
                fields=["created_at"], name="message_unjudged", condition=Q(judged_at=None) & ~Q(state="dropped")
            ),
            models.Index(fields=["mail_due_at"], name="message_mail_due", condition=Q(mail_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


class Transcript(CompanyOwned):
    """What is said in one recording, or by one party of it. The row exists from the moment that a text is expected."""

    class State(models.TextChoices):
        AWAITED = "awaited", _("Awaited")
        SAVED = "saved", _("Written")
        FAILED = "failed", _("Could not be written")

    class Party(models.TextChoices):
        ALL = "", _("Everybody")
        CUSTOMER = "customer", _("Customer")
        AGENT = "agent", _("Agent")

    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("company")
    )
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="transcripts", verbose_name=_("call"))
    #: Empty while the text is here before its recording.
    recording = models.ForeignKey(
        Recording,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="transcripts",
        verbose_name=_("recording"),
    )
    telnyx_recording_id = models.CharField(_("Telnyx recording id"), max_length=64)
    party = models.CharField(_("who speaks"), max_length=8, choices=Party, blank=True, default=Party.ALL)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.AWAITED)
    text = models.TextField(_("text"), blank=True, default="")
    #: ``[[from_s, until_s, "customer" | "agent" | "", text], …]`` in order, where Telnyx gives times; else empty.
    segments = models.JSONField(_("segments"), default=list, blank=True)
    #: When Telnyx is asked for it next, if no callback comes before; empty: not any more.
    next_look_at = models.DateTimeField(_("next look at"), null=True, blank=True)
    looks = models.PositiveSmallIntegerField(_("looks"), default=0)
    created_at = models.DateTimeField(_("created at"))
    # Both languages: callers choose theirs, and Spanish words in an English configuration are found as they stand.
    search = models.GeneratedField(
        expression=SearchVector("text", config="spanish") + SearchVector("text", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
        verbose_name=_("index of words"),
    )

    class Meta:
        verbose_name = _("transcript")
        verbose_name_plural = _("transcripts")
        constraints = [
            models.UniqueConstraint(
                fields=["telnyx_recording_id", "party"], name="one_transcript_per_recording_and_party"
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="transcript_words"),
            models.Index(fields=["next_look_at"], name="transcript_due", condition=Q(next_look_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.telnyx_recording_id}"


class TranscriptPolicy(CompanyOwned):
    """Whether a company keeps what is written down of its conversations; without a row it does not."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, related_name="+", verbose_name=_("company"))
    of_calls = models.BooleanField(_("keep texts of conversations"), default=False)

    class Meta:
        verbose_name = _("transcripts of a company")
        verbose_name_plural = _("transcripts of companies")

    def __str__(self) -> str:
        return str(self.company)


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
