"""Which texts of what was said have some words in them: PostgreSQL's full-text search, in Spanish and in English."""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet

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
    return _above("transcripts").defer("search")


def saying(
    calls: QuerySet[Call],
    words: str,
    heard_by: Q,
    *,
    ids: tuple[UUID | None, UUID | None] = (None, None),
    by_index: bool = False,
) -> QuerySet[Call]:
    """Return those of a company's calls in which the words were said, in a recording that fits ``heard_by``.

    A text that is here before its recording is nobody's yet but of who may hear all.
    ``ids``: between which the calls lie; of a month long ago nobody looks through the texts of all years.
    ``by_index``: they are looked up first, as it is best where they are rare. Left to itself the planner, who guesses
    that every 200th text has them, reads text after text in the order of the calls.
    """
    company_ids = calls.order_by().values("company")[:1]
    found = _above("transcripts").filter(has_words(words), company__in=company_ids)
    if heard_by:
        found = found.filter(Exists(_above("recordings").filter(heard_by, pk=OuterRef("recording"))))
    first, last = ids
    if first is not None:
        found = found.filter(call__gte=first)
    if last is not None:
        found = found.filter(call__lt=last)
    said = found.values("call_id")
    return calls.filter(_is_any_of("id", said) if by_index else Q(pk__in=said))


def _is_any_of(name: str, ids: QuerySet[Any, Any]) -> Func:
    """Return the condition that a column is one of the ids, which are read by themselves and before all else."""
    return Func(
        F(name), ArraySubquery(ids), template="%(expressions)s)", arg_joiner=" = ANY (", output_field=BooleanField()
    )


def _above(name: str) -> QuerySet[Any]:
    # The recordings' app stands above this one: it is reached by the reverse relation.
    model: Any = Call._meta.get_field(name).related_model
    return cast("QuerySet[Any]", model.objects.all())
