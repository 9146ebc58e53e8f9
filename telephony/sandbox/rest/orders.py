"""Number orders: pending for a moment, then the number is there and `number_order.complete` is sent."""

from __future__ import annotations

import asyncio

from aiohttp import web

from telephony.sandbox import clock, ids
from telephony.sandbox.account.numbers import country_of, kind_of, number_resource
from telephony.sandbox.account.store import Row, newest_first, public
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.numbers import check_connection
from telephony.sandbox.rest.schema import check_body, check_query
from telephony.sandbox.world import World

TABLE = "number_orders"
PROOF_OF_ADDRESS = {
    "record_type": "phone_number_regulatory_requirement",
    "requirement_id": "8ffb3622-7c6b-4ccc-b65f-7a3dc0099576",
    "field_type": "document",
    "field_value": "",
}
SILENT_FOR_S, LOOKS_EVERY_S = 120.0, 0.1


async def create(request: web.Request) -> web.Response:
    world = world_of(request)
    body = check_body(fields.NUMBER_ORDER, await json_body(request))
    check_connection(world.account, body.get("connection_id"))
    wanted = [line["phone_number"] for line in body["phone_numbers"]]
    for place, e164 in enumerate(wanted):
        _check_for_sale(world, e164, f"/phone_numbers/{place}/phone_number")
    row = world.account.put(TABLE, _order(body, wanted, has_documents=not world.trouble.switches.orders_need_documents))
    world.spawn(complete(world, row["id"]))
    if world.trouble.switches.orders_time_out:
        await _never_answer(request)
    return data(public(row), status=200)


async def _never_answer(request: web.Request) -> None:
    """Keep the line open and say nothing, until the other side gives up."""
    for _ in range(int(SILENT_FOR_S / LOOKS_EVERY_S)):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(LOOKS_EVERY_S)
    if request.transport is not None:
        request.transport.abort()


def _check_for_sale(world: World, e164: str, pointer: str) -> None:
    if world.account.number(e164):
        raise ApiError(422, Problem("85001", f"{e164} is no longer available.", pointer))
    if e164 not in world.searched_numbers:
        raise ApiError(422, Problem("85000", f"{e164} must come from a recent search.", pointer))


def _order(body: Row, wanted: list[str], *, has_documents: bool) -> Row:
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
                "phone_number_type": kind_of(e164),
                "country_code": country_of(e164) or "US",
                "country_iso_alpha2": country_of(e164) or "US",
                "status": "pending",
                "requirements_met": has_documents,
                "requirements_status": "approved" if has_documents else "requirement-info-pending",
                "regulatory_requirements": [] if has_documents else [dict(PROOF_OF_ADDRESS)],
            }
            for e164 in wanted
        ],
        "phone_numbers_count": len(wanted),
        "sub_number_orders_ids": [ids.new_uuid()],
        "requirements_met": has_documents,
        "connection_id": body.get("connection_id"),
        "customer_reference": body.get("customer_reference"),
        "messaging_profile_id": body.get("messaging_profile_id"),
        "billing_group_id": body.get("billing_group_id"),
        "created_at": at,
        "updated_at": at,
    }


async def complete(world: World, order_id: str) -> None:
    """Turn a pending order into numbers, once; also called for orders that a restart left pending."""
    await asyncio.sleep(world.config.timing.order_pending_s + world.trouble.switches.orders_stay_pending_ms / 1000)
    while (order := world.account.get(TABLE, order_id)) and not _documents_are_there(world, order):
        if order["status"] != "pending":
            return  # It was cancelled.
        await asyncio.sleep(LOOKS_EVERY_S)
    if order is None or order["status"] != "pending":
        return
    status = "failure" if world.trouble.switches.orders_fail else "success"
    for line in order["phone_numbers"]:
        line["status"] = status
        if status == "success":
            world.account.put(
                "phone_numbers",
                number_resource(
                    line["phone_number"],
                    connection_id=order["connection_id"],
                    customer_reference=order["customer_reference"],
                ),
            )
    order |= {"status": status, "updated_at": clock.iso(clock.now())}
    world.account.put(TABLE, order)
    numbers = ", ".join(line["phone_number"] for line in order["phone_numbers"])
    world.journal.info(f"Number order {order_id} ends as {status}: {numbers}")
    if url := world.account.settings["events_url"]:
        world.webhooks.notify_event(url, "number_order.complete", public(order))


def _documents_are_there(world: World, order: Row) -> bool:
    """Say whether the order can go on; documents are handed in by switching the trouble off."""
    if order["requirements_met"]:
        return True
    if world.trouble.switches.orders_need_documents:
        return False
    for line in order["phone_numbers"]:
        line |= {"requirements_met": True, "requirements_status": "approved"}
    order["requirements_met"] = True
    world.account.put(TABLE, order)
    return True


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
    return paged([_listed(row) for row in rows], query)


def _listed(row: Row) -> Row:
    """A list says of the numbers in an order only which they are (SDK 4.189.0, NumberOrderListResponse)."""
    lines = [{"id": line["id"], "phone_number": line["phone_number"]} for line in row["phone_numbers"]]
    return row | {"phone_numbers": lines}


async def retrieve(request: web.Request) -> web.Response:
    order_id = request.match_info["id"]
    row = world_of(request).account.get(TABLE, order_id)
    if row is None:
        raise not_found(f"number order {order_id}")
    return data(public(row))


async def cancel(request: web.Request) -> web.Response:
    """Cancel a sub-order, and with it the order: here an order has one."""
    account, sub_order_id = world_of(request).account, request.match_info["id"]
    rows = account.table(TABLE).values()
    order = next((row for row in rows if sub_order_id in row["sub_number_orders_ids"]), None)
    if order is None:
        raise not_found(f"sub number order {sub_order_id}")
    if order["status"] == "success":
        raise ApiError(422, Problem("10027", "Only an order that is pending can be cancelled.", "/status"))
    for line in order["phone_numbers"]:
        line["status"] = "failure"
    order |= {"status": "failure", "updated_at": clock.iso(clock.now())}
    account.put(TABLE, order)
    return data(
        {
            "id": sub_order_id,
            "record_type": "sub_number_order",
            "order_request_id": order["id"],
            "customer_reference": order["customer_reference"],
            "phone_numbers_count": order["phone_numbers_count"],
            "requirements_met": order["requirements_met"],
            "status": "failure",
            "created_at": order["created_at"],
            "updated_at": order["updated_at"],
        }
    )


ROUTES = [
    web.patch("/v2/sub_number_orders/{id}/cancel", cancel),
    web.post("/v2/number_orders", create),
    web.get("/v2/number_orders", index),
    web.get("/v2/number_orders/{id}", retrieve),
]
