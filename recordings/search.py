"""Recordings that nobody told us of: calls that should have one are looked up at Telnyx, less and less often.

While the end is fresh the reconciler looks, for many calls by one list of their connection; later each call is looked
up alone, by its session. Besides, the whole list of each connection is read on and on (``poll``): it also has what
belongs to calls that have another recording already, and to none.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q

from curbe.lib.ids import first_id_at
from recordings.models import PollMark, Recording
from telephony.core import events
from telephony.models import Call, CallIdentifier, RouteTrace, TelnyxAccount, TelnyxEvent
from telephony.operations import ledger
from telephony.operations.repairs import alone, tell
from telephony.telnyx.answers import RemoteRecording
from telephony.telnyx.client import TelnyxClient

logger = logging.getLogger(__name__)

#: Ages of a call's end, in seconds, at which its recording is looked up. Telnyx writes it within seconds, so the first
#: looks make most lost callbacks good; what is not there after a day will not come.
ASKED_AT_S: Final = (4, 12, 30, 60, 180, 600, 3600, 6 * 3600, 24 * 3600)
#: Up to this age, in seconds, an end is fresh.
FRESH_S: Final = 60
#: So many fresh calls are looked up one by one; more of them are looked up together.
FEW: Final = 3
#: A recording may be listed with the time of its beginning: talks of this length are found by the list, longer ones by
#: their session a minute after their end.
LISTED_BACK: Final = timedelta(minutes=2)
#: The list is read again for so long before where it was read to: Telnyx may write a recording late.
OVERLAP: Final = timedelta(minutes=10)
#: How far back the first reading of a connection goes.
FIRST_READ: Final = timedelta(days=1)
BATCH: Final = 50
LONGEST_CALL: Final = timedelta(hours=4)


def find_fresh(client: TelnyxClient, now: datetime) -> None:
    """Look up the recordings of calls that ended just now, should have one and have none."""
    # Of a talk of half a second the end of its <Dial> is perhaps all that we heard.
    connected = TelnyxEvent.objects.filter(
        call=OuterRef("pk"), kind="instruction.dial_complete", payload__DialCallStatus="completed"
    )
    without = _without_recording(now, ages_s=(ASKED_AT_S[0], FRESH_S), or_else=Q(Exists(connected)))
    calls = [call for call in without if _is_due(call, now)]
    if len(calls) > FEW:
        _look_up_together(calls, client, now)
        return
    for call in calls:
        with alone("look for the recording of call", call.pk):
            _look_up(call, client, now)


def find_missing(client: TelnyxClient, now: datetime) -> int:
    """Look up the recordings of calls that ended a while ago; return how many were found.

    Each look-up is noted in the ledger first, so that beat and workers, however many, ask once per age.
    """
    found = 0
    for call in _without_recording(now, ages_s=(FRESH_S, ASKED_AT_S[-1] + 3600)):
        with alone("look for the recording of call", call.pk):
            if _is_due(call, now):
                found += _look_up(call, client, now)
    return found


def _without_recording(now: datetime, *, ages_s: tuple[int, int], or_else: Q | None = None) -> list[Call]:
    """Return calls without a recording that were connected or sent to voicemail, by the age of their end.

    ``or_else`` says what else makes a recording likely.
    """
    youngest, oldest = (now - timedelta(seconds=age_s) for age_s in ages_s)
    voicemail = RouteTrace.objects.filter(call=OuterRef("pk"), decision__verb="voicemail")
    heard = Q(answered_at__isnull=False) | Q(Exists(voicemail)) | (or_else or Q())
    asked = TelnyxEvent.objects.filter(call=OuterRef("pk"), kind="reconciler.recording_asked")
    ended = Call.objects.filter(
        # The key is ordered by time: without this bound every call that ever was would be read.
        pk__gte=first_id_at(oldest - LONGEST_CALL),
        status=Call.Status.COMPLETED,
        ended_at__range=(oldest, youngest),
    )
    # What the net has does not end the search: TeXML's own is the better one.
    recorded = Recording.objects.filter(call=OuterRef("pk"), is_net=False)
    missing = ended.exclude(Exists(recorded)).filter(heard)
    # Those that were never asked about go first, so that old hopeless ones cannot keep them waiting.
    return list(missing.annotate(was_asked=Exists(asked)).order_by("was_asked", "-pk")[:BATCH])


def _is_due(call: Call, now: datetime) -> bool:
    age_s = (now - (call.ended_at or now)).total_seconds()
    turn = bisect_right(ASKED_AT_S, age_s)
    event = ledger.note(
        kind="reconciler.recording_asked",
        dedupe_key=f"reconciler|recording|{call.pk}|{turn}",
        payload={"age_s": round(age_s), "turn": turn},
        call=call,
        source=TelnyxEvent.Source.RECONCILER,
        now=now,
    )
    return event is not None


def _look_up_together(calls: Sequence[Call], client: TelnyxClient, now: datetime) -> None:
    """Read the newest recordings of each connection once, and take in those of these calls."""
    by_id = {call.pk: call for call in calls}
    known = CallIdentifier.objects.filter(call__in=by_id, agent=None).values_list("value", "call_id")
    call_of = {value: by_id[call_id] for value, call_id in known} | {call.root_call_sid: call for call in calls}
    ended: dict[str, datetime] = {}
    for call in calls:
        ended_at = call.ended_at or now
        ended[call.connection_id] = min(ended_at, ended.get(call.connection_id, ended_at))
    for connection_id, earliest in ended.items():
        with alone("look for the recordings of connection", connection_id):
            for one in client.recordings(connection_id=connection_id, created_since=earliest - LISTED_BACK):
                ids = (one.call_sid, one.leg_id, one.session_id)
                whose = next((call_of[value] for value in ids if value in call_of), None)
                if one.id and whose is not None:
                    _take_in(one, whose, now)


def _look_up(call: Call, client: TelnyxClient, now: datetime) -> int:
    named = dict(CallIdentifier.objects.filter(call=call, agent=None).values_list("value", "kind"))
    ours = {call.root_call_sid, *named}
    session_id = next((value for value, kind in named.items() if kind == CallIdentifier.Kind.SESSION_ID), "")
    if session_id:
        remote = client.recordings(session_id=session_id)
    else:
        # Without the session only time and connection narrow the list; the leg's id decides.
        remote = client.recordings(connection_id=call.connection_id, created_since=call.started_at, created_until=now)
    matching = [one for one in remote if one.id and ours & {one.call_sid, one.leg_id, one.session_id}]
    return sum(_take_in(one, call, now) for one in matching)


def poll(client: TelnyxClient, now: datetime) -> int:
    """Read on in Telnyx's list of each connection; return how many recordings were new to us.

    What belongs to no call waits in the ledger as if its callback had come, and is kept and listed in the end.
    """
    found = 0
    for connection_id in _connections():
        with alone("read the recordings of connection", connection_id):
            mark = PollMark.objects.filter(pk=connection_id).first()
            since = mark.polled_until - OVERLAP if mark else now - FIRST_READ
            listed = client.recordings(connection_id=connection_id, created_since=since, created_until=now)
            complete = {one.id: one for one in listed if one.id and one.status in {"", "completed"}}
            known = Recording.objects.filter(telnyx_recording_id__in=complete)
            new = set(complete) - set(known.values_list("telnyx_recording_id", flat=True))
            for one in sorted(new):
                with alone("take in recording", one):
                    found += _take_in(complete[one], None, now)
            PollMark.objects.update_or_create(pk=connection_id, defaults={"polled_until": now})
    return found


def _connections() -> list[str]:
    """Return every connection that calls go through: the platform's, and those of companies with their own."""
    rows = TelnyxAccount.objects.values_list("texml_application_id", "credential_connection_id")
    return sorted({connection_id for row in rows for connection_id in row if connection_id})


def _take_in(remote: RemoteRecording, call: Call | None, now: datetime) -> bool:
    """Record the callback that was lost, under the key that it would have had, and act on it."""
    payload = {**_as_form(remote), "believed": {"recordings": 0}, "true": {"recording": remote.id}, "did": DID}
    notice = events.recording_notice(payload)
    event = ledger.record(
        kind=notice.kind,
        source=TelnyxEvent.Source.RECONCILER,
        dedupe_key=notice.dedupe_key,
        occurred_at=remote.created_at,
        payload=payload,
        call_id=call.pk if call else None,
        company_id=call.company_id if call else None,
        now=now,
    )
    if event is None:
        return False
    ledger.process(event.pk, now)
    logger.info("Recording %s was found at Telnyx", remote.id)
    if call is not None:
        tell(call)
    return True


DID: Final = "took the recording in"


def _as_form(remote: RemoteRecording) -> dict[str, str]:
    """Return what the callback would have said."""
    said = {
        "CallSid": remote.call_sid,
        "CallLegId": remote.leg_id,
        "CallSessionId": remote.session_id,
        "ConnectionId": remote.connection_id,
        "From": remote.from_,
        "To": remote.to,
        "RecordingSid": remote.id,
        "RecordingStatus": "completed",
        "RecordingUrl": remote.url,
        "RecordingChannels": "2" if remote.channels in {"dual", "2"} else "1",
        "RecordingSource": remote.initiated_by,
        "RecordingStartTime": remote.started_at.isoformat() if remote.started_at else "",
        "RecordingDuration": "" if remote.duration_ms is None else str(remote.duration_ms // 1000),
    }
    return {name: value for name, value in said.items() if value}
