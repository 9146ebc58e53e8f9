"""Which channel of a recording is whom. Pure.

Dual: the leg that is recorded is on the left, everybody else on the right (recording-and-supervision.md, section 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Layout(StrEnum):
    #: One voice or all of them together.
    MONO = "mono"
    #: A ``<Dial>``: whose leg it is on the left, whoever answered on the right.
    DIAL = "dial"
    #: A room, recorded on the customer's leg: he on the left, everybody else on the right.
    ROOM = "room"
    #: A message: only the caller speaks.
    MESSAGE = "message"


#: ``RecordingSource`` of what is recorded on the customer's own leg, whoever is with him (assumption S-67).
_OF_THE_LEG: Final = frozenset({"StartCallRecordingAPI", "StartConferenceRecordingAPI"})

OTHERS: Final[Mapping[str, str]] = {"es": "los demás", "en": "everybody else"}


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody of ours, or outside, who talked with the customer, and when."""

    name: str
    answered_at: datetime
    ended_at: datetime | None


def layout_of(*, purpose: str, source: str, channels: int) -> Layout:
    if purpose == "voicemail" or source == "RecordVerb":
        return Layout.MESSAGE
    if channels != 2:
        return Layout.MONO
    # The list of recordings does not say which address was to be told.
    return Layout.ROOM if purpose == "room" or source in _OF_THE_LEG else Layout.DIAL


def heard_in(layout: str, *, channels: int) -> str:
    """Return the layout of audio that has so many channels: what was told of it before it came may be wrong.

    Two channels of what was told as one say nothing: an encoder may write the same sound twice.
    """
    return Layout.MONO if layout in {Layout.DIAL, Layout.ROOM} and channels != 2 else layout


def names(
    layout: str,
    *,
    customer: str,
    voices: Iterable[Voice],
    begins_at: datetime | None,
    ends_at: datetime | None,
    language: str,
) -> tuple[str, str] | None:
    """Return who is on the left and who on the right; None where both channels are the same, or nobody knows."""
    if layout not in {Layout.DIAL, Layout.ROOM}:
        return None
    heard = [
        voice.name
        for voice in sorted(voices, key=lambda voice: voice.answered_at)
        if (ends_at is None or voice.answered_at < ends_at)
        and (begins_at is None or voice.ended_at is None or voice.ended_at > begins_at)
    ]
    # Of a <Dial> only the first one who answered is on the other end; a room has whoever came.
    right = list(dict.fromkeys(heard))[: 1 if layout == Layout.DIAL else None]
    return customer, ", ".join(right) or OTHERS.get(language, OTHERS["en"])
