"""Calls by the TeXML addresses: making, reading, hanging up, putting another document in the running one's place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.legs import EVERY_EVENT, Leg, StatusCallback
from telephony.sandbox.calls.outbound import RING_S, hang_up_by_api, make_call, move_leg
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.calls import leg_of
from telephony.sandbox.rest.errors import ApiError, Problem, already_ended, not_found
from telephony.sandbox.rest.http import form_or_json_body, trouble, world_of
from telephony.sandbox.rest.schema import check_body, check_form, check_query
from telephony.sandbox.texml.document import Refused, parse
from telephony.sandbox.texml.run import Fetch, Inline
from telephony.sandbox.world import World


async def create(request: web.Request) -> web.Response:
    """The reply is flat, without `data` (SDK, types/texml/call_create_response.py)."""
    world = world_of(request)
    application = world.account.get("texml_applications", request.match_info["application_id"])
    if application is None:
        raise not_found(f"TeXML application {request.match_info['application_id']}")
    body = check_form(fields.TEXML_CALL_CREATE, await form_or_json_body(request))
    start = _start(body, method="Method") or Fetch(application["voice_url"], application["voice_method"].upper())
    callbacks = _callbacks(body)
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
    world = world_of(request)
    _check_account(world, request)
    leg = leg_of(request, "call_sid")
    body = check_body(fields.TEXML_CALL_UPDATE, await form_or_json_body(request))
    start = _start(body, method="Method")
    if not body.get("Status") and start is None and not body.get("StatusCallback"):
        raise ApiError(422, Problem("10004", "One of Status, Url, Texml is required.", "/Status"))
    if (body.get("FallbackMethod") or body.get("Method") or "POST") != (body.get("Method") or "POST"):
        why = "This sandbox asks both addresses with Method."
        raise ApiError(422, Problem("10027", why, "/FallbackMethod"))
    if body.get("Status") and start is not None:
        raise ApiError(422, Problem("10027", "Status and Url or Texml exclude each other.", "/Status"))
    if start is not None:
        switches = world.trouble.switches
        await trouble(request, slow_ms=switches.slow_updates_ms, refusal=switches.refuse_updates)
    if not leg.is_live:
        raise already_ended()
    if body.get("StatusCallback"):
        leg.callbacks = (*leg.callbacks, *_callbacks(body))
    if body.get("Status"):
        hang_up_by_api(leg)
    elif start is not None:
        if leg.answered_at is None and leg.parent is not None:
            raise ApiError(422, Problem("90034", "This call is not answered yet."))
        move_leg(world, leg, start, fallback_url=body.get("FallbackUrl") or "")
    return web.json_response(_resource(world, leg))


async def retrieve(request: web.Request) -> web.Response:
    world = world_of(request)
    _check_account(world, request)
    check_query({}, request.query)
    return web.json_response(_resource(world, leg_of(request, "call_sid")))


async def index(request: web.Request) -> web.Response:
    """Pages count from 0 here. Newest first."""
    world = world_of(request)
    _check_account(world, request)
    query = check_query(fields.TEXML_CALLS_QUERY, request.query)
    legs = [leg for leg in reversed(world.calls.by_control_id.values()) if _passes(leg, query)]
    page, size = query.get("Page", 0), query.get("PageSize", 50)
    shown = legs[page * size : (page + 1) * size]
    more = len(legs) > (page + 1) * size

    def uri(number: int) -> str:
        return f"{request.path}?{urlencode({**request.query, 'Page': number, 'PageSize': size})}"

    return web.json_response(
        {
            "calls": [_resource(world, leg) for leg in shown],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(0, len(shown) - 1),
            "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if more else None,
        }
    )


def _check_account(world: World, request: web.Request) -> None:
    if request.match_info["account_sid"] != world.account.account_sid:
        raise not_found(f"account {request.match_info['account_sid']}")


def _start(body: Row, *, method: str) -> Fetch | Inline | None:
    """The document that the request names. `Texml` is read now: a mistake in it is the answer, and no failed call."""
    if body.get("Url") and body.get("Texml"):
        raise ApiError(422, Problem("10027", "Url and Texml exclude each other.", "/Texml"))
    if body.get("Texml"):
        try:
            parse(body["Texml"])
        except Refused as error:
            raise ApiError(422, Problem("10027", str(error), "/Texml")) from error
        return Inline(body["Texml"])
    if body.get("Url"):
        if not str(body["Url"]).startswith(("http://", "https://")):
            raise ApiError(422, Problem("10027", "Url must be absolute.", "/Url"))
        return Fetch(body["Url"], body.get(method) or "POST", fallback_url=body.get("FallbackUrl") or "")
    return None


def _callbacks(body: Row) -> tuple[StatusCallback, ...]:
    if not body.get("StatusCallback"):
        return ()
    events = tuple((body.get("StatusCallbackEvent") or "completed").split())
    if unknown := [event for event in events if event not in EVERY_EVENT]:
        why = f"{', '.join(unknown)} is not among {', '.join(EVERY_EVENT)}."
        raise ApiError(422, Problem("10032", why, "/StatusCallbackEvent"))
    return (StatusCallback(body["StatusCallback"], body.get("StatusCallbackMethod") or "POST", events),)


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
