"""Everything that the first instruction of an inbound call needs, in one round trip.

Two versions yield the same dataclasses: one prepared statement, which the webhook uses, and the plain ORM, which says
what it means. A hypothesis test holds them equal on generated companies.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from agents.models import Agent, Beat, Intent
from agents.presence import BEAT_TTL_S
from curbe.contacts.models import ContactNumber
from curbe.lib.db import prepared
from telephony.core.plan import NOWHERE, CompanyPlan, Destination, DestinationKind, NumberPlan
from telephony.core.types import Candidate, Pool
from telephony.models import (
    BlockedCaller,
    Call,
    CallQueue,
    PhoneNumber,
    PlanVersion,
    QueueVisit,
    RouteTrace,
    SipEndpoint,
    TelnyxEvent,
)
from telephony.queries import pools
from telephony.queries.plans import number_plan_of

#: Kinds of places that are people, or lead to them at once.
PEOPLED: Final = frozenset({DestinationKind.USER, DestinationKind.QUEUE, DestinationKind.COMPANY})


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """The number that was called, its company, and the people behind it."""

    number_id: int
    company_id: int
    company: str
    #: The company's.
    language: str
    timezone: str
    #: The number's fallback leads back to ourselves.
    fallback_loops: bool
    #: The newest version of the company's plan; None before the first.
    plan_version: int | None
    plan: NumberPlan
    #: The people of ``plan.destination``, if it is made of people, without what ``pools.completed`` reads.
    pool: Pool | None
    contact_id: int | None
    contact_name: str
    contact_language: str
    #: The company takes no calls from this caller.
    blocked: bool


@dataclass(frozen=True, slots=True)
class VoiceFacts:
    """What is known when Telnyx asks what to do with a new call."""

    #: None: the number is not ours.
    number: NumberFacts | None
    #: The call, if this request is a repetition.
    call_id: uuid.UUID | None
    #: What its first step was told; empty if the step was never finished.
    document: str
    #: Events wait in the ledger for this call to exist.
    awaited: bool


_SQL: Final = f"""
SELECT here.*, {pools.COLUMNS}
FROM (
  SELECT seen.id AS call_id, trace.document,
         EXISTS (SELECT 1 FROM telephony_telnyxevent w
                 WHERE w.processed_at IS NULL AND w.call_id IS NULL AND w.root_call_sid = %(sid)s) AS awaited,
         n.id AS number_id, n.company_id, c.public_id, c.language, c.timezone,
         EXISTS (SELECT 1 FROM telephony_phonenumber f WHERE f.e164 = c.fallback_number) AS loops,
         (SELECT v.id FROM telephony_planversion v WHERE v.company_id = n.company_id ORDER BY v.id DESC LIMIT 1)
           AS version,
         n.destination, n.agent_id, q.id AS queue_id, n.menu_id, n.forward_to, n.words, n.hours_id,
         n.language AS number_language, p.kind AS closed_kind,
         coalesce(p.agent_id, p.queue_id, p.menu_id, 0) AS closed_id,
         coalesce(nullif(p.e164, ''), p.words) AS closed_text, q.cursor_agent_id, {pools.SIZE} AS size,
         contact.id AS contact_id, contact.name AS contact_name, contact.language AS contact_language,
         EXISTS (SELECT 1 FROM telephony_blockedcaller b WHERE b.company_id = n.company_id AND b.e164 = %(from)s)
           AS blocked
  FROM (SELECT 1) AS one
  LEFT JOIN telephony_call seen ON seen.root_call_sid = %(sid)s
  LEFT JOIN telephony_routetrace trace ON trace.call_id = seen.id AND trace.step = 1
  LEFT JOIN (telephony_phonenumber n JOIN companies_company c ON c.id = n.company_id) ON n.e164 = %(to)s
  LEFT JOIN telephony_callqueue q ON q.id = n.queue_id AND q.company_id IS NOT DISTINCT FROM n.company_id
  LEFT JOIN telephony_place p ON p.id = n.when_closed_id
  LEFT JOIN contacts_contactnumber cn ON cn.company_id = n.company_id AND cn.e164 = %(from)s
  LEFT JOIN contacts_contact contact ON contact.id = cn.contact_id
  OFFSET 0
) AS here
LEFT JOIN LATERAL ({pools.CANDIDATES}) AS candidate ON true
"""
#: How many columns stand before the candidate's.
_HEAD: Final = 27


def voice_facts(*, to_number: str, from_number: str, call_sid: str, now: datetime) -> VoiceFacts:
    """Return what is known of the number called, the caller, and this call, in one prepared statement."""
    rows = prepared(_SQL, {**pools.values(now), "to": to_number, "from": from_number, "sid": call_sid})
    call_id, document, awaited, number_id = rows[0][:4]
    return VoiceFacts(None if number_id is None else _number(rows, now), call_id, document or "", awaited)


def _number(rows: list[tuple[Any, ...]], now: datetime) -> NumberFacts:
    head = rows[0]
    number_id, company_id, company, language, timezone, loops, version, kind, agent_id, queue_id, menu_id = head[3:14]
    forward_to, words, hours_id, number_language, closed_kind, closed_id, closed_text, cursor, size = head[14:23]
    contact_id, contact_name, contact_language, blocked = head[23:_HEAD]
    candidates = pools.candidates_of([row[_HEAD:] for row in rows], pools.local_date(timezone, now))
    target = {"user": agent_id, "queue": queue_id, "menu": menu_id}.get(kind, 0)
    destination = Destination(DestinationKind(kind), target or 0, forward_to or words)
    if target is None or (kind in {"number", "say"} and not destination.text) or (kind == "user" and not candidates):
        # What it led to is gone (a user who answers no more, too): the number is assigned to nobody.
        destination = NOWHERE
    return NumberFacts(
        number_id=number_id,
        company_id=company_id,
        company=company,
        language=language,
        timezone=timezone,
        fallback_loops=loops,
        plan_version=version,
        plan=NumberPlan(
            destination=destination,
            hours_id=hours_id,
            when_closed=Destination(DestinationKind(closed_kind), closed_id, closed_text) if closed_kind else NOWHERE,
            language=number_language,
        ),
        pool=Pool(candidates, size=size, cursor_agent_id=cursor or 0) if destination.kind in PEOPLED else None,
        contact_id=contact_id,
        contact_name=contact_name or "",
        contact_language=contact_language or "",
        blocked=blocked,
    )


def voice_facts_by_orm(*, to_number: str, from_number: str, call_sid: str, now: datetime) -> VoiceFacts:
    """Return the same as ``voice_facts``, as one would write it first: the statement's meaning."""
    seen = Call.objects.filter(root_call_sid=call_sid).first()
    trace = RouteTrace.objects.filter(call=seen, step=1).first() if seen else None
    awaited = TelnyxEvent.objects.filter(processed_at=None, call=None, root_call_sid=call_sid).exists()
    number = PhoneNumber.objects.select_related("company", "queue", "when_closed").filter(e164=to_number).first()
    return VoiceFacts(
        number=_number_by_orm(number, from_number, now) if number else None,
        call_id=seen.pk if seen else None,
        document=trace.document if trace else "",
        awaited=awaited,
    )


def _number_by_orm(number: PhoneNumber, from_number: str, now: datetime) -> NumberFacts:
    company = number.company
    if number.queue is not None and number.queue.company_id != number.company_id:
        number.queue = None
    contact_number = ContactNumber.objects.select_related("contact").filter(company=company, e164=from_number).first()
    contact = contact_number.contact if contact_number else None
    plan = number_plan_of(number)
    pool = pool_by_orm(plan.destination, company_id=company.pk, timezone=company.timezone, now=now)
    if plan.destination.kind is DestinationKind.USER and pool is not None and not pool.candidates:
        plan, pool = NumberPlan(NOWHERE, plan.hours_id, plan.when_closed, plan.language), None
    return NumberFacts(
        number_id=number.pk,
        company_id=company.pk,
        company=company.public_id,
        language=company.language,
        timezone=company.timezone,
        fallback_loops=PhoneNumber.objects.filter(e164=company.fallback_number).exists(),
        plan_version=PlanVersion.objects.filter(company=company).order_by("-id").values_list("id", flat=True).first(),
        plan=plan,
        pool=pool,
        contact_id=contact.pk if contact else None,
        contact_name=contact.name if contact else "",
        contact_language=contact.language if contact else "",
        blocked=BlockedCaller.objects.filter(company=company, e164=from_number).exists(),
    )


def pool_by_orm(place: Destination, *, company_id: int, timezone: str, now: datetime) -> Pool | None:
    """Return the people of a place, not ``completed``; None for a place that is not made of people."""
    if place.kind not in PEOPLED:
        return None
    queue = None
    if place.kind is DestinationKind.QUEUE:
        queue = CallQueue.objects.filter(pk=place.id, company_id=company_id).first()
    reached = {
        DestinationKind.USER: Q(pk=place.id),
        DestinationKind.QUEUE: Q(queue_memberships__queue=queue.pk if queue else 0),
        DestinationKind.COMPANY: Q(),
    }[place.kind]
    agents = (
        Agent.objects.filter(reached, company_id=company_id, is_active=True, user__is_active=True)
        .select_related("user", "beat", "endpoint")
        .order_by("idle_since", "id")
    )
    today = pools.local_date(timezone, now)
    everybody = [_candidate(agent, queue, today) for agent in agents]
    return Pool(
        candidates=tuple(sorted(everybody, key=lambda one: not _is_free(one, now))[: pools.MAX_CANDIDATES]),
        size=QueueVisit.objects.filter(queue=queue, outcome="waiting").count() if queue else 0,
        cursor_agent_id=(queue.cursor_agent_id or 0) if queue else 0,
    )


def _candidate(agent: Agent, queue: CallQueue | None, today: date) -> Candidate:
    beat: Beat | None = getattr(agent, "beat", None)
    endpoint: SipEndpoint | None = getattr(agent, "endpoint", None)
    return Candidate(
        agent_id=agent.pk,
        name=str(agent.user),
        sip_username=endpoint.sip_username if endpoint else "",
        intent=agent.intent,
        activity=agent.activity,
        reserved_until=agent.reserved_until,
        idle_since=agent.idle_since,
        last_seen_at=beat.last_seen_at if beat else None,
        ready=beat.ready if beat else False,
        microphone=beat.microphone if beat else False,
        tier=agent.priority,
        position=agent.queue_memberships.get(queue=queue).pk if queue else 0,
        on_duty_since=agent.on_duty_since,
        calls_today=agent.calls_on_day if agent.calls_on_date == today else 0,
        degraded=beat.degraded if beat else False,
        wrap_up_until=agent.wrap_up_until,
    )


def _is_free(candidate: Candidate, now: datetime) -> bool:
    fresh = candidate.last_seen_at is not None and candidate.last_seen_at > now - timedelta(seconds=BEAT_TTL_S)
    leased = candidate.reserved_until is None or candidate.reserved_until > now
    wrapped_up = candidate.wrap_up_until is not None and candidate.wrap_up_until <= now
    lapsed = {"RESERVED": not leased, "WRAP_UP": wrapped_up}
    idle = candidate.activity == "IDLE" or lapsed.get(candidate.activity, False)
    audible = candidate.ready and candidate.microphone and not candidate.degraded
    reachable = bool(candidate.sip_username) and fresh and audible
    return reachable and candidate.intent == Intent.AVAILABLE and idle


def plan_with(plan: CompanyPlan, *, fallback_loops: bool) -> CompanyPlan:
    """Return the plan knowing whether its fallback number is one of ours, which numbers say and no version does."""
    return replace(plan, fallback_loops=True) if fallback_loops else plan
