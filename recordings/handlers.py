"""What recordings does with events of the ledger."""

from __future__ import annotations

from datetime import datetime

from recordings import arrivals, pausing
from telephony.core.events import recording_progress
from telephony.models import Call, TelnyxEvent


def on_recording(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take a finished recording in, and pause one that begins in a gap; other news of recordings is only kept."""
    progress = recording_progress(event.payload)
    if progress.status == "completed" and progress.recording_id:
        arrivals.expect(progress, call, now, told_at=event.occurred_at)
    elif progress.status == "in-progress":
        pausing.recording_began(call)


def on_unclaimed(event: TelnyxEvent, now: datetime) -> None:
    """Keep a finished recording whose call does not come."""
    arrivals.keep_unclaimed(event, now)
