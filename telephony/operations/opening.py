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
    #: The agents that were claimed for it; each gets an offer.
    offered: tuple[int, ...]
    offers_expire_at: datetime
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
  INSERT INTO telephony_routetrace (id, call_id, step, decision, reasons, document, at)
  SELECT %(trace_id)s, id, 1, %(decision)s, %(reasons)s, %(document)s, %(now)s FROM opened
), offer AS (
  INSERT INTO telephony_offer (id, call_id, agent_id, step, outcome, offered_at, expires_at)
  SELECT o.id, opened.id, o.agent_id, 1, 'pending', %(now)s, %(expires)s
  FROM opened, unnest(%(offer_ids)s::uuid[], %(agents)s::bigint[]) AS o (id, agent_id)
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
            "agents": list(opening.offered),
            "expires": opening.offers_expire_at,
            "event_id": uuid7(),
            "dedupe": f"voice|{opening.call_sid}",
            "payload": Jsonb(dict(opening.payload)),
        },
    )
    return bool(rows)
