"""Calls by Call Control's addresses: one leg, its hang-up, and the live legs of a connection."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.calls.outbound import hang_up_by_api
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, already_ended, no_such_call
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.schema import check_body, check_query


async def retrieve(request: web.Request) -> web.Response:
    leg = leg_of(request, "call_control_id")
    check_query({}, request.query)
    row = _row(leg) | {
        "record_type": "call",
        "is_alive": leg.is_live,
        "start_time": clock.iso(leg.initiated_at),
    }
    if leg.ended_at is not None:
        row["end_time"] = clock.iso(leg.ended_at)
    return data(row)


async def hangup(request: web.Request) -> web.Response:
    """Commands are repeated with the same command_id: within 60 s the second one is ignored, and a success."""
    leg = leg_of(request, "call_control_id")
    body = check_body(fields.CALL_HANGUP, await json_body(request))
    seen = world_of(request).commands
    if not seen.is_new(leg.call_control_id, body.get("command_id")):
        return data({"result": "ok"})
    if not leg.is_live:
        raise already_ended()
    hang_up_by_api(leg)
    return data({"result": "ok"})


async def send_dtmf(request: web.Request) -> web.Response:
    """The far end of this leg hears the keys, one after another; `w` waits 0.5 s, `W` a second."""
    leg, world = leg_of(request, "call_control_id"), world_of(request)
    body = check_body(fields.CALL_SEND_DTMF, await json_body(request))
    if not re.fullmatch(r"[0-9A-D*#wW]+", body["digits"]):
        raise ApiError(422, Problem("10027", "digits are of 0-9 A-D * # w W.", "/digits"))
    if not leg.is_live:
        raise already_ended()
    if leg.answered_at is None:
        raise ApiError(422, Problem("90034", "This call is not answered yet."))
    if world.commands.is_new(leg.call_control_id, body.get("command_id")):
        world.spawn(_send(leg, body["digits"], (body.get("duration_millis") or 250) / 1000))
    return data({"result": "ok"})


async def _send(leg: Leg, digits: str, each_s: float) -> None:
    for digit in digits:
        await asyncio.sleep({"w": 0.5, "W": 1.0}.get(digit, each_s) * leg.world.second_s)
        if leg.is_live and digit not in "wW":
            leg.hear_digit(digit)


async def active(request: web.Request) -> web.Response:
    query = check_query(fields.PAGE, request.query)
    world = world_of(request)
    connection_id = request.match_info["connection_id"]
    rows = [_row(leg) for leg in world.calls.live_legs() if leg.connection_id == connection_id]
    return paged([row | {"record_type": "call"} for row in rows], query)


def leg_of(request: web.Request, name: str) -> Leg:
    leg = world_of(request).calls.leg(request.match_info[name])
    if leg is None:
        raise no_such_call()
    return leg


def _row(leg: Leg) -> Row:
    return {
        "call_control_id": leg.call_control_id,
        "call_leg_id": leg.call_leg_id,
        "call_session_id": leg.call.session_id,
        "call_duration": leg.duration_s,
        "client_state": "",
    }


ROUTES = [
    web.get("/v2/calls/{call_control_id}", retrieve),
    web.post("/v2/calls/{call_control_id}/actions/hangup", hangup),
    web.post("/v2/calls/{call_control_id}/actions/send_dtmf", send_dtmf),
    web.get("/v2/connections/{connection_id}/active_calls", active),
]
