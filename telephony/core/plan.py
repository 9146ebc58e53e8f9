"""A company's routing plan as one frozen document: its hours, queues and menus, compiled from their rows.

The rows are what people edit; a plan is what calls are routed by. Each change of a row makes a new version, and a
version never changes, so a process may keep it, a trace may name it, and an unsaved plan is one more document.
Who is a member of a queue, and where a number leads, is read anew for each call and does not stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from telephony.core.hours import Calendar

#: Rings of a queue or a user: what Telnyx allows is 5–120 s (Dial verb, 2026-04).
RING_TIMEOUT_S: Final = 25
MAX_WAIT_S: Final = 300
MAX_SIZE: Final = 50
SERVICE_LEVEL_S: Final = 20
#: The longest message, unless its box says otherwise.
MESSAGE_MAX_S: Final = 60
#: The keys of a telephone, as they lie on it.
DIGITS: Final = "1234567890*#"


class DestinationKind(StrEnum):
    """Where a number, a digit or an overflow leads."""

    NONE = "none"
    USER = "user"
    QUEUE = "queue"
    MENU = "menu"
    COMPANY = "company"
    NUMBER = "number"
    VOICEMAIL = "voicemail"
    SAY = "say"


#: Kinds that lead to a row of ours, by its id …
WITH_TARGET: Final = frozenset({DestinationKind.USER, DestinationKind.QUEUE, DestinationKind.MENU})
#: … and those that carry a text.
WITH_TEXT: Final = frozenset({DestinationKind.NUMBER, DestinationKind.SAY})


@dataclass(frozen=True, slots=True)
class Destination:
    """One place. ``id`` is an agent's, a queue's or a menu's; ``text`` an E.164 number or the words to say."""

    kind: DestinationKind
    id: int = 0
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"kind": str(self.kind), "id": self.id, "text": self.text}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Destination:
        return cls(DestinationKind(data["kind"]), data["id"], data["text"])


NOWHERE: Final = Destination(DestinationKind.NONE)
VOICEMAIL: Final = Destination(DestinationKind.VOICEMAIL)
COMPANY: Final = Destination(DestinationKind.COMPANY)


class Strategy(StrEnum):
    RING_ALL = "ring_all"
    ROUND_ROBIN = "round_robin"
    LEAST_CALLS = "least_calls"
    LEAST_RECENT = "least_recent"
    LONGEST_IDLE = "longest_idle"
    PRIORITY = "priority"
    SKILLS = "skills"


class Window(StrEnum):
    """Over which time the answered calls of "least calls" are counted."""

    TODAY = "today"
    QUARTER = "15m"
    HOUR = "1h"
    SHIFT = "8h"
    DAY = "24h"


class PriorityMode(StrEnum):
    #: Waited seconds + 60 for each point of priority.
    AGED = "aged"
    #: Priority first; who has waited half of the longest wait goes before all the same.
    STRICT = "strict"


class WhenClosing(StrEnum):
    """What becomes of those who wait when the queue closes."""

    FINISH = "finish"
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A skill that an agent needs for a queue's calls. A relaxable one asks for less as the wait grows."""

    skill_id: int
    name: str
    min_level: int = 1
    relaxable: bool = True
    weight: int = 1


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """How a queue offers its calls, how long people wait in it, and what then."""

    id: int
    name: str
    strategy: Strategy = Strategy.RING_ALL
    ring_timeout_s: int = RING_TIMEOUT_S
    window: Window = Window.TODAY
    #: Round robin goes on behind who was offered the last call; or, if True, behind who answered it.
    cursor_follows_answer: bool = False
    requirements: tuple[Requirement, ...] = ()
    #: Only agents with the caller's language (skill with the code of the language) are offered his call.
    match_language: bool = False
    #: Who waits long enough may be offered to agents without his language.
    relax_language: bool = False
    relax_after_s: int = 60
    relax_every_s: int = 30
    #: Misses in a row that make an agent "not responding"; 0: never.
    max_misses: int = 2
    #: Offers of one call in this queue, all agents together.
    max_offers: int = 20
    priority: int = 0
    priority_mode: PriorityMode = PriorityMode.AGED
    service_level_s: int = SERVICE_LEVEL_S
    max_wait_s: int = MAX_WAIT_S
    max_size: int = MAX_SIZE
    #: Nobody could take a call soon (available, ringing, talking, finishing): who comes does not wait.
    overflow_when_joining_empty: bool = True
    #: The same for those who wait already.
    overflow_when_left_empty: bool = True
    hours_id: int | None = None
    when_closing: WhenClosing = WhenClosing.FINISH
    #: Where a call goes that the queue cannot serve. NOWHERE: the company's fallback number, or else voicemail.
    overflow: Destination = NOWHERE
    #: Where it goes while the queue is closed; NOWHERE: like overflow.
    when_closed: Destination = NOWHERE
    sticky: bool = False
    sticky_wait_s: int = 30
    #: The position is said that often; 0: never.
    announce_every_s: int = 60
    announce_wait: bool = True


@dataclass(frozen=True, slots=True)
class MenuOption:
    digit: str
    destination: Destination
    #: The caller chose a language with it; empty: he did not.
    language: str = ""


@dataclass(frozen=True, slots=True)
class MenuPlan:
    """A spoken menu. ``say`` has a text per language; a language that it lacks hears the company's."""

    id: int
    name: str
    say: Mapping[str, str]
    options: tuple[MenuOption, ...]
    timeout_s: int = 5
    #: How often it is said again before it gives up.
    retries: int = 2
    on_timeout: Destination = NOWHERE
    on_wrong: Destination = NOWHERE

    @property
    def as_on_the_keypad(self) -> list[MenuOption]:
        """The options in the order in which people read them: the 0 after the 9."""
        return sorted(self.options, key=lambda option: DIGITS.find(option.digit))


@dataclass(frozen=True, slots=True)
class Notice:
    """Whether people are told that a call is recorded. Empty texts are the product's own words."""

    #: ``inbound``, ``outbound``, or empty for both.
    direction: str = ""
    #: The number of ours (E.164) that it is for; empty for every one.
    number: str = ""
    announces: bool = True
    say: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class BoxPlan:
    """What callers meet at one voicemail box. Boxes that were never changed stand in no plan: this is what they are."""

    #: A user's, a queue's; COMPANY: the company's own.
    owner: Destination = COMPANY
    #: The greeting per language; a language that it lacks hears the house's.
    say: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: The path of a recorded greeting, which goes before every text; empty: there is none.
    play: str = ""
    transcribe: bool = True
    max_length_s: int = MESSAGE_MAX_S


@dataclass(frozen=True, slots=True)
class CompanyPlan:
    version: int
    language: str
    #: IANA name: whose day "today" is.
    timezone: str = "UTC"
    #: Of a user and of the company; a queue has its own.
    ring_timeout_s: int = RING_TIMEOUT_S
    #: E.164, or empty.
    fallback_number: str = ""
    #: The fallback number is one of ours: a forward would come back as a new call, for ever.
    fallback_loops: bool = False
    hours: Mapping[int, Calendar] = field(default_factory=lambda: MappingProxyType({}))
    queues: Mapping[int, QueuePlan] = field(default_factory=lambda: MappingProxyType({}))
    menus: Mapping[int, MenuPlan] = field(default_factory=lambda: MappingProxyType({}))
    #: Language code → id of the skill that means it; a language without one is nobody's.
    language_skills: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    notices: tuple[Notice, ...] = ()
    #: Whose voicemail box it is → what is particular about it.
    boxes: Mapping[Destination, BoxPlan] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """What happens with a call to one number."""

    destination: Destination
    hours_id: int | None = None
    when_closed: Destination = NOWHERE
    #: Empty: the company's.
    language: str = ""
