"""Which texts of what was said have some words in them: PostgreSQL's full-text search, in Spanish and in English."""

from __future__ import annotations

from typing import Any, Final, cast

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from telephony.models import Call

#: A question is a few words; more of them only cost time.
LONGEST_QUESTION: Final = 100


def question(words: str) -> str:
    """Return the words as they are asked for; empty: nothing is."""
    return words.replace("\x00", "").strip()[:LONGEST_QUESTION]


def has_words(words: str) -> Q:
    """Return the condition on a text. Words are taken as people write them for a search on the web: all of them, "as a
    phrase", -not.
    """
    found = Q()
    # Two conditions, not one query of both: "-no" in one language would else take away what the other one found.
    for language in ("spanish", "english"):
        found |= Q(search=SearchQuery(words, config=language, search_type="websearch"))
    return found


def texts() -> QuerySet[Any]:
    """Return the texts of recordings to be read by people: without the lists of words that PostgreSQL searches."""
    return _transcripts().defer("search")


def saying(calls: QuerySet[Call], words: str) -> QuerySet[Call]:
    """Return those of a company's calls in which the words were said."""
    company_ids = calls.order_by().values("company")[:1]
    found = _transcripts().filter(has_words(words), company__in=company_ids)
    return calls.filter(pk__in=found.values("call_id"))


def _transcripts() -> QuerySet[Any]:
    # The recordings' app stands above this one: it is reached by the reverse relation.
    model: Any = Call._meta.get_field("transcripts").related_model
    return cast("QuerySet[Any]", model.objects.all())
