"""The people whom a place can ring, and who waits there: what ``decide`` asks for by ``Missing``.

``CANDIDATES`` is shared with the statement of the first instruction, so both roads see the same people. It reads what
every call looks at; what only some queues look at is read by ``completed``, where it counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

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
#: Nobody waits longer in one queue: the most that can be set is an hour. Visits have an index by when they began.
LONGEST_WAIT: Final = timedelta(hours=2)

#: For LEFT JOIN LATERAL: the people of one place. Before it stands one row, ``here`` (destination, agent_id, queue_id,
#: company_id), fenced by OFFSET 0: its own sub-selects would run for each of the people. Executed by a plan that the
#: server keeps: for so few rows, setting the plan up costs as much as running it, so every node counts. One agent is
#: looked up at a time (a queue of five in a company of a thousand reads five): hence IS NOT DISTINCT FROM, by which no
#: index is read.
CANDIDATES: Final = """
  SELECT a.id, coalesce(nullif(u.name, ''), u.username) AS name, coalesce(e.sip_username, '') AS sip_username,
         a.intent, a.activity, a.reserved_until, a.idle_since, b.last_seen_at,
         coalesce(b.ready, false) AS ready, coalesce(b.microphone, false) AS microphone,
         a.priority, target.position, a.on_duty_since, a.calls_on_day, a.calls_on_date,
         coalesce(b.degraded, false) AS degraded, a.wrap_up_until,
         (e.id IS NOT NULL AND b.last_seen_at > %(fresh)s AND b.ready AND b.microphone AND NOT b.degraded
          AND a.intent = 'AVAILABLE'
          AND (a.activity = 'IDLE' OR (a.activity = 'RESERVED' AND a.reserved_until <= %(now)s)
               OR (a.activity = 'WRAP_UP' AND a.wrap_up_until <= %(now)s))) IS TRUE AS free
  FROM (
    SELECT here.agent_id AS id, 0::bigint AS position WHERE here.destination = 'user'
    UNION ALL
    SELECT m.agent_id, m.id FROM telephony_queuemember m WHERE m.queue_id = here.queue_id AND here.destination = 'queue'
    UNION ALL
    SELECT o.id, 0 FROM agents_agent o WHERE o.company_id = here.company_id AND here.destination = 'company'
  ) AS target
  JOIN agents_agent a ON a.id = target.id AND a.company_id IS NOT DISTINCT FROM here.company_id AND a.is_active
  JOIN companies_user u ON u.id = a.user_id AND u.is_active
  LEFT JOIN agents_beat b ON b.agent_id = a.id
  LEFT JOIN telephony_sipendpoint e ON e.agent_id = a.id
  ORDER BY free DESC, a.idle_since, a.id
  LIMIT %(limit)s
"""

#: The columns of a candidate, in the order of ``candidates_of``.
COLUMNS: Final = """
candidate.free, candidate.id, candidate.name, candidate.sip_username, candidate.intent, candidate.activity,
candidate.reserved_until, candidate.idle_since, candidate.last_seen_at, candidate.ready, candidate.microphone,
candidate.priority, candidate.position, candidate.on_duty_since, candidate.calls_on_day, candidate.calls_on_date,
candidate.degraded, candidate.wrap_up_until"""

#: How many wait in the queue ``q``.
SIZE: Final = "(SELECT count(*) FROM telephony_queuevisit v WHERE v.queue_id = q.id AND v.outcome = 'waiting')"

_SQL: Final = f"""
SELECT here.size, here.cursor_agent_id, {COLUMNS}
FROM (
  SELECT place.*, q.id AS queue_id, q.cursor_agent_id, {SIZE} AS size
  FROM (SELECT %(kind)s::text AS destination, %(agent)s::bigint AS agent_id, %(company)s::bigint AS company_id) AS place
  LEFT JOIN telephony_callqueue q ON q.id = %(queue)s AND q.company_id IS NOT DISTINCT FROM place.company_id
  OFFSET 0
) AS here
LEFT JOIN LATERAL ({CANDIDATES}) AS candidate ON true
"""


def values(now: datetime) -> dict[str, Any]:
    """Return what ``CANDIDATES`` is asked with."""
    return {"now": now, "fresh": now - BEAT_TTL, "limit": MAX_CANDIDATES}


def pool_of(place: Destination, *, company_id: int, plan: CompanyPlan, call_id: Any, now: datetime) -> Pool:
    """Return the people of a place and, of a queue, those who wait in it besides this call. One or two statements."""
    rows = prepared(
        _SQL,
        {
            **values(now),
            "kind": str(place.kind),
            "agent": place.id if place.kind is DestinationKind.USER else None,
            "queue": place.id if place.kind is DestinationKind.QUEUE else None,
            "company": company_id,
        },
    )
    size, cursor_agent_id = rows[0][:2]
    today = local_date(plan.timezone, now)
    pool = Pool(candidates_of([row[2:] for row in rows], today), size=size, cursor_agent_id=cursor_agent_id or 0)
    return completed(pool, place, plan=plan, call_id=call_id, now=now)


def candidates_of(rows: Iterable[tuple[Any, ...]], today: date) -> tuple[Candidate, ...]:
    """Return the candidates in rows of ``COLUMNS``: who is free first, then the longest idle."""
    # The few rows are sorted here again rather than by one more node of the plan; ids differ, so no row is compared.
    ranked = sorted([(not row[0], row[7], row[1], row) for row in rows if row[1] is not None])
    return tuple([_candidate(row, today) for *_, row in ranked])


def _candidate(row: tuple[Any, ...], today: date) -> Candidate:
    on_duty_since, calls, counted_on, degraded, wrap_up_until = row[13:]
    calls_today = calls if counted_on == today else 0
    facts = (*row[1:13], NO_SKILLS, 0, False, None, on_duty_since, calls_today, degraded, wrap_up_until)
    return Candidate(*facts)


NO_SKILLS: Final[Mapping[int, int]] = MappingProxyType({})


def local_date(timezone: str, now: datetime) -> date:
    """Return the day that it is in a time zone; UTC's for a name that nobody knows."""
    return now.astimezone(hours.zone(timezone)).date()


# --- What only some calls need ------------------------------------------------------------------------------------

#: One row of arrays. What is not asked for has NULL for its queue or no agents, and costs nothing.
_MORE: Final = """
WITH visit AS (
  SELECT v.id, v.call_id, v.entered_at, v.priority, v.language FROM telephony_queuevisit v
   WHERE v.queue_id = %(waiting_in)s AND v.outcome = 'waiting' AND v.call_id IS DISTINCT FROM %(call)s::uuid
     AND NOT EXISTS (SELECT FROM telephony_offer o
                      WHERE o.call_id = v.call_id AND o.outcome = 'pending' AND o.expires_at > %(now)s)
   ORDER BY v.entered_at, v.id LIMIT %(limit)s
), past AS (
  SELECT o.call_id, o.agent_id, o.outcome, o.offered_at, o.ended_at
    FROM visit JOIN telephony_offer o ON o.call_id = visit.call_id ORDER BY o.offered_at, o.id
), counted AS (
  SELECT o.agent_id, count(*) AS calls FROM telephony_offer o
   WHERE o.queue_id = %(queue)s AND o.agent_id = ANY(%(counted)s::bigint[]) AND o.outcome = 'answered'
     AND o.offered_at >= %(since)s
   GROUP BY o.agent_id
), last_one AS (
  SELECT a.agent_id, coalesce(greatest(c.ended_at, w.ended_at), %(now)s) AS ended_at
    FROM unnest(%(recent)s::bigint[]) AS a (agent_id)
    JOIN LATERAL (
      SELECT o.call_id FROM telephony_offer o
       WHERE o.queue_id = %(queue)s AND o.agent_id = a.agent_id AND o.outcome = 'answered'
       ORDER BY o.offered_at DESC, o.id DESC LIMIT 1
    ) AS o ON true
    JOIN telephony_call c ON c.id = o.call_id
    LEFT JOIN LATERAL (
      SELECT max(coalesce(w.ended_at, w.until)) AS ended_at FROM telephony_callwrapup w
       WHERE w.call_id = o.call_id AND w.agent_id = a.agent_id
    ) AS w ON c.ended_at IS NOT NULL
)
SELECT waiting.*, offers.*, skills.*, counts.*, ends.*, handled.*
FROM (SELECT array_agg(id), array_agg(call_id), array_agg(entered_at), array_agg(priority), array_agg(language)
        FROM visit) AS waiting,
     (SELECT array_agg(call_id), array_agg(agent_id), array_agg(outcome), array_agg(offered_at), array_agg(ended_at)
        FROM past) AS offers,
     (SELECT array_agg(agent_id), array_agg(skill_id), array_agg(level)
        FROM agents_agentskill WHERE agent_id = ANY(%(skilled)s::bigint[])) AS skills,
     (SELECT array_agg(agent_id), array_agg(calls) FROM counted) AS counts,
     (SELECT array_agg(agent_id), array_agg(ended_at) FROM last_one) AS ends,
     (SELECT count(*), extract(epoch FROM avg(c.ended_at - v.ended_at))::float8
        FROM telephony_queuevisit v JOIN telephony_call c ON c.id = v.call_id
       WHERE v.queue_id = %(waiting_in)s AND v.outcome = 'answered' AND v.ended_at >= %(lately)s
         AND v.entered_at >= %(began)s
         AND c.ended_at IS NOT NULL) AS handled
"""


def completed(pool: Pool, place: Destination, *, plan: CompanyPlan, call_id: Any, now: datetime) -> Pool:
    """Return the pool with who waits there and is not being offered, and with what its queue looks at in people.

    ``call_id`` is the call that asks: it does not wait for itself. One statement; none where nobody waits and the queue
    looks at nothing more.
    """
    queue = plan.queues.get(place.id) if place.kind is DestinationKind.QUEUE else None
    # An agent who is asked for by himself may be wanted for any queue.
    looking = (queue,) if queue else plan.queues.values() if place.kind is DestinationKind.USER else ()
    agents = [one.agent_id for one in pool.candidates]
    skilled = agents if any(one.requirements or one.match_language for one in looking) else []
    counted = agents if queue and queue.strategy is Strategy.LEAST_CALLS else []
    recent = agents if queue and queue.strategy is Strategy.LEAST_RECENT else []
    if not (pool.size or skilled or counted or recent):
        return pool
    since = window_start(queue.window, plan.timezone, now) if queue and counted else None
    asked = {
        "now": now,
        "limit": MAX_WAITING,
        "lately": now - HANDLED_WITHIN,
        "began": now - HANDLED_WITHIN - LONGEST_WAIT,
        "queue": place.id,
        "waiting_in": place.id if pool.size else None,
        "call": call_id,
        "skilled": skilled,
        "counted": counted,
        "recent": recent,
        "since": since,
    }
    (row,) = prepared(_MORE, asked)
    waiting, handled = _waiting(row, now) if pool.size else ((), None)
    pool = replace(pool, waiting=waiting, handled=handled)
    return replace(pool, candidates=_with_more(pool.candidates, row, since)) if agents else pool


def _waiting(row: tuple[Any, ...], now: datetime) -> tuple[tuple[Waiting, ...], Handled]:
    offers: dict[Any, list[PastOffer]] = {}
    for call_id, *offer in _unzipped(row[5:10]):
        offers.setdefault(call_id, []).append(PastOffer(*offer))
    refused = {call_id: frozenset(ladder.refused_by(made, now)) for call_id, made in offers.items()}
    waiting = tuple(
        Waiting(str(visit_id), entered_at, priority, language, refused.get(call_id, frozenset()))
        for visit_id, call_id, entered_at, priority, language in _unzipped(row[0:5])
    )
    return waiting, Handled(row[17], row[18] or 0.0)


def _with_more(
    candidates: tuple[Candidate, ...], row: tuple[Any, ...], since: datetime | None
) -> tuple[Candidate, ...]:
    skills: dict[int, dict[int, int]] = {}
    for agent_id, skill_id, level in _unzipped(row[10:13]):
        skills.setdefault(agent_id, {})[skill_id] = level
    calls, ends = dict(_unzipped(row[13:15])), dict(_unzipped(row[15:17]))
    return tuple(
        replace(
            one,
            skills=skills.get(one.agent_id, NO_SKILLS),
            answered_in_window=calls.get(one.agent_id, 0),
            is_newcomer=since is not None and one.on_duty_since is not None and one.on_duty_since > since,
            last_queue_call_at=ends.get(one.agent_id),
        )
        for one in candidates
    )


def _unzipped(columns: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of columns that came as arrays, each NULL where there are none."""
    return zip(*(column or () for column in columns), strict=True)


#: How far back a queue counts calls.
_WINDOWS: Final = {
    Window.QUARTER: timedelta(minutes=15),
    Window.HOUR: timedelta(hours=1),
    Window.SHIFT: timedelta(hours=8),
    Window.DAY: timedelta(hours=24),
}


def window_start(window: Window, timezone: str, now: datetime) -> datetime:
    """Return the moment from which a queue counts calls; "today" begins at midnight of the company.

    Reckoned here and not by PostgreSQL, which ends the statement for a time zone that it does not know.
    """
    if window in _WINDOWS:
        return now - _WINDOWS[window]
    return now.astimezone(hours.zone(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)


# --- Who waits for an agent ---------------------------------------------------------------------------------------

#: Who waits and is not being offered to anybody just now, with how the offers ended after which a call leaves an agent
#: in peace.
_WAITING_FOR: Final = """
SELECT v.queue_id, v.call_id, v.id, v.entered_at, v.priority, v.language, made.agents, made.outcomes, made.at
FROM telephony_queuevisit v
LEFT JOIN LATERAL (
  SELECT array_agg(o.agent_id ORDER BY o.offered_at, o.id) AS agents,
         array_agg(o.outcome::text ORDER BY o.offered_at, o.id) AS outcomes,
         array_agg(coalesce(o.ended_at, o.offered_at) ORDER BY o.offered_at, o.id) AS at
  FROM telephony_offer o WHERE o.call_id = v.call_id AND o.outcome = ANY(%(heeded)s::text[])
) made ON true
WHERE v.outcome = 'waiting' AND v.company_id = %(company)s
  AND v.queue_id IN (SELECT m.queue_id FROM telephony_queuemember m WHERE m.agent_id = %(agent)s)
  AND NOT EXISTS (SELECT FROM telephony_offer o
                   WHERE o.call_id = v.call_id AND o.outcome = 'pending' AND o.expires_at > %(now)s)
ORDER BY v.entered_at, v.id
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Waiter:
    """A call that waits in a queue."""

    queue_id: int
    call_id: uuid.UUID
    waiting: Waiting


def waiting_for(agent_id: int, *, company_id: int, now: datetime) -> list[Waiter]:
    """Return the callers who wait, and are not being offered, in the queues that the agent is a member of."""
    asked = {"agent": agent_id, "company": company_id, "limit": MAX_WAITING_FOR, "now": now}
    rows = prepared(_WAITING_FOR, {**asked, "heeded": list(ladder.PAUSE_AFTER)})
    found = []
    for queue_id, call_id, visit_id, entered_at, priority, language, *offers in rows:
        # When they were made matters to nobody here.
        made = [PastOffer(agent, outcome, ended_at, ended_at) for agent, outcome, ended_at in _unzipped(offers)]
        excluded = frozenset(ladder.refused_by(made, now)) if made else NOBODY
        found.append(Waiter(queue_id, call_id, Waiting(str(visit_id), entered_at, priority, language, excluded)))
    return found


NOBODY: Final[frozenset[int]] = frozenset()

# --- What one call has behind it ----------------------------------------------------------------------------------


def offers_of(call_ids: Iterable[Any]) -> dict[Any, tuple[PastOffer, ...]]:
    """Return the offers of calls, oldest first."""
    offers: dict[Any, tuple[PastOffer, ...]] = {}
    rows = Offer.objects.filter(call_id__in=list(call_ids)).order_by("offered_at", "id")
    for row in rows:
        past = PastOffer(row.agent_id, row.outcome, row.offered_at, row.ended_at)
        offers[row.call_id] = (*offers.get(row.call_id, ()), past)
    return offers


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
