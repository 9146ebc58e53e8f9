"""What recordings does with events of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from recordings import arrivals, messages, pausing, transcripts
from recordings.models import Recording, Waveform
from telephony.core.events import recording_progress
from telephony.core.transcription import said_in
from telephony.models import Call, TelnyxEvent


def on_recording(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take a finished recording in, and pause one that begins in a gap; other news of recordings is only kept."""
    progress = recording_progress(event.payload)
    if progress.status == "completed" and progress.recording_id:
        recording = arrivals.expect(progress, call, now, told_at=event.occurred_at)
        # The net's that was let go, and what was deleted and is told of again, has nothing more to come.
        if recording is None or recording.state == Recording.State.DELETED:
            return
        transcripts.expect(recording, call, now)
        if recording.kind == Recording.Kind.VOICEMAIL:
            messages.take_in(recording, call, now)
    elif progress.status == "in-progress":
        pausing.recording_began(call)


def on_unclaimed(event: TelnyxEvent, now: datetime) -> None:
    """Keep a finished recording whose call does not come."""
    arrivals.keep_unclaimed(event, now)


def on_transcription(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Keep what was said, also that it was nothing; news of no recording, or that is no end, is only an event."""
    said = said_in(event.payload)
    if said.recording_id and (said.text or said.is_failed or said.is_done):
        transcripts.take_in(said, call, now)


def on_deleted(recording_id: UUID, **_: Any) -> None:
    """Let go of what was made of a recording, in the transaction of its tombstone."""
    messages.forget(recording_id)
    Waveform.objects.filter(recording=recording_id).delete()
