"""Rooms by the TeXML addresses: reading them, ending them, and what can be done with each participant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.conferences import Conference, Member, Tune
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.calls.outbound import RING_S, hang_up_by_api, make_call
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import form_or_json_body, trouble
from telephony.sandbox.rest.schema import check_form, check_query
from telephony.sandbox.rest.texml import (
    API_VERSION,
    callbacks_of,
    check_absolute,
    events_of,
    refuse_unplayed,
    texml_page,
    world_for,
)
from telephony.sandbox.texml.document import Refused
from telephony.sandbox.texml.run import Inline
from telephony.sandbox.texml.sounds import sound_for
from telephony.sandbox.world import World

Handler = Callable[[web.Request, World], Awaitable[web.StreamResponse]]


def _troubled(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Only these addresses fail by the switch `refuse_conference_api`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        world = world_for(request)
        await trouble(request, slow_ms=0, refusal=world.trouble.switches.refuse_conference_api)
        return await handler(request, world)

    return handle


# --- rooms ---


async def index(request: web.Request, world: World) -> web.Response:
    """Newest first."""
    query = check_query(fields.TEXML_CONFERENCES_QUERY, request.query)
    rows = [
        _conference(world, room)
        for room in world.conferences.newest_first()
        if query.get("FriendlyName", room.name) == room.name and query.get("Status", room.status) == room.status
    ]
    return texml_page(request, "conferences", rows, query)


async def retrieve(request: web.Request, world: World) -> web.Response:
    check_query({}, request.query)
    return web.json_response(_conference(world, _room(request, world)))


async def update(request: web.Request, world: World) -> web.Response:
    """`Status=completed` ends the conference and hangs up all participants."""
    room = _room(request, world)
    body = check_form(fields.TEXML_CONFERENCE_UPDATE, await form_or_json_body(request))
    refuse_unplayed(body, "AnnounceUrl", "AnnounceMethod")
    if not body.get("Status"):
        raise ApiError(422, Problem("10004", "The parameter 'Status' is required.", "/Status"))
    _check_is_up(room)
    legs = [member.leg for member in room.members]
    room.end_by_api()
    for leg in legs:
        hang_up_by_api(leg)
    return web.json_response(_conference(world, room))


# --- participants ---


async def participants(request: web.Request, world: World) -> web.Response:
    """Empty once the conference has ended."""
    query = check_query(fields.TEXML_PARTICIPANTS_QUERY, request.query)
    room = _room(request, world)
    return texml_page(request, "participants", [_participant(world, room, one) for one in _present(room)], query)


async def participant(request: web.Request, world: World) -> web.Response:
    check_query({}, request.query)
    room = _room(request, world)
    return web.json_response(_participant(world, room, _member(request, room)))


async def update_participant(request: web.Request, world: World) -> web.Response:
    room = _room(request, world)
    body = check_form(fields.TEXML_PARTICIPANT_UPDATE, await form_or_json_body(request))
    refuse_unplayed(body, "AnnounceUrl", "AnnounceMethod", "BeepOnExit", "Coaching", "CallSidToCoach")
    if body.get("HoldMethod") == "POST":
        raise ApiError(422, Problem("10027", "This sandbox asks a HoldUrl with GET.", "/HoldMethod"))
    for name in ("HoldUrl", "WaitUrl"):
        check_absolute(body, name)
    if not {name for name, value in body.items() if value is not None} - {"HoldMethod"}:
        raise ApiError(422, Problem("10004", "One of Muted, Hold, EndConferenceOnExit, WaitUrl is required.", "/Hold"))
    _check_is_up(room)
    member = _member(request, room)
    if body.get("Muted") is not None:
        room.mute(member, body["Muted"])
    if body.get("EndConferenceOnExit") is not None:
        member.is_ender = body["EndConferenceOnExit"]
    if body.get("Hold") is False:
        room.take_off_hold(member)
    elif (body.get("Hold") and member.hold is None) or (body.get("HoldUrl") and (body.get("Hold") or member.hold)):
        # Held again without another address: what sounds goes on.
        _hold(world, room, member, body.get("HoldUrl") or "")
    if body.get("WaitUrl"):
        world.spawn(_wait_with(world, room, member, body["WaitUrl"]))
    return web.json_response(_participant(world, room, member))


async def remove_participant(request: web.Request, world: World) -> web.Response:
    """The participant is dropped: its leg is hung up."""
    room = _room(request, world)
    _check_is_up(room)
    hang_up_by_api(_member(request, room).leg)
    return web.Response(status=204)


async def add_participant(request: web.Request, world: World) -> web.Response:
    """Ring somebody who joins on answering."""
    body = check_form(fields.TEXML_PARTICIPANT_CREATE, await form_or_json_body(request))
    refuse_unplayed(body, *fields.TEXML_PARTICIPANT_UNPLAYED)
    check_absolute(body, "WaitUrl")
    check_absolute(body, "ConferenceStatusCallback")
    name = request.match_info["conference_sid"]
    room = world.conferences.of_sid(name)
    if room is not None:
        _check_has_not_ended(room)
        if body.get("Label") and room.member(body["Label"]) is not None:
            why = f"Somebody in the room is called {body['Label']} already."
            raise ApiError(422, Problem("10027", why, "/Label"))
    application = world.account.get("texml_applications", _application_id(body, room))
    if application is None:
        why = "The parameter 'ApplicationSid' is required, and names a TeXML application."
        raise ApiError(422, Problem("10004", why, "/ApplicationSid"))
    try:
        leg = make_call(
            world,
            application,
            from_=body["From"],
            to=body["To"],
            start=Inline(_joining(room.name if room is not None else name, body)),
            callbacks=callbacks_of(body),
            ring_s=body.get("Timeout") or RING_S,
            caller_name=body.get("CallerId") or "",
            headers=tuple((header["name"], header["value"]) for header in body.get("CustomHeaders") or ()),
        )
    except Refused as error:
        raise ApiError(422, Problem("10027", str(error), "/To")) from error
    room = room or world.conferences.named(name)
    state = _State(is_muted=bool(body.get("Muted")), is_ender=bool(body.get("EndConferenceOnExit")))
    return web.json_response(_participant_row(world, room, leg, state, status="connecting"), status=201)


def _application_id(body: Row, room: Conference | None) -> str | None:
    """Given, or that of whoever is in the room already (assumption S-66)."""
    owners = [member.leg.connection_id for member in room.members] if room is not None else []
    return body.get("ApplicationSid") or next(iter(owners), None)


def _joining(name: str, body: Row) -> str:
    """The document of a leg that joins the room, as somebody's own application would write it."""
    wanted = {
        "muted": body.get("Muted"),
        "startConferenceOnEnter": body.get("StartConferenceOnEnter"),
        "endConferenceOnExit": body.get("EndConferenceOnExit"),
        "beep": body.get("Beep"),
        "maxParticipants": body.get("MaxParticipants"),
        "participantLabel": body.get("Label"),
        "waitUrl": body.get("WaitUrl"),
    }
    if body.get("ConferenceStatusCallback"):
        events = events_of(body, "ConferenceStatusCallbackEvent", ("start", "end", "join", "leave"), default="")
        wanted |= {
            "statusCallback": body["ConferenceStatusCallback"],
            "statusCallbackMethod": body.get("ConferenceStatusCallbackMethod"),
            "statusCallbackEvent": " ".join(events) or None,
        }
    said = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in wanted.items()
        if value is not None
    }
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in said.items())
    limit = f' timeLimit="{body["TimeLimit"]}"' if body.get("TimeLimit") else ""
    return f"<Response><Dial{limit}><Conference{attributes}>{escape(name)}</Conference></Dial></Response>"


# --- hold ---


def _hold(world: World, room: Conference, member: Member, url: str) -> None:
    """Out of the talk at once; what the address gives is heard as soon as it is there, music until then."""
    tune = Tune()
    room.put_on_hold(member, tune)
    if url:
        world.spawn(_hold_with(world, room, member, url, tune))


async def _hold_with(world: World, room: Conference, member: Member, url: str, meanwhile: Tune) -> None:
    sound = await sound_for(world, member.leg, url, "HoldUrl")
    if sound is not None and member in room.members and member.hold is meanwhile:
        room.put_on_hold(member, Tune(sound.source, f"a recording: {url}"))


async def _wait_with(world: World, room: Conference, member: Member, url: str) -> None:
    sound = await sound_for(world, member.leg, url, "WaitUrl")
    if sound is not None and member in room.members:
        room.set_wait(member, Tune(sound.source, f"a recording: {url}"))


# --- means ---


def _room(request: web.Request, world: World) -> Conference:
    room = world.conferences.of_sid(request.match_info["conference_sid"])
    if room is None:
        raise not_found(f"conference {request.match_info['conference_sid']}")
    return room


def _check_has_not_ended(room: Conference) -> None:
    if room.ended.is_set():
        raise ApiError(422, Problem("90019", f"The conference {room.sid} has ended."))


def _check_is_up(room: Conference) -> None:
    _check_has_not_ended(room)
    if not room.members:
        raise ApiError(422, Problem("90033", f"The conference {room.sid} has no active participants."))


def _present(room: Conference) -> list[Member]:
    return [] if room.ended.is_set() else [member for member in room.members if member.leg.is_live]


def _member(request: web.Request, room: Conference) -> Member:
    name = request.match_info["participant"]
    found = next((one for one in _present(room) if name in (one.leg.call_control_id, one.label)), None)
    if found is None:
        raise not_found(f"participant {name} of the conference {room.sid}")
    return found


def _conference(world: World, room: Conference) -> Row:
    uri = f"/v2/texml/Accounts/{world.account.account_sid}/Conferences/{room.sid}"
    return {
        "sid": room.sid,
        "account_sid": world.account.account_sid,
        "api_version": API_VERSION,
        "friendly_name": room.name,
        "status": room.status,
        "reason_conference_ended": room.why_ended,
        "call_sid_ending_conference": room.ended_by or None,
        "date_created": clock.rfc2822(room.created_at),
        "date_updated": clock.rfc2822(room.updated_at),
        "region": "sandbox",
        "subresource_uris": {"participants": f"{uri}/Participants", "recordings": f"{uri}/Recordings"},
        "uri": uri,
    }


@dataclass(frozen=True)
class _State:
    is_muted: bool
    is_ender: bool
    is_held: bool = False


def _participant(world: World, room: Conference, member: Member) -> Row:
    state = _State(member.is_muted, member.is_ender, member.hold is not None)
    times = {
        "api_version": API_VERSION,
        "date_created": clock.rfc2822(member.joined_at),
        "date_updated": clock.rfc2822(member.updated_at),
    }
    return _participant_row(world, room, member.leg, state, status="connected") | times


def _participant_row(world: World, room: Conference, leg: Leg, state: _State, *, status: str) -> dict[str, Any]:
    """The label is not among the fields that the SDK knows."""
    sid, path = leg.call_control_id, f"/v2/texml/Accounts/{world.account.account_sid}/Conferences/{room.sid}"
    return {
        "account_sid": world.account.account_sid,
        "call_sid": sid,
        "call_sid_legacy": sid,
        "conference_sid": room.sid,
        "muted": state.is_muted,
        "hold": state.is_held,
        "coaching": False,
        "coaching_call_sid": None,
        "end_conference_on_exit": state.is_ender,
        "status": status,
        "uri": f"{path}/Participants/{sid}",
    }


_ROOMS = "/v2/texml/Accounts/{account_sid}/Conferences"
_ROOM = _ROOMS + "/{conference_sid}"
_PEOPLE = _ROOM + "/Participants"
_PERSON = _PEOPLE + "/{participant}"

ROUTES = [
    web.get(_ROOMS, _troubled(index)),
    web.get(_ROOM, _troubled(retrieve)),
    web.post(_ROOM, _troubled(update)),
    web.get(_PEOPLE, _troubled(participants)),
    web.post(_PEOPLE, _troubled(add_participant)),
    web.get(_PERSON, _troubled(participant)),
    web.post(_PERSON, _troubled(update_participant)),
    web.delete(_PERSON, _troubled(remove_participant)),
]
