"""What is heard as one: the segments of a call in their order, on one line of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from recordings.covering import Cut
from recordings.models import Recording
from recordings.pausing import cuts_of
from telephony.core import channels
from telephony.models import Call, CallLeg
from telephony.queries.story import customer_name


@dataclass(frozen=True, slots=True)
class Segment:
    recording: Recording
    #: Where it begins on the line of time that all of them share.
    at_s: int
    #: Who is on the left and who on the right; None: everybody is on both.
    channels: tuple[str, str] | None
    #: Where something was kept out of it, as card data is.
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class Playlist:
    #: None: of a recording that belongs to no call.
    call: Call | None
    title: str
    segments: tuple[Segment, ...]
    #: Segments of the same call that are still on their way.
    pending: int

    @property
    def duration_s(self) -> int:
        return sum(segment.recording.duration_s or 0 for segment in self.segments)


def playlist_of(recording: Recording, language: str, *, heard_by: Q) -> Playlist:
    """Return what is heard with this recording: all of its call's of the same kind that who asks may hear.

    Four statements. A recording of no call is heard alone.
    """
    if recording.call_id is None:
        alone = (Segment(recording, 0, None),) if recording.state == Recording.State.STORED else ()
        return Playlist(None, "", alone, int(recording.state == Recording.State.PENDING))
    call = Call.objects.select_related("contact").get(pk=recording.call_id)
    same = Recording.objects.filter(heard_by, call=call, kind=recording.kind)
    rows = sorted(same, key=lambda one: (one.started_at or one.created_at, one.pk))
    customer = customer_name(call, language)
    voices = _voices(call)
    cuts, segments, at_s = cuts_of(rows), [], 0
    for row in (one for one in rows if one.state == Recording.State.STORED):
        names = channels.names(
            row.layout,
            customer=customer,
            voices=voices,
            begins_at=row.started_at,
            ends_at=_ends_at(row),
            language=language,
        )
        segments.append(Segment(row, at_s, names, tuple(cuts.get(row.pk, ()))))
        at_s += row.duration_s or 0
    pending = sum(one.state == Recording.State.PENDING for one in rows)
    return Playlist(call, customer, tuple(segments), pending)


def _voices(call: Call) -> Sequence[channels.Voice]:
    legs = CallLeg.objects.filter(call=call, answered_at__isnull=False).select_related("agent__user")
    customers = {CallLeg.Kind.CALLER, CallLeg.Kind.CALLED}
    return [
        channels.Voice(str(leg.agent or leg.get_kind_display()), leg.answered_at, leg.ended_at)
        for leg in legs
        # An agent's leg may be the one that opened the call; it is his all the same.
        if leg.answered_at is not None and (leg.agent is not None or leg.kind not in customers)
    ]


def _ends_at(recording: Recording) -> datetime | None:
    if recording.started_at is None or recording.duration_s is None:
        return None
    return recording.started_at + timedelta(seconds=recording.duration_s)
