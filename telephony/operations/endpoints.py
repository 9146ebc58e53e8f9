"""An agent's Telnyx credential: made, renewed and deleted with him.

It is found by its tag before one is made, so that a retry never makes a second.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from agents.models import Activity, Agent
from agents.operations import LOGGED_OUT, claim_phone
from curbe.companies.sessions import end_sessions
from curbe.lib.locks import alone
from telephony.models import SipEndpoint, TelnyxAccount
from telephony.telnyx.answers import Credential
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxError, TelnyxRefused

logger = logging.getLogger(__name__)

#: The worker's task: it stands above this module, and calls it.
DELETE_TASK: Final = "telephony.tasks.delete_credential"
#: With the agent's id, what whoever asks Telnyx for a credential of his holds meanwhile.
LOCK: Final = 0x0C0B_E00C


class NoConnection(Exception):
    """There is no credential connection yet: ``manage.py telnyx_setup`` makes it."""


class IsTalking(Exception):
    """The agent is on a call, which would end with his credential: later."""


def tag_of(agent: Agent) -> str:
    return f"curbe-agent-{agent.pk}-{agent.company.public_id}"


def ensure_endpoint(agent: Agent, client: TelnyxClient) -> SipEndpoint:
    """Return the agent's endpoint; the first time, Telnyx is asked for a credential.

    Of two at once the second waits for the first, and finds its row. Raises NoConnection, TelnyxRefused,
    TelnyxUnreachable.
    """
    known = SipEndpoint.objects.filter(agent=agent).first()
    if known is not None:
        return known
    with alone(LOCK, agent.pk):
        return SipEndpoint.objects.filter(agent=agent).first() or _make_endpoint(agent, client)


def _make_endpoint(agent: Agent, client: TelnyxClient) -> SipEndpoint:
    connection_id = _connection_of(agent)
    tag = tag_of(agent)
    # The oldest of several wins, so that whoever looks later finds the same one.
    usable = [found for found in client.credentials(tag=tag) if _is_usable(found, connection_id)]
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
    elif endpoint.telnyx_credential_id != credential.id:
        _delete(credential.id, client)
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


def renew_endpoint(agent: Agent, client: TelnyxClient, now: datetime) -> SipEndpoint:
    """Give the agent a new credential in place of his, and delete the old one, and whatever else bears his tag.

    His browser notices that, asks for a token and registers anew. Raises IsTalking, NoConnection, TelnyxRefused,
    TelnyxUnreachable; until the new credential stands in our row nothing has changed for him.
    """
    with alone(LOCK, agent.pk):
        return _renew(agent, client, now)


def cut_off(agent: Agent, client: TelnyxClient, now: datetime, *, keep_session: str | None = None) -> SipEndpoint:
    """Shut out whoever has the agent's computer: his phone and his log-ins end, then his credential is renewed.

    A page that is logged in would ask for a token of the new credential at once, so the log-ins go first; that of
    who asks for it (``keep_session``) stays. Raises as renew_endpoint; of the last two the log-ins are ended by then.
    """
    _refuse_while_talking(agent)
    _connection_of(agent)
    ended = end_sessions(agent.user_id, keep=keep_session, now=now)
    claim_phone(agent_id=agent.pk, phone_id=LOGGED_OUT, take_over=True, now=now)
    logger.info("Agent %s is cut off: %s session(s) ended", agent.pk, ended)
    return renew_endpoint(agent, client, now)


def _renew(agent: Agent, client: TelnyxClient, now: datetime) -> SipEndpoint:
    _refuse_while_talking(agent)
    connection_id = _connection_of(agent)
    # Whatever lost its row: an answer that never came, a deletion that failed. None of them is used again.
    left = {found.id for found in client.credentials(tag=tag_of(agent))}
    made = client.create_credential(connection_id=connection_id, tag=tag_of(agent))
    with transaction.atomic():
        endpoint = SipEndpoint.objects.select_for_update().filter(agent=agent).first()
        old_id = endpoint.telnyx_credential_id if endpoint else ""
        if endpoint is None:
            endpoint = SipEndpoint(agent=agent, company_id=agent.company_id)
        endpoint.telnyx_credential_id = made.id
        endpoint.sip_username = made.sip_username
        endpoint.connection_id = connection_id
        endpoint.created_at = now
        endpoint.save()
    logger.info("Agent %s rings at credential %s instead of %s", agent.pk, made.id, old_id or "none")
    for credential_id in sorted((left | {old_id}) - {"", made.id}):
        _delete(credential_id, client)
    return endpoint


def revoke_endpoint(agent: Agent, client: TelnyxClient) -> bool:
    """Delete the credential of an agent who answers no more; return whether he had one.

    Telnyx first: a row that is left finds its credential gone the next time. Raises IsTalking, TelnyxRefused,
    TelnyxUnreachable.
    """
    endpoint = SipEndpoint.objects.filter(agent=agent).first()
    if endpoint is None:
        return False
    _refuse_while_talking(agent)
    client.delete_credential(endpoint.telnyx_credential_id)
    SipEndpoint.objects.filter(pk=endpoint.pk, telnyx_credential_id=endpoint.telnyx_credential_id).delete()
    logger.info("Agent %s answers no more: his credential %s is deleted", agent.pk, endpoint.telnyx_credential_id)
    return True


def mend_endpoint(agent: Agent, client: TelnyxClient, now: datetime) -> SipEndpoint | None:
    """Put an agent's credential right, whatever is wrong with it; return his endpoint, None if he is to have none.

    Raises IsTalking, NoConnection, TelnyxRefused, TelnyxUnreachable.
    """
    if not (agent.is_active and agent.user.is_active):
        revoke_endpoint(agent, client)
        return None
    endpoint = SipEndpoint.objects.filter(agent=agent).first()
    if endpoint is None:
        return ensure_endpoint(agent, client)
    found = client.credential(endpoint.telnyx_credential_id)
    if found is None:
        SipEndpoint.objects.filter(pk=endpoint.pk, telnyx_credential_id=endpoint.telnyx_credential_id).delete()
        return ensure_endpoint(agent, client)
    if not _is_usable(found, _connection_of(agent)):
        return renew_endpoint(agent, client, now)
    if found.sip_username != endpoint.sip_username:
        endpoint.sip_username = found.sip_username
        endpoint.save(update_fields=["sip_username"])
    return endpoint


def _is_usable(found: Credential, connection_id: str) -> bool:
    return bool(found.sip_username) and not found.expired and found.connection_id in {"", connection_id}


def _refuse_while_talking(agent: Agent) -> None:
    if Agent.objects.filter(pk=agent.pk, activity=Activity.ON_CALL).exists():
        raise IsTalking(f"Agent {agent.pk} is on a call.")


def _delete(credential_id: str, client: TelnyxClient) -> None:
    try:
        client.delete_credential(credential_id)
    except TelnyxError as err:
        # Nobody is rung there any more, but whoever has a token of it can still register.
        logger.warning("Credential %s is left at Telnyx for now: %s", credential_id, err)
        try:
            current_app.send_task(DELETE_TASK, kwargs={"credential_id": credential_id}, queue="calls")
        except OperationalError:
            logger.warning("The broker is away: the audit finds credential %s by its name", credential_id)


def _connection_of(agent: Agent) -> str:
    """Return the connection of the agent's company, else the platform's."""
    accounts = TelnyxAccount.objects.filter(company=agent.company_id) | TelnyxAccount.objects.filter(company=None)
    ids = {account.company_id: account.credential_connection_id for account in accounts}
    connection_id = ids.get(agent.company_id) or ids.get(None)
    if not connection_id:
        raise NoConnection("No credential connection at Telnyx yet: run manage.py telnyx_setup.")
    return connection_id
