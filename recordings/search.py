"""Recordings that nobody told us of: calls that should have one are looked up at Telnyx, less and less often.

While the end is fresh the reconciler looks, for many calls by one list of their connection; later each call is looked
up alone, by its session.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q

from curbe.lib.ids import first_id_at
from recordings.models import Recording
from telephony.core import events
from telephony.models import Call, CallIdentifier, RouteTrace, TelnyxEvent
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
    missing = ended.exclude(Exists(Recording.objects.filter(call=OuterRef("pk")))).filter(heard)
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


def _take_in(remote: RemoteRecording, call: Call, now: datetime) -> bool:
    """Record the callback that was lost, under the key that it would have had, and act on it."""
    duration = {} if remote.duration_ms is None else {"RecordingDuration": str(remote.duration_ms // 1000)}
    payload = {
        "CallSid": remote.call_sid,
        "RecordingSid": remote.id,
        "RecordingStatus": "completed",
        "RecordingUrl": remote.url,
        "RecordingChannels": "2" if remote.channels in {"dual", "2"} else "1",
        "RecordingSource": remote.initiated_by,
        **duration,
        "believed": {"recordings": 0},
        "true": {"recording": remote.id},
        "did": "took the recording in",
    }
    notice = events.recording_notice(payload)
    event = ledger.record(
        kind=notice.kind,
        source=TelnyxEvent.Source.RECONCILER,
        dedupe_key=notice.dedupe_key,
        occurred_at=remote.created_at,
        payload=payload,
        call_id=call.pk,
        company_id=call.company_id,
        now=now,
    )
    if event is None:
        return False
    logger.info("Call %s: recording %s was found at Telnyx", call.pk, remote.id)
    ledger.process(event.pk, now)
    tell(call)
    return True
