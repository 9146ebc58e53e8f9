"""The account at size: 10,000 numbers audited against the sandbox in pages of 250, and 100 log-ins at once.

The audit is the command itself in a process of its own, whose memory and time the system tells (``wait4``); how often
it asked Telnyx, the sandbox's log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import requests

from benchmarks import load
from benchmarks.centre import HANDS, Sandbox, wait_for
from curbe.dev import config
from curbe.dev.stack import Stack

NUMBERS: Final = int(os.environ.get("CURBE_BENCH_NUMBERS", "10000"))
#: So many of them somebody repointed in the portal.
REPOINTED: Final = 200
LOG_INS: Final = 100
PAGE: Final = 250


@dataclass(frozen=True)
class Run:
    seconds: float
    peak_mb: float
    requests: int
    said: str


def report(stack: Stack) -> None:
    """Print what an audit of the whole account costs, and 100 log-ins at once."""
    sandbox = Sandbox(stack.url("sandbox"))
    application_id = _one(stack, "SELECT texml_application_id FROM telephony_telnyxaccount WHERE company_id IS NULL")
    connection_id = _one(stack, "SELECT credential_connection_id FROM telephony_telnyxaccount WHERE company_id IS NULL")
    _fill(stack, sandbox, application_id)
    print(f"The account: {NUMBERS:,} numbers; load {os.getloadavg()[0]:.1f}")
    _row("audit, all right", _audit(stack))
    _repoint(sandbox, connection_id)
    _row(f"audit, {REPOINTED} numbers repointed", _audit(stack))
    _row(f"audit --fix of those {REPOINTED}", _audit(stack, "--fix"))
    print()
    _log_ins(stack)


def _row(what: str, run: Run) -> None:
    last = run.said.strip().splitlines()[-1] if run.said.strip() else ""
    print(f"  {what:<36} {run.seconds:5.1f} s, {run.peak_mb:4.0f} MB at the most, {run.requests} requests; {last[:70]}")


def _fill(stack: Stack, sandbox: Sandbox, application_id: str) -> None:
    """Give account and database the same numbers, linked."""

    def add(serial: int) -> tuple[str, str]:
        made = sandbox.ask("POST", "numbers", {"e164": f"+1786{serial:07d}", "connection_id": application_id})
        return made["e164"], made["id"]

    with ThreadPoolExecutor(HANDS) as hands:
        made = list(hands.map(add, range(2_000_000, 2_000_000 + NUMBERS)))
    columns = "company_id, e164, telnyx_id, connection_id, destination, label, forward_to, words, language, created_at"
    with _database(stack) as database, database.cursor() as cursor:
        company_id = database.execute("SELECT min(id) FROM companies_company").fetchone()
        assert company_id is not None
        with cursor.copy(f"COPY telephony_phonenumber ({columns}) FROM STDIN") as copy:
            for e164, telnyx_id in made:
                at = "2026-01-01 00:00:00+00"
                copy.write_row((company_id[0], e164, telnyx_id, application_id, "none", "", "", "", "", at))


def _repoint(sandbox: Sandbox, connection_id: str) -> None:
    for serial in range(2_000_000, 2_000_000 + REPOINTED):
        sandbox.ask("POST", "numbers", {"e164": f"+1786{serial:07d}", "connection_id": connection_id})


def _audit(stack: Stack, *options: str) -> Run:
    before, began = _asked(stack), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "telnyx_audit", *options],
        cwd=config.ROOT,
        env=stack.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    return Run(seconds, usage.ru_maxrss / 1024, _asked(stack) - before - 1, said)


def _asked(stack: Stack) -> int:
    """Return how many requests the sandbox's API has had: each has a number."""
    requests.get(f"{stack.url('sandbox')}/v2/balance", headers={"Authorization": "Bearer bench"}, timeout=10)
    log: dict[str, Any] = requests.get(f"{stack.url('sandbox')}/_sandbox/log", timeout=10).json()
    return int(log["exchanges"][-1]["seq"])


# --- Log-ins ------------------------------------------------------------------------------------------------------


def _log_ins(stack: Stack) -> None:
    made = json.loads(
        stack.run([sys.executable, "-m", "benchmarks.account", str(LOG_INS)], capture=True).splitlines()[-1]
    )
    with _database(stack) as database:
        missing = (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM agents_agent a LEFT JOIN telephony_sipendpoint s"
            " ON s.agent_id = a.id WHERE a.is_active AND s.id IS NULL)"
        )
        wait_for("the agents' credentials", lambda: bool(database.execute(missing).fetchall()), within_s=300)
    host, port = stack.host, stack.ports["PORT"]
    wishes = [
        load.http(
            "POST",
            "/api/webrtc/token",
            f"{host}:{port}",
            json.dumps({"phoneId": f"bench-{place}"}).encode(),
            Content_Type="application/json",
            Cookie=f"{made['session_cookie']}={key}; {made['csrf_cookie']}={made['csrf']}",
            X_CSRFToken=made["csrf"],
            Origin=f"http://{host}:{port}",
        )
        for place, key in enumerate(made["sessions"])
    ]
    figures = load.run(host, port, wishes, connections=LOG_INS)
    print(f"{LOG_INS} log-ins at once (one web process of 4 threads); load {os.getloadavg()[0]:.1f}")
    print(
        f"  all have a token after {figures.seconds:.2f} s; p50 {figures.p50_ms:.0f}, p99 {figures.p99_ms:.0f} ms; "
        f"answers {figures.statuses}"
    )
    print()


def furnish(count: int) -> dict[str, Any]:
    """Make a company with so many agents, each with a session."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from agents.models import Agent
    from curbe.companies.models import Company, Membership, Role, User

    company = Company.objects.create(slug="bench-logins", name="Bench logins")
    sessions = []
    for number in range(count):
        user = User.objects.create(username=f"login-{number}", name=f"Login {number}")
        Membership.objects.create(company=company, user=user, role=Role.AGENT)
        Agent.objects.get_or_create(company=company, user=user)
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        sessions.append(session.session_key)
    return {
        "sessions": sessions,
        "session_cookie": settings.SESSION_COOKIE_NAME,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "csrf": "a" * 32,
    }


def _one(stack: Stack, sql: str) -> str:
    with _database(stack) as database:
        row = database.execute(sql).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return str(row[0])


@contextmanager
def _database(stack: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        yield database


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curbe.settings")
    django.setup()
    print(json.dumps(furnish(int(sys.argv[1]))))
