"""The words in which a call is routed: plain, frozen data. No rows, no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

#: Telnyx documents no limit of parallel targets in one <Dial>; Twilio's is 10 (docs/telnyx-assumptions.md).
MAX_PARALLEL_TARGETS: Final = 10


class DestinationKind(StrEnum):
    """Where a number leads."""

    NONE = "none"
    USER = "user"
    QUEUE = "queue"
    COMPANY = "company"


class DialStatus(StrEnum):
    """How a ``<Dial>`` ended (webhooks.md, section 3.1)."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent to whom the number could lead, with the facts that say whether he can be rung now."""

    agent_id: int
    name: str
    #: Empty while he has no credential: nothing could be rung.
    sip_username: str
    intent: str
    activity: str
    reserved_until: datetime | None
    idle_since: datetime
    last_seen_at: datetime | None
    ready: bool
    microphone: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What the company wants to happen with a call to one of its numbers."""

    destination: DestinationKind
    #: The name of the user or queue, for the trace; empty for the company and for none.
    target_name: str = ""
    candidates: tuple[Candidate, ...] = ()
    ring_timeout_s: int = 25
    #: E.164, or empty.
    fallback_number: str = ""
    #: The fallback number is one of ours: a forward would come back as a new call, for ever.
    fallback_loops: bool = False


@dataclass(frozen=True, slots=True)
class RouteContext:
    """Everything that ``decide`` may look at."""

    step: int
    now: datetime
    plan: Plan
    #: The decision of the step before this one; None at the first.
    previous: Decision | None = None
    #: How the previous step's <Dial> ended, if it was one.
    dial: DialStatus | None = None
    #: Agents that another call claimed between reading and claiming.
    lost_claims: frozenset[int] = frozenset()
    #: Somebody of ours asked for the end of this call.
    hangup_requested: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    agent_id: int
    sip_username: str


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring these browsers together; the first to answer has the call."""

    targets: tuple[Target, ...]
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Forward:
    """Ring an outside number, showing the number that was called."""

    e164: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Ask for a message and record it."""

    max_length_s: int = 60


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one text (a key of ``telephony.core.speech``) and hang up."""

    text: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Nothing is left to do."""


Decision = Ring | Forward | Voicemail | Say | Hangup

#: One reason: a code of ``telephony.core.explain`` and the values that its sentence names.
Reason = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Routed:
    """A decision with the reasons that led to it, in the order in which they were weighed."""

    decision: Decision
    reasons: tuple[Reason, ...]


def decision_as_json(decision: Decision) -> dict[str, Any]:
    """Return the decision as it is stored: ``{"verb": "ring", "agents": […], "sip": […], "timeout_s": 25}``, …."""
    match decision:
        case Ring(targets, timeout_s):
            return {
                "verb": "ring",
                "agents": [target.agent_id for target in targets],
                "sip": [target.sip_username for target in targets],
                "timeout_s": timeout_s,
            }
        case Forward(e164, timeout_s):
            return {"verb": "forward", "e164": e164, "timeout_s": timeout_s}
        case Voicemail(max_length_s):
            return {"verb": "voicemail", "max_length_s": max_length_s}
        case Say(text):
            return {"verb": "say", "text": text}
        case Hangup():
            return {"verb": "hangup"}


def decision_from_json(data: dict[str, Any]) -> Decision:
    """Return the decision that ``decision_as_json`` wrote. Raises ValueError for a verb that is not known."""
    match data:
        case {"verb": "ring", "agents": agents, "sip": sip, "timeout_s": timeout_s}:
            targets = tuple(Target(agent_id, name) for agent_id, name in zip(agents, sip, strict=True))
            return Ring(targets, timeout_s)
        case {"verb": "forward", "e164": e164, "timeout_s": timeout_s}:
            return Forward(e164, timeout_s)
        case {"verb": "voicemail", "max_length_s": max_length_s}:
            return Voicemail(max_length_s)
        case {"verb": "say", "text": text}:
            return Say(text)
        case {"verb": "hangup"}:
            return Hangup()
    raise ValueError(f"not a decision: {data!r}")
