"""A recording is announced: by its callback, by an event of the profile's, by Telnyx's list. One row, whoever tells.

Recordings of TeXML are a call's own. What an outbound profile, or a number, records by itself is the net below them: it
is kept only where no recording of TeXML's has that call and time.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from curbe.lib.db import inserted, prepared
from recordings import deletions, operations, remote, transcripts
from recordings.covering import SLACK, Span, is_covered, span_of
from recordings.loudness import SHORTEST_S
from recordings.models import Recording, RecordingGap
from recordings.push import tell
from telephony.core.channels import Layout, heard_in, layout_of
from telephony.core.events import SOURCE_NET, RecordingProgress, recording_progress
from telephony.models import Call, CallIdentifier, PhoneNumber, TelnyxAccount, TelnyxEvent
from telephony.operations import progress as call_progress

logger = logging.getLogger(__name__)

#: TeXML's own recording of the same talk is told of within seconds, or found by the second look for it (search).
NET_WAITS: Final = timedelta(seconds=15)


def expect(
    progress: RecordingProgress,
    call: Call,
    now: datetime,
    *,
    told_at: datetime | None = None,
    received_at: datetime | None = None,
) -> Recording | None:
    """Make the row of a recording that Telnyx has, and queue its fetch after commit. Expected twice, it is one row.

    Returns it, None if it is the net's and was let go, or another call's. What follows for messages and texts is the
    caller's. The call's row is locked by the caller. ``told_at`` is when Telnyx said so, right after the audio's end;
    ``received_at`` when its link came. A row that belonged to no call yet becomes this one's. What the net has of a
    talk that is kept already makes none.
    """
    is_net = progress.source == SOURCE_NET
    defaults = _columns(progress, now, is_net=is_net, received_at=received_at or now) | {
        "company_id": call.company_id,
        "call": call,
        "started_at": progress.started_at or _begun_at(progress, call, told_at or now),
        "next_attempt_at": now + NET_WAITS if is_net else now,
    }
    if is_net and defaults["layout"] == Layout.DIAL and not _is_of_the_customer(progress, call):
        # Of a leg that we made for it (a forward) the customer is the other side, and nobody says which that is.
        defaults["layout"] = ""
    recording = Recording(telnyx_recording_id=progress.recording_id, **defaults)
    made = inserted(recording, now=now)
    if not made:
        recording = Recording.objects.get(telnyx_recording_id=progress.recording_id)
    if made or recording.call_id is None:
        return _arrived(recording, call, defaults, leg=progress.call_sid, made=made, now=now)
    if recording.call_id != call.pk:
        logger.error("Recording %s of call %s is told of call %s too", recording.pk, recording.call_id, call.pk)
        return None
    if recording.is_net and not is_net and recording.state != Recording.State.DELETED:
        # The same one told twice, and only now by whom it was made, and what it is.
        _become_own(recording, defaults, now)
        return _arrived(recording, call, defaults, leg=progress.call_sid, made=True, now=now)
    return recording


def _is_of_the_customer(progress: RecordingProgress, call: Call) -> bool:
    """Say whether the net recorded the customer's own leg. An event may name none: profiles record legs to numbers."""
    if progress.call_sid:
        return progress.call_sid == call.customer_sid
    return call.direction == Call.Direction.OUTBOUND


def _become_own(recording: Recording, defaults: dict[str, Any], now: datetime) -> None:
    recording.is_net = False
    recording.kind, recording.layout = defaults["kind"], _layout_now(recording, defaults)
    recording.duration_s = recording.duration_s or defaults["duration_s"]
    if recording.state == Recording.State.PENDING and recording.taken_at is None:
        recording.source_url = defaults["source_url"] or recording.source_url
        recording.next_attempt_at = now
    names = ("is_net", "kind", "layout", "duration_s", "source_url", "next_attempt_at")
    recording.save(update_fields=names)


def _arrived(
    recording: Recording, call: Call, defaults: dict[str, Any], *, leg: str, made: bool, now: datetime
) -> Recording | None:
    if not made:
        _match(recording, call, defaults)
    if recording.state == Recording.State.DELETED:
        return recording
    if not recording.is_net and recording.state == Recording.State.PENDING:
        # It may have been told as the net's first, and not have been worth keeping.
        remote.keep_after_all(recording.telnyx_recording_id)
    # A hold keeps what is here; what is not stays at Telnyx, where the hold keeps it.
    is_here = recording.is_held or bool(recording.audio)
    if recording.is_net and not (is_here and deletions.is_on_hold(recording)) and is_spare(recording, call, leg=leg):
        let_go(recording, now)
        return None
    kind = CallIdentifier.Kind.RECORDING_ID
    inserted(CallIdentifier(call=call, kind=kind, value=recording.telnyx_recording_id), now=now)
    if not recording.is_net:
        _let_go_of_nets(call, now)
    # Who hung up at once left no message, and his call is no voicemail.
    is_long_enough = recording.duration_s is None or recording.duration_s >= SHORTEST_S
    if recording.kind == Recording.Kind.VOICEMAIL and is_long_enough:
        call_progress.leave_voicemail(call, now)
    if recording.state == Recording.State.PENDING:
        tell(recording, "pending")
        if not recording.is_net:
            operations.queue(recording.pk)
    elif recording.state == Recording.State.STORED:
        # What its company wants is known only now.
        deletions.want_remotely_by_policy(recording, now)
        tell(recording, "stored")
    return recording


def _match(recording: Recording, call: Call, defaults: dict[str, Any]) -> None:
    """Give a recording that waited for its call to it, with what only the call tells."""
    recording.call = call
    recording.company_id = call.company_id
    recording.kind, recording.layout = defaults["kind"], _layout_now(recording, defaults)
    recording.started_at = recording.started_at or defaults["started_at"]
    recording.save(update_fields=["call", "company", "kind", "layout", "started_at"])
    logger.info("Recording %s is of call %s", recording.pk, call.pk)


def _layout_now(recording: Recording, defaults: dict[str, Any]) -> str:
    """Return what was told of the channels; of audio that is here already, as far as it has them."""
    told: str = defaults["layout"]
    return told if recording.state != Recording.State.STORED else heard_in(told, channels=recording.channels)


def _columns(progress: RecordingProgress, now: datetime, *, is_net: bool, received_at: datetime) -> dict[str, Any]:
    layout = layout_of(purpose=progress.purpose, source=progress.source, channels=progress.channels)
    return {
        "kind": Recording.Kind.VOICEMAIL if layout is Layout.MESSAGE else Recording.Kind.CALL,
        # A link that came long ago is dead: a fresh one is asked for at once.
        "source_url": progress.url if now - received_at < operations.LINK_LIVES else "",
        "channels": progress.channels,
        "layout": layout,
        "duration_s": progress.duration_s,
        "next_attempt_at": now,
        "is_net": is_net,
    }


_BEGUN: Final = """
SELECT min(occurred_at)
  FROM telephony_telnyxevent
 WHERE call_id = %(call)s::uuid AND kind = 'recording.in-progress' AND payload ->> 'RecordingSid' = %(recording)s
"""


def _begun_at(progress: RecordingProgress, call: Call, told_at: datetime) -> datetime:
    """Return when the audio begins: when Telnyx told of its beginning, else its length before its end."""
    ((at,),) = prepared(_BEGUN, {"call": call.pk, "recording": progress.recording_id})
    # A callback that came late, or a repair, is bounded by the call's own end.
    return at or min(told_at, call.ended_at or told_at) - timedelta(seconds=progress.duration_s or 0)


# --- The net ------------------------------------------------------------------------------------------------------


def is_spare(net: Recording, call: Call, *, leg: str = "") -> bool:
    """Say whether what the net recorded of a call, on that leg, is not to be kept. Empty: the ledger tells which leg.

    Its own recordings have that time; an agent paused them, for card data, which the net knew nothing of; or it is one
    that we have under another id.
    """
    if RecordingGap.objects.filter(call=call, began_at__isnull=False).exists():
        return True
    own = list(Recording.objects.filter(call=call, is_net=False).exclude(state=Recording.State.FAILED))
    if own and call.answered_at is None:
        # Nobody talked with the caller: all that there is to keep is the message.
        return True
    if _is_told_twice(net, call, leg):
        return True
    spans = [span for one in own if (span := _span(one)) is not None]
    span = _span(net)
    # Of what nobody knows the time of, the call decides: it is there already.
    return bool(own) if span is None else is_covered(span, spans, talked_from=call.answered_at)


def _span(recording: Recording) -> Span | None:
    if recording.started_at is None or recording.duration_s is None:
        return None
    return span_of(recording.started_at, recording.duration_s)


def _is_told_twice(net: Recording, call: Call, leg: str) -> bool:
    """Say whether an older row has the same leg and time: told by an event without the recording's id (E-08), it stands
    under the event's, and the list has it under its own.
    """
    older = Recording.objects.filter(call=call, is_net=True, pk__lt=net.pk).exclude(state=Recording.State.FAILED)
    known = {one.telnyx_recording_id: one for one in older}
    if not known or net.started_at is None:
        return False
    legs = {one.recording_id: one.call_sid for one in map(_progress_of, nets_of(call.pk))}
    leg = leg or legs.get(net.telnyx_recording_id, "")
    same = [one for name, one in known.items() if leg and legs.get(name) == leg and one.started_at is not None]
    return any(abs(one.started_at - net.started_at) <= SLACK for one in same if one.started_at is not None)


def let_go(net: Recording, now: datetime) -> None:
    """Drop the net's recording of a talk that is kept otherwise; Telnyx's copy goes if it is wanted nowhere."""
    logger.info("Recording %s of call %s is the net's, and is let go", net.telnyx_recording_id, net.call_id)
    if deletions.goes_at_telnyx_too(net):
        remote.want([net.telnyx_recording_id], company_id=net.company_id, now=now)
    deletions.drop(net, now)


def judge_nets(call_id: UUID, now: datetime) -> None:
    """Look again at what the net has of a call: how long its own recordings are is sure once they are here."""
    if not Recording.objects.filter(call=call_id, is_net=True).exists():
        return
    with transaction.atomic():
        _let_go_of_nets(Call.objects.select_for_update().get(pk=call_id), now)


_HAS_NET: Final = "SELECT 1 FROM recordings_recording WHERE call_id = %(call)s::uuid AND is_net LIMIT 1"


def _let_go_of_nets(call: Call, now: datetime) -> None:
    if not prepared(_HAS_NET, {"call": call.pk}):
        # As most calls.
        return
    rows = Recording.objects.filter(call=call, is_net=True, is_held=False).exclude(state=Recording.State.DELETED)
    # Locked: who fetches one just now has written its name before, or does not come to write it any more.
    nets = list(rows.select_for_update(of=("self",)).order_by("pk"))
    if nets and not deletions.is_company_on_hold(call.company_id):
        for net in nets:
            if is_spare(net, call):
                tell(net, "deleted")
                let_go(net, now)


def nets_of(call_id: UUID) -> list[TelnyxEvent]:
    """Return the news of what the net recorded of a call, also of what was let go."""
    events = TelnyxEvent.objects.filter(call=call_id, kind__in=deletions.NEWS)
    return [one for one in events.order_by("id") if _progress_of(one).source == SOURCE_NET]


def _progress_of(event: TelnyxEvent) -> RecordingProgress:
    return recording_progress(event.payload)


def fall_back_on_the_net(recording: Recording, now: datetime) -> None:
    """Take in what the net recorded of a call whose own recording was given up."""
    if recording.call_id is None or recording.is_net or recording.kind != Recording.Kind.CALL:
        return
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=recording.call_id)
        for event in nets_of(call.pk):
            progress, told_at = _progress_of(event), event.occurred_at
            net = expect(progress, call, now, told_at=told_at, received_at=event.received_at)
            if net is not None and net.state != Recording.State.DELETED:
                transcripts.expect(net, call, now)


# --- Nobody's -----------------------------------------------------------------------------------------------------


def keep_unclaimed(event: TelnyxEvent, now: datetime) -> None:
    """Keep a recording whose call does not come: its link would be dead before the ledger gives up waiting.

    The connection that it was made on, or a number of ours, tells the company; where neither does it is the operator's.
    """
    progress = recording_progress(event.payload)
    if progress.status != "completed" or not progress.recording_id:
        return
    company_id = _company_of(progress)
    recording, made = Recording.objects.get_or_create(
        telnyx_recording_id=progress.recording_id,
        defaults=_columns(progress, now, is_net=progress.source == SOURCE_NET, received_at=event.received_at)
        | {
            "company_id": company_id,
            "started_at": progress.started_at or event.occurred_at - timedelta(seconds=progress.duration_s or 0),
            "connection_id": progress.connection_id,
            "from_number": progress.from_number,
            "to_number": progress.to_number,
        },
    )
    if made:
        logger.warning("Recording %s is of no call of ours; it is kept all the same", recording.telnyx_recording_id)
        operations.queue(recording.pk)


def _company_of(progress: RecordingProgress) -> int | None:
    if progress.connection_id:
        owned = TelnyxAccount.objects.filter(company__isnull=False)
        for account in owned:
            if progress.connection_id in {account.texml_application_id, account.credential_connection_id}:
                return account.company_id
    numbers = [number for number in (progress.to_number, progress.from_number) if number]
    found = dict(PhoneNumber.objects.filter(e164__in=numbers).values_list("e164", "company_id"))
    # Between two companies of ours it is nobody's until its call says whose.
    owners = {found[number] for number in numbers if number in found}
    return owners.pop() if len(owners) == 1 else None
