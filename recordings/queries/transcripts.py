"""What is said in recordings: which have some words in them, and the lines of a conversation in their order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from recordings.models import Transcript
from telephony.queries.spoken import has_words, question


def recordings_saying(company_id: int, words: str) -> QuerySet[Transcript, object]:
    """Return the ids of the recordings in which the words were said, to be filtered by.

    Words are taken as people write them for a search on the web: all of them, "as a phrase", -not. Without any: none.
    """
    asked = question(words)
    if not asked:
        return Transcript.objects.none().values("recording_id")
    found = Transcript.objects.filter(has_words(asked), company=company_id, recording__isnull=False)
    return found.values("recording_id")


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody said in one go."""

    words: str
    #: Empty: nobody knows who.
    party: str
    #: Where in the audio; None where Telnyx told no times.
    at_s: float | None
    #: Somebody else than before speaks from here on.
    is_turn: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The texts of one recording as people read them."""

    lines: tuple[Line, ...]
    #: Nothing is written yet, and something will be.
    is_awaited: bool
    #: It was written down that no word was understood.
    is_wordless: bool


def told(transcripts: Iterable[Transcript]) -> Told:
    """Return what was said as the conversation that it was: by time where times are known, the rest party by party."""
    rows = sorted(transcripts, key=lambda row: row.party)
    saved = [row for row in rows if row.state == Transcript.State.SAVED]
    timed = sorted((at_s, party or row.party, words) for row in saved for at_s, _until_s, party, words in row.segments)
    untimed = [(None, row.party, row.text) for row in saved if row.text and not row.segments]
    lines: list[Line] = []
    for at_s, party, words in [*timed, *untimed]:
        is_turn = bool(party) and (not lines or lines[-1].party != party)
        lines.append(Line(words, party, at_s, is_turn))
    is_awaited = not saved and any(row.state == Transcript.State.AWAITED for row in rows)
    return Told(tuple(lines), is_awaited, is_wordless=bool(saved) and not lines)
