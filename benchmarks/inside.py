"""What is measured inside a process of our own: queries, the pure core, the sweep."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

PURE_ROUNDS: Final = 5_000


def django_of(env: Mapping[str, str]) -> None:
    import django
    from django.apps import apps

    if not apps.ready:
        os.environ.update(env)
        django.setup()


def tickets(env: Mapping[str, str], agent_ids: Sequence[int]) -> list[tuple[str, bytes]]:
    """Return a phone ticket and a heartbeat's body for each agent."""
    django_of(env)
    from agents.tickets import issue
    from benchmarks.data import AGENTS_PER_COMPANY

    made = []
    for agent_id in agent_ids:
        company_id = (agent_id - 1) // AGENTS_PER_COMPANY + 1
        company = f"{company_id:08x}"
        ticket = issue(agent_id=agent_id, company=company, phone_id=f"phone-{agent_id}", now=datetime.now(UTC))
        body = {
            "agentId": agent_id,
            "companyId": company,
            "timestamp": 0,
            "phoneId": f"phone-{agent_id}",
            "ready": True,
            "microphone": True,
        }
        made.append((ticket, json.dumps(body).encode()))
    return made


def report(env: Mapping[str, str]) -> None:
    django_of(env)
    _queries()
    _pure()
    _sweep()


def _queries() -> None:
    import random

    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from benchmarks import telnyx

    raw = telnyx.voice("127.0.0.1", numbers=100, chance=random.Random(2))
    head, body = raw.split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    client = Client(headers={name: value for name, value in headers.items() if name.startswith("Telnyx")})
    with CaptureQueriesContext(connection) as captured:
        answer = client.post("/webhooks/telnyx/inbound", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200, answer.status_code
    print(f"Inbound webhook: {len(captured)} queries, {len(answer.content)} bytes of TeXML")


def _pure() -> None:
    from telephony.core.plan import CompanyPlan, Destination, DestinationKind, NumberPlan, QueuePlan
    from telephony.core.render import CallFacts, render
    from telephony.core.routing import decide
    from telephony.core.types import Candidate, Pool, RouteContext, Routed

    now = datetime.now(UTC)
    five = tuple(
        Candidate(n, f"Agent {n}", f"gen{n}", "AVAILABLE", "IDLE", None, now - timedelta(minutes=n), now, True, True)
        for n in range(1, 6)
    )
    queue = Destination(DestinationKind.QUEUE, 1)
    plan = CompanyPlan(version=1, language="es", queues={1: QueuePlan(1, "ventas")})
    context = RouteContext(step=1, now=now, plan=plan, number=NumberPlan(queue), pools={queue: Pool(five)})
    facts = CallFacts(
        call_id="0198f2a0-0000-7000-8000-000000000001",
        company="b5325600",
        language="es",
        from_number="+13055551234",
        to_number="+13055550100",
        caller_name="José Pérez",
        origin="https://voice.example.com",
    )
    taken = []
    for _ in range(PURE_ROUNDS):
        started = time.perf_counter()
        routed = decide(context)
        assert isinstance(routed, Routed)
        render(routed.decision, facts, 1)
        taken.append(time.perf_counter() - started)
    print(f"Decision + TeXML, pure, 5 agents: {statistics.median(taken) * 1e6:.0f} µs")


def _sweep() -> None:
    from django.db import connection

    from agents.models import Agent
    from agents.operations import sweep

    agents = Agent.objects.count()
    now = datetime.now(UTC)
    taken = []
    for _ in range(5):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE agents_agent SET presence = 'AVAILABLE' WHERE presence <> 'AVAILABLE'")
            cursor.execute("UPDATE agents_beat SET last_seen_at = %s, phone_id = 'phone-' || agent_id", [now])
            cursor.execute(
                "UPDATE agents_beat SET last_seen_at = %s WHERE agent_id %% (SELECT greatest(count(*) / 1000, 1) "
                "FROM agents_beat) = 0",
                [now - timedelta(minutes=1)],
            )
            cursor.execute("ANALYZE agents_beat")
        started = time.perf_counter()
        swept = sweep(now=now)
        taken.append(time.perf_counter() - started)
    print(f"Sweep of {agents:,} agents, {swept:,} expired: {statistics.median(taken) * 1000:.0f} ms\n")
