"""Voicemail boxes: whose they are, what callers hear there, who is written to. ``recordings`` keeps the messages."""

from __future__ import annotations

import secrets
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import CompanyOwned
from telephony.core.plan import MESSAGE_MAX_S
from telephony.models.plans import CallQueue

#: Telnyx speaks up to 3000 characters; nobody listens to a tenth of it.
LONGEST_GREETING: Final = 500
MOST_EMAILS: Final = 10


def new_greeting_key() -> str:
    """Return 256 random bits: Telnyx fetches a greeting without a log-in, so its address is the only secret."""
    return secrets.token_urlsafe(32)


def greeting_path(box: VoicemailBox, filename: str) -> str:
    """Return where in the storage a recorded greeting lies."""
    return f"{box.company.public_id}/greetings/{box.greeting_key}.mp3"


class VoicemailBox(CompanyOwned):
    """A box of a queue, of a user, or (without either) of the company. Rows are made when they are needed."""

    queue = models.OneToOneField(
        CallQueue,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="voicemail_box",
        verbose_name=_("queue"),
    )
    agent = models.OneToOneField(
        Agent, on_delete=models.CASCADE, null=True, blank=True, related_name="voicemail_box", verbose_name=_("user")
    )
    say_es = models.TextField(
        _("greeting in Spanish"), max_length=LONGEST_GREETING, blank=True, default="", db_default=""
    )
    say_en = models.TextField(
        _("greeting in English"), max_length=LONGEST_GREETING, blank=True, default="", db_default=""
    )
    #: A recorded greeting; while there is one it is played instead of the texts.
    greeting = models.FileField(
        _("recorded greeting"), upload_to=greeting_path, max_length=200, blank=True, default="", db_default=""
    )
    #: In the address from which Telnyx fetches it; a new one with each recording.
    greeting_key = models.CharField(
        _("key of the greeting"), max_length=64, blank=True, default="", db_default="", editable=False
    )
    greeting_s = models.PositiveSmallIntegerField(
        _("length of the greeting (s)"), default=0, db_default=0, editable=False
    )
    emails = ArrayField(
        models.EmailField(),
        verbose_name=_("write to"),
        default=list,
        db_default=[],
        blank=True,
        size=MOST_EMAILS,
        help_text=_("E-mail addresses that are told of each new message."),
    )
    attach_audio = models.BooleanField(_("attach the audio"), default=False, db_default=False)
    transcribe = models.BooleanField(_("write down what is said"), default=True, db_default=True)
    max_length_s = models.PositiveSmallIntegerField(
        _("longest message (s)"),
        default=MESSAGE_MAX_S,
        db_default=MESSAGE_MAX_S,
        validators=[MinValueValidator(10), MaxValueValidator(300)],
    )

    class Meta:
        verbose_name = _("voicemail box")
        verbose_name_plural = _("voicemail boxes")
        constraints = [
            models.CheckConstraint(
                condition=Q(queue__isnull=True) | Q(agent__isnull=True), name="a_box_is_of_a_queue_or_a_user"
            ),
            models.UniqueConstraint(
                fields=["company"],
                condition=Q(queue__isnull=True, agent__isnull=True),
                name="one_box_of_the_company_itself",
            ),
            models.UniqueConstraint(
                fields=["greeting_key"], condition=~Q(greeting_key=""), name="a_greeting_has_its_own_key"
            ),
        ]

    def __str__(self) -> str:
        """Return whose box it is. Reads queue, agent and user: select them with the row."""
        if self.queue is not None:
            return self.queue.name
        return self.agent.user.get_full_name() if self.agent is not None else self.company.name
