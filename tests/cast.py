"""The rows that tests are about, made by plain functions: each says what matters to the test and nothing else.

The people are fixed (tests/conftest.py): Alice owns Acme, Bob answers there, Sam supervises, Mallory belongs elsewhere.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from agents.models import Agent, Beat
from curbe.companies.models import ApiToken, Company, Membership, Role, Team, TeamMembership, User
from curbe.contacts.models import Contact, ContactNumber
from telephony.models import BusinessHours, Call, CallQueue, PhoneNumber, QueueMember, SipEndpoint

_serial = itertools.count(1)


def make_company(slug: str = "", **fields: Any) -> Company:
    slug = slug or f"company-{next(_serial)}"
    return Company.objects.create(**{"slug": slug, "name": slug.title(), **fields})


def make_user(
    company: Company | None = None,
    username: str = "",
    *,
    role: str = Role.AGENT,
    password: str | None = None,
    **fields: Any,
) -> User:
    """Make a person, a member of ``company`` unless it is None. Without a password nobody logs in but by force."""
    username = username or f"person-{next(_serial)}"
    user = User.objects.create_user(username, password=password, **{"name": username.title(), **fields})
    if company is not None:
        make_membership(company, user, role=role)
    return user


def make_membership(company: Company, user: User, *, role: str = Role.AGENT) -> Membership:
    return Membership.objects.create(company=company, user=user, role=role)


def make_team(company: Company, name: str = "norte", *people: User) -> Team:
    team = Team.objects.create(company=company, name=name)
    for user in people:
        TeamMembership.objects.create(company=company, team=team, membership=user.memberships.get(company=company))
    return team


def make_token(user: User, name: str = "a program") -> str:
    """Return a key that acts as the user's oldest membership."""
    membership = user.memberships.earliest("id")
    key = f"key-{uuid.uuid4().hex}"
    ApiToken.objects.create(
        company=membership.company, membership=membership, name=name, digest=ApiToken.digest_of(key)
    )
    return key


def make_agent(company: Company, username: str = "", *, user: User | None = None, **fields: Any) -> Agent:
    """Make an agent; of a new person with that user name unless ``user`` is there already. Nobody can ring him yet."""
    return Agent.objects.create(company=company, user=user or make_user(company, username), **fields)


def beat(agent: Agent, *, now: datetime, ready: bool = True, microphone: bool = True, phone_id: str = "phone") -> Beat:
    """Let the agent's browser say at ``now`` that it is there."""
    said = {"last_seen_at": now, "ready": ready, "microphone": microphone, "phone_id": phone_id}
    return Beat.objects.update_or_create(agent=agent, defaults=said)[0]


def endpoint_for(agent: Agent, sip_username: str = "") -> SipEndpoint:
    """Give the agent a Telnyx credential: ``gencred<user name>`` unless another is named."""
    return SipEndpoint.objects.create(
        company_id=agent.company_id,
        agent=agent,
        telnyx_credential_id=str(uuid.uuid4()),
        sip_username=sip_username or f"gencred{agent.user.username}{agent.pk}",
        connection_id="2001",
    )


def ready_agent(company: Company, username: str = "", *, now: datetime | None = None, idle_s: int = 60) -> Agent:
    """Return an agent who can be rung, idle for so long."""
    now = now or timezone.now()
    agent = make_agent(company, username)
    Agent.objects.filter(pk=agent.pk).update(idle_since=now - timedelta(seconds=idle_s))
    endpoint_for(agent)
    beat(agent, now=now)
    return Agent.objects.select_related("user", "company", "beat", "endpoint").get(pk=agent.pk)


def make_queue(company: Company, name: str = "ventas", *, members: Sequence[Agent] = (), **fields: Any) -> CallQueue:
    queue = CallQueue.objects.create(company=company, name=name, **fields)
    for agent in members:
        QueueMember.objects.create(queue=queue, agent=agent)
    return queue


def make_number(
    company: Company,
    e164: str = "",
    *,
    agent: Agent | None = None,
    queue: CallQueue | None = None,
    destination: str = "",
    **fields: Any,
) -> PhoneNumber:
    """Make a number that leads to ``agent``, to ``queue``, to ``destination``, or nowhere."""
    leads_to = PhoneNumber.Destination.USER if agent else PhoneNumber.Destination.QUEUE if queue else destination
    return PhoneNumber.objects.create(
        company=company,
        e164=e164 or f"+1305{next(_serial):07d}",
        destination=leads_to or PhoneNumber.Destination.NONE,
        agent=agent,
        queue=queue,
        **fields,
    )


def make_contact(company: Company, name: str, *numbers: str) -> Contact:
    contact = Contact.objects.create(company=company, name=name)
    for e164 in numbers:
        ContactNumber.objects.create(company=company, contact=contact, e164=e164)
    return contact


def make_call(company: Company, **fields: Any) -> Call:
    """Make an inbound call that rings, from +13055551234, unless ``fields`` say otherwise."""
    now = fields.get("started_at") or timezone.now()
    return Call.objects.create(
        **{
            "company": company,
            "from_number": "+13055551234",
            "to_number": "+13055550100",
            "root_call_sid": f"v3:{uuid.uuid4().hex}",
            "account_sid": "6a9a7976-012e-45d2-9258-6f5dc68d861e",
            "started_at": now,
            "last_news_at": now,
            **fields,
        }
    )


def client_for(user: User, **client: Any) -> Client:
    """Return a browser in which the person is logged in."""
    browser = Client(**client)
    browser.force_login(user)
    return browser


def make_hours(company: Company, name: str = "oficina", **fields: Any) -> BusinessHours:
    """Make business hours; without ``weekly`` they are closed all week."""
    return BusinessHours.objects.create(company=company, name=name, **fields)
