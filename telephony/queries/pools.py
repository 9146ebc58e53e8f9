"""The people whom a place can ring, and who waits there: what ``decide`` asks for by ``Missing``.

``CANDIDATES`` is shared with the statement of the first instruction, so both roads see the same people.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q

from agents.models import Agent
from agents.presence import BEAT_TTL
from curbe.lib.db import prepared
from curbe.lib.phone import is_e164
from telephony.core import hours, ladder
from telephony.core.plan import CompanyPlan, Destination, DestinationKind, Strategy, Window
from telephony.core.types import Candidate, Handled, PastOffer, Pool, Sticky, Visit, Waiting
from telephony.models import Call, Offer, QueueVisit

#: Members of a queue, or agents of a company, that are weighed for one call; who is free comes first.
MAX_CANDIDATES: Final = 200
#: Callers who are looked at when one asks who is before him.
MAX_WAITING: Final = 200
#: … and when an agent of several queues becomes free.
MAX_WAITING_FOR: Final = 1_000
#: How far back the last agent of a caller is looked for.
STICKY_DAYS: Final = 7
#: Answered calls of the last half hour say how long one takes.
HANDLED_WITHIN: Final = timedelta(minutes=30)
#: Nobody waits longer in one queue: the most that can be set is an hour.
LONGEST_WAIT: Final = timedelta(hours=2)

#: Needs a CTE ``called`` (destination, agent_id, queue_id, company_id, strategy, since) of at most one row.
CANDIDATES: Final = """
target AS (
  SELECT called.agent_id AS id, 0::bigint AS position FROM called WHERE destination = 'user'
  UNION ALL
  SELECT m.agent_id, m.id FROM called JOIN telephony_queuemember m ON m.queue_id = called.queue_id
   WHERE destination = 'queue'
  UNION ALL
  SELECT a.id, 0 FROM called JOIN agents_agent a ON a.company_id = called.company_id WHERE destination = 'company'
), candidate AS (
  SELECT a.id, coalesce(nullif(u.name, ''), u.username) AS name, coalesce(e.sip_username, '') AS sip_username,
         a.intent, a.activity, a.reserved_until, a.idle_since, b.last_seen_at,
         coalesce(b.ready, false) AS ready, coalesce(b.microphone, false) AS microphone,
         a.priority, target.position,
         (SELECT array_agg(ARRAY[s.skill_id, s.level] ORDER BY s.skill_id) FROM agents_agentskill s
           WHERE s.agent_id = a.id) AS skills,
         coalesce(counted.answered, 0) AS answered, coalesce(a.on_duty_since > called.since, false) AS is_newcomer,
         last_one.ended_at AS last_queue_call_at, a.on_duty_since, a.calls_on_day, a.calls_on_date,
         (e.id IS NOT NULL AND b.last_seen_at > %(fresh)s AND b.ready AND b.microphone AND a.intent = 'AVAILABLE'
          AND (a.activity = 'IDLE' OR (a.activity = 'RESERVED' AND a.reserved_until <= %(now)s))) IS TRUE AS free
  FROM called
  JOIN target ON true
  JOIN agents_agent a ON a.id = target.id AND a.company_id IS NOT DISTINCT FROM called.company_id AND a.is_active
  JOIN companies_user u ON u.id = a.user_id AND u.is_active
  LEFT JOIN agents_beat b ON b.agent_id = a.id
  LEFT JOIN telephony_sipendpoint e ON e.agent_id = a.id
  LEFT JOIN LATERAL (
    SELECT count(*) AS answered FROM telephony_offer o
     WHERE called.strategy = 'least_calls' AND o.queue_id = called.queue_id AND o.agent_id = a.id
       AND o.outcome = 'answered' AND o.offered_at >= called.since
  ) counted ON true
  LEFT JOIN LATERAL (
    SELECT coalesce(c.ended_at, %(now)s::timestamptz) AS ended_at
      FROM telephony_offer o JOIN telephony_call c ON c.id = o.call_id
     WHERE called.strategy = 'least_recent' AND o.queue_id = called.queue_id AND o.agent_id = a.id
       AND o.outcome = 'answered'
     ORDER BY o.offered_at DESC LIMIT 1
  ) last_one ON true
  ORDER BY free DESC, a.idle_since, a.id
  LIMIT %(limit)s
)"""

#: The columns of a candidate, in the order of ``candidate_of``.
COLUMNS: Final = """
candidate.id, candidate.name, candidate.sip_username, candidate.intent, candidate.activity, candidate.reserved_until,
candidate.idle_since, candidate.last_seen_at, candidate.ready, candidate.microphone, candidate.priority,
candidate.position, candidate.skills, candidate.answered, candidate.is_newcomer, candidate.last_queue_call_at,
candidate.on_duty_since, candidate.calls_on_day, candidate.calls_on_date"""

#: What ``since`` says, where the company's time zone is not known before the statement. One that PostgreSQL does not
#: know is an error there.
SINCE: Final = """
CASE q.window
  WHEN 'today' THEN date_trunc('day', %(now)s::timestamptz AT TIME ZONE c.timezone) AT TIME ZONE c.timezone
  WHEN '15m' THEN %(now)s::timestamptz - interval '15 minutes'
  WHEN '1h' THEN %(now)s::timestamptz - interval '1 hour'
  WHEN '8h' THEN %(now)s::timestamptz - interval '8 hours'
  WHEN '24h' THEN %(now)s::timestamptz - interval '24 hours'
END"""

_SQL: Final = f"""
WITH called AS (
  SELECT %(kind)s::text AS destination, %(agent)s::bigint AS agent_id, q.id AS queue_id, c.id AS company_id,
         q.strategy, q.cursor_agent_id, %(since)s::timestamptz AS since
  FROM companies_company c
  LEFT JOIN telephony_callqueue q ON q.id = %(queue)s AND q.company_id = c.id
  WHERE c.id = %(company)s
), {CANDIDATES}
SELECT (SELECT count(*) FROM called JOIN telephony_queuevisit v ON v.queue_id = called.queue_id
         WHERE v.outcome = 'waiting'), called.cursor_agent_id, {COLUMNS}
FROM called
LEFT JOIN candidate ON true
ORDER BY candidate.free DESC, candidate.idle_since, candidate.id
"""


def values(now: datetime) -> dict[str, Any]:
    """Return what ``CANDIDATES`` and ``SINCE`` are asked with."""
    return {"now": now, "fresh": now - BEAT_TTL, "limit": MAX_CANDIDATES}


def pool_of(place: Destination, *, company_id: int, plan: CompanyPlan, call_id: Any, now: datetime) -> Pool:
    """Return the people of a place and, of a queue, those who wait in it besides this call."""
    queue = plan.queues.get(place.id) if place.kind is DestinationKind.QUEUE else None
    counts = queue is not None and queue.strategy is Strategy.LEAST_CALLS
    rows = prepared(
        _SQL,
        {
            **values(now),
            "since": since(queue.window, hours.zone(plan.timezone), now) if queue is not None and counts else None,
            "kind": str(place.kind),
            "agent": place.id if place.kind is DestinationKind.USER else None,
            "queue": place.id if place.kind is DestinationKind.QUEUE else None,
            "company": company_id,
        },
    )
    size, cursor_agent_id = rows[0][:2]
    today = local_date(plan, now)
    pool = Pool(
        candidates=tuple(candidate_of(row[2:], today) for row in rows if row[2] is not None),
        size=size,
        cursor_agent_id=cursor_agent_id or 0,
    )
    return with_waiting(pool, place, call_id=call_id, now=now) if size else pool


def since(window: Window, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment from which a queue counts calls; "today" begins at midnight of the company."""
    if window in _LENGTHS:
        return now - _LENGTHS[window]
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


_LENGTHS: Final = {
    Window.QUARTER: timedelta(minutes=15),
    Window.HOUR: timedelta(hours=1),
    Window.SHIFT: timedelta(hours=8),
    Window.DAY: timedelta(hours=24),
}


def with_waiting(pool: Pool, place: Destination, *, call_id: Any, now: datetime) -> Pool:
    """Return the pool with those who wait there and are not being offered to anybody, and what calls of late took."""
    return replace(pool, waiting=waiting_in(place.id, except_call=call_id, now=now), handled=handled_by(place.id, now))


def candidate_of(row: tuple[Any, ...], today: date) -> Candidate:
    """Return the candidate of one row of ``COLUMNS``."""
    skills = dict(row[12]) if row[12] else NO_SKILLS
    facts = (*row[:12], skills, *row[13:17], row[17] if row[18] == today else 0)
    return Candidate(*facts)


NO_SKILLS: Final[Mapping[int, int]] = MappingProxyType({})


def local_date(plan: CompanyPlan, now: datetime) -> date:
    zone: ZoneInfo = hours.zone(plan.timezone)
    return now.astimezone(zone).date()


#: Who waits and is not being offered to anybody just now, with how the offers ended after which a call leaves an agent
#: in peace. It is asked with each tick of each caller, so it is one statement, whose plan the connection keeps.
_WAITING: Final = """
SELECT v.queue_id, v.call_id, v.id, v.entered_at, v.priority, v.language, made.agents, made.outcomes, made.at
FROM telephony_queuevisit v
LEFT JOIN LATERAL (
  SELECT array_agg(o.agent_id ORDER BY o.offered_at, o.id) AS agents,
         array_agg(o.outcome::text ORDER BY o.offered_at, o.id) AS outcomes,
         array_agg(coalesce(o.ended_at, o.offered_at) ORDER BY o.offered_at, o.id) AS at
  FROM telephony_offer o WHERE o.call_id = v.call_id AND o.outcome = ANY(%(heeded)s::text[])
) made ON true
WHERE v.outcome = 'waiting' AND {whose}
  AND NOT EXISTS (SELECT FROM telephony_offer o
                   WHERE o.call_id = v.call_id AND o.outcome = 'pending' AND o.expires_at > %(now)s)
ORDER BY v.entered_at, v.id
LIMIT %(limit)s
"""
_WAITING_IN: Final = _WAITING.format(whose="v.queue_id = %(queue)s AND v.call_id IS DISTINCT FROM %(call)s::uuid")
_WAITING_FOR: Final = _WAITING.format(
    whose="""v.company_id = %(company)s
  AND v.queue_id IN (SELECT m.queue_id FROM telephony_queuemember m WHERE m.agent_id = %(agent)s)"""
)


@dataclass(frozen=True, slots=True)
class Waiter:
    """A call that waits in a queue."""

    queue_id: int
    call_id: uuid.UUID
    waiting: Waiting


def waiting_in(queue_id: int, *, except_call: Any, now: datetime) -> tuple[Waiting, ...]:
    """Return the callers of a queue who wait and are not being offered to anybody just now. One query."""
    asked = {"queue": queue_id, "call": except_call, "limit": MAX_WAITING}
    return tuple(one.waiting for one in _waiters(_WAITING_IN, asked, now))


def waiting_for(agent_id: int, *, company_id: int, now: datetime) -> list[Waiter]:
    """Return the callers who wait, and are not being offered, in the queues that the agent is a member of."""
    return _waiters(_WAITING_FOR, {"agent": agent_id, "company": company_id, "limit": MAX_WAITING_FOR}, now)


def _waiters(statement: str, asked: Mapping[str, Any], now: datetime) -> list[Waiter]:
    rows = prepared(statement, {**asked, "now": now, "heeded": list(ladder.PAUSE_AFTER)})
    found = []
    for queue_id, call_id, visit_id, entered_at, priority, language, *offers in rows:
        ends = zip(*offers, strict=True) if offers[0] else ()
        # When they were made matters to nobody here.
        made = [PastOffer(agent_id, outcome, ended_at, ended_at) for agent_id, outcome, ended_at in ends]
        excluded = frozenset(ladder.refused_by(made, now)) if made else NOBODY
        found.append(Waiter(queue_id, call_id, Waiting(str(visit_id), entered_at, priority, language, excluded)))
    return found


NOBODY: Final[frozenset[int]] = frozenset()


def offers_of(call_ids: Iterable[Any]) -> dict[Any, tuple[PastOffer, ...]]:
    """Return the offers of calls, oldest first."""
    offers: dict[Any, tuple[PastOffer, ...]] = {}
    rows = Offer.objects.filter(call_id__in=list(call_ids)).order_by("offered_at", "id")
    for row in rows:
        past = PastOffer(row.agent_id, row.outcome, row.offered_at, row.ended_at)
        offers[row.call_id] = (*offers.get(row.call_id, ()), past)
    return offers


#: By when the visit began, which has an index: without that bound, all the queue's past would be read with each tick.
_HANDLED: Final = """
SELECT count(*), extract(epoch FROM avg(c.ended_at - v.ended_at))::float8
FROM telephony_queuevisit v JOIN telephony_call c ON c.id = v.call_id
WHERE v.queue_id = %(queue)s AND v.entered_at >= %(began)s AND v.ended_at >= %(since)s
  AND v.outcome = 'answered' AND c.ended_at IS NOT NULL
"""


def handled_by(queue_id: int, now: datetime) -> Handled:
    """Return how many calls of the queue were answered within the last half hour, and how long they took."""
    since = now - HANDLED_WITHIN
    ((samples, mean_s),) = prepared(_HANDLED, {"queue": queue_id, "since": since, "began": since - LONGEST_WAIT})
    return Handled(samples, mean_s or 0.0)


def visit_of(call: Call) -> Visit | None:
    """Return the call's open visit to a queue."""
    row = QueueVisit.objects.filter(call=call, outcome=QueueVisit.Outcome.WAITING).first()
    if row is None:
        return None
    return Visit(str(row.pk), row.queue_id, row.entered_at, row.priority, row.announced_at, row.announced_position)


def sticky_of(*, company_id: int, from_number: str, contact_id: int | None, now: datetime) -> tuple[Sticky, ...]:
    """Return who should have this caller: his contact's owner, then who talked to him last within 7 days."""
    found: list[Sticky] = []
    if contact_id is not None:
        owner = Agent.objects.filter(company_id=company_id, is_active=True, user__owned_contacts=contact_id)
        found += [Sticky(agent_id, "owner") for agent_id in owner.values_list("id", flat=True)[:1]]
    if is_e164(from_number):
        # Everybody who hides his number is "anonymous": one of them is not known by the talk of another.
        last = Call.objects.filter(
            Q(company_id=company_id, from_number=from_number, agent__isnull=False)
            & Q(started_at__gte=now - timedelta(days=STICKY_DAYS))
        ).order_by("-id")
        found += [Sticky(agent_id, "last") for agent_id in last.values_list("agent_id", flat=True)[:1] if agent_id]
    return tuple(found)
