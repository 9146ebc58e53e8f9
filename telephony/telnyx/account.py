"""A set of what Curbe needs of a Telnyx account, made or put right: a profile, a TeXML application, a connection.

``ensure_account`` may run as often as one likes: what is right already is left alone, so a second run writes nothing,
and one that was interrupted is completed by the next.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from curbe.companies.models import Company
from telephony.core import account as wanted_of
from telephony.core.account import NAME_FIELDS, Limits, Part
from telephony.models import TelnyxAccount
from telephony.telnyx import answers
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused

logger = logging.getLogger(__name__)

#: By what rows of a collection are looked for; each finds more than the exact name, which is compared afterwards.
NAME_FILTERS: Final = {
    Part.PROFILE: "filter[name][contains]",
    Part.APPLICATION: "filter[friendly_name]",
    Part.CONNECTION: "filter[connection_name][contains]",
}
#: Where our row of the set keeps the id.
ID_FIELDS: Final = {
    Part.PROFILE: "outbound_voice_profile_id",
    Part.APPLICATION: "texml_application_id",
    Part.CONNECTION: "credential_connection_id",
}


class UnableToSetUp(Exception):
    """Telnyx answered, but not with what an account needs; the text says what was missing."""


def ensure_account(client: TelnyxClient, now: datetime, *, company: Company | None = None) -> TelnyxAccount:
    """Return the platform's set, or a company's own, complete at Telnyx and known here.

    1. the outbound voice profile, which the other two name;
    2. the TeXML application that numbers point at, with our addresses as PUBLIC_URL says today;
    3. the credential connection that agents' browsers register with, its outgoing calls parked with us.
    Each is noted here as soon as it is there; one whose note was lost is found by its name.

    Raises TelnyxRefused, TelnyxUnreachable, UnableToSetUp.
    """
    account, _ = TelnyxAccount.objects.select_related("company").get_or_create(company=company)
    public_id, origin = company.public_id if company else "", settings.PUBLIC_URL
    profile_id = _ensure(client, account, Part.PROFILE, wanted_of.profile(public_id, limits_of(account)))
    application = wanted_of.application(public_id, origin=origin, profile_id=profile_id)
    _ensure(client, account, Part.APPLICATION, application)
    connection = wanted_of.connection(public_id, origin=origin, profile_id=profile_id)
    _ensure(client, account, Part.CONNECTION, connection, when_made=_login())
    account.checked_at = now
    account.save(update_fields=["checked_at"])
    return account


def limits_of(account: TelnyxAccount) -> Limits:
    return Limits(tuple(account.destinations), account.daily_spend_usd, account.concurrent_calls)


def _ensure(
    client: TelnyxClient,
    account: TelnyxAccount,
    part: Part,
    wanted: Mapping[str, Any],
    *,
    when_made: Mapping[str, Any] | None = None,
) -> str:
    """Return the id of the row that is as ``wanted``: the known one, one of that name, or a new one; and note it."""
    known_id = getattr(account, ID_FIELDS[part])
    row = client.row(part, known_id) if known_id else None
    if row is None:
        row = _named(client, part, wanted[NAME_FIELDS[part]])
    if row is None:
        row = client.create(part, {**wanted, **(when_made or {})})
        logger.info("Made %s %s at Telnyx", part, row.get("id"))
    elif different := {one.field.partition(".")[0] for one in wanted_of.differences(wanted, row)}:
        row = _correct(client, part, answers.text(row.get("id")), wanted, different, when_made or {})
    row_id = answers.text(row.get("id"), 32)
    if not row_id:
        raise UnableToSetUp(f"Telnyx answered {part} without an id.")
    if row_id != known_id:
        setattr(account, ID_FIELDS[part], row_id)
        account.save(update_fields=[ID_FIELDS[part]])
    return row_id


#: What every PATCH of a collection must carry (rest-api.md section 5), beside its name.
REQUIRED: Final = {Part.APPLICATION: frozenset({"voice_url"})}
#: Telnyx takes the one only together with the other, in the same request (rest-api.md section 6).
VERSION, PARKING = "webhook_api_version", "outbound"


def _correct(
    client: TelnyxClient,
    part: Part,
    row_id: str,
    wanted: Mapping[str, Any],
    different: set[str],
    when_made: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Change the fields that differ, and return the row; a connection that cannot be changed so is made anew."""
    names = different | {NAME_FIELDS[part]} | REQUIRED.get(part, frozenset())
    if VERSION in different:
        names |= {PARKING}
    try:
        row = client.update(part, row_id, {name: value for name, value in wanted.items() if name in names})
    except TelnyxRefused as err:
        # "texml" is documented for a connection that is made, not for one that is changed (assumption E-13).
        if VERSION not in different:
            raise
        logger.warning("%s %s cannot be corrected, so another is made: %s", part, row_id, err)
        return client.create(part, {**wanted, **when_made})
    logger.info("Corrected %s of %s %s at Telnyx", ", ".join(sorted(different)), part, row_id)
    return row


def _named(client: TelnyxClient, part: Part, name: str) -> Mapping[str, Any] | None:
    rows = client.rows(part, {NAME_FILTERS[part]: name})
    return next((found for found in rows if found.get(NAME_FIELDS[part]) == name), None)


def _login() -> dict[str, Any]:
    """Return the connection's own SIP log-in, which the API demands and nobody uses: made up, and kept nowhere."""
    # 4 to 32 letters and digits, the first no digit (rest-api.md section 6).
    return {"user_name": f"curbe{secrets.token_hex(8)}", "password": secrets.token_urlsafe(48)}
