"""A bad day at the provider: every webhook twice, notifications shuffled, one in ten lost."""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg
import pytest

from curbe.dev.stack import Stack
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

CALLS = 50
SETTLED_WITHIN_S = 30
#: The callers of this test.
OURS = "from_number LIKE '+13055552%'"


def test_fifty_calls_through_all_trouble_leave_nothing_open_busy_or_lost(stack: Stack, sandbox: Sandbox) -> None:
    agents = _scripted_agents(stack, sandbox)
    sandbox.post("trouble", duplicate=True, shuffle=True, drop=True, seed=7)
    chance = random.Random(7)
    calls = []
    try:
        for number in range(CALLS):
            _beat(stack)
            talk = [{"wait_s": round(chance.uniform(0.3, 1.5), 2)}, {"hangup": True}]
            to = chance.choice(["+13055550100", "+13055550101", "+13055550102"])
            calls.append(sandbox.call(to, caller=f"+1305555{2000 + number}", script=talk, media=False))
            time.sleep(0.1)  # the callers' own pace, not a wait for anything
        wait_for("the last caller to hang up", lambda: all(map(sandbox.is_over, calls)), within_s=60)

        wait_for("everything to settle", lambda: _unsettled(stack, sandbox) == [], within_s=SETTLED_WITHIN_S)
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
    names = [row[0] for row in _rows(stack, "SELECT sip_username FROM telephony_sipendpoint")]
    return names if len(names) >= 2 else None


def _beat(stack: Stack) -> None:
    _rows(
        stack,
        "WITH beat AS (INSERT INTO agents_beat (agent_id, phone_id, last_seen_at, ready, microphone) "
        "SELECT agent_id, 'script', now(), true, true FROM telephony_sipendpoint "
        "ON CONFLICT (agent_id) DO UPDATE SET phone_id = 'script', last_seen_at = now(), ready = true, "
        "microphone = true RETURNING 1) SELECT count(*) FROM beat",
    )


def _unsettled(stack: Stack, sandbox: Sandbox) -> list[Any]:
    """Return what is still open: calls, offers, agents, and recordings that Telnyx has and we have not."""
    calls = _rows(stack, "SELECT 'call', id::text FROM telephony_call WHERE status <> 'completed'")
    offers = _rows(stack, "SELECT 'offer', id::text FROM telephony_offer WHERE outcome = 'pending'")
    busy = "activity <> 'IDLE' OR busy_call_id IS NOT NULL"
    agents = _rows(stack, f"SELECT 'agent', id::text FROM agents_agent WHERE {busy}")
    stored = {
        row[0] for row in _rows(stack, "SELECT telnyx_recording_id FROM recordings_recording WHERE state = 'stored'")
    }
    lost = [("recording", one) for one in sandbox.recordings() if one not in stored]
    return [*calls, *offers, *agents, *lost]
