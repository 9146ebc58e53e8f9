"""How agents stand, row by row: locked, changed in memory, written back together.

Plain rows instead of models: a sweep moves a thousand of them, and each model would cost as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from agents.models import Activity, BreakReason, Intent, WrapUpMode
from agents.presence import AgentFacts, derive, is_busy
from agents.wrap_ups import WrapUp
from curbe.lib.db import prepared
from curbe.lib.ids import uuid7s

_LOCK: Final = """
SELECT agent.id, agent.company_id, agent.is_active, agent.intent, agent.intent_before, agent.break_reason_id,
       agent.break_since, agent.break_until, agent.activity, agent.busy_call_id, agent.reserved_until,
       agent.wrap_up_until, agent.wrap_up_since, agent.wrap_up_mode, agent.wrap_up_call_id,
       agent.idle_since, agent.presence, agent.presence_at, agent.missed_in_a_row, agent.on_duty_since,
       agent.calls_on_day, agent.calls_on_date,
       beat.last_seen_at, coalesce(beat.ready, false), coalesce(beat.microphone, false),
       coalesce(beat.degraded, false),
       coalesce(reason.code, ''), coalesce(reason.hard_limit_s, 0), coalesce(reason.at_limit, '')
  FROM agents_agent AS agent
  LEFT JOIN agents_beat AS beat ON beat.agent_id = agent.id
  LEFT JOIN agents_breakreason AS reason ON reason.id = agent.break_reason_id
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

#: Column → its type, in the order in which rows are written.
_TYPES: Final[Mapping[str, str]] = {
    "id": "bigint",
    "intent": "text",
    "intent_before": "text",
    "break_reason_id": "bigint",
    "break_since": "timestamptz",
    "break_until": "timestamptz",
    "activity": "text",
    "busy_call_id": "uuid",
    "reserved_until": "timestamptz",
    "wrap_up_until": "timestamptz",
    "wrap_up_since": "timestamptz",
    "wrap_up_mode": "text",
    "wrap_up_call_id": "uuid",
    "idle_since": "timestamptz",
    "presence": "text",
    "presence_at": "timestamptz",
    "missed_in_a_row": "smallint",
    "on_duty_since": "timestamptz",
    "calls_on_day": "integer",
    "calls_on_date": "date",
}
_WRITE: Final = f"""
WITH changed AS (
    SELECT *
      FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _TYPES.items())})
        AS changed ({", ".join(_TYPES)})
)
UPDATE agents_agent AS agent
   SET {", ".join(f"{name} = changed.{name}" for name in _TYPES if name != "id")}
  FROM changed
 WHERE agent.id = changed.id
RETURNING agent.id
"""

_NOTE: Final = """
INSERT INTO agents_presencechange
  (id, company_id, agent_id, before, after, reason, call_id, break_code, actor_id, words, at)
SELECT change.id, change.company_id, change.agent_id, change.before, change.after, change.reason, change.call_id,
       change.break_code, %(actor)s, %(words)s, %(at)s
  FROM unnest(
           %(id)s::uuid[], %(company)s::bigint[], %(agent)s::bigint[], %(before)s::text[], %(after)s::text[],
           %(reason)s::text[], %(call)s::uuid[], %(break_code)s::text[]
       ) AS change (id, company_id, agent_id, before, after, reason, call_id, break_code)
RETURNING agent_id
"""


@dataclass(slots=True)
class Standing:
    """One agent's row with his beat, in the order of the columns above."""

    id: int
    company_id: int
    is_active: bool
    intent: str
    intent_before: str
    break_reason_id: int | None
    break_since: datetime | None
    break_until: datetime | None
    activity: str
    busy_call_id: UUID | None
    reserved_until: datetime | None
    wrap_up_until: datetime | None
    wrap_up_since: datetime | None
    wrap_up_mode: str
    wrap_up_call_id: UUID | None
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
    degraded: bool
    #: Of the break's reason; empty, and 0, without one.
    break_code: str
    break_limit_s: int
    break_at_limit: str
    #: To be noted although the word stays what it was.
    is_noted: bool = False

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
            degraded=self.degraded,
            intent_before=self.intent_before,
        )

    def free(self) -> None:
        self.activity = Activity.IDLE
        self.busy_call_id = self.reserved_until = None
        self._forget_wrap_up()

    def _forget_wrap_up(self) -> None:
        self.wrap_up_until = self.wrap_up_since = self.wrap_up_call_id = None
        self.wrap_up_mode = ""

    def leave_call(self, policy: WrapUp | None, now: datetime) -> None:
        """Free the agent from what held him; into wrap-up if he was on a call, and it asks for that."""
        talked, call_id = self.activity == Activity.ON_CALL, self.busy_call_id
        self.free()
        if talked and policy is not None and policy.lasts_s:
            self.activity = Activity.WRAP_UP
            self.wrap_up_since, self.wrap_up_until = now, now + timedelta(seconds=policy.lasts_s)
            self.wrap_up_mode, self.wrap_up_call_id = WrapUpMode(policy.mode), call_id

    def put_on_call(self, call_id: UUID, today: date) -> None:
        if (self.activity, self.busy_call_id) != (Activity.ON_CALL, call_id):
            self.calls_on_day = self.calls_on_day + 1 if self.calls_on_date == today else 1
            self.calls_on_date = today
        self.activity = Activity.ON_CALL
        self.busy_call_id = call_id
        self.missed_in_a_row = 0
        self.reserved_until = None
        self._forget_wrap_up()

    def miss(self, most: int) -> None:
        """Count a call that he let ring out; past ``most`` in a row (0: any number) he is not responding."""
        self.missed_in_a_row += 1
        if most and self.missed_in_a_row >= most:
            self.activity = Activity.NOT_RESPONDING

    def come_back(self) -> None:
        self.missed_in_a_row = 0
        if self.activity == Activity.NOT_RESPONDING:
            self.free()

    def choose(self, intent: str, reason: BreakReason | None) -> bool:
        """Set what the person chose; return whether it is anything new. From one break to another is one change."""
        reason_id = reason.pk if reason is not None else None
        if (self.intent, self.break_reason_id) == (intent, reason_id):
            return False
        # The word stays, so the reports would not know of the second break.
        self.is_noted = self.presence == Intent.BREAK == intent
        self.intent, self.break_reason_id = intent, reason_id
        self.break_since = self.break_until = None
        self.break_code = reason.code if reason is not None else ""
        self.break_limit_s = reason.hard_limit_s if reason is not None else 0
        self.break_at_limit = str(reason.at_limit) if reason is not None else ""
        return True

    def settle_choice(self, *, is_busy: bool, now: datetime) -> None:
        """Let what was chosen hold, if nothing is before it: a break begins when the call and its wrap-up are over."""
        if not is_busy:
            self.intent_before = self.intent
        if self.intent != Intent.BREAK:
            self.break_reason_id = self.break_since = self.break_until = None
        elif self.break_since is None and not is_busy:
            self.break_since = now
            self.break_until = now + timedelta(seconds=self.break_limit_s) if self.break_limit_s else None

    def reach_break_limit(self) -> None:
        """Do at the hard limit of a break what its reason says; once."""
        self.break_until = None
        match self.break_at_limit:
            case BreakReason.AtLimit.AUTO_RETURN:
                self.intent = Intent.AVAILABLE
            case BreakReason.AtLimit.SET_OFFLINE:
                self.intent = Intent.OFFLINE
            case _:
                self.is_noted = True


@dataclass(frozen=True, slots=True)
class Change:
    """A word that changed, or something else that is noted with it."""

    agent_id: int
    company_id: int
    before: str
    after: str
    reason: str
    call_id: UUID | None
    break_code: str


@dataclass(frozen=True, slots=True)
class By:
    """Who did it, and what he gave as the reason."""

    user_id: int | None = None
    words: str = ""


#: The clock, the carrier or the browser.
NOBODY: Final = By()


def lock(statement: str, *, agents: Sequence[int] = (), call: UUID | None = None) -> list[Standing]:
    """Return the rows of one of the LOCK statements, locked until the end of the transaction, in the order of ids."""
    return [Standing(*row) for row in prepared(statement, {"agents": list(agents), "call": call})]


def write(
    rows: Sequence[Standing],
    *,
    reasons: Mapping[int, str],
    calls: Mapping[int, UUID | None],
    now: datetime,
    by: By = NOBODY,
) -> list[Change]:
    """Derive each row's word anew and write the rows; return what changed, noted already.

    ``reasons`` has one for the agent of each row, ``calls`` the call that it is about, if it is about one. One UPDATE,
    and one INSERT where a word changed.
    """
    changes = []
    for row in rows:
        facts = row.facts()
        row.settle_choice(is_busy=is_busy(facts, now), now=now)
        before, row.presence = row.presence, derive(facts, now)
        if row.presence == before and not row.is_noted:
            continue
        if row.presence != before:
            row.presence_at = now
            if before == "OFFLINE":
                row.on_duty_since = now
            # A ring that was not answered does not send him to the end of the line; a call, a break, an absence do.
            if row.presence == "AVAILABLE" and before != "RINGING":
                row.idle_since = now
        code = row.break_code if row.presence == "BREAK" else ""
        reason, call_id = reasons[row.id], calls.get(row.id)
        changes.append(Change(row.id, row.company_id, before, row.presence, reason, call_id, code))
    if rows:
        prepared(_WRITE, {name: [getattr(row, name) for row in rows] for name in _TYPES})
    if changes:
        _note(changes, by, now)
    return changes


def _note(changes: Sequence[Change], by: By, now: datetime) -> None:
    columns = {
        "id": uuid7s(len(changes)),
        "company": [change.company_id for change in changes],
        "agent": [change.agent_id for change in changes],
        "before": [change.before for change in changes],
        "after": [change.after for change in changes],
        "reason": [change.reason for change in changes],
        "call": [change.call_id for change in changes],
        "break_code": [change.break_code for change in changes],
    }
    prepared(_NOTE, {**columns, "actor": by.user_id, "words": by.words, "at": now})
