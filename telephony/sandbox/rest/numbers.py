"""Searching for numbers, and the numbers that the account owns."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.numbers import FEATURES, OTHER_PRICE, PREFIXES, PRICES, SHELVES, shop
from telephony.sandbox.account.store import Account, Row, public
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.schema import check_body, check_query

LOOK_AT_MOST = 20_000  # numbers of the shop that one search looks through before it says "no more"

#: What is told of a number, and not of one that was just released (SDK 4.189.0, PhoneNumberDeleteResponse).
NOT_OF_THE_DELETED = frozenset({"country_iso_alpha2", "inbound_call_screening", "source_type"})


async def available(request: web.Request) -> web.Response:
    """Not paged; `filter[limit]` numbers at most. What is on no shelf is not found; an unsold country's are empty."""
    query = check_query(fields.AVAILABLE_NUMBERS_QUERY, request.query)
    if "filter[country_code]" not in query:
        raise ApiError(422, Problem("10004", "filter[country_code] is required.", "/filter[country_code]"))
    world = world_of(request)
    owned = {row["phone_number"] for row in world.account.table("phone_numbers").values()}
    found = [row for row in islice(_matching(query), LOOK_AT_MOST) if row["phone_number"] not in owned]
    found = found[: query.get("filter[limit]", 100)]
    world.searched_numbers.update(row["phone_number"] for row in found)
    meta = {"total_results": len(found), "best_effort_results": 0}
    return web.json_response({"data": found, "metadata": meta, "meta": meta})


def _matching(query: dict[str, Any]) -> Iterable[Row]:
    """Yield what is for sale of one country, of each kind in turn unless one is asked for."""
    country = query["filter[country_code]"]
    features = {*query.get("filter[features]", []), *query.get("filter[features][]", [])}
    if not features <= set(FEATURES.get(country, ())):
        return
    kinds = [query["filter[phone_number_type]"]] if "filter[phone_number_type]" in query else SHELVES.get(country, {})
    limit = query.get("filter[limit]", 100)
    for kind in kinds:
        seen: set[str] = set()
        for e164, state, place in islice(_shelf(country, kind, query), LOOK_AT_MOST):
            national = e164.removeprefix(PREFIXES[country])
            if _has_digits(national, query) and e164 not in seen:
                seen.add(e164)
                yield _offer(e164, country, kind, state, place)
            if len(seen) >= limit * 2:
                break


def _shelf(country: str, kind: str, query: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    starts = query.get("filter[phone_number][starts_with]", "")
    area_code = query.get("filter[national_destination_code]") or (starts[:3] if len(starts) >= 3 else None)
    return shop(
        country,
        kind,
        area_code=area_code,
        state=query.get("filter[administrative_area]"),
        place=query.get("filter[locality]"),
    )


def _has_digits(national: str, query: dict[str, Any]) -> bool:
    contains, ends = query.get("filter[phone_number][contains]", ""), query.get("filter[phone_number][ends_with]", "")
    starts = query.get("filter[phone_number][starts_with]", "")
    return contains in national and national.endswith(ends) and national.startswith(starts)


def _offer(e164: str, country: str, kind: str, state: str, place: str) -> Row:
    regions = [("country_code", country), ("state", state), ("rate_center", place.upper())]
    upfront, monthly = PRICES.get((country, kind), OTHER_PRICE)
    return {
        "record_type": "available_phone_number",
        "phone_number": e164,
        "vanity_format": "",
        "best_effort": False,
        "quickship": kind == "toll_free",
        "reservable": True,
        "region_information": [{"region_type": region, "region_name": name} for region, name in regions if name],
        "cost_information": {"upfront_cost": upfront, "monthly_cost": monthly, "currency": "USD"},
        "features": [{"name": feature} for feature in FEATURES[country]],
    }


async def index(request: web.Request) -> web.Response:
    query = check_query(fields.PHONE_NUMBERS_QUERY, request.query)
    account = world_of(request).account
    listed = [*account.table("phone_numbers").values(), *account.table("released_numbers").values()]
    rows = sorted(listed, key=lambda row: str(row["phone_number"]))
    if "filter[phone_number]" in query:
        digits = str(query["filter[phone_number]"]).lstrip("+")
        if len(digits) < 3 or not digits.isdigit():
            raise ApiError(422, Problem("10027", "At least three digits, and digits only.", "/filter[phone_number]"))
        rows = [row for row in rows if digits in row["phone_number"]]
    for name in ("connection_id", "customer_reference", "status", "billing_group_id"):
        if (wanted := query.get(f"filter[{name}]")) is not None:
            rows = [row for row in rows if row.get(name) == wanted]
    if (tag := query.get("filter[tag]")) is not None:
        rows = [row for row in rows if tag in row["tags"]]
    if countries := query.get("filter[country_iso_alpha2]"):
        rows = [row for row in rows if row["country_iso_alpha2"] in countries]
    if (connection := query.get("filter[voice.connection_name][eq]")) is not None:
        rows = [row for row in rows if account.connection_name(row.get("connection_id")) == connection]
    if query.get("sort") == "purchased_at":
        rows.sort(key=lambda row: row["purchased_at"])
    return paged([_shown(account, row) for row in rows], query)


async def retrieve(request: web.Request) -> web.Response:
    return data(_shown(world_of(request).account, _row(request)))


async def update(request: web.Request) -> web.Response:
    account, row = world_of(request).account, dict(_row(request))
    body = check_body(fields.PHONE_NUMBER, await json_body(request))
    check_connection(account, body.get("connection_id"))
    row |= body | {"updated_at": clock.iso(clock.now())}
    return data(_shown(account, account.put("phone_numbers", row)))


async def delete(request: web.Request) -> web.Response:
    account, row = world_of(request).account, _row(request)
    account.remove("phone_numbers", row["id"])
    account.put("released_numbers", row | {"status": "deleted", "connection_id": None})
    gone = _shown(account, row | {"status": "deleted"})
    return data({name: value for name, value in gone.items() if name not in NOT_OF_THE_DELETED})


def check_connection(account: Account, connection_id: str | None) -> None:
    if connection_id is not None and account.connection_kind(connection_id) is None:
        raise ApiError(422, Problem("85004", f"There is no connection {connection_id}.", "/connection_id"))


def _row(request: web.Request) -> Row:
    """By the numeric id only: that the API takes the number itself is not proved (rest-api.md section 4)."""
    number_id = request.match_info["id"]
    row = world_of(request).account.get("phone_numbers", number_id)
    if row is None:
        raise not_found(f"phone number {number_id}")
    return row


def _shown(account: Account, row: Row) -> Row:
    return public(row) | {"connection_name": account.connection_name(row.get("connection_id"))}


ROUTES = [
    web.get("/v2/available_phone_numbers", available),
    web.get("/v2/phone_numbers", index),
    web.get("/v2/phone_numbers/{id}", retrieve),
    web.patch("/v2/phone_numbers/{id}", update),
    web.delete("/v2/phone_numbers/{id}", delete),
]
