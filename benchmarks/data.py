"""Companies by the thousand, made by the database itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Final

import psycopg

from telephony.core.plan import CompanyPlan, QueuePlan
from telephony.core.plan_json import plan_as_json

#: Numbers and agents of one company.
NUMBERS_PER_COMPANY: Final = 10
AGENTS_PER_COMPANY: Final = 10
MEMBERS_PER_QUEUE: Final = 5


@dataclass(frozen=True, slots=True)
class Size:
    companies: int

    @property
    def numbers(self) -> int:
        return self.companies * NUMBERS_PER_COMPANY

    @property
    def agents(self) -> int:
        return self.companies * AGENTS_PER_COMPANY


_FILL: Final = """
INSERT INTO companies_company (id, public_id, slug, name, timezone, language, routing_mode, fallback_number,
  outbound_countries, created_at)
  SELECT c, lpad(to_hex(c), 8, '0'), 'bench-' || c, 'Bench ' || c, 'UTC', 'es', 'auto', '', '{{US}}', now()
  FROM generate_series(1, {companies}) c;
INSERT INTO companies_user (id, password, is_superuser, username, email, is_staff, is_active, date_joined, name,
  language)
  SELECT a, '!', false, 'agent-' || a, '', false, true, now(), 'Agent ' || a, '' FROM generate_series(1, {agents}) a;
INSERT INTO companies_membership (user_id, company_id, role, created_at)
  SELECT a, (a - 1) / {per_company} + 1, 'agent', now() FROM generate_series(1, {agents}) a;
INSERT INTO agents_agent (id, company_id, user_id, is_active, intent, activity, idle_since, presence, presence_at,
  created_at)
  SELECT a, (a - 1) / {per_company} + 1, a, true, 'AVAILABLE', 'IDLE', now() - (a % 600) * interval '1 second',
    'AVAILABLE', now(), now() FROM generate_series(1, {agents}) a;
INSERT INTO agents_beat (agent_id, phone_id, last_seen_at, ready, microphone)
  SELECT a, 'phone-' || a, now(), true, true FROM generate_series(1, {agents}) a;
INSERT INTO telephony_sipendpoint (company_id, agent_id, telnyx_credential_id, sip_username, connection_id, created_at)
  SELECT (a - 1) / {per_company} + 1, a, 'credential-' || a, 'gencred' || a, '1', now()
  FROM generate_series(1, {agents}) a;
INSERT INTO telephony_callqueue (id, company_id, created_at, {queue_columns})
  SELECT c, c, now(), {queue_values} FROM generate_series(1, {companies}) c;
INSERT INTO telephony_queuemember (queue_id, agent_id)
  SELECT (a - 1) / {per_company} + 1, a FROM generate_series(1, {agents}) a WHERE (a - 1) % {per_company} < {members};
INSERT INTO telephony_phonenumber (company_id, e164, label, telnyx_id, connection_id, destination, queue_id, forward_to,
  words, language, created_at)
  SELECT (n - 1) / {numbers_per_company} + 1, '+1' || (3050000000 + n), '', '', '', 'queue',
    (n - 1) / {numbers_per_company} + 1, '', '', '', now() FROM generate_series(1, {numbers}) n;
INSERT INTO telephony_planversion (company_id, document, created_at)
  SELECT c, jsonb_set('{plan}', '{{queues,0,id}}', to_jsonb(c)), now() FROM generate_series(1, {companies}) c;
"""


FILLED: Final = (
    "companies_company",
    "companies_user",
    "companies_membership",
    "agents_agent",
    "agents_beat",
    "telephony_sipendpoint",
    "telephony_callqueue",
    "telephony_queuemember",
    "telephony_phonenumber",
    "telephony_planversion",
)

#: The one queue of each company; its row and its plan say the same.
QUEUE: Final = QueuePlan(1, "ventas")
_PLAN: Final = CompanyPlan(1, "es", queues={QUEUE.id: QUEUE})
#: Fields of a queue's plan that are no column of its row, or refer to another one.
_NO_COLUMN: Final = frozenset({"id", "requirements", "hours_id", "overflow", "when_closed"})


def _literal(value: object) -> str:
    return str(value) if isinstance(value, bool | int) and not isinstance(value, str) else f"'{value}'"


def fill(connection: psycopg.Connection, size: Size) -> None:
    """Make the companies with their agents (all online), one queue each, and numbers that lead to it."""
    row = {one.name: getattr(QUEUE, one.name) for one in fields(QUEUE) if one.name not in _NO_COLUMN}
    statement = _FILL.format(
        plan=json.dumps(plan_as_json(_PLAN)),
        queue_columns=", ".join(f'"{name}"' for name in row),
        queue_values=", ".join(_literal(value) for value in row.values()),
        companies=size.companies,
        agents=size.agents,
        numbers=size.numbers,
        per_company=AGENTS_PER_COMPANY,
        numbers_per_company=NUMBERS_PER_COMPANY,
        members=MEMBERS_PER_QUEUE,
    )
    with connection.transaction():
        connection.execute("TRUNCATE companies_company, companies_user RESTART IDENTITY CASCADE", prepare=False)
        for one in statement.split(";\n"):
            if one.strip():
                connection.execute(one, prepare=False)  # type: ignore[call-overload]
    # Only what was filled: an analysed empty table of calls would be planned as one that stays empty.
    connection.execute(f"VACUUM ANALYZE {', '.join(FILLED)}")  # type: ignore[call-overload]


def everybody_idle(connection: psycopg.Connection) -> None:
    # Their word too: after calls that rang them, each first beat would be a change of presence, and not a beat.
    connection.execute(
        "UPDATE agents_agent SET activity = 'IDLE', busy_call_id = NULL, reserved_until = NULL, presence = 'AVAILABLE'"
    )
    everybody_beats(connection)
    connection.execute("VACUUM ANALYZE agents_agent")


def everybody_on_a_break(connection: psycopg.Connection) -> None:
    """Leave nobody to ring: a call is read, decided and written, but claims nobody."""
    connection.execute("UPDATE agents_agent SET intent = 'BREAK'")
    connection.execute("VACUUM ANALYZE agents_agent")


def everybody_available(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE agents_agent SET intent = 'AVAILABLE'")
    everybody_idle(connection)


def everybody_beats(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE agents_beat SET last_seen_at = now()")
