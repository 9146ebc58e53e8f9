"""A bad day at the provider: every webhook twice, notifications shuffled, one in ten lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row, tuple_row

from curbe.dev.stack import Stack
from tests.browser.sandbox import Sandbox, TookTooLong, wait_for

pytestmark = pytest.mark.browser

CALLS = 50
SETTLED_WITHIN_S = 30
#: Which notifications are lost, and how late the others come; another number is another bad day.
SEED = int(os.environ.get("TROUBLE_SEED", "7"))
#: The callers of this test.
OF_ACME = "company_id = (SELECT id FROM companies_company WHERE slug = 'acme')"
OURS = "from_number LIKE '+13055552%'"


def test_fifty_calls_through_all_trouble_leave_nothing_open_busy_or_lost(
    stack: Stack, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    agents = _scripted_agents(stack, sandbox)
    sandbox.post("trouble", duplicate=True, shuffle=True, drop=True, seed=SEED)
    chance = random.Random(SEED)
    calls = []
    try:
        for number in range(CALLS):
            _beat(stack)
            talk = [{"wait_s": round(chance.uniform(0.3, 1.5), 2)}, {"hangup": True}]
            to = chance.choice(["+13055550100", "+13055550101", "+13055550102"])
            calls.append(sandbox.call(to, caller=f"+1305555{2000 + number}", script=talk, media=False))
            time.sleep(0.1)  # the callers' own pace, not a wait for anything
        wait_for("the last caller to hang up", lambda: all(map(sandbox.is_over, calls)), within_s=60)

        settled_s = _wait_until_settled(stack, sandbox, Evidence(stack, sandbox, calls, request.node.name))
        print(f"settled {settled_s:.1f} s after the last call")
        assert _rows(stack, f"SELECT count(*) FROM telephony_call WHERE {OURS}") == [(CALLS,)]
        answered = _rows(stack, f"SELECT count(*) FROM telephony_call WHERE {OURS} AND outcome = 'answered'")
        # Two agents who talk for about a second each cannot take many of fifty calls in seven.
        assert answered[0][0] >= CALLS // 10
    finally:
        sandbox.reset_trouble()
        for name in agents:
            sandbox.delete(f"agents/{name}")


def _rows(stack: Stack, sql: str) -> list[Any]:
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload]


def _scripted_agents(stack: Stack, sandbox: Sandbox) -> list[str]:
    """Let ana and luis answer by script: their telephones need no browser, and neither does their presence."""
    names = wait_for("the agents' credentials", lambda: _credentials(stack), within_s=20)
    for name, after_ms in zip(names, (150, 300), strict=False):
        sandbox.post(f"agents/{name}", answer_after_ms=after_ms)
    return list(names)


def _credentials(stack: Stack) -> list[str] | None:
    names = [row[0] for row in _rows(stack, f"SELECT sip_username FROM telephony_sipendpoint WHERE {OF_ACME}")]
    return names if len(names) >= 2 else None


def _beat(stack: Stack) -> None:
    _rows(
        stack,
        "WITH beat AS (INSERT INTO agents_beat (agent_id, phone_id, last_seen_at, ready, microphone) "
        f"SELECT agent_id, 'script', now(), true, true FROM telephony_sipendpoint WHERE {OF_ACME} "
        "ON CONFLICT (agent_id) DO UPDATE SET phone_id = 'script', last_seen_at = now(), ready = true, "
        "microphone = true RETURNING 1) SELECT count(*) FROM beat",
    )


def _wait_until_settled(stack: Stack, sandbox: Sandbox, evidence: Evidence) -> float:
    """Return after how many seconds nothing was unsettled any more; fail with the story of what still is.

    Gently: a test that asks all the time takes the machine that it waits for. Above all the pretend Telnyx is asked for
    its recordings only at the beginning and the end, because it makes a fresh link to each.
    """
    began = time.monotonic()
    recordings = sandbox.recordings()
    while unsettled := _unsettled(stack, recordings) or _unsettled(stack, recordings := sandbox.recordings()):
        waited_s = time.monotonic() - began
        if waited_s > SETTLED_WITHIN_S:
            evidence.keep(unsettled)
            raise TookTooLong(f"{waited_s:.0f} s after the last call:\n{evidence.story(unsettled)}")
        time.sleep(0.5)
    return time.monotonic() - began


def _unsettled(stack: Stack, recordings: list[str]) -> list[tuple[str, str]]:
    """Return what is still open: calls, offers, agents, and those of Telnyx's recordings that we have not."""
    stored = _rows(stack, "SELECT telnyx_recording_id FROM recordings_recording WHERE state = 'stored'")
    lost = sorted({*recordings} - {row[0] for row in stored})
    return [*_rows(stack, _OPEN), *(("recording", one) for one in lost)]


_OPEN = f"""
SELECT 'call', id::text FROM telephony_call WHERE status <> 'completed'
UNION ALL SELECT 'offer', id::text FROM telephony_offer WHERE outcome = 'pending'
UNION ALL SELECT 'agent', id::text FROM agents_agent
          WHERE {OF_ACME} AND (activity <> 'IDLE' OR busy_call_id IS NOT NULL)
"""


#: What is unsettled → the statements that tell its story; ``%(id)s`` is its id, as text.
_STORY = {
    "call": (
        "SELECT *, now() - last_news_at AS silent_for, now() - ended_at AS ended_ago FROM telephony_call"
        " WHERE id::text = %(id)s",
        "SELECT * FROM telephony_callleg WHERE call_id::text = %(id)s ORDER BY id",
        "SELECT * FROM telephony_offer WHERE call_id::text = %(id)s ORDER BY id",
        "SELECT * FROM recordings_recording WHERE call_id::text = %(id)s ORDER BY id",
        "SELECT id, kind, source, occurred_at, received_at, processed_at, processed_at - received_at AS took,"
        " next_attempt_at, attempts, error FROM telephony_telnyxevent WHERE call_id::text = %(id)s ORDER BY id",
    ),
    "offer": ("SELECT *, now() - expires_at AS overdue FROM telephony_offer WHERE id::text = %(id)s",),
    "agent": (
        "SELECT * FROM agents_agent WHERE id::text = %(id)s",
        "SELECT * FROM agents_presencechange WHERE agent_id::text = %(id)s ORDER BY id DESC LIMIT 10",
    ),
    "recording": ("SELECT *, now() - created_at AS age FROM recordings_recording WHERE telnyx_recording_id = %(id)s",),
}
#: The call of something unsettled.
_CALL_OF = {
    "call": "SELECT %(id)s",
    "offer": "SELECT call_id::text FROM telephony_offer WHERE id::text = %(id)s",
    "agent": "SELECT busy_call_id::text FROM agents_agent WHERE id::text = %(id)s AND busy_call_id IS NOT NULL",
}
_UNPROCESSED = (
    "SELECT id, kind, source, call_id, now() - received_at AS age, next_attempt_at - now() AS due_in, attempts, error"
    " FROM telephony_telnyxevent WHERE processed_at IS NULL ORDER BY id"
)


class Evidence:
    """What a failure leaves behind: the story of all that is unsettled, and the logs of every process."""

    def __init__(self, stack: Stack, sandbox: Sandbox, calls: list[str], test: str) -> None:
        self._stack, self._sandbox, self._calls = stack, sandbox, calls
        self._folder = Path(os.environ.get("CURBE_DATA", ".")) / "evidence" / test

    def keep(self, unsettled: list[tuple[str, str]]) -> None:
        """Write it all into the folder of evidence, which outlives the processes and their data."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._stack.logs, self._folder / "logs")
        (self._folder / "unsettled.txt").write_text(self.story(unsettled))
        seen = {call_id: self._sandbox.see(call_id) for call_id in self._calls}
        (self._folder / "sandbox-calls.json").write_text(json.dumps(seen, indent=1))

    def story(self, unsettled: list[tuple[str, str]]) -> str:
        lines = [f"evidence: {self._folder.resolve()}", "", "events not processed:", *self._table(_UNPROCESSED)]
        told: set[str] = set()
        for kind, id_ in unsettled:
            lines += ["", f"{kind} {id_}"]
            for statement in _STORY[kind]:
                lines += self._table(statement, id=id_)
            for call_id in self._calls_of(kind, id_) - told - {id_}:
                told.add(call_id)
                lines.append(f"  its call {call_id}")
                for statement in _STORY["call"]:
                    lines += self._table(statement, id=call_id)
        return "\n".join(lines)

    def _calls_of(self, kind: str, id_: str) -> set[str]:
        """Return the ids of the calls that it belongs to; a recording that we have not is found by its session."""
        if kind != "recording":
            return {row[0] for row in self._query(_CALL_OF[kind], id=id_)}
        remote = self._sandbox.recording(id_)
        ids = [remote["call_control_id"], remote["call_leg_id"], remote["call_session_id"]]
        rows = self._query("SELECT call_id::text FROM telephony_callidentifier WHERE value = ANY(%(ids)s)", ids=ids)
        return {row[0] for row in rows}

    def _table(self, statement: str, **values: Any) -> list[str]:
        """Return a line per row, without what is empty."""
        rows = self._query(statement, dict_row, **values)
        return [
            "  - " + ", ".join(f"{name}={row[name]}" for name in row if row[name] not in (None, "")) for row in rows
        ]

    def _query(self, statement: str, row_factory: Any = tuple_row, **values: Any) -> list[Any]:
        with psycopg.connect(self._stack.env["DATABASE_URL"], autocommit=True, row_factory=row_factory) as connection:
            return connection.execute(statement, values).fetchall()
