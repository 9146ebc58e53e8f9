"""The prepared statement and the ORM say the same of any company: the one is quick, the other is its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Activity, Agent, Beat, Intent
from curbe.companies.models import Company, User
from curbe.contacts.models import Contact, ContactNumber
from telephony.models import Call, CallQueue, PhoneNumber, QueueMember, RouteTrace, SipEndpoint, TelnyxEvent
from telephony.queries.routing import _SQL, voice_facts, voice_facts_by_orm

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CALLED, CALLER, SID = "+13055550100", "+13055551234", "v3:one"

moments = st.sampled_from([0, 5, 29, 30, 31, 600]).map(lambda seconds: NOW - timedelta(seconds=seconds))

agents = st.fixed_dictionaries(
    {
        "mine": st.booleans(),
        "active": st.booleans(),
        "user_active": st.booleans(),
        "named": st.booleans(),
        "intent": st.sampled_from(Intent.values),
        "activity": st.sampled_from(Activity.values),
        "reserved_until": st.none() | moments | st.just(NOW + timedelta(seconds=9)),
        "idle_since": moments,
        "beat": st.none() | st.tuples(moments, st.booleans(), st.booleans()),
        "endpoint": st.booleans(),
        "member": st.booleans(),
    }
)
worlds = st.fixed_dictionaries(
    {
        "agents": st.lists(agents, max_size=6),
        "destination": st.sampled_from(PhoneNumber.Destination.values),
        "target": st.integers(0, 5),
        "queue_mine": st.booleans(),
        "queue_gone": st.booleans(),
        "ours": st.booleans(),
        "contact": st.booleans(),
        "fallback": st.sampled_from(["", "+13055550199"]),
        "fallback_ours": st.booleans(),
        "seen": st.sampled_from(["no", "call", "trace"]),
        "awaited": st.booleans(),
    }
)


def build(world: dict[str, Any]) -> None:
    """Write the world's rows."""
    mine = Company.objects.create(slug="mine", name="Mine", fallback_number=world["fallback"])
    other = Company.objects.create(slug="other", name="Other")
    queue = CallQueue.objects.create(company=mine if world["queue_mine"] else other, name="ventas", ring_timeout_s=17)
    made: list[Agent] = []
    for number, facts in enumerate(world["agents"]):
        user = User.objects.create(
            username=f"user{number}", name=f"Name {number}" if facts["named"] else "", is_active=facts["user_active"]
        )
        agent = Agent.objects.create(
            company=mine if facts["mine"] else other,
            user=user,
            is_active=facts["active"],
            intent=facts["intent"],
            activity=facts["activity"],
            reserved_until=facts["reserved_until"],
        )
        Agent.objects.filter(pk=agent.pk).update(idle_since=facts["idle_since"])
        made.append(agent)
        if facts["beat"]:
            seen_at, ready, microphone = facts["beat"]
            Beat.objects.create(agent=agent, phone_id="p", last_seen_at=seen_at, ready=ready, microphone=microphone)
        if facts["endpoint"]:
            SipEndpoint.objects.create(
                company=agent.company,
                agent=agent,
                telnyx_credential_id=f"c{number}",
                sip_username=f"gencred{number}",
                connection_id="1",
            )
        if facts["member"]:
            QueueMember.objects.create(queue=queue, agent=agent)
    if world["ours"]:
        destination = world["destination"]
        PhoneNumber.objects.create(
            company=mine,
            e164=CALLED,
            destination=destination,
            agent=made[world["target"]] if destination == "user" and world["target"] < len(made) else None,
            queue=queue if destination == "queue" and not world["queue_gone"] else None,
        )
    if world["fallback_ours"]:
        PhoneNumber.objects.create(company=other, e164="+13055550199")
    if world["contact"]:
        for company in (mine, other):
            contact = Contact.objects.create(company=company, name=f"Marta of {company}")
            ContactNumber.objects.create(company=company, contact=contact, e164=CALLER)
    if world["seen"] != "no":
        call = Call.objects.create(company=mine, root_call_sid=SID, started_at=NOW, last_news_at=NOW)
        if world["seen"] == "trace":
            RouteTrace.objects.create(call=call, step=1, decision={}, document="<Response/>", at=NOW)
        RouteTrace.objects.create(call=call, step=2, decision={}, document="<Two/>", at=NOW)
    if world["awaited"]:
        TelnyxEvent.objects.create(dedupe_key="k", kind="status.initiated", occurred_at=NOW, root_call_sid=SID)


class Undo(Exception):
    """Leave no world behind for the next one."""


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds)
def test_the_statement_means_what_the_orm_says(world: dict[str, Any]) -> None:
    asked = {"to_number": CALLED, "from_number": CALLER, "call_sid": SID, "now": NOW}
    with pytest.raises(Undo), transaction.atomic():
        build(world)
        assert voice_facts(**asked) == voice_facts_by_orm(**asked)
        raise Undo


@pytest.mark.django_db
def test_ten_thousand_events_that_wait_for_a_call_are_not_read_when_another_one_comes() -> None:
    TelnyxEvent.objects.bulk_create(
        [
            TelnyxEvent(
                dedupe_key=f"k{number}",
                kind="status.ringing",
                occurred_at=NOW,
                root_call_sid=f"v3:foreign-{number}",
                payload={"CallSid": f"v3:foreign-{number}", "padding": "x" * 500},
            )
            for number in range(10_000)
        ]
    )
    asked = {"to": CALLED, "from": CALLER, "sid": SID, "now": NOW, "fresh": NOW, "limit": 6}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE telephony_telnyxevent")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_SQL}", asked)
        plan = cursor.fetchone()[0][0]["Plan"]

    (scan,) = [node for node in nodes_of(plan) if node.get("Relation Name") == "telephony_telnyxevent"]
    assert scan["Index Name"] == "event_awaits_call"
    assert scan.get("Rows Removed by Filter", 0) == 0


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)
