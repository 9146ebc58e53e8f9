"""Calls by the TeXML addresses: making, reading, hanging up, putting another document in the running one's place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.calls.moves import move
from telephony.sandbox.calls.outbound import RING_S, hang_up_by_api, make_call
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.calls import leg_of
from telephony.sandbox.rest.errors import ApiError, Problem, already_ended, not_found
from telephony.sandbox.rest.http import form_or_json_body, trouble, world_of
from telephony.sandbox.rest.schema import check_body, check_form, check_query
from telephony.sandbox.rest.texml import callbacks_of, start_of, texml_page, world_for
from telephony.sandbox.texml.document import Refused
from telephony.sandbox.texml.run import Fetch
from telephony.sandbox.world import World


async def create(request: web.Request) -> web.Response:
    """The reply is flat, without `data` (SDK, types/texml/call_create_response.py)."""
    world = world_of(request)
    application = world.account.get("texml_applications", request.match_info["application_id"])
    if application is None:
        raise not_found(f"TeXML application {request.match_info['application_id']}")
    body = check_form(fields.TEXML_CALL_CREATE, await form_or_json_body(request))
    start = start_of(body, method="Method") or Fetch(application["voice_url"], application["voice_method"].upper())
    callbacks = callbacks_of(body)
    try:
        leg = make_call(
            world,
            application,
            from_=body["From"],
            to=body["To"],
            start=start,
            callbacks=callbacks,
            ring_s=body.get("Timeout") or RING_S,
        )
    except Refused as error:
        raise ApiError(422, Problem("10027", str(error), "/To")) from error
    return web.json_response({"call_sid": leg.call_control_id, "from": leg.from_, "to": leg.to, "status": "queued"})


async def update(request: web.Request) -> web.Response:
    """`Status=completed` hangs up; `Url` or `Texml` replaces the running document."""
    world = world_for(request)
    leg = leg_of(request, "call_sid")
    body = check_body(fields.TEXML_CALL_UPDATE, await form_or_json_body(request))
    start = start_of(body, method="Method")
    if not body.get("Status") and start is None and not body.get("StatusCallback"):
        raise ApiError(422, Problem("10004", "One of Status, Url, Texml is required.", "/Status"))
    if (body.get("FallbackMethod") or body.get("Method") or "POST") != (body.get("Method") or "POST"):
        why = "This sandbox asks both addresses with Method."
        raise ApiError(422, Problem("10027", why, "/FallbackMethod"))
    if body.get("Status") and start is not None:
        raise ApiError(422, Problem("10027", "Status and Url or Texml exclude each other.", "/Status"))
    if start is not None:
        switches = world.trouble.switches
        await trouble(request, slow_ms=0, refusal=switches.refuse_updates)
    if not leg.is_live:
        raise already_ended()
    if body.get("StatusCallback"):
        leg.callbacks = (*leg.callbacks, *callbacks_of(body))
    if body.get("Status"):
        hang_up_by_api(leg)
    elif start is not None:
        if leg.answered_at is None and leg.parent is not None:
            raise ApiError(422, Problem("90034", "This call is not answered yet."))
        await move(world, leg, start, fallback_url=body.get("FallbackUrl") or "")
    return web.json_response(_resource(world, leg))


async def retrieve(request: web.Request) -> web.Response:
    world = world_for(request)
    check_query({}, request.query)
    return web.json_response(_resource(world, leg_of(request, "call_sid")))


async def index(request: web.Request) -> web.Response:
    """Pages count from 0 here. Newest first."""
    world = world_for(request)
    query = check_query(fields.TEXML_CALLS_QUERY, request.query)
    legs = [leg for leg in reversed(world.calls.by_control_id.values()) if _passes(leg, query)]
    return texml_page(request, "calls", [_resource(world, leg) for leg in legs], query)


def _resource(world: World, leg: Leg) -> Row:
    account_sid = world.account.account_sid
    row: dict[str, Any] = {
        "sid": leg.call_control_id,
        "account_sid": account_sid,
        "status": leg.status,
        "direction": leg.direction,
        "from": leg.from_,
        "to": leg.to,
        "caller_name": leg.caller_name,
        "duration": str(leg.duration_s),
        "start_time": clock.rfc2822(leg.initiated_at),
        "date_created": clock.rfc2822(leg.initiated_at),
        "date_updated": clock.rfc2822(leg.ended_at or leg.answered_at or leg.initiated_at),
        "uri": f"/v2/texml/Accounts/{account_sid}/Calls/{leg.call_control_id}",
    }
    if leg.ended_at is not None:
        row["end_time"] = clock.rfc2822(leg.ended_at)
    return row


def _passes(leg: Leg, query: Row) -> bool:
    if "To" in query and leg.to != query["To"] or "From" in query and leg.from_ != query["From"]:
        return False
    if "Status" in query and leg.status != query["Status"]:
        return False
    return _within(leg.initiated_at, "StartTime", query) and _within(leg.ended_at, "EndTime", query)


def _within(at: datetime | None, name: str, query: Row) -> bool:
    """Days as YYYY-MM-DD: `X` is that day, `X>` after its beginning, `X<` before its beginning."""
    for sign in ("", ">", "<"):
        if (text := query.get(name + sign)) is None:
            continue
        try:
            day = clock.parse_iso(text)
        except ValueError as error:
            raise ApiError(422, Problem("10027", f"{text!r} is not a date.", f"/{name}{sign}")) from error
        if at is None:
            return False
        is_within = {"": day <= at < day + timedelta(days=1), ">": at >= day, "<": at < day}[sign]
        if not is_within:
            return False
    return True


ROUTES = [
    web.post("/v2/texml/calls/{application_id}", create),
    web.get("/v2/texml/Accounts/{account_sid}/Calls", index),
    web.get("/v2/texml/Accounts/{account_sid}/Calls/{call_sid}", retrieve),
    web.post("/v2/texml/Accounts/{account_sid}/Calls/{call_sid}", update),
]
