"""The control API: JSON in, JSON out, no key. Everything on the page is one of these requests.

Errors are `{"error": "sentence"}` with 404 for what is not there and 422 for what cannot be done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from aiohttp import web
from yarl import URL

from telephony.sandbox.account.numbers import number_resource
from telephony.sandbox.account.store import DEFAULT_SETTINGS
from telephony.sandbox.calls.calls import Call
from telephony.sandbox.calls.endings import CALLEE_HUNG_UP, CALLER_HUNG_UP, HUNG_UP_BY_API, MEDIA_LOST
from telephony.sandbox.calls.inbound import Caller, CannotCall, call_number
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.calls.parked import call_from_browser
from telephony.sandbox.calls.parties import AgentScript, PretendPerson
from telephony.sandbox.calls.scripted_browser import ScriptedBrowser, ScriptedInvite
from telephony.sandbox.calls.scripts import BadScript, read_script
from telephony.sandbox.page import shown
from telephony.sandbox.rest.http import world_of
from telephony.sandbox.trouble import UnknownSwitch

Body = dict[str, Any]
E164 = re.compile(r"\+[1-9]\d{6,14}")
SLOWEST_TIME = 10
CALL_FIELDS = ("to", "from", "name", "script", "media", "hold_line_s")


class CannotDo(Exception):
    def __init__(self, text: str, status: int = 422) -> None:
        super().__init__(text)
        self.status = status


@web.middleware
async def control_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if not request.path.startswith("/_sandbox/"):
        return await handler(request)
    origin = request.headers.get("Origin")
    if origin is not None and request.method != "GET" and URL(origin).authority != request.host:
        # A page from elsewhere, open in the same browser, has no business here.
        return web.json_response({"error": f"{origin} may not drive the sandbox."}, status=403)
    try:
        return await handler(request)
    except CannotDo as error:
        return web.json_response({"error": str(error)}, status=error.status)
    except (CannotCall, BadScript, UnknownSwitch) as error:
        return web.json_response({"error": str(error)}, status=422)


async def _body(request: web.Request, *allowed: str) -> Body:
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise CannotDo(f"The body is not JSON: {error}.", 400) from error
    if not isinstance(body, dict):
        raise CannotDo("The body must be an object.", 400)
    if allowed and (unknown := sorted(set(body) - set(allowed))):
        raise CannotDo(f"Unknown: {', '.join(unknown)}. Known: {', '.join(allowed)}.")
    return body


def _e164(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not E164.fullmatch(value):
        raise CannotDo(f"{name} must be a number like +13055550100, not {value!r}.")
    return value


def _seconds(body: Body, name: str) -> float | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
        raise CannotDo(f"{name} must be a number of seconds, not {value!r}.")
    return value


async def state(request: web.Request) -> web.Response:
    """With the last answer's `?version=`: `{"version", "unchanged": true}` while nothing changed and no call lives."""
    world = world_of(request)
    asked = request.query.get("version")
    is_live = any(call.is_live for call in world.calls.by_id.values())
    if asked == str(world.journal.version) and not is_live:
        return web.json_response({"version": world.journal.version, "unchanged": True})
    return web.json_response(shown.state(world))


async def add_number(request: web.Request) -> web.Response:
    """`{e164, connection_id?}`: the account owns this number from now on.

    Given again, it is repointed as in the portal: to any connection, or with null to none.
    """
    world = world_of(request)
    body = await _body(request, "e164", "connection_id", "customer_reference")
    e164, connection_id = _e164(body, "e164"), body.get("connection_id")
    if connection_id is not None and world.account.connection_kind(connection_id) is None:
        raise CannotDo(f"There is no connection {connection_id}.")
    row = world.account.number(e164)
    if row is None:
        row = number_resource(e164, connection_id=connection_id, customer_reference=body.get("customer_reference"))
    elif "connection_id" in body:
        row["connection_id"] = connection_id
    world.account.put("phone_numbers", row)
    world.journal.touch()
    return web.json_response(shown.number(world, row), status=201)


async def start_call(request: web.Request) -> web.Response:
    world = world_of(request)
    body = await _body(request, *CALL_FIELDS)
    caller = Caller(
        from_=_e164(body, "from"),
        name=str(body.get("name") or ""),
        script=read_script(body.get("script") or []),
        hold_line_s=_seconds(body, "hold_line_s"),
        media=bool(body.get("media", True)),
    )
    call = call_number(world, _e164(body, "to"), caller)
    return web.json_response({"call_id": call.id, "call_sid": call.root.call_control_id}, status=201)


async def show_call(request: web.Request) -> web.Response:
    return web.json_response(shown.call_whole(_call(request)))


async def hangup(request: web.Request) -> web.Response:
    """The caller hangs up; a call that the API began is ended as by its other side."""
    call, person = _person(request)
    person.hang_up(call.root)
    return web.json_response(shown.call_line(call))


async def digits(request: web.Request) -> web.Response:
    call, _ = _person(request)
    body = await _body(request, "digits")
    if not re.fullmatch(r"[0-9*#]{1,64}", str(body.get("digits", ""))):
        raise CannotDo("digits are 1 to 64 of 0-9 * #.")
    for digit in body["digits"]:
        call.root.press(digit)
    return web.json_response(shown.call_line(call))


async def say(request: web.Request) -> web.Response:
    """`{text, language?}` or `{tone: hz}` (0: fall silent)."""
    call, person = _person(request)
    body = await _body(request, "text", "tone", "language")
    if body.get("tone") == 0:
        person.say(None)
        return web.json_response(shown.call_line(call))
    step = (
        {"say": body["text"], "language": body.get("language") or "es"}
        if body.get("text")
        else {"tone": body.get("tone")}
    )
    person.begin(call.root, read_script([step]))
    return web.json_response(shown.call_line(call))


async def show_legs(request: web.Request) -> web.Response:
    """Every leg since the start, each with the sandbox's id of its call: a conversation may be several calls here."""
    legs = world_of(request).calls.by_control_id.values()
    return web.json_response({"legs": [shown.leg_whole(leg) | {"call_id": leg.call.id} for leg in legs]})


async def show_leg(request: web.Request) -> web.Response:
    leg = _leg(request)
    return web.json_response(shown.leg_whole(leg) | {"call_id": leg.call.id})


async def end_leg(request: web.Request) -> web.Response:
    """`{how: "bye" | "lost"}`: what the party does, or what becomes of its line, now."""
    leg = _leg(request)
    body = await _body(request, "how")
    how = {"bye": CALLER_HUNG_UP if leg.is_begun_by_party else CALLEE_HUNG_UP, "lost": MEDIA_LOST}
    if body.get("how") not in how:
        raise CannotDo(f"how is one of {', '.join(how)}, not {body.get('how')!r}.")
    if not leg.is_live or leg.parent is None and leg.direction == "inbound":
        raise CannotDo("The leg has ended, or is a caller's, who has a hang-up of his own.", 409)
    leg.end(how[body["how"]])
    return web.json_response(shown.leg_whole(leg))


async def put_agent(request: web.Request) -> web.Response:
    """A scripted telephone for a SIP user name, or for a number of the telephone network."""
    world, name = world_of(request), request.match_info["sip_username"]
    known = [field.name for field in fields(AgentScript)]
    body = await _body(request, *known)
    for field, value in body.items():
        wanted = bool if field == "ignore" else int
        if type(value) is not wanted or (wanted is int and value < 0):
            raise CannotDo(f"{field} cannot be {value!r}.")
    if not name.startswith("+") and world.account.credential_of(name) is None:
        raise CannotDo(f"The account has no telephony credential {name}.", 404)
    world.agents[name] = AgentScript(**body)
    world.journal.info(f"A scripted telephone stands for {name}")
    return web.json_response({"sip_username": name} | asdict(world.agents[name]))


async def dial_from_agent(request: web.Request) -> web.Response:
    """`{to, from}`: the scripted telephone places a call, as a browser would; the call is parked."""
    world, name = world_of(request), request.match_info["sip_username"]
    body = await _body(request, "to", "from")
    if name not in world.agents or name.startswith("+"):
        raise CannotDo(f"No scripted telephone stands for {name}.", 404)
    leg = ScriptedBrowser(world.tally(name))
    placed = call_from_browser(world, ScriptedInvite(name, _e164(body, "to"), _e164(body, "from"), leg))
    if placed is None:
        raise CannotDo("The call is refused: the log says why.")
    return web.json_response({"call_id": placed.call.id, "call_sid": placed.call_control_id}, status=201)


async def get_agents(request: web.Request) -> web.Response:
    """Each scripted telephone: its script, and what it went through."""
    world = world_of(request)
    return web.json_response(
        {name: {"script": asdict(script)} | asdict(world.tally(name)) for name, script in world.agents.items()}
    )


async def delete_agent(request: web.Request) -> web.Response:
    world, name = world_of(request), request.match_info["sip_username"]
    if world.agents.pop(name, None) is None:
        raise CannotDo(f"No scripted telephone stands for {name}.", 404)
    world.tallies.pop(name, None)
    world.journal.info(f"The scripted telephone of {name} is gone")
    return web.Response(status=204)


async def drop_registration(request: web.Request) -> web.Response:
    """Cut the browser's socket, as a lost network does."""
    name = request.match_info["sip_username"]
    if not await world_of(request).drop_registration(name):
        raise CannotDo(f"No browser is registered as {name}.", 404)
    return web.Response(status=204)


async def get_trouble(request: web.Request) -> web.Response:
    return web.json_response(world_of(request).trouble.as_dict())


async def set_trouble(request: web.Request) -> web.Response:
    world = world_of(request)
    world.trouble.update(await _body(request))
    world.journal.info(f"Trouble switches: {world.trouble.as_dict()}")
    return web.json_response(world.trouble.as_dict())


async def get_settings(request: web.Request) -> web.Response:
    return web.json_response(world_of(request).account.settings)


async def set_settings(request: web.Request) -> web.Response:
    """`events_url` (where account-level JSON events go), `profile_records_sip_legs`, `time_scale` and `balance`."""
    world = world_of(request)
    body = await _body(request, *DEFAULT_SETTINGS)
    for name, value in body.items():
        if name == "time_scale":
            if type(value) not in (int, float) or not 0 < value <= SLOWEST_TIME:
                raise CannotDo(f"time_scale is more than 0 and at most {SLOWEST_TIME}, not {value!r}.")
        elif name == "balance" and not re.fullmatch(r"-?\d{1,9}\.\d\d", str(value)):
            raise CannotDo(f"balance is an amount such as 250.00, not {value!r}.")
        elif type(value) is not type(DEFAULT_SETTINGS[name]):
            raise CannotDo(f"{name} cannot be {value!r}.")
    world.account.settings |= body
    world.account.save()
    world.apply_settings()
    world.journal.touch()
    return web.json_response(world.account.settings)


async def forget_searches(request: web.Request) -> web.Response:
    """Every search for numbers is too old from now on: what it found must be searched for again (85000)."""
    world_of(request).searched_numbers.clear()
    return web.Response(status=204)


async def expire_links(request: web.Request) -> web.Response:
    return web.json_response({"expired": world_of(request).recordings.kill_links()})


async def log(request: web.Request) -> web.Response:
    since = request.query.get("since", "0")
    if not since.isdigit():
        raise CannotDo("since is the seq of the last line that you have.")
    world = world_of(request)
    return web.json_response(
        {
            "version": world.journal.version,
            "lines": [asdict(line) for line in world.journal.since(int(since))],
            "exchanges": [
                exchange.as_dict() for exchange in world.journal.loose_exchanges if exchange.seq > int(since)
            ],
        }
    )


async def reset(request: web.Request) -> web.Response:
    await world_of(request).forget_everything()
    return web.Response(status=204)


async def end_all_calls(request: web.Request) -> web.Response:
    """Hang up whatever lives, and keep the account."""
    legs = list(world_of(request).calls.live_legs())
    for leg in legs:
        leg.end(HUNG_UP_BY_API)
    return web.json_response({"ended": len(legs)})


def _call(request: web.Request) -> Call:
    call = world_of(request).calls.by_id.get(request.match_info["call_id"])
    if call is None:
        raise CannotDo(f"There is no call {request.match_info['call_id']}.", 404)
    return call


def _leg(request: web.Request) -> Leg:
    leg = world_of(request).calls.leg(request.match_info["call_sid"])
    if leg is None:
        raise CannotDo(f"There is no leg {request.match_info['call_sid']}.", 404)
    return leg


def _person(request: web.Request) -> tuple[Call, PretendPerson]:
    """The live pretend person at the root. Raises CannotDo for an ended call, or one without such a person."""
    call = _call(request)
    person = call.root.endpoint
    if not call.root.is_live:
        raise CannotDo("The call has ended.", 409)
    if not isinstance(person, PretendPerson):
        raise CannotDo("This call does not begin with a pretend person.", 409)
    return call, person


ROUTES = [
    web.get("/_sandbox/state", state),
    web.get("/_sandbox/log", log),
    web.post("/_sandbox/numbers", add_number),
    web.post("/_sandbox/calls", start_call),
    web.post("/_sandbox/calls/end_all", end_all_calls),
    web.get("/_sandbox/calls/{call_id}", show_call),
    web.post("/_sandbox/calls/{call_id}/hangup", hangup),
    web.post("/_sandbox/calls/{call_id}/digits", digits),
    web.post("/_sandbox/calls/{call_id}/say", say),
    web.get("/_sandbox/legs", show_legs),
    web.get("/_sandbox/legs/{call_sid}", show_leg),
    web.post("/_sandbox/legs/{call_sid}/end", end_leg),
    web.get("/_sandbox/agents", get_agents),
    web.post("/_sandbox/agents/{sip_username}", put_agent),
    web.post("/_sandbox/agents/{sip_username}/dial", dial_from_agent),
    web.delete("/_sandbox/agents/{sip_username}", delete_agent),
    web.post("/_sandbox/registrations/{sip_username}/drop", drop_registration),
    web.get("/_sandbox/trouble", get_trouble),
    web.post("/_sandbox/trouble", set_trouble),
    web.get("/_sandbox/settings", get_settings),
    web.post("/_sandbox/settings", set_settings),
    web.post("/_sandbox/forget_searches", forget_searches),
    web.post("/_sandbox/recordings/expire_links", expire_links),
    web.post("/_sandbox/reset", reset),
]
