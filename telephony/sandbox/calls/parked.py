"""Calls that a browser places: parked, rung back, and led by the document of the connection's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.sandbox.calls.endings import CALLER_HUNG_UP, MEDIA_LOST, REJECTED, Ending
from telephony.sandbox.calls.legs import EVERY_EVENT, Leg, StatusCallback
from telephony.sandbox.media.frames import AudioPort
from telephony.sandbox.texml.run import Fetch, start_document
from telephony.sandbox.verto.peer import BadSdp

if TYPE_CHECKING:
    from telephony.sandbox.account.store import Row
    from telephony.sandbox.calls.scripted_browser import ScriptedBrowser, ScriptedInvite
    from telephony.sandbox.verto.gateway import BrowserLeg, OutboundInvite
    from telephony.sandbox.world import World


class DiallingBrowser:
    """The browser at the root of a call that it places itself: nobody rings it, and the first verb answers it."""

    kind = "sip"

    def __init__(self, world: World, browser_leg: BrowserLeg | ScriptedBrowser, sip_username: str) -> None:
        self._world, self.browser_leg, self.sip_username = world, browser_leg, sip_username

    @property
    def port(self) -> AudioPort:
        return self.browser_leg.port

    async def ring(self, leg: Leg) -> None:
        """Never: it is this browser that calls."""

    def answered(self, leg: Leg) -> None:
        self._world.spawn(self._answer(leg))

    async def _answer(self, leg: Leg) -> None:
        try:
            await self.browser_leg.answer()
        except BadSdp as error:
            leg.call.fail(f"the browser's offer cannot be answered: {error}")
            leg.end(MEDIA_LOST)

    async def bye(self, ending: Ending) -> None:
        await self.browser_leg.bye(ending.verto_cause, ending.verto_code, ending.sip_code)

    def lose(self) -> None:
        """Trouble: the browser is gone at this moment."""
        self.browser_leg.lost()


def call_from_browser(world: World, invite: OutboundInvite | ScriptedInvite) -> Leg | None:
    """Park the call and ask for its document; without parking refuse it, as it would be dialled without control.

    Return its leg; None for a call that was refused.
    """
    connection = _connection_of(world, invite.sip_username)
    if problem := _problem(connection):
        name = world.account.name_of(invite.sip_username)
        world.journal.error(f"The call of {name} to {invite.destination_number} is refused: {problem}")
        world.spawn(invite.leg.bye(REJECTED.verto_cause, REJECTED.verto_code, 603, "Decline"))
        return None
    assert connection is not None
    leg = _leg(world, invite, connection)
    invite.leg.on_bye = lambda cause: leg.end(CALLER_HUNG_UP)
    invite.leg.on_dtmf = leg.press
    invite.leg.on_lost = lambda: leg.end(MEDIA_LOST)
    world.journal.info(leg.call.what, call_id=leg.call.id)
    leg.begin()
    world.spawn(_park(world, leg, invite, connection))
    return leg


async def _park(world: World, leg: Leg, invite: OutboundInvite | ScriptedInvite, connection: Row) -> None:
    await invite.leg.ring_back(
        call_control_id=leg.call_control_id, call_session_id=leg.call.session_id, call_leg_id=leg.call_leg_id
    )
    leg.rang()
    if not leg.is_live:
        return
    leg.hears = "ring-back"
    # The method of this address is not a field of the connection: POST (assumption S-61).
    start = Fetch(connection["webhook_event_url"], "POST", _headers_in_form(world, invite))
    start_document(world, leg, start, fallback_url=connection["webhook_event_failover_url"] or "", method="POST")


def _leg(world: World, invite: OutboundInvite | ScriptedInvite, connection: Row) -> Leg:
    name = world.account.name_of(invite.sip_username)
    call = world.calls.new(world, what=f"{name} calls {invite.destination_number} from the browser")
    return Leg(
        world,
        call,
        endpoint=DiallingBrowser(world, invite.leg, invite.sip_username),
        from_=invite.caller_number or invite.sip_username,
        to=invite.destination_number,
        connection_id=connection["id"],
        direction="outbound",
        caller_name=invite.caller_name,
        callbacks=_callbacks(world, connection),
        is_begun_by_party=True,
        sip_username=invite.sip_username,
    )


def _connection_of(world: World, sip_username: str) -> Row | None:
    credential = world.account.credential_of(sip_username) or {}
    connection_id = str(credential.get("resource_id", "")).removeprefix("connection:")
    return world.account.get("credential_connections", connection_id)


def _problem(connection: Row | None) -> str:
    """Why this connection's calls would not come to an application of ours; empty when they do."""
    if connection is None:
        return "its credential or connection is gone"
    if not connection.get("active", True):
        return "its connection is not active"
    if not (connection.get("outbound") or {}).get("call_parking_enabled"):
        return "its connection does not park outbound calls (outbound.call_parking_enabled), so nobody would control it"
    if connection.get("webhook_api_version") != "texml":
        return "webhook_api_version of its connection is not texml: this sandbox plays parked calls by TeXML only"
    if not connection.get("webhook_event_url"):
        return "its connection has no webhook_event_url to ask"
    return ""


def _callbacks(world: World, connection: Row) -> tuple[StatusCallback, ...]:
    """Where a connection without an application tells of a leg is not documented (assumption S-62)."""
    if not world.account.settings["parked_status_callbacks"]:
        return ()
    return (StatusCallback(connection["webhook_event_url"], "POST", EVERY_EVENT),)


def _headers_in_form(world: World, invite: OutboundInvite | ScriptedInvite) -> tuple[tuple[str, str], ...]:
    """Whether a browser's own headers reach the form is not documented: only with the setting (assumption S-60)."""
    if not world.account.settings["outbound_headers_in_form"]:
        return ()
    return tuple((f"SipHeader_{name}", value) for name, value in invite.headers if name.startswith("X-"))
