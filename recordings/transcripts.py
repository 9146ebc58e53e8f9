"""What is said in recordings, written down by Telnyx: expected, told by a callback, or asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from curbe.lib import push
from curbe.lib.db import prepared
from recordings import deletions, messages
from recordings.models import CompanyHold, Message, Recording, Transcript
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
#: A recording is looked for at Telnyx for a day (``recordings.search``); a text without one is nobody's then.
STRAY_AFTER: Final = timedelta(days=2)


_IS_THERE: Final = "SELECT 1 FROM recordings_transcript WHERE telnyx_recording_id = %(recording)s LIMIT 1"
_OF_CALLS: Final = "SELECT 1 FROM recordings_transcriptpolicy WHERE company_id = %(company)s::bigint AND of_calls"


class NotWanted(Exception):
    """What was said is nobody's to read: its recording is gone, or its company wants no texts of conversations."""


def expect(recording: Recording, call: Call, now: datetime) -> None:
    """Note that a recording's text is wanted, if it is; a text that came before its recording finds it here.

    Of a conversation whose text nobody wants, one that came before is not kept.
    """
    is_wanted = _is_wanted(recording, call)
    # Most recordings have none yet, and to write nothing costs more than to look.
    is_there = bool(prepared(_IS_THERE, {"recording": recording.telnyx_recording_id}))
    if recording.kind == Recording.Kind.CALL and not is_wanted:
        if is_there:
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
        return _wants_conversations(call)
    decision = _asked_for_message(call)
    # An apology takes a message too, and has nothing written down.
    return decision is not None and bool(decision.get("transcribe", True))


def _wants_conversations(call: Call) -> bool:
    return bool(prepared(_OF_CALLS, {"company": call.company_id}))


def _asked_for_message(call: Call) -> dict[str, Any] | None:
    asked = RouteTrace.objects.filter(call=call, decision__verb="voicemail").order_by("-step")
    return asked.values_list("decision", flat=True).first()


def take_in(said: Said, call: Call, now: datetime) -> Transcript | None:
    """Keep a text; None where it is known. Told by form, event and look-up, it is one. Raises NotWanted.

    The call's row is locked by the caller. The text of a conversation is kept only for a company that wants such texts;
    a message's always is: it was asked for. What was understood once is not taken away by a failure told later.
    """
    recording = Recording.objects.filter(telnyx_recording_id=said.recording_id).first()
    if recording is not None and recording.call_id is not None and recording.call_id != call.pk:
        logger.error("A text of recording %s is told of call %s, which has not made it", recording.pk, call.pk)
        return None
    if not _may_be_kept(recording, said, call):
        raise NotWanted(said.recording_id)
    known = {row.party: row for row in Transcript.objects.filter(telnyx_recording_id=said.recording_id)}
    row = _row_of(said, known, now)
    if row is None:
        return None
    row.company_id, row.call, row.recording = call.company_id, call, recording or row.recording
    row.party = said.party
    row.state = Transcript.State.FAILED if said.is_failed and not said.text else Transcript.State.SAVED
    row.text = said.text[:LONGEST_TEXT]
    row.segments = [list(one) for one in said.segments]
    row.next_look_at = None
    row.save()
    _tell(row, now)
    return row


def _may_be_kept(recording: Recording | None, said: Said, call: Call) -> bool:
    """Say whether a text is somebody's to read. Of one that comes before its recording that shows when it is here
    (``expect``); what could be nobody's, or is of a recording that was let go, is not kept until then.
    """
    if recording is None or recording.call_id is None:
        is_possible = _wants_conversations(call) or _asked_for_message(call) is not None
        return is_possible and not _was_let_go(said.recording_id, call)
    if recording.state == Recording.State.DELETED:
        return False
    return recording.kind != Recording.Kind.CALL or _wants_conversations(call)


def _was_let_go(telnyx_recording_id: str, call: Call) -> bool:
    """Say whether the recording was told of, and is not here all the same: the net's, of a talk that we have."""
    news = TelnyxEvent.objects.filter(call=call, kind__in=deletions.NEWS, processed_at__isnull=False)
    told = (recording_progress(payload).recording_id for payload in news.values_list("payload", flat=True))
    return telnyx_recording_id in told


def _row_of(said: Said, known: Mapping[str, Transcript], now: datetime) -> Transcript | None:
    """Return the row that a text goes to, unsaved if it is a new one; None if the text says nothing new."""
    own, awaited = known.get(said.party), known.get(Transcript.Party.ALL)
    unwritten = next((row for row in (own, awaited) if row is not None and row.state != Transcript.State.SAVED), None)
    new = Transcript(telnyx_recording_id=said.recording_id, created_at=now)
    if not said.text:
        # Nothing never takes the place of something.
        is_answered = own is not None and own.state == Transcript.State.SAVED
        return None if is_answered else unwritten or (None if known else new)
    # Forms name no party, events do: the same words of a nameless one are not somebody's second speech.
    same = [row for row in known.values() if row is own or not row.party or not said.party]
    if any(_are_same(row.text, said.text) for row in same if row.state == Transcript.State.SAVED):
        return None
    return own or unwritten or new


def _are_same(one: str, other: str) -> bool:
    return one.split() == other[:LONGEST_TEXT].split()


def forget(recording: Recording) -> set[str]:
    """Delete what was written down of a recording, also where Telnyx's own words lie: in the ledger.

    Returns under which ids Telnyx has it.
    """
    Transcript.objects.filter(telnyx_recording_id=recording.telnyx_recording_id, call=recording.call_id).delete()
    return _take_words_out(recording.telnyx_recording_id, recording.call_id)


def forget_strays(now: datetime) -> int:
    """Delete texts whose recording did not come, for no deletion would ever reach them; return how many went.

    Should it come after all, its text is asked for anew.
    """
    held = CompanyHold.objects.values("company")
    strays = Transcript.objects.filter(recording=None, created_at__lt=now - STRAY_AFTER).exclude(company__in=held)
    for stray in strays:
        _take_words_out(stray.telnyx_recording_id, stray.call_id)
    return strays.delete()[0]


def _take_words_out(telnyx_recording_id: str, call_id: UUID | None) -> set[str]:
    ids = set()
    of_texts = Q(kind__startswith="transcription.") | Q(kind="call.recording.transcription.saved")
    events = TelnyxEvent.objects.filter(of_texts, call=call_id)
    # What belongs to no call was never acted on: an index has those.
    for event in events if call_id is not None else events.filter(processed_at=None):
        if said_in(event.payload).recording_id == telnyx_recording_id:
            ids.add(text_id(event.payload))
            TelnyxEvent.objects.filter(pk=event.pk).update(payload=without_words(event.payload))
    return ids - {""}


def _tell(row: Transcript, now: datetime) -> None:
    """Tell the pages that show it; a mail that waited for it goes."""
    groups = [push.company_group(row.company_id)]
    push.send("transcript.saved", groups=groups, call_id=str(row.call_id))
    message = Message.objects.filter(recording__telnyx_recording_id=row.telnyx_recording_id, call=row.call_id).first()
    if message is not None:
        # Not one that was tried: whoever sends it now has put his lease there.
        Message.objects.filter(pk=message.pk, mail_attempts=0, mail_due_at__gt=now).update(mail_due_at=now)
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
