"""Calls for programs: the list and its filters, one call with its story, and each as the API writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils.dateparse import parse_datetime

from telephony.core.search import LONGEST, Wanted, wanted_by
from telephony.models import Call, CallLeg, TelnyxEvent
from telephony.queries import filters, search
from telephony.queries.bounds import FIRST_YEAR, LAST_YEAR, BadFilter
from telephony.queries.wrap_ups import said_of

PAGE_SIZE: Final = 50
LARGEST_PAGE: Final = 200
#: A call's story has a dozen events; a call that was asked about for hours is cut here.
MOST_EVENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Page:
    calls: tuple[Call, ...]
    #: The cursor of the next page; None on the last one.
    next: str | None


def page(calls: QuerySet[Call], query: Mapping[str, str]) -> Page:
    """Return the calls that the query asks for, newest first. Raises BadFilter. Seven statements at the most."""
    values = _read(query)
    size = values.pop("limit", PAGE_SIZE)
    wanted = values.pop("search", Wanted())
    if "cursor" in values:
        calls = calls.filter(id__lt=values.pop("cursor"))
    fitting = calls
    for name, value in values.items():
        fitting = filters.said(fitting, value) if name == "disposition" else fitting.filter(_CONDITIONS[name](value))
    if wanted or values:
        fitting = calls.filter(pk__in=search.newest(calls, search.compared(fitting, wanted), wanted, size=size + 1))
    rows = tuple(_with_what_is_written(fitting).order_by("-id")[: size + 1])
    return Page(rows[:size], str(rows[size - 1].pk) if len(rows) > size else None)


def with_story(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Return the calls with everything that the address of one call answers."""
    return _with_what_is_written(calls).prefetch_related(
        Prefetch("legs", CallLeg.objects.select_related("agent__user").order_by("started_at", "id"))
    )


def _with_what_is_written(calls: QuerySet[Call]) -> QuerySet[Call]:
    # The recordings' app stands above this one: it is reached by the reverse relation.
    return calls.select_related("agent__user", "queue").prefetch_related("recordings")


# --- The parameters of the list -----------------------------------------------------------------------------------


def _read(query: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for name, text in query.items():
        if name not in _PARAMETERS:
            raise BadFilter(name, f"This parameter is not known. Known are: {', '.join(_PARAMETERS)}.")
        try:
            values[name] = _PARAMETERS[name](text)
        except ValueError as err:
            raise BadFilter(name, str(err)) from None
    return values


def _number(text: str) -> tuple[str, ...]:
    """Return the ways in which the number may stand there. A plus that nobody escaped arrives as a space."""
    number = text.strip()
    if not number or len(number) > 64 or "\x00" in number:
        raise ValueError("Write a number as E.164: %2B13055550100.")
    return (number, f"+{number}") if number.isdecimal() else (number,)


def _moment(text: str) -> datetime:
    try:
        # As above: the plus of an offset may arrive as a space.
        moment = parse_datetime(text.strip().replace(" ", "T", 1) if "T" not in text else text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("Write the time as ISO 8601 with its offset: 2026-11-21T09:00:00Z.")
    # Offsets at the ends of time lead out of it: no arithmetic before it is known to be a year with telephones.
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise ValueError(f"Use a time between {FIRST_YEAR} and {LAST_YEAR}.")
    return moment.astimezone(UTC)


def _row_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ValueError("Use an id.")
    return int(text)


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("Use the cursor that an answer gave as next.") from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= LARGEST_PAGE):
        raise ValueError(f"Use a number from 1 to {LARGEST_PAGE}.")
    return int(text)


def _search(text: str) -> Wanted:
    wanted = wanted_by(text)
    if not wanted or len(text) > LONGEST:
        raise ValueError(f"Write a part of a number or of a name, at most {LONGEST} characters.")
    return wanted


def _one_of(*values: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"Use one of {', '.join(values)}.")
        return text

    return read


def _code(text: str) -> str:
    if not text or len(text) > 40 or "\x00" in text:
        raise ValueError("Use the code of a disposition.")
    return text


_PARAMETERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "from": _number,
    "to": _number,
    "status": _one_of(*Call.Status.values),
    "since": _moment,
    "agent": _row_id,
    "queue": _row_id,
    "until": _moment,
    "search": _search,
    "direction": _one_of(*Call.Direction.values),
    "outcome": _one_of(*(one for one in Call.Outcome.values if one)),
    "disposition": _code,
    "recording": _one_of("with", "without"),
    "contact": _row_id,
    "cursor": _cursor,
    "limit": _limit,
}

_CONDITIONS: Final[Mapping[str, Callable[[Any], Q]]] = {
    "from": lambda numbers: Q(from_number__in=numbers),
    "to": lambda numbers: Q(to_number__in=numbers),
    "status": lambda status: Q(status=status),
    "since": filters.since,
    "until": filters.before,
    "agent": lambda agent_id: Q(agent=agent_id),
    "queue": lambda queue_id: Q(queue=queue_id),
    "direction": lambda direction: Q(direction=direction),
    "outcome": lambda outcome: Q(outcome=outcome),
    "recording": lambda word: filters.with_audio(word == "with"),
    "contact": lambda contact_id: Q(contact=contact_id),
}


# --- As the API writes them ---------------------------------------------------------------------------------------


def as_json(call: Call) -> dict[str, Any]:
    """Return a call of ``page``; the moments are left to the renderer."""
    return {
        "id": str(call.pk),
        "direction": call.direction,
        "from": call.from_number,
        "to": call.to_number,
        "status": call.status,
        "outcome": call.outcome or None,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "duration_s": duration_s(call),
        "agent": None if call.agent is None else {"id": call.agent.pk, "name": str(call.agent)},
        "queue": None if call.queue is None else {"id": call.queue.pk, "name": call.queue.name},
        "recordings": [
            {"id": str(one.pk), "kind": one.kind, "state": one.state, "duration_s": one.duration_s}
            for one in sorted(call.recordings.all(), key=lambda recording: recording.pk)
        ],
    }


def duration_s(call: Call) -> int | None:
    """Return for how many seconds people talked: 0 if nobody answered, None while the call is not over."""
    if call.ended_at is None:
        return None
    if call.answered_at is None:
        return 0
    return max(0, round((call.ended_at - call.answered_at).total_seconds()))


def story_as_json(call: Call) -> dict[str, Any]:
    """Return a call of ``with_story`` with its legs and events, and what its agents said of it. Two more statements."""
    events = (
        TelnyxEvent.objects.filter(call=call)
        .defer("payload")
        .order_by("occurred_at", "received_at", "id")[:MOST_EVENTS]
    )
    disposition, note = said_of(call)
    return {
        **as_json(call),
        "disposition": None if disposition is None else {"code": disposition.code, "name": str(disposition)},
        "note": note,
        "legs": [_leg_as_json(leg) for leg in call.legs.all()],
        "events": [_event_as_json(event) for event in events],
    }


def _leg_as_json(leg: CallLeg) -> dict[str, Any]:
    return {
        "id": str(leg.pk),
        "kind": leg.kind,
        "agent": None if leg.agent is None else {"id": leg.agent.pk, "name": str(leg.agent)},
        "status": leg.status,
        "end_status": leg.end_status or None,
        "hangup_cause": leg.hangup_cause or None,
        "sip_code": leg.sip_code or None,
        "started_at": leg.started_at,
        "answered_at": leg.answered_at,
        "ended_at": leg.ended_at,
    }


def _event_as_json(event: TelnyxEvent) -> dict[str, Any]:
    return {
        "id": str(event.pk),
        "kind": event.kind,
        "source": event.source,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "processed_at": event.processed_at,
    }
