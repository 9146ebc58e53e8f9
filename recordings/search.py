"""Recordings that nobody told us of: calls that should have one are looked up at Telnyx, less and less often."""

from __future__ import annotations

import logging
from bisect import bisect_right
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q

from curbe.lib.ids import first_id_at
from recordings.models import Recording
from telephony.core import events
from telephony.models import Call, CallIdentifier, RouteTrace, TelnyxEvent
from telephony.operations import ledger
from telephony.operations.repairs import alone
from telephony.telnyx.answers import RemoteRecording
from telephony.telnyx.client import TelnyxClient

logger = logging.getLogger(__name__)

#: Ages of a call's end, in seconds, at which its recording is looked up. Telnyx writes it within seconds, so the first
#: look makes most lost callbacks good; what is not there after a day will not come.
ASKED_AT_S: Final = (10, 60, 180, 600, 3600, 6 * 3600, 24 * 3600)
BATCH: Final = 50
LONGEST_CALL: Final = timedelta(hours=4)


def find_missing(client: TelnyxClient, now: datetime) -> int:
    """Look up the recordings of calls that should have one and have none; return how many were found.

    Each look-up is noted in the ledger first, so that beat and workers, however many, ask once per age.
    """
    found = 0
    for call in _without_recording(now):
        with alone("look for the recording of call", call.pk):
            if _is_due(call, now):
                found += _look_up(call, client, now)
    return found


def _without_recording(now: datetime) -> list[Call]:
    """Return calls that were connected or sent to voicemail, ended a while ago, and have no recording."""
    youngest, oldest = (now - timedelta(seconds=age_s) for age_s in (ASKED_AT_S[0], ASKED_AT_S[-1] + 3600))
    heard = Q(answered_at__isnull=False) | Q(
        Exists(RouteTrace.objects.filter(call=OuterRef("pk"), decision__verb="voicemail"))
    )
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


def _look_up(call: Call, client: TelnyxClient, now: datetime) -> int:
    ours = {call.root_call_sid, *CallIdentifier.objects.filter(call=call).values_list("value", flat=True)}
    session_id = (
        CallIdentifier.objects.filter(call=call, kind=CallIdentifier.Kind.SESSION_ID)
        .values_list("value", flat=True)
        .first()
    )
    if session_id:
        remote = client.recordings(session_id=session_id)
    else:
        # Without the session only time and connection narrow the list; the leg's id decides.
        remote = client.recordings(connection_id=call.connection_id, created_since=call.started_at, created_until=now)
    matching = [one for one in remote if one.id and {one.call_sid, one.leg_id, one.session_id} & ours]
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
    return True
