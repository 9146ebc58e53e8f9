"""Messages in their boxes, for the tests of the pages that show them."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from curbe.companies.models import Company, User
from recordings.models import Message, Recording, Transcript
from telephony.models import Call, CallQueue, VoicemailBox
from tests import cast
from tests.pages.people import recording_of


def box_of(company: Company, *, queue: CallQueue | None = None, user: User | None = None) -> VoicemailBox:
    agent = user.agents.get() if user else None
    return VoicemailBox.objects.get_or_create(company=company, queue=queue, agent=agent)[0]


def message_in(box: VoicemailBox, name: str = "Marta Ruiz", text: str = "", **fields: Any) -> Message:
    """Make a new message in a box, with its audio, and what was said in it."""
    call = cast.make_call(box.company, caller_name=name, status=Call.Status.COMPLETED, outcome="voicemail")
    recording = recording_of(call, kind=Recording.Kind.VOICEMAIL, duration_s=12, content_type="audio/wav")
    recording.audio.save("a.wav", ContentFile(b"RIFF"))
    if text:
        Transcript.objects.create(
            company=box.company, call=call, recording=recording, telnyx_recording_id=recording.telnyx_recording_id,
            state=Transcript.State.SAVED, text=text, created_at=timezone.now(),
        )  # fmt: skip
    values = {"state": Message.State.NEW, "created_at": timezone.now(), "judged_at": timezone.now(), **fields}
    return Message.objects.create(company=box.company, box=box, call=call, recording=recording, **values)
