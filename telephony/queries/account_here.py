"""Our side of the audit: numbers, agents and companies as plain facts, read in a few queries."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from sys import intern

from django.db.models import Q

from agents.models import Agent
from curbe.companies.models import Company
from telephony.core.audit import AgentHere, NumberHere
from telephony.models import NumberOrder, NumberRelease, PhoneNumber


def numbers() -> dict[str, NumberHere]:
    """Return our numbers by E.164."""
    rows = PhoneNumber.objects.values_list("id", "e164", "company_id", "telnyx_id", "connection_id")
    # Thousands of numbers share a connection: one text of it is enough.
    return {
        e164: NumberHere(number_id, e164, company_id, telnyx_id, intern(connection_id))
        for number_id, e164, company_id, telnyx_id, connection_id in rows.iterator(chunk_size=1_000)
    }


def moving(*, since: datetime) -> set[str]:
    """Return the numbers that are being bought or given back, or were since then."""
    ended = Q(ended_at=None) | Q(ended_at__gte=since)
    orders = NumberOrder.objects.filter(ended, state__in=[*NumberOrder.OPEN, NumberOrder.State.DONE])
    releases = NumberRelease.objects.filter(ended).exclude(state=NumberRelease.State.FAILED)
    return {*orders.values_list("e164", flat=True), *releases.values_list("e164", flat=True)}


def ordered_as(references: Collection[str]) -> dict[str, int]:
    """Return the company of each order that carries one of these references of ours."""
    orders = NumberOrder.objects.filter(customer_reference__in=set(references) - {""})
    return dict(orders.values_list("customer_reference", "company_id"))


def bought_by(e164s: Collection[str]) -> dict[str, int]:
    """Return the company that ordered a number last, and never gave it back, for each of these that one ordered."""
    ordered = NumberOrder.objects.filter(e164__in=e164s, sent_at__isnull=False).order_by("id")
    last = {e164: (company_id, at) for e164, company_id, at in ordered.values_list("e164", "company_id", "created_at")}
    released = NumberRelease.objects.filter(e164__in=list(last), state=NumberRelease.State.DONE)
    for e164, at in released.values_list("e164", "created_at"):
        if e164 in last and last[e164][1] < at:
            del last[e164]
    return {e164: company_id for e164, (company_id, _) in last.items()}


def agents() -> list[AgentHere]:
    rows = Agent.objects.order_by("id").values_list(
        "id",
        "user__name",
        "user__username",
        "company_id",
        "is_active",
        "user__is_active",
        "endpoint__telnyx_credential_id",
        "endpoint__sip_username",
    )
    return [
        AgentHere(
            id=agent_id,
            name=name or username,
            company_id=company_id,
            answers=is_active and is_person,
            credential_id=credential_id or "",
            sip_username=sip_username or "",
        )
        for agent_id, name, username, company_id, is_active, is_person, credential_id, sip_username in rows.iterator(
            chunk_size=5_000
        )
    ]


def companies() -> dict[str, int]:
    """Return the ids of companies by public id."""
    return dict(Company.objects.values_list("public_id", "id"))
