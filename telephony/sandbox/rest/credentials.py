"""Telephony credentials and their log-in tokens."""

from __future__ import annotations

from aiohttp import web

from telephony.sandbox import clock, ids
from telephony.sandbox.account import tokens
from telephony.sandbox.account.store import Account, Row, newest_first, public
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.schema import check_body, check_query

TABLE = "telephony_credentials"
MOST_PER_TAG = 1000


async def index(request: web.Request) -> web.Response:
    query = check_query(fields.TELEPHONY_CREDENTIALS_QUERY, request.query)
    rows = [shown(row) for row in newest_first(world_of(request).account.table(TABLE))]
    for name in ("name", "resource_id", "sip_username"):
        if (wanted := query.get(f"filter[{name}]")) is not None:
            rows = [row for row in rows if row.get(name) == wanted]
    if (tag := query.get("filter[tag]")) is not None:
        rows = [row for row in rows if row["_tag"] == tag]
    if (status := query.get("filter[status]")) is not None:
        rows = [row for row in rows if row["expired"] is (status == "expired")]
    return paged([public(row) for row in rows], query)


async def create(request: web.Request) -> web.Response:
    world = world_of(request)
    body = check_body(fields.TELEPHONY_CREDENTIAL, await json_body(request))
    _check(world.account, body)
    at = clock.iso(clock.now())
    row = {
        "id": ids.new_uuid(),
        "record_type": "credential",
        "name": body.get("name") or "",
        "sip_username": ids.new_sip_username(),
        "sip_password": ids.new_sip_password(),
        "resource_id": f"connection:{body['connection_id']}",
        "user_id": world.account.account_sid,
        "expired": False,
        "expires_at": body.get("expires_at"),
        "created_at": at,
        "updated_at": at,
        "_tag": body.get("tag") or "",
    }
    return data(public(world.account.put(TABLE, row)), status=201)


async def retrieve(request: web.Request) -> web.Response:
    return data(public(_row(request)))


async def update(request: web.Request) -> web.Response:
    account, row = world_of(request).account, dict(_row(request))
    if row["expired"]:
        raise ApiError(422, Problem("10027", "The credential has expired; it can only be deleted."))
    body = check_body(fields.TELEPHONY_CREDENTIAL_PATCH, await json_body(request))
    _check(account, body)
    row |= {name: body[name] for name in ("name", "expires_at") if name in body}
    if "connection_id" in body:
        row["resource_id"] = f"connection:{body['connection_id']}"
    if "tag" in body:
        row["_tag"] = body["tag"] or ""
    row["updated_at"] = clock.iso(clock.now())
    return data(public(account.put(TABLE, row)))


async def delete(request: web.Request) -> web.Response:
    world, row = world_of(request), _row(request)
    world.account.remove(TABLE, row["id"])
    await world.drop_registration(row["sip_username"])
    return data(public(row))


async def token(request: web.Request) -> web.Response:
    """Plain text, not JSON: the SDK's `login_token`."""
    row = _row(request)
    if row["expired"]:
        raise ApiError(422, Problem("10027", "The credential has expired."))
    world = world_of(request)
    return web.Response(text=tokens.mint(world.key, row, clock.now()), status=201)


def _check(account: Account, body: Row) -> None:
    connection_id = body.get("connection_id")
    if connection_id is not None and not account.get("credential_connections", connection_id):
        raise ApiError(422, Problem("10027", f"No credential connection {connection_id}.", "/connection_id"))
    if expires_at := body.get("expires_at"):
        try:
            clock.parse_iso(expires_at)
        except ValueError as error:
            raise ApiError(422, Problem("10027", "expires_at is not an ISO 8601 time.", "/expires_at")) from error
    if tag := body.get("tag"):
        count = sum(row["_tag"] == tag for row in account.table(TABLE).values())
        if count >= MOST_PER_TAG:
            raise ApiError(422, Problem("10027", f"The tag {tag!r} has {MOST_PER_TAG} credentials already.", "/tag"))


def _row(request: web.Request) -> Row:
    credential_id = request.match_info["id"]
    row = world_of(request).account.get(TABLE, credential_id)
    if row is None:
        raise not_found(f"telephony credential {credential_id}")
    return shown(row)


def shown(row: Row) -> Row:
    """`expired` is derived from the time, not stored."""
    return row | {"expired": tokens.has_expired(row, clock.now())}


ROUTES = [
    web.get("/v2/telephony_credentials", index),
    web.post("/v2/telephony_credentials", create),
    web.get("/v2/telephony_credentials/{id}", retrieve),
    web.patch("/v2/telephony_credentials/{id}", update),
    web.delete("/v2/telephony_credentials/{id}", delete),
    web.post("/v2/telephony_credentials/{id}/token", token),
]
