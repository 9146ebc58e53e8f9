"""Everything that is known of one call, as plain facts: what its story, its end and its picture are made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telephony.core.leg_state import LegKind


@dataclass(frozen=True, slots=True)
class CallTold:
    id: str
    direction: str
    status: str
    outcome: str
    #: The customer's name, else his number, else what stands for a number that he keeps to himself.
    customer: str
    customer_number: str
    our_number: str
    customer_sid: str
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_cause: str = ""

    @property
    def is_outbound(self) -> bool:
        return self.direction == "outbound"


@dataclass(frozen=True, slots=True)
class EventTold:
    id: str
    kind: str
    #: callback, api, reconciler, curbe.
    source: str
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LegTold:
    id: str
    kind: str
    call_sid: str
    #: Whose line it is, as people say it.
    who: str
    started_at: datetime
    agent_id: int | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end_status: str = ""
    hangup_cause: str = ""
    hangup_source: str = ""
    sip_code: str = ""

    @property
    def is_customers(self) -> bool:
        return self.kind in {LegKind.CALLER, LegKind.CALLED}


@dataclass(frozen=True, slots=True)
class OfferTold:
    id: str
    agent_id: int
    who: str
    outcome: str
    offered_at: datetime
    ended_at: datetime | None = None
    queue: str = ""


@dataclass(frozen=True, slots=True)
class VisitTold:
    id: str
    queue: str
    outcome: str
    entered_at: datetime
    ended_at: datetime | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class StepTold:
    id: str
    step: int
    at: datetime
    verb: str
    sentences: tuple[str, ...]
    #: 0 where no plan decided it.
    plan_version: int = 0


@dataclass(frozen=True, slots=True)
class RecordingTold:
    id: str
    kind: str
    state: str
    at: datetime
    place: int
    of: int
    duration_s: int | None = None
    #: Who is on the left and who on the right; None where both are the same.
    channels: tuple[str, str] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class QualityTold:
    leg_id: str
    who: str
    at: datetime
    mos: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None
    rtt_ms: float | None = None
    #: Codes of the SDK's warnings, each with how often it came.
    warnings: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    #: As which agent he answers; None for somebody who does not.
    agent_id: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    call: CallTold
    events: tuple[EventTold, ...] = ()
    legs: tuple[LegTold, ...] = ()
    offers: tuple[OfferTold, ...] = ()
    visits: tuple[VisitTold, ...] = ()
    steps: tuple[StepTold, ...] = ()
    recordings: tuple[RecordingTold, ...] = ()
    quality: tuple[QualityTold, ...] = ()
    #: By the id of the user, and of the agent, of everybody whom an event names.
    people: Mapping[int, Person] = field(default_factory=dict)
    agents: Mapping[int, str] = field(default_factory=dict)
    queues: Mapping[int, str] = field(default_factory=dict)

    @property
    def customer_leg(self) -> LegTold | None:
        return next((leg for leg in self.legs if leg.call_sid == self.call.customer_sid), None)
