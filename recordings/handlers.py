"""What recordings does with events of the ledger."""

from __future__ import annotations

from datetime import datetime

from recordings import operations
from telephony.core.events import recording_progress
from telephony.models import Call, TelnyxEvent


def on_recording(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take a finished recording in; other news of recordings is only kept."""
    progress = recording_progress(event.payload)
    if progress.status == "completed" and progress.recording_id:
        operations.expect(progress, call, now, told_at=event.occurred_at)
