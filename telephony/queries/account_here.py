"""Our side of the audit: numbers, agents and companies as plain facts, read in a few queries."""

from __future__ import annotations

from sys import intern

from agents.models import Agent
from curbe.companies.models import Company
from telephony.core.audit import AgentHere, NumberHere
from telephony.models import PhoneNumber


def numbers() -> dict[str, NumberHere]:
    """Return our numbers by E.164."""
    rows = PhoneNumber.objects.values_list("id", "e164", "company_id", "telnyx_id", "connection_id")
    # Thousands of numbers share a connection: one text of it is enough.
    return {
        e164: NumberHere(number_id, e164, company_id, telnyx_id, intern(connection_id))
        for number_id, e164, company_id, telnyx_id, connection_id in rows.iterator(chunk_size=1_000)
    }


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
