"""What the history can be narrowed to: read from an address, turned into conditions, and back into addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_date

from curbe.lib.ids import first_id_at
from telephony.core.search import LONGEST
from telephony.models import Call, CallWrapUp, Disposition
from telephony.queries.bounds import FIRST_YEAR, ID_SKEW, LAST_YEAR, BadFilter
from telephony.queries.hearing import NOTHING
from telephony.queries.spoken import question, saying


class Show(StrEnum):
    """What the history can be narrowed to, in a person's words rather than in the columns'."""

    ALL = ""
    NOW = "now"
    ANSWERED = "answered"
    MISSED = "missed"
    VOICEMAIL = "voicemail"


class Period(StrEnum):
    """Days that are counted anew each day, so that a kept address stays true."""

    ANY = ""
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"


class Audio(StrEnum):
    ANY = ""
    WITH = "with"
    WITHOUT = "without"


_SHOWN: Final[dict[Show, Q]] = {
    Show.NOW: ~Q(status=Call.Status.COMPLETED),
    Show.ANSWERED: Q(outcome__in=[Call.Outcome.ANSWERED, Call.Outcome.FORWARDED]),
    Show.MISSED: Q(
        outcome__in=[Call.Outcome.MISSED, Call.Outcome.ABANDONED, Call.Outcome.FAILED, Call.Outcome.UNASSIGNED]
    ),
    Show.VOICEMAIL: Q(outcome=Call.Outcome.VOICEMAIL),
}
Word = TypeVar("Word", bound=StrEnum)

#: First and last day, counted back from today.
_PERIODS: Final[Mapping[Period, tuple[int, int]]] = {
    Period.TODAY: (0, 0),
    Period.YESTERDAY: (1, 1),
    Period.WEEK: (6, 0),
    Period.MONTH: (29, 0),
}
#: What an address calls them, where that is no name for a Python attribute.
_NAMES: Final = {"from_date": "from", "to_date": "to"}


@dataclass(frozen=True, slots=True)
class Filters:
    """One field per parameter; an empty one narrows nothing."""

    number: str = ""
    show: Show = Show.ALL
    direction: str = ""
    outcome: str = ""
    queue: int | None = None
    agent: int | None = None
    #: A code of the company's own.
    disposition: str = ""
    recording: Audio = Audio.ANY
    period: Period = Period.ANY
    #: Days of the company's clock, both included.
    from_date: date | None = None
    to_date: date | None = None
    contact: int | None = None
    #: Words that were said, where what is said is written down.
    said: str = ""
    #: No parameter of an address: in which recordings who asks may look for words (``queries.hearing``).
    heard_by: Q = NOTHING

    def __bool__(self) -> bool:
        return bool(self.as_query())

    def as_query(self) -> dict[str, str]:
        """Return the parameters of the address that means these filters."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "heard_by"}
        return {_NAMES.get(name, name): str(value) for name, value in values.items() if value not in {None, ""}}

    def without(self, name: str) -> Filters:
        """Return the filters without the one that the address calls ``name``."""
        attribute = next((ours for ours, theirs in _NAMES.items() if theirs == name), name)
        return replace(self, **{attribute: getattr(Filters(), attribute)})


def read(query: Mapping[str, str]) -> Filters:
    """Return the filters of an address; parameters of others are left alone. Raises BadFilter with the field's name."""
    return Filters(
        number=query.get("number", "").replace("\x00", "").strip()[:LONGEST],
        show=_one_of(Show, "show", query),
        direction=_choice(Call.Direction.values, "direction", query),
        outcome=_choice([one for one in Call.Outcome.values if one], "outcome", query),
        queue=_row_id("queue", query),
        agent=_row_id("agent", query),
        disposition=query.get("disposition", "").replace("\x00", "")[:40],
        recording=_one_of(Audio, "recording", query),
        period=_one_of(Period, "period", query),
        from_date=_day("from", query),
        to_date=_day("to", query),
        contact=_row_id("contact", query),
        said=question(query.get("said", "")),
    )


def narrowed(
    calls: QuerySet[Call], filters: Filters, *, now: datetime, zone: tzinfo, by_key: bool = False, is_rare: bool = False
) -> QuerySet[Call]:
    """Return the calls that fit all filters but ``number``, which ``queries.search`` looks for.

    ``by_key``: to be read in the order of ``key_of(filters)``, then of the ids. ``is_rare``: what was said is looked up
    first.
    """
    if filters.show in _SHOWN:
        calls = calls.filter(_SHOWN[filters.show])
    plain = {name: getattr(filters, name) for name in ("direction", "outcome", "queue", "agent", "contact")}
    key = key_of(filters) if by_key else ""
    calls = calls.filter(**{name: value for name, value in plain.items() if value and name != key})
    if key:
        # Two bounds and not "=": with "=" the planner may read the whole history in the order of its ids instead of the
        # index of the key, as if those calls were spread evenly over the years. One who left had his long ago.
        calls = calls.filter(**{f"{key}__gte": plain[key], f"{key}__lte": plain[key]})
    if filters.disposition:
        calls = said(calls, filters.disposition)
    if filters.recording:
        calls = calls.filter(with_audio(filters.recording is Audio.WITH))
    begin, end = moments(filters, now=now, zone=zone)
    if filters.said:
        first = None if begin is None else first_id_at(begin - ID_SKEW)
        last = None if end is None else first_id_at(end + ID_SKEW)
        calls = saying(calls, filters.said, filters.heard_by, ids=(first, last), by_index=is_rare)
    if begin is not None:
        calls = calls.filter(since(begin))
    if end is not None:
        calls = calls.filter(before(end))
    return calls


def key_of(filters: Filters) -> str:
    """Return the column whose own index leads to the calls, where one does better than any other; else empty."""
    if filters.number or filters.disposition or filters.said:
        return ""
    return next((name for name in ("contact", "queue", "agent", "outcome") if getattr(filters, name)), "")


def said(calls: QuerySet[Call], code: str) -> QuerySet[Call]:
    """Return the calls of which an agent said so. The disposition is looked up first: of an id the planner knows how
    many there are, of a code it does not."""
    companies = calls.order_by().values("company")[:1]
    disposition = Disposition.objects.filter(code=code, company__in=companies).values_list("pk", flat=True).first()
    if disposition is None:
        return calls.none()
    return calls.filter(Exists(CallWrapUp.objects.filter(call=OuterRef("pk"), disposition=disposition)))


def with_audio(is_there: bool) -> Q:
    # The recordings' app stands above this one: it is reached by the reverse relation.
    recordings: Any = Call._meta.get_field("recordings").related_model
    stored = Exists(recordings.objects.filter(call=OuterRef("pk"), state="stored"))
    return Q(stored) if is_there else ~Q(stored)


def since(moment: datetime) -> Q:
    """Return the condition that a call began at that moment or later; its key bounds what is read."""
    return Q(started_at__gte=moment, id__gte=first_id_at(moment - ID_SKEW))


def before(moment: datetime) -> Q:
    return Q(started_at__lt=moment, id__lt=first_id_at(moment + ID_SKEW))


def moments(filters: Filters, *, now: datetime, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return the begin and the end (exclusive) of what is wanted, by the company's own midnights."""
    first, last = filters.from_date, filters.to_date
    if filters.period in _PERIODS:
        today = now.astimezone(zone).date()
        begin, end = (today - timedelta(days=days) for days in _PERIODS[filters.period])
        first, last = max(first or begin, begin), min(last or end, end)
    return (
        None if first is None else datetime.combine(first, time.min, tzinfo=zone),
        None if last is None else datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone),
    )


def _one_of(words: type[Word], name: str, query: Mapping[str, str]) -> Word:
    try:
        return words(query.get(name, ""))
    except ValueError:
        raise BadFilter(name, f"Use one of {', '.join(word for word in words if word)}.") from None


def _choice(values: list[str], name: str, query: Mapping[str, str]) -> str:
    text = query.get(name, "")
    if text and text not in values:
        raise BadFilter(name, f"Use one of {', '.join(values)}.")
    return text


def _row_id(name: str, query: Mapping[str, str]) -> int | None:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadFilter(name, "Use an id.")
    return int(text) if text else None


def _day(name: str, query: Mapping[str, str]) -> date | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year < LAST_YEAR:
        raise BadFilter(name, "Write the day as 2026-11-21.")
    return day
