"""A message as Telnyx tells it, and what the worker does with it: for the tests of voicemail and of its texts."""

from __future__ import annotations

import math
import struct

from django.utils import timezone

from recordings import messages, operations
from recordings.models import Message
from telephony.telnyx.client import TelnyxClient
from tests.recordings import files
from tests.scenarios.story import ACCOUNT_SID, CALLER, Letter, Story

REC = "rec-of-message"


def left(story: Story, **more: str) -> Letter:
    """A message of 12 s, as the callback of <Record> tells it."""
    told = {"RecordingSource": "RecordVerb", "RecordingChannels": "1", **more}
    return story.recording(recording_id=REC, url=files.URL, kind="voicemail", **told)


def text_of(story: Story, words: str = "Soy Marta, llámeme por la póliza.", **more: str) -> Letter:
    return Letter(
        f"/webhooks/telnyx/transcription/{story.company.public_id}?call={story.call.pk}",
        {
            "AccountSid": ACCOUNT_SID,
            "CallSid": story.caller_sid,
            "CallStatus": "completed",
            "From": CALLER,
            "To": story.number.e164,
            "RecordingSid": REC,
            "TranscriptionSid": "tra-1",
            "TranscriptionStatus": "completed",
            "TranscriptionText": words,
            **more,
        },
    )


def fetched(client: TelnyxClient) -> Message:
    """The worker brings the audio in, and listens to it."""
    message = Message.objects.get()
    operations.fetch(message.recording_id, client, timezone.now())
    messages.judge(message.pk, timezone.now())
    message.refresh_from_db()
    return message


def noise(amplitude: int, seconds: float = 4) -> bytes:
    """Return a line on which nobody speaks."""
    samples = (int(amplitude * math.sin(frame * 1.7)) for frame in range(int(8000 * seconds)))
    data = b"".join(struct.pack("<h", sample) for sample in samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data
