"""How agents stand, row by row: locked, changed in memory, written back together.

Plain rows instead of models: a sweep moves a thousand of them, and each model would cost as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from agents.models import Activity
from agents.presence import AgentFacts, derive
from curbe.lib.db import prepared
from curbe.lib.ids import uuid7s

_LOCK: Final = """
SELECT agent.id, agent.company_id, agent.is_active, agent.intent, agent.activity, agent.busy_call_id,
       agent.reserved_until, agent.wrap_up_until, agent.idle_since, agent.presence, agent.presence_at,
       agent.missed_in_a_row, agent.on_duty_since, agent.calls_on_day, agent.calls_on_date,
       beat.last_seen_at, coalesce(beat.ready, false), coalesce(beat.microphone, false)
  FROM agents_agent AS agent
  LEFT JOIN agents_beat AS beat ON beat.agent_id = agent.id
 WHERE {which}
 ORDER BY agent.id
   FOR NO KEY UPDATE OF agent {how}
"""
_THESE: Final = "agent.id = ANY(%(agents)s::bigint[])"
LOCK_THESE: Final = _LOCK.format(which=_THESE, how="")
#: Whoever is locked is being changed by somebody who knows more.
LOCK_THESE_IF_FREE: Final = _LOCK.format(which=_THESE, how="SKIP LOCKED")
#: Whoever is held is not idle, and only who is not idle stands in the index.
_HELD: Final = "(agent.busy_call_id = %(call)s AND agent.activity <> 'IDLE')"
LOCK_HELD: Final = _LOCK.format(which=_HELD, how="")
LOCK_THESE_OF_HELD: Final = _LOCK.format(which=f"{_HELD} AND {_THESE}", how="")
LOCK_THESE_AND_HELD: Final = _LOCK.format(which=f"({_THESE} OR {_HELD})", how="")

#: Writes the rows, and notes each change of the word.
_WRITE: Final = """
WITH changed AS (
    SELECT *
      FROM unnest(
               %(id)s::bigint[], %(intent)s::text[], %(activity)s::text[], %(busy_call_id)s::uuid[],
               %(reserved_until)s::timestamptz[], %(wrap_up_until)s::timestamptz[], %(idle_since)s::timestamptz[],
               %(presence)s::text[], %(presence_at)s::timestamptz[], %(missed_in_a_row)s::smallint[],
               %(on_duty_since)s::timestamptz[], %(calls_on_day)s::integer[], %(calls_on_date)s::date[]
           ) AS changed (
               id, intent, activity, busy_call_id, reserved_until, wrap_up_until, idle_since, presence, presence_at,
               missed_in_a_row, on_duty_since, calls_on_day, calls_on_date
           )
)
UPDATE agents_agent AS agent
   SET intent = changed.intent,
       activity = changed.activity,
       busy_call_id = changed.busy_call_id,
       reserved_until = changed.reserved_until,
       wrap_up_until = changed.wrap_up_until,
       idle_since = changed.idle_since,
       presence = changed.presence,
       presence_at = changed.presence_at,
       missed_in_a_row = changed.missed_in_a_row,
       on_duty_since = changed.on_duty_since,
       calls_on_day = changed.calls_on_day,
       calls_on_date = changed.calls_on_date
  FROM changed
 WHERE agent.id = changed.id
RETURNING agent.id
"""
_COLUMNS: Final = (
    "id",
    "intent",
    "activity",
    "busy_call_id",
    "reserved_until",
    "wrap_up_until",
    "idle_since",
    "presence",
    "presence_at",
    "missed_in_a_row",
    "on_duty_since",
    "calls_on_day",
    "calls_on_date",
)

_NOTE: Final = """
INSERT INTO agents_presencechange (id, company_id, agent_id, before, after, reason, call_id, at)
SELECT change.id, change.company_id, change.agent_id, change.before, change.after, change.reason, %(call)s, %(at)s
  FROM unnest(
           %(id)s::uuid[], %(company)s::bigint[], %(agent)s::bigint[], %(before)s::text[], %(after)s::text[],
           %(reason)s::text[]
       ) AS change (id, company_id, agent_id, before, after, reason)
RETURNING agent_id
"""


@dataclass(slots=True)
class Standing:
    """One agent's row with his beat, in the order of the columns above."""

    id: int
    company_id: int
    is_active: bool
    intent: str
    activity: str
    busy_call_id: UUID | None
    reserved_until: datetime | None
    wrap_up_until: datetime | None
    idle_since: datetime
    presence: str
    presence_at: datetime
    missed_in_a_row: int
    on_duty_since: datetime | None
    calls_on_day: int
    calls_on_date: date | None
    last_seen_at: datetime | None
    ready: bool
    microphone: bool

    def facts(self) -> AgentFacts:
        return AgentFacts(
            intent=self.intent,
            activity=self.activity,
            reserved_until=self.reserved_until,
            wrap_up_until=self.wrap_up_until,
            last_seen_at=self.last_seen_at,
            ready=self.ready,
            microphone=self.microphone,
            has_live_call=self.busy_call_id is not None,
        )

    def free(self) -> None:
        self.activity = Activity.IDLE
        self.busy_call_id = self.reserved_until = self.wrap_up_until = None

    def put_on_call(self, call_id: UUID, today: date) -> None:
        if (self.activity, self.busy_call_id) != (Activity.ON_CALL, call_id):
            self.calls_on_day = self.calls_on_day + 1 if self.calls_on_date == today else 1
            self.calls_on_date = today
        self.activity = Activity.ON_CALL
        self.busy_call_id = call_id
        self.missed_in_a_row = 0
        self.reserved_until = self.wrap_up_until = None

    def miss(self, most: int) -> None:
        """Count a call that he let ring out; past ``most`` in a row (0: any number) he is not responding."""
        self.missed_in_a_row += 1
        if most and self.missed_in_a_row >= most:
            self.activity = Activity.NOT_RESPONDING

    def come_back(self) -> None:
        self.missed_in_a_row = 0
        if self.activity == Activity.NOT_RESPONDING:
            self.free()


@dataclass(frozen=True, slots=True)
class Change:
    """A word that changed."""

    agent_id: int
    company_id: int
    before: str
    after: str
    reason: str


def lock(statement: str, *, agents: Sequence[int] = (), call: UUID | None = None) -> list[Standing]:
    """Return the rows of one of the LOCK statements, locked until the end of the transaction, in the order of ids."""
    return [Standing(*row) for row in prepared(statement, {"agents": list(agents), "call": call})]


def write(rows: Sequence[Standing], *, reasons: Mapping[int, str], call_id: UUID | None, now: datetime) -> list[Change]:
    """Derive each row's word anew and write the rows; return the words that changed, noted already.

    ``reasons`` has one for the agent of each row. One UPDATE, and one INSERT where a word changed.
    """
    changes = []
    for row in rows:
        before, row.presence = row.presence, derive(row.facts(), now)
        if row.presence == before:
            continue
        row.presence_at = now
        if before == "OFFLINE":
            row.on_duty_since = now
        # A ring that was not answered does not send him to the end of the line; a call, a break and an absence do.
        if row.presence == "AVAILABLE" and before != "RINGING":
            row.idle_since = now
        changes.append(Change(row.id, row.company_id, before, row.presence, reasons[row.id]))
    if rows:
        prepared(_WRITE, {name: [getattr(row, name) for row in rows] for name in _COLUMNS})
    if changes:
        _note(changes, call_id, now)
    return changes


def _note(changes: Sequence[Change], call_id: UUID | None, now: datetime) -> None:
    columns = {
        "id": uuid7s(len(changes)),
        "company": [change.company_id for change in changes],
        "agent": [change.agent_id for change in changes],
        "before": [change.before for change in changes],
        "after": [change.after for change in changes],
        "reason": [change.reason for change in changes],
    }
    prepared(_NOTE, {**columns, "call": call_id, "at": now})
