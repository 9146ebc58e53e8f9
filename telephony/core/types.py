"""The words in which a call is routed: plain, frozen data. No rows, no clock, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from telephony.core.missions import Mission
from telephony.core.plan import COMPANY, MESSAGE_MAX_S, CompanyPlan, Destination, NumberPlan

#: Telnyx documents no limit of parallel targets in one <Dial>; Twilio's is 10 (docs/telnyx-assumptions.md).
MAX_PARALLEL_TARGETS: Final = 10


class DialStatus(StrEnum):
    """How a ``<Dial>`` ended (webhooks.md, section 3.1)."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"
    FAILED = "failed"
    UNKNOWN = "unknown"


class VisitOutcome(StrEnum):
    """How a visit to a queue ended; exactly one each (contact-centre-semantics.md, section 4)."""

    WAITING = "waiting"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    ABANDONED_SHORT = "abandoned_short"
    OVERFLOW_WAIT = "overflow_wait"
    OVERFLOW_FULL = "overflow_full"
    CLOSED = "closed"
    JOIN_EMPTY = "join_empty"
    LEAVE_EMPTY = "leave_empty"
    FAILED = "failed"


# --- What is known of people --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent to whom a place could lead, with the facts that say whether he can be rung now, and before whom."""

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
    #: 1 is asked first.
    tier: int = 1
    #: The fixed order of a queue's members, which round robin goes through.
    position: int = 0
    #: Skill's id → level 1–5.
    skills: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    #: Calls of this queue that he answered within its window.
    answered_in_window: int = 0
    #: He came on duty after the window began: he is not flooded for what he could not have answered.
    is_newcomer: bool = False
    #: When his last call of this queue (and its wrap-up) ended; None if he never had one.
    last_queue_call_at: datetime | None = None
    #: When his phone last came back from offline.
    on_duty_since: datetime | None = None
    calls_today: int = 0
    #: The browser beats, but no sound would come through.
    degraded: bool = False
    wrap_up_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastOffer:
    """One ringing of an agent for this call. ``outcome`` is a code of ``telephony.models.Offer.Outcome``."""

    agent_id: int
    outcome: str
    offered_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sticky:
    """An agent who should have this caller if he can: ``why`` is ``owner`` or ``last``."""

    agent_id: int
    why: str


# --- What is known of a queue -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits in a queue, as others in it see him."""

    visit_id: str
    entered_at: datetime
    priority: int
    #: The language that he chose, or that his number or contact chose for him; empty: any.
    language: str
    #: Agents who cannot be offered his call now, because he was offered to them.
    excluded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Handled:
    """What the calls of the last half hour took: how many were answered, and their mean of talk and wrap-up."""

    samples: int
    mean_s: float


@dataclass(frozen=True, slots=True)
class Pool:
    """The people of one place, and of a queue those who wait in it and are not being offered to anybody."""

    candidates: tuple[Candidate, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    #: How many wait in all, also those who are being offered just now.
    size: int = 0
    #: Round robin: the agent whom the queue offered a call last; 0 for none.
    cursor_agent_id: int = 0
    handled: Handled | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """This call's own stay in the queue where it waits."""

    visit_id: str
    queue_id: int
    entered_at: datetime
    priority: int
    #: When its position was told last, and which; None and 0 before that.
    announced_at: datetime | None = None
    announced_position: int = 0


# --- Where a call stands ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a call stands in its company's plan; kept with each step."""

    place: Destination
    entered_at: datetime
    #: The language that the caller hears.
    language: str
    #: The caller, his contact or the number called chose it: then it is also the language of who may answer.
    language_is_chosen: bool = False
    #: How often the menu at ``place`` has been said without a usable digit.
    tries: int = 0
    #: How many places the call has been at; a plan that leads round in circles ends after MAX_PLACES.
    hops: int = 0
    #: What comes before the place: a transfer, a rescue. None once it is done.
    mission: Mission | None = None
    #: Whose voicemail box a message goes to: the user or the queue where the call stood last; COMPANY for neither.
    box: Destination = COMPANY


@dataclass(frozen=True, slots=True)
class RouteContext:
    """Everything that ``decide`` may look at."""

    step: int
    now: datetime
    plan: CompanyPlan
    number: NumberPlan
    #: None at the first step.
    walk: Walk | None = None
    #: The decision of the step before this one; None at the first.
    previous: Decision | None = None
    #: How the previous step's <Dial> ended, if it was one.
    dial: DialStatus | None = None
    #: What the caller keyed in the previous step's <Gather>.
    digits: str = ""
    #: The language of the caller's contact; empty if none is known.
    contact_language: str = ""
    #: The company takes no calls from this caller.
    blocked: bool = False
    #: The pools that have been read so far. ``decide`` answers Missing for one that it needs besides.
    pools: Mapping[Destination, Pool] = field(default_factory=lambda: MappingProxyType({}))
    #: Every offer of this call so far, oldest first.
    offers: tuple[PastOffer, ...] = ()
    visit: Visit | None = None
    #: In the order in which they should have the caller.
    sticky: tuple[Sticky, ...] = ()
    #: Agents that another call claimed between reading and claiming.
    lost_claims: frozenset[int] = frozenset()
    #: Somebody of ours asked for the end of this call.
    hangup_requested: bool = False
    #: A mission that begins with this step, wherever the call stood before.
    mission: Mission | None = None


# --- Decisions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rank:
    """Why an agent stands where he stands in the order: compared from left to right, smallest first."""

    tier: int
    #: The strategy's own measure; what it means is in ``telephony.core.strategies``.
    key: float
    skill_score: int
    idle_s: float
    calls_today: int
    agent_id: int

    def as_tuple(self) -> tuple[int, float, int, float, int, int]:
        return (self.tier, self.key, -self.skill_score, -self.idle_s, self.calls_today, self.agent_id)


@dataclass(frozen=True, slots=True)
class Target:
    agent_id: int
    sip_username: str
    rank: Rank | None = None


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
class Wait:
    """Play one piece of music, then ask again. What is told before it stands in ``position`` and ``minutes``."""

    music_s: int
    #: The caller's place in the queue, to be said first; 0: nothing is said; more than 10 is said as "more than ten".
    position: int = 0
    #: The expected wait in whole minutes, said behind the position; 0: nothing is said.
    minutes: int = 0
    #: A key of ``telephony.core.speech`` that is said instead of both; empty: nothing.
    words: str = ""


@dataclass(frozen=True, slots=True)
class Gather:
    """Say a menu and take one digit. ``again`` says first that the digit was wrong or none came."""

    menu_id: int
    text: str
    timeout_s: int
    again: str = ""
    #: A key that is no choice of this menu: it ends the input, and is never told.
    finish_on_key: str = "#"
    #: The language that ``text`` is in, and so its voice; the caller's own, unless the menu lacks it.
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Ask for a message and record it. Without ``play`` and ``words`` the house's own text is said."""

    max_length_s: int = MESSAGE_MAX_S
    #: Whose box: a user's, a queue's; COMPANY: the company's.
    box: Destination = COMPANY
    #: The box's own greeting, and the language that it is in.
    words: str = ""
    language: str = ""
    #: The path of its recorded greeting.
    play: str = ""
    transcribe: bool = True


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one text (a key of ``telephony.core.speech``), or ``words`` of the company's own, and hang up."""

    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """Be in a conference with this name, until it ends."""

    name: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the call unanswered."""


Decision = Ring | Forward | Wait | Gather | Voicemail | Say | Room | Hangup | Reject

#: One reason: a code of ``telephony.core.explain`` and the values that its sentence names.
Reason = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entered:
    """The call came to a queue; a visit begins."""

    queue_id: int
    priority: int
    language: str
    #: Since when he counts as waiting, if he has been here before; None: from now on.
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """The visit that is open ends so."""

    outcome: VisitOutcome


@dataclass(frozen=True, slots=True)
class Routed:
    """A decision with the reasons that led to it, in the order in which they were weighed."""

    decision: Decision
    reasons: tuple[Reason, ...]
    #: Where the call stands now; None where nothing more is asked (it ends, or its number is nobody's).
    walk: Walk | None = None
    #: What happened to visits on the way here, in order.
    visits: tuple[Entered | Left, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """``decide`` needs the pool of this place, and is asked again with it."""

    place: Destination


# --- As JSON ------------------------------------------------------------------------------------------------------


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
        case Wait(music_s, position, minutes, words):
            told = {"verb": "wait", "music_s": music_s, "position": position, "minutes": minutes}
            return {**told, **({"words": words} if words else {})}
        case Gather(menu_id, text, timeout_s, again, finish_on_key, language):
            return {
                "verb": "gather",
                "menu": menu_id,
                "text": text,
                "timeout_s": timeout_s,
                "again": again,
                "finish_on_key": finish_on_key,
                "language": language,
            }
        case Voicemail(max_length_s, box, words, spoken, play, transcribe):
            return {
                "verb": "voicemail",
                "max_length_s": max_length_s,
                **({"box": box.as_json()} if box != COMPANY else {}),
                **({"words": words, "language": spoken} if words else {}),
                **({"play": play} if play else {}),
                **({} if transcribe else {"transcribe": False}),
            }
        case Say(text, words):
            return {"verb": "say", "text": text, **({"words": words} if words else {})}
        case Room(name):
            return {"verb": "room", "name": name}
        case Hangup():
            return {"verb": "hangup"}
        case Reject():
            return {"verb": "reject"}


def decision_from_json(data: Mapping[str, Any]) -> Decision:
    """Return the decision that ``decision_as_json`` wrote, its ranks aside. Raises ValueError for an unknown verb."""
    match data:
        case {"verb": "ring", "agents": agents, "sip": sip, "timeout_s": timeout_s}:
            targets = tuple(Target(agent_id, name) for agent_id, name in zip(agents, sip, strict=True))
            return Ring(targets, timeout_s)
        case {"verb": "forward", "e164": e164, "timeout_s": timeout_s}:
            return Forward(e164, timeout_s)
        case {"verb": "wait", "music_s": music_s, "position": position, "minutes": minutes}:
            return Wait(music_s, position, minutes, data.get("words", ""))
        case {"verb": "gather", "menu": menu_id, "text": text, "timeout_s": timeout_s, "again": again}:
            return Gather(menu_id, text, timeout_s, again, data.get("finish_on_key", "#"), data.get("language", "es"))
        case {"verb": "voicemail", "max_length_s": max_length_s}:
            return Voicemail(
                max_length_s,
                Destination.from_json(data["box"]) if "box" in data else COMPANY,
                data.get("words", ""),
                data.get("language", ""),
                data.get("play", ""),
                data.get("transcribe", True),
            )
        case {"verb": "say", "text": text}:
            return Say(text, data.get("words", ""))
        case {"verb": "room", "name": name}:
            return Room(name)
        case {"verb": "hangup"}:
            return Hangup()
        case {"verb": "reject"}:
            return Reject()
    raise ValueError(f"not a decision: {data!r}")


def walk_as_json(walk: Walk) -> dict[str, Any]:
    return {
        "place": walk.place.as_json(),
        "entered_at": walk.entered_at.isoformat(),
        "language": walk.language,
        "language_is_chosen": walk.language_is_chosen,
        "tries": walk.tries,
        "hops": walk.hops,
        **({"mission": walk.mission.as_json()} if walk.mission else {}),
        **({"box": walk.box.as_json()} if walk.box != COMPANY else {}),
    }


def walk_from_json(data: Mapping[str, Any]) -> Walk:
    return Walk(
        place=Destination.from_json(data["place"]),
        entered_at=datetime.fromisoformat(data["entered_at"]),
        language=data["language"],
        language_is_chosen=data["language_is_chosen"],
        tries=data["tries"],
        hops=data["hops"],
        mission=Mission.from_json(data["mission"]) if data.get("mission") else None,
        box=Destination.from_json(data["box"]) if data.get("box") else COMPANY,
    )
