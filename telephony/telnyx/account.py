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
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings

from curbe.companies.models import Company
from telephony.core import account as wanted_of
from telephony.core.account import NAME_FIELDS, Limits, Part
from telephony.models import Place, TelnyxAccount
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


#: The field by which one tells whose a row is: the address of ours that Telnyx asks.
ADDRESS_FIELDS: Final = {Part.APPLICATION: "voice_url", Part.CONNECTION: "webhook_event_url"}
#: What the operator has set at Telnyx for the platform's calls holds for a company that gets a profile of its own.
INHERITED: Final = (
    "whitelisted_destinations",
    "daily_spend_limit_enabled",
    "daily_spend_limit",
    "concurrent_call_limit",
    "max_destination_rate",
)


class UnableToSetUp(Exception):
    """Telnyx answered, but not with what an account needs; the text says what was missing."""


def ensure_account(
    client: TelnyxClient, now: datetime, *, company: Company | None = None, adopt: bool = False
) -> TelnyxAccount:
    """Return the platform's set, or a company's own, complete at Telnyx and known here.

    1. the outbound voice profile, which the other two name;
    2. the TeXML application that numbers point at, with our addresses as PUBLIC_URL says today;
    3. the credential connection that agents' browsers register with, its outgoing calls parked with us.
    Each is noted here as soon as it is there; one whose note was lost is found by its name. A set of that name that
    serves another host is another installation's, which would lose its calls: it is left alone, unless ``adopt``.

    Raises TelnyxRefused, TelnyxUnreachable, UnableToSetUp.
    """
    account = row_of(company)
    public_id, origin = company.public_id if company else "", settings.PUBLIC_URL
    found = {part: _find(client, account, part, wanted_of.name_of(public_id)) for part in Part}
    if not adopt:
        _refuse_anothers(account, found, origin)
    limits, when_made = limits_of(account), _inherited(client) if company and found[Part.PROFILE] is None else {}
    profile = wanted_of.profile(public_id, limits)
    profile_id = _ensure(client, account, Part.PROFILE, found, profile, when_made=when_made)
    application = wanted_of.application(public_id, origin=origin, profile_id=profile_id)
    _ensure(client, account, Part.APPLICATION, found, application)
    connection = wanted_of.connection(public_id, origin=origin, profile_id=profile_id)
    _ensure(client, account, Part.CONNECTION, found, connection, when_made=_login())
    account.checked_at = now
    account.save(update_fields=["checked_at"])
    return account


def row_of(company: Company | None) -> TelnyxAccount:
    """Return our row of a set, made if need be: a company's own begins with the limits that the platform's has."""
    platforms = TelnyxAccount.objects.filter(company=None).first() if company else None
    limits = (
        {
            "destinations": platforms.destinations,
            "daily_spend_usd": platforms.daily_spend_usd,
            "concurrent_calls": platforms.concurrent_calls,
        }
        if platforms
        else {}
    )
    account, _ = TelnyxAccount.objects.select_related("company").get_or_create(company=company, defaults=limits)
    return account


def limits_of(account: TelnyxAccount) -> Limits:
    destinations = account.destinations or _countries_of(account.company)
    return Limits(tuple(destinations), account.daily_spend_usd, account.concurrent_calls)


def _countries_of(company: Company | None) -> list[str]:
    """Return where calls through a set go: what its companies' agents may call, and where their callers are sent on.

    Under None of all companies that have no set of their own. A country that is missing at Telnyx lets calls die there
    before anybody hears of them.
    """
    companies = Company.objects.filter(pk=company.pk) if company else Company.objects.filter(telnyx_account=None)
    allowed = companies.order_by().values_list("outbound_countries", flat=True).distinct()
    ahead = Place.objects.filter(company__in=companies).exclude(e164="").order_by()
    numbers = {*ahead.values_list("e164", flat=True), *companies.values_list("fallback_number", flat=True)} - {""}
    found = {country for countries in allowed for country in countries} | {_country_of(one) for one in numbers}
    return sorted(found - {""})


def _country_of(e164: str) -> str:
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(e164, None))
    except phonenumbers.NumberParseException:
        return ""
    # "001": a number of no country, such as a satellite's.
    return region if region and region.isalpha() else ""


def _inherited(client: TelnyxClient) -> dict[str, Any]:
    platforms = TelnyxAccount.objects.filter(company=None).exclude(outbound_voice_profile_id="").first()
    row = client.row(Part.PROFILE, platforms.outbound_voice_profile_id) if platforms else None
    return {name: row[name] for name in INHERITED if row and row.get(name) is not None}


def _find(client: TelnyxClient, account: TelnyxAccount, part: Part, name: str) -> Mapping[str, Any] | None:
    """Return the row that we know, else one of that name: rather one that serves us."""
    known_id = getattr(account, ID_FIELDS[part])
    row = client.row(part, known_id) if known_id else None
    if row is not None:
        return row
    rows = client.rows(part, {NAME_FILTERS[part]: name})
    named = [found for found in rows if found.get(NAME_FIELDS[part]) == name]
    return min(named, key=lambda one: _host_served(part, one) not in {"", _host(settings.PUBLIC_URL)}, default=None)


def _refuse_anothers(account: TelnyxAccount, found: Mapping[Part, Mapping[str, Any] | None], origin: str) -> None:
    """Raise UnableToSetUp if a row that we do not know by its id serves another host. Nothing was written yet."""
    for part, row in found.items():
        if row is None or answers.text(row.get("id"), 32) == getattr(account, ID_FIELDS[part]):
            continue
        host = _host_served(part, row)
        if host not in {"", _host(origin)}:
            raise UnableToSetUp(
                f"{part} {row.get('id')} is called {row.get(NAME_FIELDS[part])}, and serves {host}: another "
                f"installation's, perhaps. If it is yours, run manage.py telnyx_setup --adopt, which has it serve "
                f"{_host(origin)} instead."
            )


def _host_served(part: Part, row: Mapping[str, Any]) -> str:
    return _host(answers.text(row.get(ADDRESS_FIELDS[part]), 2000)) if part in ADDRESS_FIELDS else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _ensure(
    client: TelnyxClient,
    account: TelnyxAccount,
    part: Part,
    found: Mapping[Part, Mapping[str, Any] | None],
    wanted: Mapping[str, Any],
    *,
    when_made: Mapping[str, Any] | None = None,
) -> str:
    """Return the id of the row that is as ``wanted``: the one that was found, or a new one; and note it."""
    known_id = getattr(account, ID_FIELDS[part])
    row = found[part]
    if row is None:
        row = client.create(part, {**(when_made or {}), **wanted})
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


def _login() -> dict[str, Any]:
    """Return the connection's own SIP log-in, which the API demands and nobody uses: made up, and kept nowhere."""
    # 4 to 32 letters and digits, the first no digit (rest-api.md section 6).
    return {"user_name": f"curbe{secrets.token_hex(8)}", "password": secrets.token_urlsafe(48)}
