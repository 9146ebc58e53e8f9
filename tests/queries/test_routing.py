"""The prepared statement and the ORM say the same of any company: the one is quick, the other is its meaning."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Activity, Agent, AgentSkill, Beat, Intent, Skill
from curbe.companies.models import Company, User
from curbe.contacts.models import Contact, ContactNumber
from telephony.models import (
    Call,
    CallQueue,
    Offer,
    PhoneNumber,
    Place,
    QueueMember,
    QueueVisit,
    RouteTrace,
    SipEndpoint,
    TelnyxEvent,
)
from telephony.queries.routing import _SQL, voice_facts, voice_facts_by_orm
from tests import cast
from tests.scenarios.line import Caller
from tests.telnyx_post import Telnyx

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CALLED, CALLER, SID = "+13055550100", "+13055551234", "v3:one"

moments = st.sampled_from([0, 5, 29, 30, 31, 600]).map(lambda seconds: NOW - timedelta(seconds=seconds))

#: How long ago something of a window happened, in minutes.
ages = st.sampled_from([0, 14, 15, 16, 59, 61, 479, 481, 599, 601, 1439, 1441])

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
        "priority": st.integers(1, 3),
        "on_duty_since": st.none() | moments,
        "calls": st.tuples(
            st.integers(0, 3), st.none() | st.sampled_from([NOW.date(), NOW.date() - timedelta(days=1)])
        ),
        "levels": st.lists(st.integers(1, 5), max_size=2),
        "answered": st.lists(st.tuples(ages, st.booleans(), st.booleans()), max_size=3),
    }
)
worlds = st.fixed_dictionaries(
    {
        "agents": st.lists(agents, max_size=6),
        "destination": st.sampled_from(PhoneNumber.Destination.values),
        "target": st.integers(0, 5),
        "strategy": st.sampled_from(CallQueue.Strategy.values),
        "window": st.sampled_from(CallQueue.Window.values),
        "zone": st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"]),
        "language": st.sampled_from(["", "es", "en"]),
        "hours": st.booleans(),
        "when_closed": st.sampled_from(["", "voicemail", "say", "queue"]),
        "waiting": st.integers(0, 2),
        "cursor": st.integers(0, 5),
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
    mine = Company.objects.create(slug="mine", name="Mine", fallback_number=world["fallback"], timezone=world["zone"])
    other = Company.objects.create(slug="other", name="Other")
    queue = CallQueue.objects.create(
        company=mine if world["queue_mine"] else other,
        name="ventas",
        ring_timeout_s=17,
        strategy=world["strategy"],
        window=world["window"],
    )
    skills = [Skill.objects.create(company=mine, code=code) for code in ("uno", "dos")]
    for _ in range(world["waiting"]):
        call = Call.objects.create(company=mine, root_call_sid=f"v3:{uuid.uuid4()}", started_at=NOW, last_news_at=NOW)
        QueueVisit.objects.create(company=mine, queue=queue, call=call, entered_at=NOW)
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
            priority=facts["priority"],
            on_duty_since=facts["on_duty_since"],
            calls_on_day=facts["calls"][0],
            calls_on_date=facts["calls"][1],
        )
        for skill, level in zip(skills, facts["levels"], strict=False):
            AgentSkill.objects.create(agent=agent, skill=skill, level=level)
        for age_min, is_over, is_of_the_queue in facts["answered"]:
            _answered(agent, queue if is_of_the_queue else None, NOW - timedelta(minutes=age_min), is_over=is_over)
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
    if made and world["cursor"] < len(made):
        CallQueue.objects.update(cursor_agent=made[world["cursor"]])
    closed = world["when_closed"]
    if world["ours"]:
        destination = world["destination"]
        PhoneNumber.objects.create(
            company=mine,
            e164=CALLED,
            destination=destination,
            agent=made[world["target"]] if destination == "user" and world["target"] < len(made) else None,
            queue=queue if destination == "queue" and not world["queue_gone"] else None,
            words="Hola" if destination == "say" and not world["queue_gone"] else "",
            forward_to="+13055550198" if destination == "number" and not world["queue_gone"] else "",
            language=world["language"],
            hours=cast.make_hours(mine) if world["hours"] else None,
            when_closed=Place.objects.create(
                company=mine,
                kind=closed,
                queue=queue if closed == "queue" else None,
                words="Cerrado" if closed == "say" else "",
            )
            if closed
            else None,
        )
    if world["fallback_ours"]:
        PhoneNumber.objects.create(company=other, e164="+13055550199")
    if world["contact"]:
        for company in (mine, other):
            contact = Contact.objects.create(company=company, name=f"Marta of {company}", language=world["language"])
            ContactNumber.objects.create(company=company, contact=contact, e164=CALLER)
    if world["seen"] != "no":
        call = Call.objects.create(company=mine, root_call_sid=SID, started_at=NOW, last_news_at=NOW)
        if world["seen"] == "trace":
            RouteTrace.objects.create(call=call, step=1, decision={}, document="<Response/>", at=NOW)
        RouteTrace.objects.create(call=call, step=2, decision={}, document="<Two/>", at=NOW)
    if world["awaited"]:
        TelnyxEvent.objects.create(dedupe_key="k", kind="status.initiated", occurred_at=NOW, root_call_sid=SID)


def _answered(agent: Agent, queue: CallQueue | None, at: datetime, *, is_over: bool) -> None:
    call = Call.objects.create(
        company=agent.company,
        root_call_sid=f"v3:{uuid.uuid4()}",
        started_at=at,
        last_news_at=at,
        ended_at=at + timedelta(minutes=3) if is_over else None,
    )
    outcome = Offer.Outcome.ANSWERED
    Offer.objects.create(call=call, agent=agent, step=1, queue=queue, outcome=outcome, offered_at=at, expires_at=at)


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


@pytest.mark.django_db(transaction=True)
def test_a_time_zone_that_postgresql_does_not_know_costs_nobody_his_call(telnyx: Telnyx) -> None:
    company = cast.make_company(timezone="Mars/Phobos")
    agent = cast.ready_agent(company)
    queue = cast.make_queue(company, members=[agent], strategy="least_calls")
    caller = Caller(telnyx, cast.make_number(company, queue=queue).e164)
    try:
        assert caller.calls().verbs == ["Dial"]
        assert caller.dial_ends("no-answer").verbs == ["Say", "Play", "Redirect"]
    finally:
        company.delete()


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
