"""What recordings does with events of the ledger."""

from __future__ import annotations

from datetime import datetime

from recordings import messages, operations, transcripts
from recordings.models import Recording
from telephony.core.events import recording_progress
from telephony.core.transcription import said_in
from telephony.models import Call, TelnyxEvent


def on_recording(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take a finished recording in; other news of recordings is only kept."""
    progress = recording_progress(event.payload)
    if progress.status == "completed" and progress.recording_id:
        recording = operations.expect(progress, call, now)
        if recording.state == Recording.State.DELETED:
            # Told again of what was deleted: it stays so.
            return
        transcripts.expect(recording, call, now)
        if recording.kind == Recording.Kind.VOICEMAIL:
            messages.take_in(recording, call, now)


def on_transcription(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Keep what was said, also that it was nothing; news of no recording, or that is no end, is only an event."""
    said = said_in(event.payload)
    if said.recording_id and (said.text or said.is_failed or said.is_done):
        transcripts.take_in(said, call, now)
