"""What is said in recordings, written down by Telnyx: expected, told by a callback, or asked for."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from curbe.lib import push
from recordings import deletions, messages
from recordings.models import Message, Recording, Transcript, TranscriptPolicy
from telephony.core.events import recording_progress
from telephony.core.transcription import Said, said_in, text_id, without_words
from telephony.models import Call, RouteTrace, TelnyxEvent
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Ages of the wish, in seconds, at which Telnyx is asked for a text that no callback brought.
ASKED_AT_S: Final = (30, 90, 300, 1800, 6 * 3600, 24 * 3600)
BATCH: Final = 20
LONGEST_TEXT: Final = 200_000


class NotWanted(Exception):
    """What was said is nobody's to read: its recording is gone, or its company wants no texts of conversations."""


def expect(recording: Recording, call: Call, now: datetime) -> None:
    """Note that a recording's text is wanted, if it is; a text that came before its recording finds it here."""
    is_wanted = _is_wanted(recording, call)
    if recording.kind == Recording.Kind.CALL and not is_wanted:
        # One that came before its recording was kept until it was known whose words they are.
        forget(recording)
        return
    of_recording = Transcript.objects.filter(telnyx_recording_id=recording.telnyx_recording_id, call=call)
    if of_recording.update(recording=recording) or not is_wanted:
        return
    Transcript.objects.get_or_create(
        telnyx_recording_id=recording.telnyx_recording_id,
        party=Transcript.Party.ALL,
        defaults={
            "company_id": call.company_id,
            "call": call,
            "recording": recording,
            "created_at": now,
            "next_look_at": now + timedelta(seconds=ASKED_AT_S[0]),
        },
    )


def _is_wanted(recording: Recording, call: Call) -> bool:
    if recording.kind == Recording.Kind.CALL:
        return TranscriptPolicy.objects.filter(company=call.company_id, of_calls=True).exists()
    asked = RouteTrace.objects.filter(call=call, decision__verb="voicemail").order_by("-step")
    decision = asked.values_list("decision", flat=True).first()
    # An apology takes a message too, and has nothing written down.
    return decision is not None and bool(decision.get("transcribe", True))


def take_in(said: Said, call: Call, now: datetime) -> Transcript | None:
    """Keep a text; None where it is known. Told by form, event and look-up, it is one. Raises NotWanted.

    The call's row is locked by the caller. The text of a conversation is kept only for a company that wants such texts;
    a message's always is: it was asked for.
    """
    recording = Recording.objects.filter(telnyx_recording_id=said.recording_id).first()
    if recording is not None and recording.call_id is not None and recording.call_id != call.pk:
        logger.error("A text of recording %s is told of call %s, which has not made it", recording.pk, call.pk)
        return None
    if not _may_be_kept(recording, said, call):
        raise NotWanted(said.recording_id)
    of_recording = Transcript.objects.filter(telnyx_recording_id=said.recording_id)
    known = {row.party: row for row in of_recording}
    # Forms name no party, events do: the same words of a nameless one are not somebody's second speech.
    nameless = [row for row in known.values() if not row.party or not said.party]
    if any(row.state == Transcript.State.SAVED and row.text == said.text[:LONGEST_TEXT] for row in nameless):
        return None
    row = known.get(said.party)
    if row is None:
        awaited = known.get(Transcript.Party.ALL)
        is_free = awaited is not None and awaited.state != Transcript.State.SAVED
        row = awaited if is_free else None
    if row is not None and row.state == Transcript.State.SAVED and row.text == said.text[:LONGEST_TEXT]:
        return None
    row = row or Transcript(telnyx_recording_id=said.recording_id, created_at=now)
    row.company_id, row.call, row.recording = call.company_id, call, recording or row.recording
    row.party = said.party
    row.state = Transcript.State.FAILED if said.is_failed else Transcript.State.SAVED
    row.text = said.text[:LONGEST_TEXT]
    row.segments = [list(one) for one in said.segments]
    row.next_look_at = None
    row.save()
    _tell(row, now)
    return row


def _may_be_kept(recording: Recording | None, said: Said, call: Call) -> bool:
    """Say whether a text is somebody's to read: what comes before its recording is, until that is here."""
    if recording is None or recording.call_id is None:
        return not _was_let_go(said.recording_id, call)
    if recording.state == Recording.State.DELETED:
        return False
    return recording.kind != Recording.Kind.CALL or _is_wanted(recording, call)


def _was_let_go(telnyx_recording_id: str, call: Call) -> bool:
    """Say whether the recording was told of, and is not here all the same: the net's, of a talk that we have."""
    news = TelnyxEvent.objects.filter(call=call, kind__in=deletions.NEWS, processed_at__isnull=False)
    told = (recording_progress(payload).recording_id for payload in news.values_list("payload", flat=True))
    return telnyx_recording_id in told


def forget(recording: Recording) -> set[str]:
    """Delete what was written down of a recording, also where Telnyx's own words lie: in the ledger.

    Returns under which ids Telnyx has it.
    """
    Transcript.objects.filter(telnyx_recording_id=recording.telnyx_recording_id, call=recording.call_id).delete()
    if recording.call_id is None:
        return set()
    ids = set()
    of_texts = Q(kind__startswith="transcription.") | Q(kind="call.recording.transcription.saved")
    for event in TelnyxEvent.objects.filter(of_texts, call=recording.call_id):
        if said_in(event.payload).recording_id == recording.telnyx_recording_id:
            ids.add(text_id(event.payload))
            TelnyxEvent.objects.filter(pk=event.pk).update(payload=without_words(event.payload))
    return ids - {""}


def _tell(row: Transcript, now: datetime) -> None:
    """Tell the pages that show it; a mail that waited for it goes."""
    groups = [push.company_group(row.company_id)]
    push.send("transcript.saved", groups=groups, call_id=str(row.call_id))
    message = Message.objects.filter(recording__telnyx_recording_id=row.telnyx_recording_id, call=row.call_id).first()
    if message is not None:
        Message.objects.filter(pk=message.pk, mail_due_at__gt=now).update(mail_due_at=now)
        messages.say_changed(message)


def look_up_due(client: TelnyxClient, now: datetime) -> int:
    """Ask Telnyx for the texts that are awaited and due; return how many came. Raises TelnyxUnreachable."""
    due = Transcript.objects.filter(next_look_at__lte=now).order_by("next_look_at")
    return sum(_look_up(row, client, now) for row in due.select_related("call")[:BATCH])


def _look_up(row: Transcript, client: TelnyxClient, now: datetime) -> bool:
    """1. move the next look on, so that one that breaks is not the first for ever; 2. ask; 3. write."""
    looks = row.looks + 1
    is_last = looks >= len(ASKED_AT_S)
    next_at = None if is_last else row.created_at + timedelta(seconds=ASKED_AT_S[looks])
    if not Transcript.objects.filter(pk=row.pk, looks=row.looks).update(looks=looks, next_look_at=next_at):
        return False
    try:
        found = client.transcriptions(recording_id=row.telnyx_recording_id)
    except TelnyxRefused as err:
        logger.warning("Telnyx refuses the transcription of recording %s: %s", row.telnyx_recording_id, err)
        found = []
    except TelnyxUnreachable:
        again_at = now + timedelta(seconds=ASKED_AT_S[0])
        Transcript.objects.filter(pk=row.pk).update(looks=row.looks, next_look_at=again_at)
        raise
    came = False
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=row.call_id)
        for said in found:
            with suppress(NotWanted):
                came = take_in(said, call, now) is not None or came
        if is_last and not came:
            Transcript.objects.filter(pk=row.pk, state=Transcript.State.AWAITED).update(state=Transcript.State.FAILED)
    return came
