"""The story of a call: everything that happened, in the order in which it happened, in words.

Pure. A leg is told once, however many callbacks spoke of it and in whatever order they came: its moments stand in its
row. What nothing else tells (wishes, rooms, repairs) is told by its event. Every entry names the rows behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from telephony.core import story_after, story_road, story_talk
from telephony.core.story_entry import ORDER, SAME_MOMENT, Entry, Part
from telephony.core.told import Told

__all__ = ["Entry", "Part", "tell"]


def tell(told: Told, language: str) -> tuple[Entry, ...]:
    """Return the story, oldest first."""
    entries = [entry for teller in TELLERS for entry in teller(told, language)]
    return _folded(sorted(entries, key=lambda entry: (entry.at, ORDER[entry.part])))


def _folded(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries with those that say the same at once as one."""
    kept: list[Entry] = []
    for entry in entries:
        said = (entry.part, entry.who, entry.what, entry.why, entry.detail)
        for place in range(len(kept) - 1, -1, -1):
            before = kept[place]
            if entry.at - before.at > SAME_MOMENT:
                kept.append(entry)
                break
            if said == (before.part, before.who, before.what, before.why, before.detail):
                kept[place] = replace(before, ids=tuple(dict.fromkeys((*before.ids, *entry.ids))))
                break
        else:
            kept.append(entry)
    return tuple(kept)


TELLERS: Final[tuple[Callable[[Told, str], Iterator[Entry]], ...]] = (
    story_road.beginning,
    story_road.decisions,
    story_road.visits,
    story_road.offers,
    story_road.legs,
    story_talk.talk,
    story_talk.rooms,
    story_talk.wishes,
    story_talk.end,
    story_after.corrections,
    story_after.recordings,
    story_after.quality,
    story_after.others,
)
