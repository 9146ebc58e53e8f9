"""Which recordings something was said in: PostgreSQL's full-text search, in Spanish and in English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from recordings.models import Transcript

#: A question is a few words; more of them only cost time.
LONGEST_QUESTION: Final = 100


def calls_saying(company_id: int, words: str) -> QuerySet[Transcript, object]:
    """Return the ids of the calls in which the words were said, to be filtered by: ``calls.filter(pk__in=…)``.

    Words are taken as people write them for a search on the web: all of them, "as a phrase", -not. Without any: none.
    """
    return _saying(company_id, words).values("call_id")


def recordings_saying(company_id: int, words: str) -> QuerySet[Transcript, object]:
    """Return the ids of the recordings in which the words were said."""
    return _saying(company_id, words).filter(recording__isnull=False).values("recording_id")


def _saying(company_id: int, words: str) -> QuerySet[Transcript]:
    asked = words.replace("\x00", "").strip()[:LONGEST_QUESTION]
    if not asked:
        return Transcript.objects.none()
    found = Q()
    # Two conditions, not one query of both: "-no" in one language would else take away what the other one found.
    for language in ("spanish", "english"):
        found |= Q(search=SearchQuery(asked, config=language, search_type="websearch"))
    return Transcript.objects.filter(found, company=company_id)


def texts_of(transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Return those that have something to show: written, or awaited; a failed one has nothing."""
    shown = [row for row in transcripts if row.state != Transcript.State.FAILED]
    return sorted(shown, key=lambda row: row.party)
