"""What Curbe needs of a Telnyx account, made or put right: an outbound profile, a TeXML application, a connection.

``ensure_account`` may run as often as one likes: what is right already is left alone, so a second run writes nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from telephony.models import TelnyxAccount
from telephony.telnyx import answers
from telephony.telnyx.client import TelnyxClient

logger = logging.getLogger(__name__)

#: What our rows are called in the account; found by this name before one is made.
NAME: Final = "Curbe Voice"
PROFILES: Final = "outbound_voice_profiles"
APPLICATIONS: Final = "texml_applications"
CONNECTIONS: Final = "credential_connections"


class UnableToSetUp(Exception):
    """Telnyx answered, but not with what an account needs; the text says what was missing."""


def ensure_account(client: TelnyxClient, now: datetime) -> TelnyxAccount:
    """Return the platform's account, complete at Telnyx and known here.

    1. the outbound voice profile, which the other two name;
    2. the TeXML application that numbers point at, with our addresses as PUBLIC_URL says today;
    3. the credential connection that agents' browsers register with, its outgoing calls parked with us;
    4. the row here, so that an interrupted run is finished by the next one.

    Raises TelnyxRefused, TelnyxUnreachable, UnableToSetUp.
    """
    account, _ = TelnyxAccount.objects.get_or_create(company=None)
    profile_id = _ensure(client, PROFILES, account.outbound_voice_profile_id, _profile())
    application_id = _ensure(client, APPLICATIONS, account.texml_application_id, _application(profile_id))
    connection_id = _ensure(
        client, CONNECTIONS, account.credential_connection_id, _connection(profile_id), when_made=_login()
    )
    account.outbound_voice_profile_id = profile_id
    account.texml_application_id = application_id
    account.credential_connection_id = connection_id
    account.checked_at = now
    account.save(
        update_fields=["outbound_voice_profile_id", "texml_application_id", "credential_connection_id", "checked_at"]
    )
    return account


#: Under which field each collection keeps its name.
_NAME_FIELDS: Final = {PROFILES: "name", APPLICATIONS: "friendly_name", CONNECTIONS: "connection_name"}


def _ensure(
    client: TelnyxClient,
    collection: str,
    known_id: str,
    wanted: Mapping[str, Any],
    *,
    when_made: Mapping[str, Any] | None = None,
) -> str:
    """Return the id of the row that is as ``wanted``: the known one, one of that name, or a new one."""
    row = client.row(collection, known_id) if known_id else None
    if row is None:
        name_field = _NAME_FIELDS[collection]
        named = [found for found in client.rows(collection) if found.get(name_field) == wanted[name_field]]
        row = named[0] if named else None
    if row is None:
        row = client.create(collection, {**wanted, **(when_made or {})})
        logger.info("Made %s %s at Telnyx", collection, row.get("id"))
    elif differs(wanted, row):
        # The names come along: a TeXML application requires name and voice_url in every PATCH (rest-api.md section 5).
        row = client.update(collection, answers.text(row.get("id")), wanted)
        logger.info("Corrected %s %s at Telnyx", collection, row.get("id"))
    row_id = answers.text(row.get("id"), 32)
    if not row_id:
        raise UnableToSetUp(f"Telnyx answered {collection} without an id.")
    return row_id


def differs(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Say whether a field that we care about is not as wanted. What we did not ask for is not ours to judge."""
    return any(_unlike(value, row.get(name)) for name, value in wanted.items())


def _unlike(wanted: object, found: object) -> bool:
    if isinstance(wanted, Mapping):
        return not isinstance(found, Mapping) or differs(wanted, found)
    return wanted != found


def _profile() -> dict[str, Any]:
    return {"name": NAME, "enabled": True}


def _application(profile_id: str) -> dict[str, Any]:
    voice_url = f"{settings.PUBLIC_URL}/webhooks/telnyx/inbound"
    return {
        "friendly_name": NAME,
        "active": True,
        "voice_url": voice_url,
        # The same address again: a request that failed once is asked once more, and the same step gets the same bytes.
        "voice_fallback_url": voice_url,
        # Sources disagree on the default method, and only a POST has a body to sign: never left to a default.
        "voice_method": "post",
        "status_callback": f"{settings.PUBLIC_URL}/webhooks/telnyx/status",
        "status_callback_method": "post",
        "outbound": {"outbound_voice_profile_id": profile_id},
    }


def _connection(profile_id: str) -> dict[str, Any]:
    return {
        "connection_name": NAME,
        "active": True,
        # Off by default; without it <Sip> cannot ring our own credentials (texml.md section 1).
        "sip_uri_calling_preference": "internal",
        # webhook_api_version texml is accepted only together with call_parking_enabled, in the same request.
        "webhook_api_version": "texml",
        "webhook_event_url": f"{settings.PUBLIC_URL}/webhooks/telnyx/outbound",
        # One phone per agent: the last browser to register has it.
        "inbound": {"simultaneous_ringing": "disabled"},
        "outbound": {"outbound_voice_profile_id": profile_id, "call_parking_enabled": True},
    }


def _login() -> dict[str, Any]:
    """Return the connection's own SIP log-in, which the API demands and nobody uses: made up, and kept nowhere."""
    # 4 to 32 letters and digits, the first no digit (rest-api.md section 6).
    return {"user_name": f"curbe{secrets.token_hex(8)}", "password": secrets.token_urlsafe(48)}
