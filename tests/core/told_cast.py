"""A call as plain facts, for the tests of its story, its end and its picture: each says what matters to it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from telephony.core.told import CallTold, EventTold, LegTold, OfferTold, Person, Told

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CUSTOMER, AGENT, TARGET = "v3:customer", "v3:agent", "v3:target"
_serial = itertools.count(1)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def event(kind: str, seconds: float = 0, source: str = "callback", **payload: Any) -> EventTold:
    return EventTold(f"e{next(_serial)}", kind, source, at(seconds), payload, at(seconds))


def moved(kind: str, seconds: float, before: str, after: str, **payload: Any) -> EventTold:
    return event(f"talk.{kind}", seconds, "curbe", **{"from": before, "to": after, "message": "", **payload})


def customer(**fields: Any) -> LegTold:
    given = {"ended_at": at(70), "end_status": "completed", "hangup_cause": "normal_clearing", "sip_code": "200"}
    return LegTold("l1", "caller", CUSTOMER, "María", T0, **{**given, **fields})


def agent(**fields: Any) -> LegTold:
    given: dict[str, Any] = {"agent_id": 7, "started_at": at(3), "answered_at": at(10), "ended_at": at(70)}
    return LegTold(id="l2", kind="agent", call_sid=AGENT, who="Ana", **{**given, **fields})


def offer(**fields: Any) -> OfferTold:
    given: dict[str, Any] = {"outcome": "answered", "offered_at": at(3), "ended_at": at(10)}
    return OfferTold("o1", 7, "Ana", **{**given, **fields})


def told(*events: EventTold, legs: tuple[LegTold, ...] | None = None, **fields: Any) -> Told:
    """Return an inbound call of María that Ana answered after 10 s and that ended after 70 s."""
    call = {
        "id": "c1",
        "direction": "inbound",
        "status": "completed",
        "outcome": "answered",
        "customer": "María",
        "customer_number": "+1 312-555-0001",
        "our_number": "+1 305-555-0100",
        "customer_sid": CUSTOMER,
        "started_at": T0,
        "answered_at": at(10),
        "ended_at": at(70),
        **fields.pop("call", {}),
    }
    return Told(
        call=CallTold(**call),
        events=events,
        legs=(customer(), agent()) if legs is None else legs,
        people={5: Person("Eva"), 6: Person("Ana", 7)},
        agents={7: "Ana", 8: "Luis"},
        queues={3: "ventas"},
        **fields,
    )
