"""Which recordings something was said in: PostgreSQL's full-text search, in Spanish and in English."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from recordings.models import Transcript
from telephony.queries.spoken import has_words, question


def calls_saying(company_id: int, words: str) -> QuerySet[Transcript, object]:
    """Return the ids of the calls in which the words were said, to be filtered by: ``calls.filter(pk__in=…)``.

    Words are taken as people write them for a search on the web: all of them, "as a phrase", -not. Without any: none.
    """
    return _saying(company_id, words).values("call_id")


def recordings_saying(company_id: int, words: str) -> QuerySet[Transcript, object]:
    """Return the ids of the recordings in which the words were said."""
    return _saying(company_id, words).filter(recording__isnull=False).values("recording_id")


def _saying(company_id: int, words: str) -> QuerySet[Transcript]:
    asked = question(words)
    if not asked:
        return Transcript.objects.none()
    return Transcript.objects.filter(has_words(asked), company=company_id)


def texts_of(transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Return those that have something to show: written, or awaited; a failed one has nothing."""
    shown = [row for row in transcripts if row.state != Transcript.State.FAILED]
    return sorted(shown, key=lambda row: row.party)
