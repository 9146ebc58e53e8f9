"""The prepared statements and the ORM say the same of any company: the ones are quick, the other is their meaning."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.db import connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Activity, Agent, AgentSkill, Beat, Intent, Skill
from curbe.companies.models import Company, User
from curbe.contacts.models import Contact, ContactNumber
from telephony.core import hours, ladder
from telephony.core.plan import COMPANY, CompanyPlan, Destination, DestinationKind
from telephony.core.types import Candidate, Handled, PastOffer, Pool, Waiting
from telephony.models import (
    BlockedCaller,
    BusinessHours,
    Call,
    CallQueue,
    Menu,
    Offer,
    PhoneNumber,
    Place,
    PlanVersion,
    QueueMember,
    QueueSkill,
    QueueVisit,
    RouteTrace,
    SipEndpoint,
    TelnyxEvent,
)
from telephony.operations.plans import published_once
from telephony.queries import pools
from telephony.queries.plans import compile_plan
from telephony.queries.routing import _SQL, pool_by_orm, voice_facts, voice_facts_by_orm

NOW: Final = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CALLED, CALLER, SID = "+13055550100", "+13055551234", "v3:one"
LANGUAGES: Final = ["", "es", "en"]

moments = st.sampled_from([0, 5, 29, 30, 31, 600]).map(lambda seconds: NOW - timedelta(seconds=seconds))
#: On both sides of each window's edge, and of midnight in several time zones.
hours_ago = st.sampled_from([0.1, 0.25, 0.3, 1, 7, 8, 9.4, 9.6, 9.9, 10.1, 14.9, 15.1, 24, 25]).map(
    lambda back: NOW - timedelta(hours=back)
)
#: When the call was offered, and when it ended: not yet, or then.
answered_calls = st.tuples(hours_ago, st.none() | moments)
offers = st.tuples(st.integers(0, 5), st.sampled_from(Offer.Outcome.values), moments, st.booleans())

agents = st.fixed_dictionaries(
    {
        "mine": st.booleans(),
        "active": st.booleans(),
        "user_active": st.booleans(),
        "named": st.booleans(),
        "intent": st.sampled_from(Intent.values),
        "activity": st.sampled_from(Activity.values),
        "reserved_until": st.none() | moments | st.just(NOW + timedelta(seconds=9)),
        "wrap_up_until": st.none() | moments | st.just(NOW + timedelta(seconds=9)),
        "idle_since": moments,
        "beat": st.none() | st.tuples(moments, st.booleans(), st.booleans(), st.booleans()),
        "endpoint": st.booleans(),
        "member": st.booleans(),
        "priority": st.integers(1, 3),
        "skills": st.dictionaries(st.integers(0, 2), st.integers(1, 5), max_size=3),
        "on_duty_since": st.none() | hours_ago,
        "calls_on_day": st.integers(0, 3),
        "calls_on_date": st.none() | st.sampled_from([19, 20, 21]).map(lambda day: NOW.date().replace(day=day)),
        "answered": st.lists(answered_calls, max_size=3),
        "answered_elsewhere": st.lists(answered_calls, max_size=1),
    }
)
visits = st.fixed_dictionaries(
    {
        "entered_at": moments,
        "priority": st.integers(0, 2),
        "language": st.sampled_from(LANGUAGES),
        "outcome": st.sampled_from(["waiting", "waiting", "answered", "abandoned"]),
        "offers": st.lists(offers, max_size=3, unique_by=lambda offer: offer[0]),
        "call_ended": st.booleans(),
    }
)
worlds = st.fixed_dictionaries(
    {
        "agents": st.lists(agents, max_size=6),
        "destination": st.sampled_from([*PhoneNumber.Destination.values, *["queue"] * 8]),
        "target": st.integers(0, 5),
        "target_gone": st.booleans(),
        "queue_mine": st.sampled_from([True, True, True, False]),
        "strategy": st.sampled_from(CallQueue.Strategy.values),
        "window": st.sampled_from(CallQueue.Window.values),
        "cursor": st.integers(0, 8),
        "needs_skill": st.booleans(),
        "match_language": st.booleans(),
        "timezone": st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Mars/Olympus", "", "../etc"]),
        "when_closed": st.none() | st.sampled_from(Place.Kind.values),
        "hours": st.booleans(),
        "number_language": st.sampled_from(LANGUAGES),
        "versions": st.integers(0, 2),
        "visits": st.lists(visits, max_size=4),
        "ours": st.sampled_from([True, True, True, False]),
        "contact": st.booleans(),
        "blocked": st.sampled_from(["no", "no", "no", "here", "elsewhere"]),
        "contact_language": st.sampled_from(LANGUAGES),
        "fallback": st.sampled_from(["", "+13055550199"]),
        "fallback_ours": st.booleans(),
        "seen": st.sampled_from(["no", "call", "trace"]),
        "awaited": st.booleans(),
    }
)


def build(world: dict[str, Any]) -> Company:
    """Write the world's rows."""
    mine = Company.objects.create(
        slug="mine", name="Mine", fallback_number=world["fallback"], timezone=world["timezone"]
    )
    other = Company.objects.create(slug="other", name="Other")
    queue, elsewhere = (
        CallQueue.objects.create(
            company=mine if world["queue_mine"] else other,
            name=name,
            strategy=world["strategy"],
            window=world["window"],
            match_language=world["match_language"],
        )
        for name in ("ventas", "quejas")
    )
    skills = [Skill.objects.create(company=mine, code=f"skill{number}") for number in range(3)]
    if world["needs_skill"]:
        QueueSkill.objects.create(queue=queue, skill=skills[0])
    made = [_agent(number, facts, mine, other) for number, facts in enumerate(world["agents"])]
    for agent, facts in zip(made, world["agents"], strict=True):
        if facts["member"]:
            QueueMember.objects.create(queue=queue, agent=agent)
        for skill, level in facts["skills"].items():
            AgentSkill.objects.create(agent=agent, skill=skills[skill], level=level)
        for asked, calls in ((queue, facts["answered"]), (elsewhere, facts["answered_elsewhere"])):
            for offered_at, ended_at in calls:
                _offer(_call(mine, ended_at), agent, asked, "answered", offered_at)
    if world["cursor"] < len(made):
        CallQueue.objects.filter(pk=queue.pk).update(cursor_agent=made[world["cursor"]])
    for visit in world["visits"]:
        _visit(visit, queue, made)
    menu = Menu.objects.create(company=mine, name="principal", say_es="Uno.")
    if world["ours"]:
        _number(world, mine, queue, menu, made)
    if world["fallback_ours"]:
        PhoneNumber.objects.create(company=other, e164="+13055550199")
    if world["contact"]:
        for company in (mine, other):
            contact = Contact.objects.create(
                company=company, name=f"Marta of {company}", language=world["contact_language"]
            )
            ContactNumber.objects.create(company=company, contact=contact, e164=CALLER)
    if world["blocked"] != "no":
        BlockedCaller.objects.create(company=mine if world["blocked"] == "here" else other, e164=CALLER)
    if world["seen"] != "no":
        call = Call.objects.create(company=mine, root_call_sid=SID, started_at=NOW, last_news_at=NOW)
        if world["seen"] == "trace":
            RouteTrace.objects.create(call=call, step=1, decision={}, document="<Response/>", at=NOW)
        RouteTrace.objects.create(call=call, step=2, decision={}, document="<Two/>", at=NOW)
    if world["awaited"]:
        TelnyxEvent.objects.create(dedupe_key="k", kind="status.initiated", occurred_at=NOW, root_call_sid=SID)
    PlanVersion.objects.all().delete()
    for _ in range(world["versions"]):
        for company in (mine, other):
            PlanVersion.objects.create(company=company, document={})
    return mine


def _agent(number: int, facts: dict[str, Any], mine: Company, other: Company) -> Agent:
    user = User.objects.create(
        username=f"user{number}", name=f"Name {number}" if facts["named"] else "", is_active=facts["user_active"]
    )
    same = ("intent", "activity", "reserved_until", "wrap_up_until", "priority", "on_duty_since")
    same = (*same, "calls_on_day", "calls_on_date")
    agent = Agent.objects.create(
        company=mine if facts["mine"] else other,
        user=user,
        is_active=facts["active"],
        **{name: facts[name] for name in same},
    )
    Agent.objects.filter(pk=agent.pk).update(idle_since=facts["idle_since"])
    if facts["beat"]:
        said = dict(zip(("last_seen_at", "ready", "microphone", "degraded"), facts["beat"], strict=True))
        Beat.objects.create(agent=agent, phone_id="p", **said)
    if facts["endpoint"]:
        SipEndpoint.objects.create(
            company=agent.company,
            agent=agent,
            telnyx_credential_id=f"c{number}",
            sip_username=f"gencred{number}",
            connection_id="1",
        )
    return agent


def _call(company: Company, ended_at: datetime | None) -> Call:
    return Call.objects.create(
        company=company, root_call_sid=f"v3:{uuid.uuid4()}", started_at=NOW, last_news_at=NOW, ended_at=ended_at
    )


def _offer(call: Call, agent: Agent, queue: CallQueue, outcome: str, at: datetime, *, over: bool = True) -> None:
    Offer.objects.create(
        call=call,
        agent=agent,
        step=1,
        queue=queue,
        outcome=outcome,
        offered_at=at,
        expires_at=at + timedelta(seconds=30),
        ended_at=at + timedelta(seconds=2) if over else None,
    )


def _visit(facts: dict[str, Any], queue: CallQueue, made: list[Agent]) -> None:
    call = _call(queue.company, NOW if facts["call_ended"] else None)
    QueueVisit.objects.create(
        company=queue.company,
        queue=queue,
        call=call,
        **{name: facts[name] for name in ("entered_at", "priority", "language", "outcome")},
        ended_at=None if facts["outcome"] == "waiting" else facts["entered_at"] - timedelta(minutes=25),
    )
    for target, outcome, offered_at, over in facts["offers"]:
        if target < len(made):
            _offer(call, made[target], queue, outcome, offered_at, over=over)


def _number(world: dict[str, Any], mine: Company, queue: CallQueue, menu: Menu, made: list[Agent]) -> None:
    destination, is_there = world["destination"], not world["target_gone"]
    agent = made[world["target"]] if world["target"] < len(made) else None
    kind = world["when_closed"]
    if kind == "user" and agent is None:
        kind = None
    targets = {"user": {"agent": agent}, "queue": {"queue": queue}, "menu": {"menu": menu}}
    texts = {"number": {"e164": "+13055550177"}, "say": {"words": "Cerrado."}}
    PhoneNumber.objects.create(
        company=mine,
        e164=CALLED,
        destination=destination,
        agent=agent if destination == "user" and is_there else None,
        queue=queue if destination == "queue" and is_there else None,
        menu=menu if destination == "menu" and is_there else None,
        forward_to="+13055550188" if destination == "number" and is_there else "",
        words="Hola." if destination == "say" and is_there else "",
        hours=BusinessHours.objects.create(company=mine, name="oficina") if world["hours"] else None,
        when_closed=Place.objects.create(company=mine, kind=kind, **targets.get(kind, {}), **texts.get(kind, {}))
        if kind
        else None,
        language=world["number_language"],
    )


class Undo(Exception):
    """Leave no world behind for the next one."""


@pytest.mark.django_db
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds)
def test_the_statements_mean_what_the_orm_says(world: dict[str, Any]) -> None:
    asked = {"to_number": CALLED, "from_number": CALLER, "call_sid": SID, "now": NOW}
    with pytest.raises(Undo), transaction.atomic():
        with published_once():
            mine = build(world)
            plan = compile_plan(mine)
            facts = voice_facts(**asked)
            assert facts == voice_facts_by_orm(**asked)
            if facts.number and facts.number.pool:
                place, pool = facts.number.plan.destination, facts.number.pool
                more = {"plan": plan, "call_id": facts.call_id, "now": NOW}
                assert pools.completed(pool, place, **more) == completed_by_orm(pool, place, **more)
            for place in places_of(mine):
                assert_read_alike(place, mine, plan)
        raise Undo


def places_of(company: Company) -> list[Destination]:
    users = [Destination(DestinationKind.USER, pk) for pk in Agent.objects.values_list("pk", flat=True)]
    queues = [Destination(DestinationKind.QUEUE, pk) for pk in CallQueue.objects.values_list("pk", flat=True)]
    return [COMPANY, *users, *queues, Destination(DestinationKind.QUEUE, 0)]


def assert_read_alike(place: Destination, company: Company, plan: CompanyPlan) -> None:
    waiting = QueueVisit.objects.filter(outcome="waiting").values_list("call_id", flat=True).first()
    pool = pool_by_orm(place, company_id=company.pk, timezone=company.timezone, now=NOW)
    assert pool is not None
    for call_id in {None, waiting}:
        more = {"plan": plan, "call_id": call_id, "now": NOW}
        assert pools.pool_of(place, company_id=company.pk, **more) == completed_by_orm(pool, place, **more)


# --- What ``pools.completed`` means ------------------------------------------------------------------------------


def completed_by_orm(pool: Pool, place: Destination, *, plan: CompanyPlan, call_id: Any, now: datetime) -> Pool:
    queue = CallQueue.objects.filter(pk=place.id if place.kind is DestinationKind.QUEUE else 0).first()
    if queue is not None and queue.pk not in plan.queues:
        queue = None
    if pool.size and queue is not None:
        pool = replace(pool, waiting=waiting_in(queue, call_id, now), handled=handled_by(queue, now))
    asking = QueueSkill.objects.filter(queue__in=plan.queues).values_list("queue", flat=True)
    matching = CallQueue.objects.filter(pk__in=plan.queues, match_language=True).values_list("pk", flat=True)
    wanted = {*asking, *matching}
    looks_at_skills = bool(wanted) if place.kind is DestinationKind.USER else queue is not None and queue.pk in wanted
    return replace(
        pool,
        candidates=tuple(with_more(one, queue, plan.timezone, looks_at_skills, now) for one in pool.candidates),
    )


def with_more(
    one: Candidate, queue: CallQueue | None, timezone: str, looks_at_skills: bool, now: datetime
) -> Candidate:
    answered = Offer.objects.filter(queue=queue, agent=one.agent_id, outcome="answered")
    if looks_at_skills:
        skills = AgentSkill.objects.filter(agent=one.agent_id).values_list("skill_id", "level")
        one = replace(one, skills=dict(skills))
    if queue is not None and queue.strategy == "least_calls":
        since = window_start(queue.window, timezone, now)
        is_newcomer = one.on_duty_since is not None and one.on_duty_since > since
        counted = answered.filter(offered_at__gte=since).count()
        one = replace(one, answered_in_window=counted, is_newcomer=is_newcomer)
    if queue is not None and queue.strategy == "least_recent":
        last = answered.select_related("call").order_by("-offered_at", "-id").first()
        one = replace(one, last_queue_call_at=(last.call.ended_at or now) if last else None)
    return one


def window_start(window: str, timezone: str, now: datetime) -> datetime:
    if window == "today":
        return now.astimezone(hours.zone(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return now - timedelta(hours={"15m": 0.25, "1h": 1, "8h": 8, "24h": 24}[window])


def waiting_in(queue: CallQueue, call_id: Any, now: datetime) -> tuple[Waiting, ...]:
    found = []
    for visit in QueueVisit.objects.filter(queue=queue, outcome="waiting").order_by("entered_at", "id"):
        offers = [
            PastOffer(one.agent_id, one.outcome, one.offered_at, one.ended_at)
            for one in Offer.objects.filter(call=visit.call_id).order_by("offered_at", "id")
        ]
        is_offered = Offer.objects.filter(call=visit.call_id, outcome="pending", expires_at__gt=now).exists()
        if visit.call_id != call_id and not is_offered:
            refused = frozenset(ladder.refused_by(offers, now))
            found.append(Waiting(str(visit.pk), visit.entered_at, visit.priority, visit.language, refused))
    return tuple(found)


def handled_by(queue: CallQueue, now: datetime) -> Handled:
    rows = QueueVisit.objects.filter(
        queue=queue, outcome="answered", ended_at__gte=now - timedelta(minutes=30), call__ended_at__isnull=False
    )
    took = [(ended_at - at).total_seconds() for ended_at, at in rows.values_list("call__ended_at", F("ended_at"))]
    return Handled(len(took), pytest.approx(sum(took) / len(took)) if took else 0.0)


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
