"""Whether people are told that a call is recorded, in which words, and before which document. Pure.

Told once, by the first document that leads to somebody: whoever is told is answered, so what follows can no longer be
``answerOnBridge`` (texml.md, section 3.1). A message needs no notice: its greeting asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from telephony.core import speech, texml
from telephony.core.plan import Notice
from telephony.core.types import Decision, Forward, Gather, Ring, Room, Wait

#: What leads to somebody, or to whom it may lead.
_LEADS_ON: Final = (Ring, Forward, Wait, Gather, Room)
#: How many characters a voice says in a second, slowly.
CHARACTERS_A_SECOND: Final = 12


def notice_of(notices: Sequence[Notice], *, direction: str, number: str) -> Notice | None:
    """Return the narrowest rule for a call: a number's before a direction's before the company's. None: none speaks."""
    fitting = [one for one in notices if one.direction in {"", direction} and one.number in {"", number}]
    return max(fitting, key=lambda one: (bool(one.number), bool(one.direction)), default=None)


def words(notices: Sequence[Notice], *, direction: str, number: str, language: str) -> str:
    """Return what is said before the call is recorded; empty if nothing is."""
    notice = notice_of(notices, direction=direction, number=number)
    if notice is None or not notice.announces:
        return ""
    return notice.say.get(language) or speech.text("recorded", language)


def leads_on(decision: Decision) -> bool:
    return isinstance(decision, _LEADS_ON)


def announced(document: str, said: str, language: str) -> str:
    """Return the document with the notice before everything else in it; unchanged where nothing is said."""
    if not said:
        return document
    return document.replace("<Response>", f"<Response>{texml.Say(said, speech.voice(language)).markup()}", 1)


def lasts(said: str) -> timedelta:
    """Return how long the notice keeps the phones from ringing, rather too long than too short."""
    return timedelta(seconds=1 + len(said) // CHARACTERS_A_SECOND) if said else timedelta()
