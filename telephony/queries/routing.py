"""Everything that the first instruction of an inbound call needs, in one round trip.

Two versions yield the same dataclasses: one prepared statement, which the webhook uses, and the plain ORM, which says
what it means. A hypothesis test holds them equal on generated companies.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from agents.models import Agent, Beat, Intent
from agents.presence import BEAT_TTL_S
from curbe.contacts.models import ContactNumber
from curbe.lib.db import prepared
from telephony.core.types import Candidate, DestinationKind, Plan
from telephony.models import Call, PhoneNumber, RouteTrace, SipEndpoint, TelnyxEvent

#: Ten can ring; the others are read so that the trace can say why they did not. A company of a thousand agents does
#: not need a thousand lines of it.
MAX_CANDIDATES: Final = 50


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """The number that was called, its company and its plan."""

    number_id: int
    company_id: int
    company: str
    language: str
    queue_id: int | None
    contact_id: int | None
    contact_name: str
    plan: Plan


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


# Executed by a plan that the server keeps: for so few rows, setting the plan up costs as much as running it, so every
# node counts. One agent is looked up at a time (a queue of five in a company of a thousand reads five): hence IS NOT
# DISTINCT FROM, by which no index is read. The few rows are sorted here again rather than by one more node.
_SQL: Final = """
SELECT seen.id, trace.document,
       EXISTS (SELECT 1 FROM telephony_telnyxevent w
               WHERE w.processed_at IS NULL AND w.call_id IS NULL AND w.root_call_sid = %(sid)s),
       n.id, n.company_id, c.public_id, c.language, c.fallback_number,
       EXISTS (SELECT 1 FROM telephony_phonenumber f WHERE f.e164 = c.fallback_number),
       n.destination, n.queue_id, q.name, coalesce(q.ring_timeout_s, 25), contact.id, contact.name,
       candidate.free, candidate.id, candidate.name, candidate.sip_username, candidate.intent, candidate.activity,
       candidate.reserved_until, candidate.idle_since, candidate.last_seen_at, candidate.ready, candidate.microphone
FROM (SELECT 1) AS one
LEFT JOIN telephony_call seen ON seen.root_call_sid = %(sid)s
LEFT JOIN telephony_routetrace trace ON trace.call_id = seen.id AND trace.step = 1
LEFT JOIN (telephony_phonenumber n JOIN companies_company c ON c.id = n.company_id) ON n.e164 = %(to)s
LEFT JOIN telephony_callqueue q ON q.id = n.queue_id AND q.company_id IS NOT DISTINCT FROM n.company_id
LEFT JOIN contacts_contactnumber cn ON cn.company_id = n.company_id AND cn.e164 = %(from)s
LEFT JOIN contacts_contact contact ON contact.id = cn.contact_id
LEFT JOIN LATERAL (
  SELECT a.id, coalesce(nullif(u.name, ''), u.username) AS name, coalesce(e.sip_username, '') AS sip_username,
         a.intent, a.activity, a.reserved_until, a.idle_since, b.last_seen_at,
         coalesce(b.ready, false) AS ready, coalesce(b.microphone, false) AS microphone,
         (e.id IS NOT NULL AND b.last_seen_at > %(fresh)s AND b.ready AND b.microphone AND a.intent = 'AVAILABLE'
          AND (a.activity = 'IDLE' OR (a.activity = 'RESERVED' AND a.reserved_until <= %(now)s))) IS TRUE AS free
  FROM (
    SELECT n.agent_id AS id WHERE n.destination = 'user'
    UNION ALL
    SELECT m.agent_id FROM telephony_queuemember m WHERE m.queue_id = n.queue_id AND n.destination = 'queue'
    UNION ALL
    SELECT o.id FROM agents_agent o WHERE o.company_id = n.company_id AND n.destination = 'company'
  ) AS target
  JOIN agents_agent a ON a.id = target.id AND a.company_id IS NOT DISTINCT FROM n.company_id AND a.is_active
  JOIN companies_user u ON u.id = a.user_id AND u.is_active
  LEFT JOIN agents_beat b ON b.agent_id = a.id
  LEFT JOIN telephony_sipendpoint e ON e.agent_id = a.id
  ORDER BY free DESC, a.idle_since, a.id
  LIMIT %(limit)s
) AS candidate ON true
"""


def voice_facts(*, to_number: str, from_number: str, call_sid: str, now: datetime) -> VoiceFacts:
    """Return what is known of the number called, the caller, and this call, in one prepared statement."""
    rows = prepared(
        _SQL,
        {
            "to": to_number,
            "from": from_number,
            "sid": call_sid,
            "now": now,
            "fresh": now - timedelta(seconds=BEAT_TTL_S),
            "limit": MAX_CANDIDATES,
        },
    )
    head = rows[0]
    call_id, document, awaited = head[:3]
    if head[3] is None:
        return VoiceFacts(None, call_id, document or "", awaited)
    ranked = [(not free, Candidate(*facts)) for free, *facts in (row[15:] for row in rows) if free is not None]
    ranked.sort(key=lambda one: (one[0], one[1].idle_since, one[1].agent_id))
    return VoiceFacts(_number(head, tuple([who for _, who in ranked])), call_id, document or "", awaited)


def _number(head: tuple[Any, ...], candidates: tuple[Candidate, ...]) -> NumberFacts:
    (number_id, company_id, company, language, fallback, loops, destination, queue_id, queue_name, timeout_s) = head[
        3:13
    ]
    contact_id, contact_name = head[13:15]
    return NumberFacts(
        number_id=number_id,
        company_id=company_id,
        company=company,
        language=language,
        queue_id=queue_id if destination == DestinationKind.QUEUE and queue_name else None,
        contact_id=contact_id,
        contact_name=contact_name or "",
        plan=_plan(destination, queue_name or "", timeout_s, fallback, loops, candidates),
    )


def _plan(
    destination: str,
    queue_name: str,
    timeout_s: int,
    fallback: str,
    loops: bool,
    candidates: tuple[Candidate, ...],
) -> Plan:
    kind = DestinationKind(destination)
    name = queue_name
    if kind is DestinationKind.USER:
        # A user who is gone leaves the number assigned to nobody.
        kind, name = (kind, candidates[0].name) if candidates else (DestinationKind.NONE, "")
    elif kind is DestinationKind.QUEUE and not queue_name:
        kind = DestinationKind.NONE
    return Plan(
        destination=kind,
        target_name=name if kind in {DestinationKind.USER, DestinationKind.QUEUE} else "",
        candidates=() if kind is DestinationKind.NONE else candidates,
        ring_timeout_s=timeout_s,
        fallback_number=fallback,
        fallback_loops=loops,
    )


def voice_facts_by_orm(*, to_number: str, from_number: str, call_sid: str, now: datetime) -> VoiceFacts:
    """Return the same as ``voice_facts``, as one would write it first: the statement's meaning."""
    seen = Call.objects.filter(root_call_sid=call_sid).first()
    trace = RouteTrace.objects.filter(call=seen, step=1).first() if seen else None
    awaited = TelnyxEvent.objects.filter(processed_at=None, call=None, root_call_sid=call_sid).exists()
    number = PhoneNumber.objects.select_related("company", "queue").filter(e164=to_number).first()
    return VoiceFacts(
        number=_number_by_orm(number, from_number, now) if number else None,
        call_id=seen.pk if seen else None,
        document=trace.document if trace else "",
        awaited=awaited,
    )


def _number_by_orm(number: PhoneNumber, from_number: str, now: datetime) -> NumberFacts:
    company = number.company
    queue = number.queue if number.queue and number.queue.company_id == number.company_id else None
    contact_number = ContactNumber.objects.select_related("contact").filter(company=company, e164=from_number).first()
    contact = contact_number.contact if contact_number else None
    reached = Q(pk=None)
    if number.destination == DestinationKind.USER:
        reached = Q(pk=number.agent_id)
    elif number.destination == DestinationKind.QUEUE:
        reached = Q(queue_memberships__queue=number.queue_id)
    elif number.destination == DestinationKind.COMPANY:
        reached = Q()
    agents = (
        Agent.objects.filter(reached, company=company, is_active=True, user__is_active=True)
        .select_related("user", "beat", "endpoint")
        .order_by("idle_since", "id")
    )
    candidates = sorted((_candidate(agent) for agent in agents), key=lambda c: not _is_free(c, now))[:MAX_CANDIDATES]
    return NumberFacts(
        number_id=number.pk,
        company_id=company.pk,
        company=company.public_id,
        language=company.language,
        queue_id=queue.pk if queue and number.destination == DestinationKind.QUEUE else None,
        contact_id=contact.pk if contact else None,
        contact_name=contact.name if contact else "",
        plan=_plan(
            number.destination,
            queue.name if queue else "",
            queue.ring_timeout_s if queue else 25,
            company.fallback_number,
            PhoneNumber.objects.filter(e164=company.fallback_number).exists(),
            tuple(candidates),
        ),
    )


def _candidate(agent: Agent) -> Candidate:
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
    )


def _is_free(candidate: Candidate, now: datetime) -> bool:
    fresh = candidate.last_seen_at is not None and candidate.last_seen_at > now - timedelta(seconds=BEAT_TTL_S)
    leased = candidate.reserved_until is None or candidate.reserved_until > now
    idle = candidate.activity == "IDLE" or (candidate.activity == "RESERVED" and not leased)
    reachable = bool(candidate.sip_username) and fresh and candidate.ready and candidate.microphone
    return reachable and candidate.intent == Intent.AVAILABLE and idle
