"""One thing that happened to a call, as its story tells it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from telephony.core.told import EventTold, Told

#: Two events that say the same within this time are one happening that was told twice.
SAME_MOMENT: Final = timedelta(seconds=2)
#: The last news of a leg.
ENDS: Final = frozenset({"status.completed", "status.busy", "status.no-answer", "status.canceled", "status.failed"})


class Part(StrEnum):
    """What an entry is about; also its place among entries of one moment."""

    ARRIVED = "arrived"
    DECISION = "decision"
    QUEUE = "queue"
    OFFER = "offer"
    RANG = "rang"
    ANSWERED = "answered"
    TALK = "talk"
    HOLD = "hold"
    TRANSFER = "transfer"
    ROOM = "room"
    WISH = "wish"
    LEFT = "left"
    ENDED = "ended"
    CORRECTION = "correction"
    QUALITY = "quality"
    RECORDING = "recording"
    OTHER = "other"


ORDER: Final = {part: place for place, part in enumerate(Part)}


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    part: Part
    who: str
    what: str
    why: str = ""
    #: Codes and numbers behind the words.
    detail: str = ""
    #: Ids of the events and rows that say so.
    ids: tuple[str, ...] = ()


def ids_of(events: Iterable[EventTold]) -> tuple[str, ...]:
    return tuple(event.id for event in events)


def of_talk(told: Told, *kinds: str) -> list[EventTold]:
    """Return the events of the conversation, of these kinds if some are named."""
    return [event for event in told.events if event.kind.startswith("talk.") and (not kinds or event.kind in kinds)]


def whole(value: Any) -> int:
    """Return a number that an event holds; 0 for whatever else stands there."""
    return value if isinstance(value, int) else 0
