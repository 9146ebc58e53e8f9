"""Number orders: pending for a moment, then the number is there and `number_order.complete` is sent."""

from __future__ import annotations

import asyncio

from aiohttp import web

from telephony.sandbox import clock, ids
from telephony.sandbox.account.numbers import country_of, number_resource
from telephony.sandbox.account.store import Row, newest_first, public
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.numbers import check_connection
from telephony.sandbox.rest.schema import check_body, check_query
from telephony.sandbox.world import World

TABLE = "number_orders"


async def create(request: web.Request) -> web.Response:
    world = world_of(request)
    body = check_body(fields.NUMBER_ORDER, await json_body(request))
    check_connection(world.account, body.get("connection_id"))
    wanted = [line["phone_number"] for line in body["phone_numbers"]]
    for place, e164 in enumerate(wanted):
        _check_for_sale(world, e164, f"/phone_numbers/{place}/phone_number")
    row = world.account.put(TABLE, _order(body, wanted))
    world.spawn(complete(world, row["id"]))
    return data(public(row), status=200)


def _check_for_sale(world: World, e164: str, pointer: str) -> None:
    if world.account.number(e164):
        raise ApiError(422, Problem("85001", f"{e164} is no longer available.", pointer))
    if e164 not in world.searched_numbers:
        raise ApiError(422, Problem("85000", f"{e164} must come from a recent search.", pointer))


def _order(body: Row, wanted: list[str]) -> Row:
    at = clock.iso(clock.now())
    return {
        "id": ids.new_uuid(),
        "record_type": "number_order",
        "status": "pending",
        "phone_numbers": [
            {
                "id": ids.new_uuid(),
                "record_type": "number_order_phone_number",
                "phone_number": e164,
                "phone_number_type": "local",
                "country_code": country_of(e164) or "US",
                "country_iso_alpha2": country_of(e164) or "US",
                "status": "pending",
                "requirements_met": True,
                "requirements_status": "approved",
                "regulatory_requirements": [],
            }
            for e164 in wanted
        ],
        "phone_numbers_count": len(wanted),
        "sub_number_orders_ids": [ids.new_uuid()],
        "requirements_met": True,
        "connection_id": body.get("connection_id"),
        "customer_reference": body.get("customer_reference"),
        "messaging_profile_id": body.get("messaging_profile_id"),
        "billing_group_id": body.get("billing_group_id"),
        "created_at": at,
        "updated_at": at,
    }


async def complete(world: World, order_id: str) -> None:
    """Turn a pending order into numbers, once; also called for orders that a restart left pending."""
    await asyncio.sleep(world.config.timing.order_pending_s)
    order = world.account.get(TABLE, order_id)
    if order is None or order["status"] != "pending":
        return
    for line in order["phone_numbers"]:
        line["status"] = "success"
        number = number_resource(
            line["phone_number"], connection_id=order["connection_id"], customer_reference=order["customer_reference"]
        )
        world.account.put("phone_numbers", number)
    order |= {"status": "success", "updated_at": clock.iso(clock.now())}
    world.account.put(TABLE, order)
    world.journal.info(
        f"Number order {order_id} is complete: {', '.join(n['phone_number'] for n in order['phone_numbers'])}"
    )
    if url := world.account.settings["events_url"]:
        world.webhooks.notify_event(url, "number_order.complete", public(order))


async def index(request: web.Request) -> web.Response:
    query = check_query(fields.NUMBER_ORDERS_QUERY, request.query)
    rows = [public(row) for row in newest_first(world_of(request).account.table(TABLE))]
    for name in ("customer_reference", "status"):
        if (wanted := query.get(f"filter[{name}]")) is not None:
            rows = [row for row in rows if row.get(name) == wanted]
    if (count := query.get("filter[phone_numbers_count]")) is not None:
        rows = [row for row in rows if str(row["phone_numbers_count"]) == count]
    if (after := query.get("filter[created_at][gt]")) is not None:
        rows = [row for row in rows if row["created_at"] > after]
    if (before := query.get("filter[created_at][lt]")) is not None:
        rows = [row for row in rows if row["created_at"] < before]
    return paged(rows, query)


async def retrieve(request: web.Request) -> web.Response:
    order_id = request.match_info["id"]
    row = world_of(request).account.get(TABLE, order_id)
    if row is None:
        raise not_found(f"number order {order_id}")
    return data(public(row))


ROUTES = [
    web.post("/v2/number_orders", create),
    web.get("/v2/number_orders", index),
    web.get("/v2/number_orders/{id}", retrieve),
]
