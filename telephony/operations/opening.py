"""The one statement that writes a new inbound call: call, leg, identifier, offers, trace and event together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from curbe.lib.db import prepared
from curbe.lib.ids import uuid7
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
    decision: Mapping[str, Any]
    reasons: Sequence[Mapping[str, Any]]
    document: str
    #: What is certain of the outcome already: ``unassigned``, ``failed``, or empty.
    outcome: str
    #: The agents that were claimed for it, each with his rank; each gets an offer.
    offered: tuple[tuple[int, list[float] | None], ...]
    offers_expire_at: datetime
    #: Where the call stands in its plan now (``walk_as_json``), and in which version of it; None and 0 for nowhere.
    walk: Mapping[str, Any] | None
    plan_version: int
    #: Visits to queues that began in this step.
    visits: Sequence[Begun]
    #: The queue whose turn moves on to the agent offered; None for most.
    turn_of_queue: int | None
    now: datetime


_SQL: Final = """
WITH opened AS (
  INSERT INTO telephony_call (id, company_id, direction, from_number, to_number, contact_id, caller_name, number_id,
    queue_id, status, outcome, root_call_sid, account_sid, connection_id, step, started_at, last_news_at, hangup_cause)
  VALUES (%(id)s, %(company)s, 'inbound', %(from)s, %(to)s, %(contact)s, %(name)s, %(number)s,
    %(queue)s, 'ringing', %(outcome)s, %(sid)s, %(account)s, %(connection)s, 1, %(now)s, %(now)s, '')
  ON CONFLICT (root_call_sid) DO NOTHING
  RETURNING id
), leg AS (
  INSERT INTO telephony_callleg (id, call_id, call_sid, parent_call_sid, kind, status, end_status, hangup_cause,
    hangup_source, sip_code, started_at)
  SELECT %(leg_id)s, id, %(sid)s, '', 'caller', 'initiated', '', '', '', '', %(now)s FROM opened
  ON CONFLICT (call_sid) DO NOTHING
), identifier AS (
  INSERT INTO telephony_callidentifier (call_id, kind, value, learned_at)
  SELECT id, 'call_sid', %(sid)s, %(now)s FROM opened
), trace AS (
  INSERT INTO telephony_routetrace (id, call_id, step, decision, reasons, document, walk, plan_version,
    asked_at, at)
  SELECT %(trace_id)s, id, 1, %(decision)s, %(reasons)s, %(document)s, %(walk)s, %(plan)s, %(now)s, %(now)s
  FROM opened
), offer AS (
  INSERT INTO telephony_offer (id, call_id, agent_id, step, queue_id, rank, outcome, offered_at, expires_at)
  SELECT o.id, opened.id, o.agent_id, 1, %(queue)s, o.rank, 'pending', %(now)s, %(expires)s
  FROM opened, unnest(%(offer_ids)s::uuid[], %(agents)s::bigint[], %(ranks)s::jsonb[]) AS o (id, agent_id, rank)
), visit AS (
  INSERT INTO telephony_queuevisit (id, company_id, queue_id, call_id, entered_at, priority, language, outcome,
    ended_at, plan_version, service_level_s, announced_position)
  SELECT v.id, %(company)s, v.queue_id, opened.id, %(now)s, v.priority, v.language, v.outcome,
    CASE WHEN v.outcome <> 'waiting' THEN %(now)s END, %(plan)s, v.service_level_s, 0
  FROM opened, unnest(%(visit_ids)s::uuid[], %(visit_queues)s::bigint[], %(visit_priorities)s::smallint[],
    %(visit_languages)s::text[], %(visit_outcomes)s::text[], %(visit_levels)s::smallint[])
    AS v (id, queue_id, priority, language, outcome, service_level_s)
), turn AS (
  UPDATE telephony_callqueue SET cursor_agent_id = (%(agents)s::bigint[])[1]
  WHERE id = %(turn_of)s AND EXISTS (SELECT 1 FROM opened)
), event AS (
  INSERT INTO telephony_telnyxevent (id, dedupe_key, kind, source, occurred_at, received_at, payload, company_id,
    call_id, root_call_sid, processed_at, attempts, error)
  SELECT %(event_id)s, %(dedupe)s, 'instruction.voice', 'callback', %(now)s, %(now)s, %(payload)s, %(company)s, id,
    %(sid)s, %(now)s, 1, '' FROM opened
  ON CONFLICT (dedupe_key) DO NOTHING
)
SELECT id FROM opened
"""


def open_call(opening: Opening) -> bool:
    """Write the call; return False, with nothing written, if a call with this CallSid is there already."""
    rows = prepared(
        _SQL,
        {
            "id": opening.call_id,
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
            "leg_id": uuid7(),
            "trace_id": uuid7(),
            "decision": Jsonb(opening.decision),
            "reasons": Jsonb(list(opening.reasons)),
            "document": opening.document,
            "outcome": opening.outcome,
            "offer_ids": [uuid7() for _ in opening.offered],
            "agents": [agent_id for agent_id, _rank in opening.offered],
            "ranks": [Jsonb(rank) if rank else None for _agent_id, rank in opening.offered],
            "walk": Jsonb(opening.walk) if opening.walk else None,
            "plan": opening.plan_version,
            "visit_ids": [uuid7() for _ in opening.visits],
            "visit_queues": [one.queue_id for one in opening.visits],
            "visit_priorities": [one.priority for one in opening.visits],
            "visit_languages": [one.language for one in opening.visits],
            "visit_outcomes": [str(one.outcome) for one in opening.visits],
            "visit_levels": [one.service_level_s for one in opening.visits],
            "turn_of": opening.turn_of_queue,
            "expires": opening.offers_expire_at,
            "event_id": uuid7(),
            "dedupe": f"voice|{opening.call_sid}",
            "payload": Jsonb(dict(opening.payload)),
        },
    )
    return bool(rows)
