"""Recordings of a live leg by the TeXML addresses: begin, pause, go on, stop, list."""

from __future__ import annotations

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.recordings import Running, Wishes
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.calls import leg_of
from telephony.sandbox.rest.errors import ApiError, Problem, already_ended, not_found
from telephony.sandbox.rest.http import form_or_json_body
from telephony.sandbox.rest.schema import check_form, check_query
from telephony.sandbox.rest.texml import check_absolute, events_of, texml_page, world_for
from telephony.sandbox.texml.start_stop import record_leg

SOURCE = "StartCallRecordingAPI"


async def start(request: web.Request) -> web.Response:
    world_for(request)
    leg = leg_of(request, "call_sid")
    body = check_form(fields.TEXML_RECORDING_START, await form_or_json_body(request))
    if body.get("PlayBeep"):
        raise ApiError(422, Problem("10027", "A beep is documented, but this sandbox does not play it.", "/PlayBeep"))
    if (body.get("RecordingTrack") or "both") != "both":
        raise ApiError(422, Problem("10027", "This sandbox records both tracks only.", "/RecordingTrack"))
    events = events_of(body, "RecordingStatusCallbackEvent", ("in-progress", "completed", "absent"))
    check_absolute(body, "RecordingStatusCallback")
    if not leg.is_live:
        raise already_ended()
    if leg.answered_at is None:
        raise ApiError(422, Problem("90020", "This call is not answered yet, so there is nothing to record."))
    wishes = Wishes(
        source=SOURCE,
        channels="single" if body.get("RecordingChannels") == "single" else "dual",
        fmt="wav",  # not selectable (assumption S-20)
        callback_url=body.get("RecordingStatusCallback") or "",
        callback_method=body.get("RecordingStatusCallbackMethod") or "POST",
        callback_events=events,
        send_url=body.get("SendRecordingUrl") is not False,
    )
    return web.json_response(_resource(leg, record_leg(leg, wishes)))


async def update(request: web.Request) -> web.Response:
    """`paused`, `in-progress` or `stopped`; a recording that has stopped stays so."""
    world = world_for(request)
    leg = leg_of(request, "call_sid")
    body = check_form(fields.TEXML_RECORDING_UPDATE, await form_or_json_body(request))
    sid = request.match_info["recording_sid"]
    running = next((one for one in leg.listed if one.sid == sid), None)
    if running is None:
        raise not_found(f"recording {sid} of call {leg.call_control_id}")
    if running.row is not None and body["Status"] != "stopped":
        raise ApiError(422, Problem("10027", "This recording has stopped.", "/Status"))
    match body["Status"]:
        case "paused":
            running.recorder.pause()
        case "in-progress":
            running.recorder.resume()
        case _:
            world.recordings.stop(running)
    return web.json_response(_resource(leg, running))


async def index(request: web.Request) -> web.Response:
    """What was begun on this leg, by whatever verb or by this address (assumption C-31)."""
    world_for(request)
    leg = leg_of(request, "call_sid")
    query = check_query(fields.TEXML_PAGE, request.query)
    return texml_page(request, "recordings", [_resource(leg, running) for running in leg.listed], query)


def _resource(leg: Leg, running: Running) -> Row:
    account_sid = leg.world.account.account_sid
    at = clock.rfc2822(running.recorder.started_at)
    row: Row = {
        "sid": running.sid,
        "account_sid": account_sid,
        "call_sid": leg.call_control_id,
        "conference_sid": None,
        "channels": 2 if running.wishes.channels == "dual" else 1,
        "source": running.wishes.source,
        "status": running.status,
        "track": "both",
        "duration": None if running.row is None else str(round(running.row["duration_millis"] / 1000)),
        "error_code": None,
        "start_time": at,
        "date_created": at,
        "date_updated": clock.rfc2822(clock.now()),
        "uri": f"/v2/texml/Accounts/{account_sid}/Recordings/{running.sid}.json",
    }
    if running.row is not None:
        row["media_url"] = leg.world.recordings.fresh_url(running.row)
    return row


_CALL = "/v2/texml/Accounts/{account_sid}/Calls/{call_sid}"

ROUTES = [
    web.get(_CALL + "/Recordings.json", index),
    web.post(_CALL + "/Recordings.json", start),
    web.post(_CALL + "/Recordings/{recording_sid}.json", update),
]
