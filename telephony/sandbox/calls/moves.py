"""A REST update puts another document in a live leg's place: at once, late, or as on a bad day."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telephony.sandbox.calls.endings import MEDIA_LOST
from telephony.sandbox.calls.outbound import move_leg
from telephony.sandbox.calls.parked import DiallingBrowser
from telephony.sandbox.calls.parties import Browser
from telephony.sandbox.texml.run import Fetch, Inline

if TYPE_CHECKING:
    from telephony.sandbox.calls.legs import Leg
    from telephony.sandbox.world import World

# How long a leg whose document was dropped hears nothing and goes nowhere, in seconds of a document.
EMPTY_ROOM_S = 6
NOTHING = Inline('<Response><Pause length="180"/></Response>')


async def move(world: World, leg: Leg, start: Fetch | Inline, *, fallback_url: str) -> None:
    """Let the update take effect, and return when its request is to be answered.

    `slow_updates_ms` keeps the answer back: whatever the effect sets off, an `action` above all, comes before it.
    `late_updates_ms` keeps the effect back: the answer says 200 to something that has not happened yet.
    """
    switches = world.trouble.switches
    if switches.late_updates_ms:
        world.spawn(_later(world, leg, start, fallback_url, switches.late_updates_ms / 1000))
    else:
        await _take_effect(world, leg, start, fallback_url)
    await asyncio.sleep(switches.slow_updates_ms / 1000)


async def _later(world: World, leg: Leg, start: Fetch | Inline, fallback_url: str, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await _take_effect(world, leg, start, fallback_url)


async def _take_effect(world: World, leg: Leg, start: Fetch | Inline, fallback_url: str) -> None:
    if not leg.is_live:
        return
    switches = world.trouble.switches
    if leg.endpoint.kind == "sip" and switches.lose_agent_leg_on_update:
        await _lose(world, leg)
    elif leg.endpoint.kind == "sip" and switches.empty_room:
        move_leg(world, leg, NOTHING, fallback_url="")
        world.journal.info("A trouble switch dropped the new document of a browser's leg", call_id=leg.call.id)
        world.spawn(_end_later(world, leg))
    else:
        move_leg(world, leg, start, fallback_url=fallback_url)


async def _lose(world: World, leg: Leg) -> None:
    """As when the network goes at that moment: the leg is over, and the browser's socket is cut."""
    world.journal.info("A trouble switch lost a browser's leg instead of moving it", call_id=leg.call.id)
    endpoint = leg.endpoint
    if isinstance(endpoint, Browser | DiallingBrowser):
        endpoint.lose()
        await world.drop_registration(endpoint.sip_username)
    leg.end(MEDIA_LOST)  # a scripted telephone; for a browser it is over already


async def _end_later(world: World, leg: Leg) -> None:
    await asyncio.sleep(EMPTY_ROOM_S * world.second_s)
    leg.end(MEDIA_LOST)
