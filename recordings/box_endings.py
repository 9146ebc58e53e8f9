"""What becomes of what lies in a voicemail box that goes, with its queue or its user."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from curbe.companies.models import Company
from recordings.greetings import delete_after_commit
from recordings.messages import box_for
from recordings.models import Message
from telephony.core.plan import COMPANY
from telephony.models import VoicemailBox
from telephony.queries.plans import owner_of


def hand_messages_on(instance: VoicemailBox, origin: object = None, **_: Any) -> None:
    """Give the messages to the company's box, before the box goes: its people are written to, and work them off."""
    what_goes = origin.model if isinstance(origin, QuerySet) else type(origin)
    messages = Message.objects.filter(box=instance)
    if what_goes is not Company and owner_of(instance) != COMPANY and messages.exists():
        messages.update(box=box_for(instance.company_id, COMPANY))


def forget_greeting_of(instance: VoicemailBox, **_: Any) -> None:
    """Delete the recording with its box: it is somebody's voice."""
    delete_after_commit(instance)
