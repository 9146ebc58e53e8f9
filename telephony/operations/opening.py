"""The one statement that writes a new inbound call: claims, call, leg, offers, trace and event together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from psycopg.types.json import Jsonb

from agents import statements
from agents.operations import tell_claimed, wish_to_claim
from curbe.lib.db import prepared
from curbe.lib.ids import uuid7s
from telephony.operations.moving import HELD_FOR_NEWS
from telephony.operations.visits import Begun


@dataclass(frozen=True, slots=True)
class Opening:
    """A call that is about to exist, with what its first step was told and why."""

    call_id: uuid.UUID
    company_id: int
    number_id: int
    queue_id: int | None
    contact_id: int | None
    caller_name: str
    call_sid: str
    account_sid: str
    connection_id: str
    from_number: str
    to_number: str
    payload: Mapping[str, str]
    #: What the ledger calls the request: ``instruction.voice``, or ``instruction.voice.blocked``.
    kind: str
    decision: Mapping[str, Any]
    reasons: Sequence[Mapping[str, Any]]
    document: str
    #: What is certain of the outcome already: ``unassigned``, ``blocked``, ``failed``, or empty.
    outcome: str
    #: The queue that offers it to them; None where it rings at a user or the company by now.
    offered_by: int | None
    #: The agents that ring, ascending, each with his rank; each is claimed for the call, and gets an offer.
    offered: tuple[tuple[int, list[float] | None], ...]
    offers_expire_at: datetime
    #: Where the call stands in its plan now (``walk_as_json``), and in which version of it; None and 0 for nowhere.
    walk: Mapping[str, Any] | None
    plan_version: int
    #: Visits to queues that began in this step.
    visits: Sequence[Begun]
    #: The place in the queue that the caller is told in this step; 0: he is told none.
    announced_position: int
    #: The queue whose turn moves on to the agent offered; None for most.
    turn_of_queue: int | None
    now: datetime

    @property
    def agent_ids(self) -> list[int]:
        return [agent_id for agent_id, _rank in self.offered]


# Whatever is said of the call in one of these tables is said by this statement, or by none.
_REST: Final = """
leg AS (
  INSERT INTO telephony_callleg (id, call_id, call_sid, parent_call_sid, kind, status, end_status, hangup_cause,
    hangup_source, sip_code, started_at)
  SELECT %(leg_id)s::uuid, id, %(sid)s, '', 'caller', 'initiated', '', '', '', '', %(now)s FROM opened
  ON CONFLICT (call_sid) DO NOTHING
), trace AS (
  INSERT INTO telephony_routetrace (id, call_id, step, decision, reasons, document, walk, plan_version, asked_at, at)
  SELECT %(trace_id)s::uuid, id, 1, %(decision)s::jsonb, %(reasons)s::jsonb, %(document)s, %(walk)s::jsonb,
    %(plan)s::bigint, %(now)s, %(now)s FROM opened
), offer AS (
  INSERT INTO telephony_offer (id, call_id, agent_id, step, queue_id, rank, outcome, offered_at, expires_at)
  SELECT o.id, opened.id, o.agent_id, 1, %(offered_by)s::bigint, o.rank, 'pending', %(now)s, %(expires)s
  FROM opened, unnest(%(offer_ids)s::uuid[], %(agents)s::bigint[], %(ranks)s::jsonb[]) AS o (id, agent_id, rank)
), visit AS (
  INSERT INTO telephony_queuevisit (id, company_id, queue_id, call_id, entered_at, priority, language, outcome,
    ended_at, plan_version, service_level_s, announced_at, announced_position)
  SELECT v.id, %(company)s::bigint, v.queue_id, opened.id, %(now)s, v.priority, v.language, v.outcome,
    CASE WHEN v.outcome <> 'waiting' THEN %(now)s::timestamptz END, %(plan)s::bigint, v.service_level_s,
    CASE WHEN v.outcome = 'waiting' AND %(position)s::smallint > 0 THEN %(now)s::timestamptz END,
    CASE WHEN v.outcome = 'waiting' THEN %(position)s::smallint ELSE 0 END
  FROM opened, unnest(%(visit_ids)s::uuid[], %(visit_queues)s::bigint[], %(visit_priorities)s::smallint[],
    %(visit_languages)s::text[], %(visit_outcomes)s::text[], %(visit_levels)s::smallint[])
    AS v (id, queue_id, priority, language, outcome, service_level_s)
), turn AS (
  UPDATE telephony_callqueue SET cursor_agent_id = (%(agents)s::bigint[])[1]
  WHERE id = %(turn_of)s::bigint AND EXISTS (SELECT 1 FROM opened)
), event AS (
  INSERT INTO telephony_telnyxevent (id, dedupe_key, kind, source, occurred_at, received_at, payload, company_id,
    call_id, root_call_sid, processed_at, attempts, error)
  SELECT %(event_id)s::uuid, %(dedupe)s, %(kind)s, 'callback', %(now)s, %(now)s, %(payload)s::jsonb,
    %(company)s, id, %(sid)s, %(now)s, 1, '' FROM opened
  ON CONFLICT (dedupe_key) DO NOTHING
)"""
_CALL: Final = """
opened AS (
  INSERT INTO telephony_call (id, company_id, direction, from_number, to_number, contact_id, caller_name, number_id,
    queue_id, status, outcome, root_call_sid, account_sid, connection_id, step, started_at, last_news_at, hangup_cause)
  SELECT %(call)s::uuid, %(company)s::bigint, 'inbound', %(from)s, %(to)s, %(contact)s::bigint, %(name)s,
    %(number)s::bigint, %(queue)s::bigint, 'ringing', %(outcome)s, %(sid)s::text, %(account)s, %(connection)s, 1,
    %(now)s::timestamptz, %(now)s::timestamptz, ''
  WHERE {condition}
  ON CONFLICT (root_call_sid) DO NOTHING
  RETURNING id
)"""

_OPEN: Final = f"WITH {_CALL.format(condition='true')}, {_REST} SELECT id FROM opened"

# All or nothing: the document names those who are rung, so it holds only if every one of them was free. The call is
# written before they are reserved, so that nobody is for a call that is there already.
_ALL_FREE: Final = "(SELECT count(*) FROM free) = cardinality(%(agents)s::bigint[])"
_CLAIM_AND_OPEN: Final = (
    f"WITH {statements.FREE}, {_CALL.format(condition=_ALL_FREE)}, {statements.RESERVED.format(only=', opened')}, "
    f"{_REST} SELECT id, company_id, before, EXISTS (SELECT FROM opened) FROM free"
)


class Opened(Enum):
    """How an attempt to write a call ended; nothing was written or reserved unless it is WRITTEN."""

    WRITTEN = auto()
    #: A call with this CallSid is there already.
    THERE = auto()
    #: Not everybody who was to be rung is free any more.
    AGENT_LOST = auto()


def open_call(opening: Opening) -> Opened:
    """Write the call; its agents, if any, were claimed for it before."""
    rows = prepared(_OPEN, _values(opening) | {"agents": opening.agent_ids})
    return Opened.WRITTEN if rows else Opened.THERE


def claim_and_open(opening: Opening) -> Opened:
    """Claim all the agents who are offered the call, and write it, in one statement."""
    wish = wish_to_claim(
        agent_ids=opening.agent_ids,
        call_id=opening.call_id,
        until=opening.offers_expire_at + HELD_FOR_NEWS,
        now=opening.now,
    )
    free = prepared(_CLAIM_AND_OPEN, _values(opening) | wish)
    if len(free) < len(opening.offered):
        return Opened.AGENT_LOST
    if not all(is_open for *_, is_open in free):
        return Opened.THERE
    tell_claimed((agent_id, company_id, before) for agent_id, company_id, before, _ in free)
    return Opened.WRITTEN


def _values(opening: Opening) -> dict[str, Any]:
    rung = len(opening.offered)
    leg_id, trace_id, event_id, *ids = uuid7s(3 + rung + len(opening.visits))
    return {
        "call": opening.call_id,
        "company": opening.company_id,
        "from": opening.from_number,
        "to": opening.to_number,
        "contact": opening.contact_id,
        "name": opening.caller_name,
        "number": opening.number_id,
        "queue": opening.queue_id,
        "sid": opening.call_sid,
        "account": opening.account_sid,
        "connection": opening.connection_id,
        "now": opening.now,
        "leg_id": leg_id,
        "trace_id": trace_id,
        "decision": Jsonb(opening.decision),
        "reasons": Jsonb(opening.reasons),
        "document": opening.document,
        "outcome": opening.outcome,
        "offered_by": opening.offered_by,
        "offer_ids": ids[:rung],
        "expires": opening.offers_expire_at,
        "ranks": [Jsonb(rank) if rank else None for _agent_id, rank in opening.offered],
        "walk": Jsonb(opening.walk) if opening.walk else None,
        "plan": opening.plan_version,
        "visit_ids": ids[rung:],
        "visit_queues": [one.queue_id for one in opening.visits],
        "visit_priorities": [one.priority for one in opening.visits],
        "visit_languages": [one.language for one in opening.visits],
        "visit_outcomes": [one.outcome for one in opening.visits],
        "visit_levels": [one.service_level_s for one in opening.visits],
        "position": opening.announced_position,
        "turn_of": opening.turn_of_queue,
        "event_id": event_id,
        "dedupe": f"voice|{opening.call_sid}",
        "kind": opening.kind,
        "payload": Jsonb(opening.payload),
    }
