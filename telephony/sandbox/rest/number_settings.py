"""What stands beside a number: voice settings with the caller-ID name, emergency service, and the addresses for it."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from telephony.sandbox import clock, ids
from telephony.sandbox.account.numbers import FEATURES
from telephony.sandbox.account.store import Account, Row, newest_first, public
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.schema import check_body, check_query

PROVISIONING_S = 1.0
_CNAM = re.compile(r"[A-Za-z0-9 ]{1,15}")


async def voice(request: web.Request) -> web.Response:
    return data(_voice(_row(request)))


async def update_voice(request: web.Request) -> web.Response:
    account, row = world_of(request).account, _row(request)
    body = check_body(fields.VOICE_SETTINGS, await json_body(request))
    if (listing := body.get("cnam_listing")) is not None:
        _check_listing(listing)
        row["cnam_listing_enabled"] = bool(listing.get("cnam_listing_enabled"))
    # What is not named stays as it was; objects are replaced as a whole.
    account.put("phone_numbers", row | {"_voice": row.get("_voice", {}) | body, "updated_at": clock.iso(clock.now())})
    return data(_voice(_row(request)))


def _check_listing(listing: Row) -> None:
    if not listing.get("cnam_listing_enabled"):
        return
    if not _CNAM.fullmatch(listing.get("cnam_listing_details") or ""):
        detail = "cnam_listing_details: 1 to 15 letters, digits or spaces."
        raise ApiError(422, Problem("10027", detail, "/cnam_listing/cnam_listing_details"))


async def enable_emergency(request: web.Request) -> web.Response:
    account, row = world_of(request).account, _row(request)
    body = check_body(fields.ENABLE_EMERGENCY, await json_body(request))
    if account.get("addresses", body["emergency_address_id"]) is None:
        raise ApiError(422, Problem("10027", "There is no such address.", "/emergency_address_id"))
    if "emergency" not in FEATURES.get(row["country_iso_alpha2"], ()):
        raise ApiError(422, Problem("10027", "Emergency services are not offered for this number.", "/id"))
    is_on = body["emergency_enabled"]
    row |= {
        "emergency_enabled": is_on,
        "emergency_address_id": body["emergency_address_id"] if is_on else None,
        "_emergency_since": clock.iso(clock.now()) if is_on else None,
    }
    account.put("phone_numbers", row)
    return data(_voice(row), status=202)


def _voice(row: Row) -> Row:
    settings: Row = row.get("_voice", {})
    return {
        "record_type": "voice_settings",
        "id": row["id"],
        "phone_number": row["phone_number"],
        "connection_id": row["connection_id"],
        "customer_reference": row["customer_reference"],
        "tech_prefix_enabled": False,
        "translated_number": "",
        "usage_payment_method": "pay-per-minute",
        "inbound_call_screening": "disabled",
        "cnam_listing": {"cnam_listing_enabled": False, "cnam_listing_details": ""},
        "call_forwarding": {"call_forwarding_enabled": False, "forwards_to": "", "forwarding_type": "always"},
        "call_recording": {
            "inbound_call_recording_enabled": False,
            "inbound_call_recording_channels": "single",
            "inbound_call_recording_format": "mp3",
        },
        "media_features": {},
        **{name: value for name, value in settings.items() if name != "caller_id_name_enabled"},
        "emergency": {
            "emergency_enabled": row["emergency_enabled"],
            "emergency_address_id": row.get("emergency_address_id") or "",
            "emergency_status": _emergency_status(row),
        },
    }


def _emergency_status(row: Row) -> str:
    since = row.get("_emergency_since")
    if not since:
        return "disabled"
    age_s = (clock.now() - clock.parse_iso(since)).total_seconds()
    return "active" if age_s >= PROVISIONING_S else "provisioning"


async def addresses(request: web.Request) -> web.Response:
    query = check_query(fields.ADDRESSES_QUERY, request.query)
    rows = [public(row) for row in newest_first(world_of(request).account.table("addresses"))]
    if (wanted := query.get("filter[customer_reference][eq]")) is not None:
        rows = [row for row in rows if row["customer_reference"] == wanted]
    if (part := query.get("filter[customer_reference][contains]")) is not None:
        rows = [row for row in rows if part.lower() in (row["customer_reference"] or "").lower()]
    return paged(rows, query)


async def create_address(request: web.Request) -> web.Response:
    account = world_of(request).account
    body = check_body(fields.ADDRESS, await json_body(request))
    _check_address(body)
    at = clock.iso(clock.now())
    names = [name.rstrip("!") for name in fields.ADDRESS if name != "validate_address"]
    row = {name: body.get(name) for name in names} | {
        "id": ids.new_numeric_id(),
        "record_type": "address",
        "validate_address": body.get("validate_address", True),
        "address_book": bool(body.get("address_book")),
        "created_at": at,
        "updated_at": at,
    }
    return data(account.put("addresses", row))


def _check_address(body: dict[str, Any]) -> None:
    """Refuse what no ambulance could find: which addresses Telnyx finds is its own matter (assumption N-04)."""
    if not body.get("business_name") and not (body.get("first_name") and body.get("last_name")):
        raise ApiError(422, Problem("10004", "Either a business name, or first and last name.", "/business_name"))
    if body["country_code"] != "US" or body.get("validate_address") is False:
        return
    if not re.fullmatch(r"[A-Z]{2}", body.get("administrative_area") or ""):
        raise ApiError(422, Problem("10027", "The state must have two letters.", "/administrative_area"))
    if not re.fullmatch(r"\d{5}(-\d{4})?", body.get("postal_code") or ""):
        raise ApiError(422, Problem("10027", "The postal code is not one of the USA.", "/postal_code"))


async def address(request: web.Request) -> web.Response:
    return data(public(_address(request)))


async def delete_address(request: web.Request) -> web.Response:
    account, row = world_of(request).account, _address(request)
    if any(number.get("emergency_address_id") == row["id"] for number in account.table("phone_numbers").values()):
        raise ApiError(422, Problem("10021", "A number uses this address.", "/id"))
    account.remove("addresses", row["id"])
    return data(public(row))


def _address(request: web.Request) -> Row:
    row = world_of(request).account.get("addresses", request.match_info["id"])
    if row is None:
        raise not_found(f"address {request.match_info['id']}")
    return row


def _row(request: web.Request) -> Row:
    account: Account = world_of(request).account
    row = account.get("phone_numbers", request.match_info["id"])
    if row is None:
        raise not_found(f"phone number {request.match_info['id']}")
    return row


ROUTES = [
    web.get("/v2/phone_numbers/{id}/voice", voice),
    web.patch("/v2/phone_numbers/{id}/voice", update_voice),
    web.post("/v2/phone_numbers/{id}/actions/enable_emergency", enable_emergency),
    web.get("/v2/addresses", addresses),
    web.post("/v2/addresses", create_address),
    web.get("/v2/addresses/{id}", address),
    web.delete("/v2/addresses/{id}", delete_address),
]
