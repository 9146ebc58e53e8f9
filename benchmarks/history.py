"""The history of a company with a million calls: each filter, and pairs of them, in the database and as a page.

`CURBE_BENCH_CALLS` makes the history shorter. The figure of the database is the sum of the page's statements, each with
its way there and back; the page's is one request of a browser, the median and the worst of ten.
"""

from __future__ import annotations

import http.client
import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import psycopg

from benchmarks.inside import django_of
from curbe.dev.stack import Stack

CALLS: Final = int(os.environ.get("CURBE_BENCH_CALLS", "1000000"))
ROUNDS: Final = 10
DATABASE_MS: Final = 50
SERVED_MS: Final = 150

#: Two years of calls of which a fifth was written down, five queues (the last one rare), ten agents (the tenth left
#: after the first months), two hundred thousand customers of whom a third have names.
_FILL: Final = """
INSERT INTO telephony_callqueue
  SELECT (jsonb_populate_record(q, jsonb_build_object('id', 1000 + n, 'name', 'queue ' || n))).*
  FROM telephony_callqueue q, generate_series(1, 5) n WHERE q.id = 1;
INSERT INTO contacts_contact (id, company_id, name, language, created_at)
  SELECT c, 1, 'Contact ' || md5(c::text), '', now() FROM generate_series(1, 5000) c;
INSERT INTO telephony_disposition (id, company_id, code, name, is_system, is_active, position)
  SELECT d, 1, 'said-' || d, 'Said ' || d, false, true, d FROM generate_series(1, 6) d;
DROP INDEX call_grams;
INSERT INTO telephony_call (id, company_id, direction, from_number, to_number, contact_id, caller_name, number_id,
  queue_id, agent_id, status, outcome, root_call_sid, called_sid, phase, account_sid, connection_id, step, started_at,
  answered_at, ended_at, hangup_cause, last_news_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8'
    || substr(md5(i::text), 4, 15))::uuid, 1, direction,
  CASE direction WHEN 'inbound' THEN customer ELSE ours END, CASE direction WHEN 'inbound' THEN ours ELSE customer END,
  CASE WHEN who %% 40 = 0 THEN who / 40 + 1 END,
  CASE WHEN i %% 333333 = 7 THEN 'Zenobia Quirós' WHEN who %% 3 = 0
    THEN (ARRAY['María','John','Lucía','Óscar','Chen','Ana','Peter'])[who %% 7 + 1] || ' '
      || (ARRAY['Fernández','Whitaker','Núñez','Li','Gómez'])[who %% 5 + 1] || ' '
      || left(md5(who::text), 6) ELSE '' END,
  i %% 10 + 1,
  CASE WHEN direction = 'outbound' THEN NULL WHEN i %% 1000 = 0 THEN 1005 ELSE 1001 + i %% 4 END,
  CASE WHEN outcome NOT IN ('answered', 'no_answer') THEN NULL WHEN i < {calls} / 4 AND i %% 10 = 0 THEN 10
    ELSE i %% 9 + 1 END,
  'completed', outcome, 'bench:' || i, '', '', '', '', 1, at, CASE outcome WHEN 'answered' THEN at + interval '9 s' END,
  at + interval '80 s', 'normal_clearing', at
FROM (
  SELECT i, now() - ({calls} - i) * interval '63 s' * (1000000.0 / {calls}) AS at, who,
    '+1' || (3051000000 + who * 7919 %% 900000000) AS customer, '+1' || (3050000001 + i %% 10) AS ours,
    CASE WHEN i %% 5 = 4 THEN 'outbound' ELSE 'inbound' END AS direction,
    CASE WHEN i %% 5 = 4 THEN CASE WHEN i %% 3 = 0 THEN 'no_answer' ELSE 'answered' END
      WHEN i %% 20 = 1 THEN 'missed' WHEN i %% 20 = 2 THEN 'abandoned' WHEN i %% 20 = 3 THEN 'voicemail'
      WHEN i %% 5000 = 5 THEN 'failed' ELSE 'answered' END AS outcome
  FROM (SELECT i, (hashint4(i) & 2147483647) %% 200000 AS who FROM generate_series(1, {calls}) i) numbered
) made;
INSERT INTO recordings_recording (id, company_id, call_id, kind, telnyx_recording_id, source_url, state, audio,
  content_type, sha256, layout, channels, duration_s, attempts, error, created_at)
SELECT id, 1, id, CASE outcome WHEN 'voicemail' THEN 'voicemail' ELSE 'call' END, 'bench:' || id, '', 'stored', '',
  'audio/mpeg', '', '', 2, 71, 1, '', started_at
FROM telephony_call
WHERE company_id = 1 AND outcome IN ('answered', 'voicemail') AND substr(root_call_sid, 7)::int %% 50 > 0;
INSERT INTO telephony_callwrapup (company_id, call_id, agent_id, mode, started_at, until, ended_at, ended_how,
  disposition_id, note)
SELECT 1, id, agent_id, 'OPTIONAL', ended_at, ended_at, ended_at, 'done',
  CASE WHEN substr(root_call_sid, 7)::int %% 4999 = 6 THEN 6 ELSE substr(root_call_sid, 7)::int %% 5 + 1 END, ''
FROM telephony_call WHERE company_id = 1 AND outcome = 'answered' AND agent_id IS NOT NULL;
INSERT INTO recordings_transcript (company_id, call_id, telnyx_recording_id, party, state, text, segments, looks,
  created_at)
SELECT 1, c.id, 'bench:' || c.id, '', 'saved', said.text
    || CASE WHEN substr(c.root_call_sid, 7)::int %% 333333 = 10 THEN ' zanahoria' ELSE '' END, '[]', 0, c.started_at
FROM telephony_call c
CROSS JOIN LATERAL (
  SELECT string_agg((ARRAY['quiero','cancelar','the','factura','invoice','hola','gracias','cuenta','account','pedido',
    'order','mañana','tomorrow','precio','price','pago','payment','nombre','name','sí'])
    [(hashint8(w * 7919 + substr(c.root_call_sid, 7)::int) & 2147483647) %% 20 + 1], ' ') AS text
  FROM generate_series(1, 40) w
) said
WHERE c.company_id = 1 AND substr(c.root_call_sid, 7)::int %% 5 = 0 AND c.outcome = 'answered';
CREATE INDEX call_grams ON telephony_call
  USING gin (telephony_call_grams(direction, from_number, to_number, caller_name));
ALTER INDEX call_grams ALTER COLUMN 1 SET STATISTICS 500;
VACUUM ANALYZE telephony_call;
VACUUM ANALYZE recordings_recording;
VACUUM ANALYZE recordings_transcript;
VACUUM ANALYZE telephony_callwrapup;
VACUUM ANALYZE telephony_callqueue;
VACUUM ANALYZE contacts_contact;
VACUUM ANALYZE telephony_disposition
"""

#: What is asked, in the words of the page's address.
ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "no filter": {},
    "whole number": {"number": "+1 305 100 7919"},
    "number of ours": {"number": "+13050000003"},
    "4 digits": {"number": "7919"},
    "7 digits": {"number": "1007919"},
    "2 digits": {"number": "19"},
    "digits that nobody has": {"number": "4040404"},
    "part of our numbers": {"number": "305000000"},
    "common name": {"number": "maría"},
    "rare name": {"number": "zenobia quir"},
    "name that nobody has": {"number": "xylophon"},
    "name and digits": {"number": "fernández 1007"},
    "agent": {"agent": "3"},
    "agent who left": {"agent": "10"},
    "queue": {"queue": "1002"},
    "rare queue": {"queue": "1005"},
    "inbound": {"direction": "inbound"},
    "outbound": {"direction": "outbound"},
    "missed": {"show": "missed"},
    "rare outcome": {"outcome": "failed"},
    "outcome that no call has": {"outcome": "canceled"},
    "disposition": {"disposition": "said-2"},
    "rare disposition": {"disposition": "said-6"},
    "disposition of nobody": {"disposition": "said-9"},
    "with recording": {"recording": "with"},
    "without recording": {"recording": "without"},
    "contact": {"contact": "77"},
    "a day long ago": {"from": "2025-06-01", "to": "2025-06-01"},
    "last 30 days": {"period": "30d"},
    "agent, missed": {"agent": "3", "show": "missed"},
    "agent, a month long ago": {"agent": "3", "from": "2025-06-01", "to": "2025-06-30"},
    "agent who left, last 30 days": {"agent": "10", "period": "30d"},
    "queue, abandoned": {"queue": "1003", "outcome": "abandoned"},
    "rare queue, missed": {"queue": "1005", "show": "missed"},
    "rare queue, agent": {"queue": "1005", "agent": "3"},
    "outbound, no answer": {"direction": "outbound", "outcome": "no_answer"},
    "inbound, agent": {"direction": "inbound", "agent": "5"},
    "agent, rare disposition": {"agent": "3", "disposition": "said-6"},
    "queue, without recording": {"queue": "1002", "recording": "without"},
    "answered, without recording": {"outcome": "answered", "recording": "without"},
    "missed, with recording": {"outcome": "missed", "recording": "with"},
    "4 digits, last 30 days": {"number": "7919", "period": "30d"},
    "common name, agent": {"number": "maría", "agent": "3"},
    "common name, rare queue": {"number": "maría", "queue": "1005"},
    "said often": {"said": "factura"},
    "said often, a phrase": {"said": '"pago mañana"'},
    "said once a year": {"said": "zanahorias"},
    "said by nobody": {"said": "ornitorrinco"},
    "said often, agent": {"said": "factura", "agent": "3"},
    "said often, a month long ago": {"said": "factura", "from": "2025-06-01", "to": "2025-06-30"},
    "common name, rare outcome": {"number": "maría", "outcome": "failed"},
}


def fill(connection: psycopg.Connection) -> None:
    """Give the first company its calls. ``benchmarks.data.fill`` was there before."""
    for statement in _FILL.format(calls=CALLS).replace("%%", "%").split(";\n"):
        connection.execute(statement.strip(), prepare=False)  # type: ignore[call-overload]


def report(stack: Stack) -> None:
    """Print a line per question: what the database took, and the page."""
    django_of(stack.env)
    _supervisor()
    cookie = _cookie()
    limits = f"limits {DATABASE_MS} ms in the database, {SERVED_MS} ms served"
    print(f"History of {CALLS:,} calls: {limits} (median, worst of {ROUNDS})")
    for name, query in ASKED.items():
        found, database = _in_the_database(query)
        served = _served(stack, cookie, query)
        late = " ← over" if database[1] > DATABASE_MS or served[1] > SERVED_MS else ""
        print(
            f"  {name:32} {found:3} rows   database {database[0]:6.1f} {database[1]:6.1f} ms   "
            f"served {served[0]:6.1f} {served[1]:6.1f} ms{late}",
            flush=True,
        )


def _in_the_database(query: Mapping[str, str]) -> tuple[int, tuple[float, float]]:
    from django.db import connection
    from django.db.models import Q
    from django.utils import timezone

    from curbe.companies.models import Membership, Role
    from telephony.models import Call
    from telephony.queries import history
    from telephony.queries.filters import read

    taken, found = [], 0
    zone = history.zone_of("America/New_York")
    owner = Membership(company_id=1, role=Role.OWNER)
    for _ in range(ROUNDS):
        spent = 0.0

        def timed(execute: Any, *arguments: Any) -> Any:
            nonlocal spent
            started = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                spent += time.perf_counter() - started

        with connection.execute_wrapper(timed):
            calls = Call.objects.filter(company=1)
            asked = replace(read(query), heard_by=Q())
            page = history.page(calls, asked, older_than=None, now=timezone.now(), zone=zone, hearer=owner)
        found = len(page.calls)
        taken.append(spent * 1000)
    return found, _figures(taken)


def _served(stack: Stack, cookie: str, query: Mapping[str, str]) -> tuple[float, float]:
    taken = []
    connection = http.client.HTTPConnection(stack.host, stack.ports["PORT"], timeout=60)
    for _ in range(ROUNDS):
        started = time.perf_counter()
        connection.request("GET", f"/calls/?{urlencode(query)}", headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        taken.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, answer.status
    connection.close()
    return _figures(taken)


def _figures(taken: list[float]) -> tuple[float, float]:
    return statistics.median(taken), sorted(taken)[max(0, round(len(taken) * 0.95) - 1)]


def _cookie() -> str:
    from django.conf import settings
    from django.test import Client

    from curbe.companies.models import User

    client = Client()
    client.force_login(User.objects.get(username="agent-1"))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def _supervisor() -> None:
    """Only who supervises may search by what was said."""
    from curbe.companies.models import Membership, Role

    Membership.objects.filter(user__username="agent-1").update(role=Role.SUPERVISOR)
