"""What recordings does with events of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from recordings import arrivals, messages, pausing, remote, transcripts
from recordings.models import Recording, RemoteDeletion, Waveform
from telephony.core.events import recording_progress
from telephony.core.transcription import said_in, without_words
from telephony.models import Call, TelnyxEvent
from telephony.operations import progress, silence


def on_recording(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take a finished recording in, and pause one that begins in a gap; other news of recordings is only kept."""
    told = recording_progress(event.payload)
    if told.status == "completed" and told.recording_id:
        at = {"told_at": event.occurred_at, "received_at": event.received_at}
        recording = arrivals.expect(told, call, now, **at)
        # The net's that was let go, and what was deleted and is told of again, has nothing more to come.
        if recording is None or recording.state == Recording.State.DELETED:
            return
        transcripts.expect(recording, call, now)
        if recording.kind == Recording.Kind.VOICEMAIL:
            messages.take_in(recording, call, now)
        # It may be a segment of a call that goes on; if it is not, the news of the end was lost, or is yet to come.
        silence.suspect(call, now)
    elif told.status == "in-progress":
        pausing.recording_began(call)


def on_answer(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Take in that somebody answered; a <Dial> records from then on, also in the gap of whoever had the call before."""
    progress.on_status(event, call, now)
    pausing.recording_began(call)


def on_unclaimed(event: TelnyxEvent, now: datetime) -> None:
    """Keep a finished recording whose call does not come."""
    arrivals.keep_unclaimed(event, now)


def on_transcription(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Keep what was said, also that it was nothing; news of no recording, or that is no end, is only an event."""
    said = said_in(event.payload)
    if said.recording_id and (said.text or said.is_failed or said.is_done):
        try:
            transcripts.take_in(said, call, now)
        except transcripts.NotWanted:
            # That it was told stays; what was said does not.
            TelnyxEvent.objects.filter(pk=event.pk).update(payload=without_words(event.payload))


def on_deleted(recording_id: UUID, now: datetime, **_: Any) -> None:
    """Let go of what was made of a recording, in the transaction of its tombstone."""
    messages.forget(recording_id)
    recording = Recording.objects.get(pk=recording_id)
    texts = transcripts.forget(recording)
    if recording.state == Recording.State.DELETED:
        what = RemoteDeletion.What.TEXT
        remote.want(texts, company_id=recording.company_id, now=now, what=what)
    Waveform.objects.filter(recording=recording_id).delete()


def on_stored(recording: Recording, now: datetime, **_: Any) -> None:
    """Let go of what the net has of the same talk, now that it is sure how long the call's own recording is."""
    if recording.call_id is not None and not recording.is_net:
        arrivals.judge_nets(recording.call_id, now)


def on_given_up(recording: Recording, now: datetime, **_: Any) -> None:
    """Take the net's, in the transaction that gives up the call's own."""
    arrivals.fall_back_on_the_net(recording, now)
