"""Legs that the API makes and moves: `POST /texml/calls/{app}` and the update of a live leg."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.endings import HUNG_UP_BY_API, OTHER_SIDE_ENDED, PARENT_GONE, RANG_OUT
from telephony.sandbox.calls.legs import Leg, StatusCallback, first_of
from telephony.sandbox.texml import targets
from telephony.sandbox.texml.document import sip_target
from telephony.sandbox.texml.run import Fetch, Inline, start_document

if TYPE_CHECKING:
    from telephony.sandbox.world import World

RING_S = 30


def make_call(
    world: World,
    application: Row,
    *,
    from_: str,
    to: str,
    start: Fetch | Inline,
    callbacks: tuple[StatusCallback, ...],
    ring_s: int = RING_S,
    caller_name: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Leg:
    """Ring `to` (E.164 or SIP URI); once it answers, run the document. Raises texml.document.Refused for a bad URI."""
    if to.startswith("sip:"):
        uri = sip_target(to)
        target = targets.sip(world, replace(uri, headers=(*uri.headers, *headers)))
    else:
        target = targets.number(world, to, caller_id=from_, connection_id=application["id"])
    call = world.calls.new(world, what=f"The API calls {target.to} as {from_}")
    leg = Leg(
        world,
        call,
        endpoint=target.endpoint,
        from_=from_,
        to=target.to,
        connection_id=application["id"],
        direction="outbound",
        caller_name=caller_name,
        callbacks=() if target.is_silent else callbacks,
    )
    if target.alarm:
        call.fail(target.alarm)
    leg.begin()
    world.spawn(_ring(world, leg, application, start, ring_s))
    return leg


async def _ring(world: World, leg: Leg, application: Row, start: Fetch | Inline, ring_s: int) -> None:
    world.spawn(leg.endpoint.ring(leg))
    if not await first_of(leg.settled, timeout_s=ring_s * world.second_s):
        leg.end(RANG_OUT)
    if leg.is_live:
        start_document(
            world,
            leg,
            start,
            fallback_url=application["voice_fallback_url"],
            method=application["voice_method"].upper(),
        )


def move_leg(world: World, leg: Leg, start: Fetch | Inline, *, fallback_url: str) -> None:
    """Put another document in place of the leg's own (texml.md, rest-api.md section 8).

    Its own Dial, if it runs one, is torn down with its children. A leg that was dialled by another leaves that Dial,
    which then ends as completed and goes on to its `action` (the promotion to a room rests on this: assumption S-14).
    """
    application_fallback, method = _instructions_of(world, leg.connection_id)
    leg.moved.set()
    world.switch.silence(leg.port)
    start_document(
        world,
        leg,
        start,
        fallback_url=fallback_url or application_fallback,
        method=method,
    )


def _instructions_of(world: World, connection_id: str) -> tuple[str, str]:
    """The fallback address and the method of the application, or connection, that owns a leg."""
    if connection := world.account.get("credential_connections", connection_id):
        return connection.get("webhook_event_failover_url") or "", "POST"
    application = world.account.get("texml_applications", connection_id) or {}
    return application.get("voice_fallback_url") or "", str(application.get("voice_method", "post")).upper()


def hang_up_by_api(leg: Leg) -> None:
    """For a leg that was rung the API is the calling side; for one whose party called it is the called one."""
    if leg.direction == "inbound" or leg.is_begun_by_party:
        leg.end(HUNG_UP_BY_API)
        return
    leg.end(OTHER_SIDE_ENDED if leg.answered_at else PARENT_GONE)
