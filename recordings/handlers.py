"""What recordings does with events of the ledger."""

from __future__ import annotations

from datetime import datetime

from recordings import operations
from telephony.core.events import SOURCE_NET, recording_progress
from telephony.models import Call, TelnyxEvent


def on_recording(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take a finished recording in; other news of recordings is only kept.

    What the outbound profile recorded is a net: of most calls TeXML's own recording is on its way, and would be the
    second one. It is taken by the look-up (``search``), if that finds no other.
    """
    progress = recording_progress(event.payload)
    if progress.source == SOURCE_NET and event.source == TelnyxEvent.Source.CALLBACK:
        return
    if progress.status == "completed" and progress.recording_id:
        operations.expect(progress, call, now, told_at=event.occurred_at)
