"""An agent's Telnyx credential: found by its tag before one is made, so that no agent ever has two."""

from __future__ import annotations

import logging

from django.db import transaction

from agents.models import Agent
from telephony.models import SipEndpoint, TelnyxAccount
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused

logger = logging.getLogger(__name__)


class NoConnection(Exception):
    """There is no credential connection yet: ``manage.py telnyx_setup`` makes it."""


def tag_of(agent: Agent) -> str:
    return f"curbe-agent-{agent.pk}-{agent.company.public_id}"


def ensure_endpoint(agent: Agent, client: TelnyxClient) -> SipEndpoint:
    """Return the agent's endpoint; the first time, Telnyx is asked for a credential.

    Two at once may both ask Telnyx; the tag lets the slower one find the faster one's credential, and the row is
    unique per agent. Raises NoConnection, TelnyxRefused, TelnyxUnreachable.
    """
    known = SipEndpoint.objects.filter(agent=agent).first()
    if known is not None:
        return known
    connection_id = _connection_of(agent)
    tag = tag_of(agent)
    # The oldest of several wins, so that whoever looks later finds the same one.
    usable = [found for found in client.credentials(tag=tag) if not found.expired and found.sip_username]
    credential = min(usable, key=lambda found: found.id) if usable else None
    if credential is None:
        credential = client.create_credential(connection_id=connection_id, tag=tag)
    with transaction.atomic():
        endpoint, made = SipEndpoint.objects.get_or_create(
            agent=agent,
            defaults={
                "company_id": agent.company_id,
                "telnyx_credential_id": credential.id,
                "sip_username": credential.sip_username,
                "connection_id": connection_id,
            },
        )
    if made:
        logger.info("Agent %s rings at credential %s", agent.pk, credential.id)
    return endpoint


def login_token_for(agent: Agent, client: TelnyxClient) -> str:
    """Return a token by which the agent's browser registers. Raises NoConnection, TelnyxRefused, TelnyxUnreachable.

    A credential that somebody deleted at Telnyx is forgotten, and another one made: the agent could never work again.
    """
    endpoint = ensure_endpoint(agent, client)
    try:
        return client.create_token(endpoint.telnyx_credential_id)
    except TelnyxRefused as err:
        if err.status != 404:
            raise
        logger.warning("Credential %s of agent %s is gone at Telnyx", endpoint.telnyx_credential_id, agent.pk)
    SipEndpoint.objects.filter(pk=endpoint.pk, telnyx_credential_id=endpoint.telnyx_credential_id).delete()
    return client.create_token(ensure_endpoint(agent, client).telnyx_credential_id)


def _connection_of(agent: Agent) -> str:
    """Return the connection of the agent's company, else the platform's."""
    accounts = TelnyxAccount.objects.filter(company=agent.company_id) | TelnyxAccount.objects.filter(company=None)
    ids = {account.company_id: account.credential_connection_id for account in accounts}
    connection_id = ids.get(agent.company_id) or ids.get(None)
    if not connection_id:
        raise NoConnection("No credential connection at Telnyx yet: run manage.py telnyx_setup.")
    return connection_id
