"""The picture of a call: what went on when, to scale. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from telephony.core.call_state import Phase
from telephony.core.told import Told


class Went(StrEnum):
    WAITING = "waiting"
    RINGING = "ringing"
    TALK = "talk"
    HOLD = "hold"
    CONSULT = "consult"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Span:
    went: Went
    begin: datetime
    end: datetime
    #: Where it lies in the whole, in percent.
    left: float = 0.0
    width: float = 0.0

    @property
    def seconds(self) -> int:
        return round((self.end - self.begin).total_seconds())


@dataclass(frozen=True, slots=True)
class Row:
    who: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    begin: datetime
    end: datetime
    spans: tuple[Span, ...]
    rows: tuple[Row, ...]
    #: Seconds of each kind, in the order in which they first came.
    totals: tuple[tuple[Went, int], ...]

    @property
    def seconds(self) -> int:
        return round((self.end - self.begin).total_seconds())


_OF_PHASE: Final = {
    Phase.DIALLING: Went.RINGING,
    Phase.TALKING: Went.TALK,
    # Both still talk while the room opens.
    Phase.PROMOTING: Went.TALK,
    Phase.HELD: Went.HOLD,
    Phase.CONSULT_RINGING: Went.CONSULT,
    Phase.CONSULTING: Went.CONSULT,
    Phase.SWAPPED: Went.TALK,
    Phase.MERGED: Went.TALK,
}
#: In these the plan has the customer: somebody rings, or nobody.
_ROUTED: Final = frozenset({Phase.ROUTING, Phase.TRANSFERRING, Phase.RESCUING})
#: Nothing is drawn thinner than this part of the whole, in percent: it could not be seen.
THINNEST: Final = 0.4
MOST_ROWS: Final = 8


def picture(told: Told, now: datetime) -> Picture:
    """Return what went on when; a call that goes on reaches to ``now``."""
    begin = told.call.started_at
    end = max(told.call.ended_at or now, begin + timedelta(seconds=1))
    spans = _placed(_merged(_main(told, begin, end)), begin, end)
    totals: dict[Went, int] = {}
    for span in spans:
        totals[span.went] = totals.get(span.went, 0) + span.seconds
    return Picture(begin, end, spans, _rows(told, begin, end), tuple(totals.items()))


def _main(told: Told, begin: datetime, end: datetime) -> list[Span]:
    """Return what the customer met, from the first second to the last."""
    spans = []
    for phase, since, until in _phases(told, begin, end):
        if phase in _OF_PHASE:
            spans.append(Span(_OF_PHASE[phase], since, until))
        elif phase in _ROUTED:
            spans += _routed(told, since, until)
    return spans


def _phases(told: Told, begin: datetime, end: datetime) -> list[tuple[Phase, datetime, datetime]]:
    """Return the phases of the call with their times; of a plain call made of its answer alone."""
    answered = told.call.answered_at
    first = Phase.DIALLING if told.call.is_outbound else Phase.ROUTING
    moves = [(begin, first)]
    if answered is not None:
        moves.append((answered, Phase.TALKING))
    for event in sorted(told.events, key=lambda event: event.at):
        to = str(event.payload.get("to"))
        if event.kind.startswith("talk.") and to in Phase.__members__ and "error" not in event.payload:
            moves.append((event.at, Phase(to)))
    # Who is at the same moment told twice is where the later word says.
    moves.sort(key=lambda move: move[0])
    found: list[tuple[Phase, datetime, datetime]] = []
    for place, (since, phase) in enumerate(moves):
        until = moves[place + 1][0] if place + 1 < len(moves) else end
        since, until = max(since, begin), min(until, end)
        if until > since and phase is not Phase.ENDED:
            found.append((phase, since, until))
    return found


def _routed(told: Told, since: datetime, until: datetime) -> list[Span]:
    """Return a stretch with the plan: ringing while somebody's phone rang, a message while one was taken."""
    message = next((step.at for step in told.steps if step.verb == "voicemail"), None)
    rung = [(offer.offered_at, offer.ended_at or until) for offer in told.offers]
    rung += [(leg.started_at, leg.answered_at or leg.ended_at or until) for leg in told.legs if leg.kind == "forward"]
    edges = sorted({since, until, *(edge for pair in rung for edge in pair), *((message,) if message else ())})
    edges = [edge for edge in edges if since <= edge <= until]
    spans = []
    for left, right in zip(edges, edges[1:], strict=False):
        if any(begin <= left and right <= end for begin, end in rung):
            went = Went.RINGING
        else:
            went = Went.MESSAGE if message is not None and left >= message else Went.WAITING
        spans.append(Span(went, left, right))
    return spans


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].went is span.went and merged[-1].end >= span.begin:
            merged[-1] = Span(span.went, merged[-1].begin, span.end)
        else:
            merged.append(span)
    return merged


def _rows(told: Told, begin: datetime, end: datetime) -> tuple[Row, ...]:
    """Return each person's own line: how long it rang, how long it was up."""
    rows: dict[str, list[Span]] = {}
    for leg in sorted(told.legs, key=lambda leg: (leg.started_at, leg.call_sid)):
        ended = leg.ended_at or end
        spans = rows.setdefault(leg.who, [])
        up = leg.started_at if leg.kind == "caller" else leg.answered_at
        if up is None or up > leg.started_at:
            spans.append(Span(Went.RINGING, leg.started_at, up or ended))
        if up is not None:
            spans.append(Span(Went.TALK, up, ended))
    for offer in told.offers:
        if offer.who not in rows:
            rows[offer.who] = [Span(Went.RINGING, offer.offered_at, offer.ended_at or end)]
    return tuple(Row(who, _placed(spans, begin, end)) for who, spans in list(rows.items())[:MOST_ROWS])


def _placed(spans: Sequence[Span], begin: datetime, end: datetime) -> tuple[Span, ...]:
    whole = (end - begin).total_seconds()
    placed = []
    for span in spans:
        since, until = min(max(span.begin, begin), end), min(max(span.end, begin), end)
        if until < since:
            continue
        left = round(100 * (since - begin).total_seconds() / whole, 3)
        width = max(THINNEST, round(100 * (until - since).total_seconds() / whole, 3))
        placed.append(Span(span.went, since, until, min(left, 100 - THINNEST), width))
    return tuple(placed)
