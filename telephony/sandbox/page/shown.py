"""Calls, legs and registrations as plain data for the page and for scripts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from telephony.sandbox import clock
from telephony.sandbox.calls.calls import Call
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.calls.parties import PretendPerson, ScriptedAgent

if TYPE_CHECKING:
    from telephony.sandbox.world import World

SHOWN_CALLS = 50
Shown = dict[str, Any]


def state(world: World) -> Shown:
    """Everything the page draws, but for the details of single calls."""
    return {
        "version": world.journal.version,
        "account_sid": world.account.account_sid,
        "media": world.config.media,
        "settings": world.account.settings,
        "registrations": registrations(world),
        "numbers": [number(world, row) for row in world.account.table("phone_numbers").values()],
        "credentials": [
            {"sip_username": row["sip_username"], "name": row["name"]}
            for row in world.account.table("telephony_credentials").values()
        ],
        "calls": [call_line(call) for call in reversed(list(world.calls.by_id.values())[-SHOWN_CALLS:])],
        "trouble": world.trouble.as_dict(),
        "errors": [asdict(line) for line in world.journal.errors()],
    }


def number(world: World, row: Shown) -> Shown:
    kind = world.account.connection_kind(row.get("connection_id"))
    return {
        "id": row["id"],
        "e164": row["phone_number"],
        "connection_id": row.get("connection_id"),
        "connection_name": world.account.connection_name(row.get("connection_id")),
        "can_be_called": kind == "texml_applications",
    }


def registrations(world: World) -> list[Shown]:
    """Who would be rung: browsers, and scripted agents."""
    browsers: list[Shown] = [
        {
            "sip_username": seat.sip_username,
            "kind": "browser",
            "since": clock.iso(seat.since),
            "user_agent": seat.user_agent,
        }
        for seat in world.gateway.registrations()
    ]
    scripted: list[Shown] = [
        {"sip_username": name, "kind": "scripted", "script": {k: v for k, v in asdict(script).items() if v}}
        for name, script in world.agents.items()
    ]
    names = {row["sip_username"]: row["name"] for row in world.account.table("telephony_credentials").values()}
    return [seat | {"name": names.get(seat["sip_username"], "")} for seat in [*browsers, *scripted]]


def call_line(call: Call) -> Shown:
    root = call.root
    return {
        "id": call.id,
        "what": call.what,
        "from": root.from_,
        "to": root.to,
        "name": root.caller_name,
        "status": root.status,
        "is_live": call.is_live,
        "created_at": clock.iso(call.created_at),
        "duration_s": root.duration_s,
        "hears": root.hears,
        "heard_digits": root.heard_digits,
        "legs": len(call.legs),
        "errors": call.errors,
    } | ear(root)


def call_whole(call: Call) -> Shown:
    return call_line(call) | {
        "call_session_id": call.session_id,
        "legs": [leg_whole(leg) for leg in call.legs],
        "exchanges": [exchange.as_dict() for exchange in call.exchanges],
    }


def leg_whole(leg: Leg) -> Shown:
    ending = leg.ending
    return {
        "call_control_id": leg.call_control_id,
        "call_leg_id": leg.call_leg_id,
        "parent": leg.parent.call_control_id if leg.parent else None,
        "kind": leg.endpoint.kind,
        "direction": leg.direction,
        "from": leg.from_,
        "to": leg.to,
        "to_name": leg.world.account.name_of(leg.to),
        "state": leg.state,
        "status": leg.status,
        "hears": leg.hears,
        "hears_since": clock.iso(leg.hears_since),
        "heard_digits": leg.heard_digits,
        "duration_s": leg.duration_s,
        "initiated_at": clock.iso(leg.initiated_at),
        "answered_at": clock.iso(leg.answered_at) if leg.answered_at else None,
        "ended_at": clock.iso(leg.ended_at) if leg.ended_at else None,
        "ending": asdict(ending) if ending else None,
    } | ear(leg)


def ear(leg: Leg) -> Shown:
    """What a pretend person, or a scripted telephone, hears, measured over the last half second."""
    person = leg.endpoint
    party = person.ear if isinstance(person, PretendPerson | ScriptedAgent) and leg.is_live else None
    if party is None:
        return {"heard_rms": 0.0, "heard_peak_hz": 0.0}
    return {"heard_rms": round(party.heard_rms, 4), "heard_peak_hz": round(party.heard_peak_hz, 1)}
