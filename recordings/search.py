"""Recordings that nobody told us of: calls that should have one are looked up at Telnyx, less and less often.

While the end is fresh the reconciler looks, for many calls by one list of their connection; later each call is looked
up alone, by its session. Besides, the whole list of each connection is read on and on (``poll``): it also has what
belongs to calls that have another recording already, and to none.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from zlib import crc32

from django.db.models import Exists, OuterRef, Q

from curbe.lib import locks
from curbe.lib.ids import first_id_at
from recordings.models import PollMark, Recording
from telephony.core import events
from telephony.models import Call, CallIdentifier, RouteTrace, TelnyxAccount, TelnyxEvent
from telephony.operations import ledger
from telephony.operations.asking import account_for
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
#: Who reads the list of a connection does so alone: any number that nobody else uses.
LOCK: Final = 0x0C0B_E007
#: The list is read again for so long before where it was read to: Telnyx may write a recording late.
OVERLAP: Final = timedelta(minutes=10)
#: How far back the first reading of a connection goes.
FIRST_READ: Final = timedelta(days=1)
#: So far back, and so often, it is read again besides: as long as the longest call.
READ_BACK: Final = timedelta(hours=5)
READ_BACK_EVERY: Final = timedelta(hours=1)
#: A recording is in the list so long after its call's end at the latest.
LISTED_WITHIN: Final = timedelta(hours=1)
#: Sessions of a call that are asked for: each leg that we had made is one.
MOST_SESSIONS: Final = 6
#: Recordings that are looked for in one statement, and held in memory.
KNOWN_AT_ONCE: Final = 250
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
        for connection_id in _connections_of(call):
            ended[connection_id] = min(ended_at, ended.get(connection_id, ended_at))
    for connection_id, earliest in ended.items():
        with alone("look for the recordings of connection", connection_id):
            for one in client.recordings(connection_id=connection_id, created_since=earliest - LISTED_BACK):
                ids = (one.call_sid, one.leg_id, one.session_id)
                whose = next((call_of[value] for value in ids if value in call_of), None)
                if _is_complete(one) and whose is not None:
                    _take_in(one, whose, now)


def _look_up(call: Call, client: TelnyxClient, now: datetime) -> int:
    rows = CallIdentifier.objects.filter(call=call, agent=None).order_by("id").values_list("value", "kind")
    named = dict(rows)
    ours = {call.root_call_sid, *named}
    sessions = [value for value, kind in named.items() if kind == CallIdentifier.Kind.SESSION_ID]
    remote: list[RemoteRecording] = []
    for session_id in sessions[:MOST_SESSIONS]:
        remote += client.recordings(session_id=session_id)
    if call.called_sid:
        # The customer's leg of a call out is a session of its own, of which perhaps nothing was told.
        remote += client.recordings(call_sid=call.called_sid)
    if not sessions:
        # Only time and connection narrow the list; the leg's id decides.
        until = min(now, (call.ended_at or now) + LISTED_WITHIN)
        for connection_id in _connections_of(call):
            remote += client.recordings(connection_id=connection_id, created_since=call.started_at, created_until=until)
    complete = {one.id: one for one in remote if _is_complete(one)}
    matching = [one for one in complete.values() if ours & {one.call_sid, one.leg_id, one.session_id}]
    return sum(_take_in(one, call, now) for one in matching)


def _connections_of(call: Call) -> list[str]:
    """Return the connections on which the legs of a call are: a call out is parked on that of the credentials, and its
    customer is rung by the application.
    """
    found = [call.connection_id]
    if call.direction == Call.Direction.OUTBOUND:
        found.append(account_for(call.company_id) or "")
    return list(dict.fromkeys(filter(None, found)))


def _is_complete(remote: RemoteRecording) -> bool:
    """Say whether there is anything to fetch: what still runs is listed too."""
    return bool(remote.id) and remote.status in {"", "completed"}


def poll(client: TelnyxClient, now: datetime) -> int:
    """Read on in Telnyx's list of each connection; return how many recordings were new to us.

    What belongs to no call waits in the ledger as if its callback had come, and is kept and listed in the end.
    """
    found = 0
    for connection_id in _connections():
        with (
            alone("read the recordings of connection", connection_id),
            locks.if_free(LOCK << 32 | crc32(connection_id.encode())) as is_ours,
        ):
            # A reading may take longer than the clock waits, and two would take the processes of all that is fetched.
            if is_ours:
                found += _read_on(connection_id, client, now)
    return found


def _read_on(connection_id: str, client: TelnyxClient, now: datetime) -> int:
    mark = PollMark.objects.filter(pk=connection_id).first()
    if mark is None:
        found = _read(connection_id, client, now, since=now - FIRST_READ)
        PollMark.objects.create(pk=connection_id, polled_until=now, read_back_at=now)
        return found
    read_to = mark.polled_until
    found = _read(connection_id, client, now, since=read_to - OVERLAP)
    PollMark.objects.filter(pk=connection_id).update(polled_until=now)
    if mark.read_back_at is None or now - mark.read_back_at >= READ_BACK_EVERY:
        # Listed by the time of its beginning, the recording of a long talk is complete far behind the newest. Noted
        # first: a reading that breaks off is made again in an hour, and not at once and for ever.
        PollMark.objects.filter(pk=connection_id).update(read_back_at=now)
        found += _read(connection_id, client, now, since=read_to - READ_BACK, until=read_to - OVERLAP)
    return found


def _read(
    connection_id: str, client: TelnyxClient, now: datetime, *, since: datetime, until: datetime | None = None
) -> int:
    listed = client.each_recording(connection_id=connection_id, created_since=since, created_until=until or now)
    return sum(_take_in_new(some, now) for some in batched(listed, KNOWN_AT_ONCE))


def _take_in_new(listed: Sequence[RemoteRecording], now: datetime) -> int:
    complete = {one.id: one for one in listed if _is_complete(one)}
    known = Recording.objects.filter(telnyx_recording_id__in=complete)
    found = 0
    for one in sorted(set(complete) - set(known.values_list("telnyx_recording_id", flat=True))):
        with alone("take in recording", one):
            found += _take_in(complete[one], None, now)
    return found


def batched(rows: Iterable[RemoteRecording], size: int) -> Iterator[list[RemoteRecording]]:
    """Yield the rows in lists of that size; Python 3.11 has none of its own."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


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
