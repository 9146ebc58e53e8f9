"""Which stretch of a call a recording has, and whether others have it too. Pure: moments and seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: Two recordings of one talk begin and end some moments apart; and a net's also has the ringing before it.
SLACK: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time. ``until`` is exclusive."""

    begins_at: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        return max(timedelta(), self.until - self.begins_at)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that an agent kept out of the recording, by the clock of the call. Still open: ``until`` is None."""

    begins_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a gap lies in the audio: the sound goes on at ``at_s``, and ``missing_s`` seconds are not there."""

    at_s: float
    missing_s: float


def span_of(begins_at: datetime, duration_s: int) -> Span:
    """Return the stretch that a recording has, if nothing was kept out of it."""
    return Span(begins_at, begins_at + timedelta(seconds=duration_s))


def uncovered(span: Span, others: Iterable[Span]) -> timedelta:
    """Return how much of ``span`` none of the others has."""
    left, at = timedelta(), span.begins_at
    for other in sorted(others, key=lambda other: other.begins_at):
        if other.until <= at:
            continue
        if other.begins_at >= span.until:
            break
        left += max(timedelta(), other.begins_at - at)
        at = max(at, other.until)
    return left + max(timedelta(), span.until - at)


def is_covered(span: Span, others: Sequence[Span], *, talked_from: datetime | None = None) -> bool:
    """Say whether the others have all of ``span`` that is worth keeping: the talk, and not the ringing before it."""
    begins_at = max(span.begins_at, talked_from) if talked_from else span.begins_at
    return bool(others) and uncovered(Span(begins_at, max(begins_at, span.until)), others) <= SLACK * (len(others) + 1)


def cuts(begins_at: datetime, duration_s: int, gaps: Iterable[Gap]) -> list[Cut]:
    """Return where the gaps of a call lie in one recording of it, in seconds of its sound.

    A recording that began in a gap was paused at once: that gap is marked in the one before it, and what it takes of
    this one's time is not there either.
    """
    found: list[Cut] = []
    missing_s = 0.0
    for gap in sorted(gaps, key=lambda gap: gap.begins_at):
        if gap.begins_at < begins_at:
            if gap.until is not None and gap.until > begins_at:
                missing_s += (gap.until - begins_at).total_seconds()
            continue
        at_s = (gap.begins_at - begins_at).total_seconds() - missing_s
        if gap.until is None:
            if 0 <= at_s <= duration_s:
                found.append(Cut(at_s, 0.0))
            continue
        gone_s = (gap.until - gap.begins_at).total_seconds()
        if 0 <= at_s <= duration_s:
            found.append(Cut(at_s, gone_s))
            missing_s += gone_s
    return found
