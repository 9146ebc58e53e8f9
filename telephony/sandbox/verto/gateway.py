"""The gateway that browsers log in to: sockets, registrations, legs, and trouble on request."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

from telephony.sandbox.media.switch import MediaSwitch
from telephony.sandbox.verto import methods, wire
from telephony.sandbox.verto.legs import BrowserLeg
from telephony.sandbox.verto.peer import use_addresses
from telephony.sandbox.verto.sessions import Registration, Session
from telephony.sandbox.verto.wire import ByeCause, LegIdentity, LoginAttempt

__all__ = [
    "BrowserLeg", "ByeCause", "LoginAttempt", "OutboundInvite", "Registration", "VertoGateway",
]  # fmt: skip

logger = logging.getLogger(__name__)

# A vanished browser's media is noticed after consent expiry, 31 to 33 s (aiortc, observed); its socket at once.
GRACE_S = 31.0
MAX_FRAME_BYTES = 256 * 1024
# How long a page may take to agree that its socket closes: a frozen tab must not hold up the shutdown.
CLOSING_S = 1.0
SESSIDS_REMEMBERED = 10_000


@dataclass(frozen=True)
class OutboundInvite:
    """A call that a browser makes: `leg` is "dialing"; `ring_back`, `answer` or `bye` it."""

    sip_username: str
    destination_number: str
    caller_number: str
    caller_name: str
    headers: tuple[tuple[str, str], ...]
    client_state: str
    leg: BrowserLeg


class VertoGateway:
    """Rings browsers. `authenticate` returns the SIP user of a login, None to refuse it."""

    def __init__(
        self,
        *,
        switch: MediaSwitch,
        authenticate: Callable[[LoginAttempt], str | None],
        on_registered: Callable[[Registration], None],
        on_unregistered: Callable[[Registration], None],
        on_invite: Callable[[OutboundInvite], object] | None = None,
        ping_every_s: float = 15,
        grace_s: float = GRACE_S,
        addresses: Sequence[str] = ("127.0.0.1",),
    ) -> None:
        """`addresses` are where browsers reach our media; they hold for the whole process (see `use_addresses`)."""
        use_addresses(addresses)
        self.authenticate = authenticate
        self.on_invite = on_invite
        self._switch = switch
        self._on_registered, self._on_unregistered = on_registered, on_unregistered
        self._ping_every_s, self._grace_s = ping_every_s, grace_s
        self._sessions: set[Session] = set()
        self._registered: dict[str, tuple[Registration, Session]] = {}
        self._legs: dict[str, BrowserLeg] = {}
        # Whose each session id was: a browser that comes back gets its own again, never somebody else's.
        self._sessids: OrderedDict[str, str] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- for the sandbox ---

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one browser's socket (route GET /verto)."""
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, timeout=CLOSING_S)
        await socket.prepare(request)
        transport = request.transport if isinstance(request.transport, asyncio.Transport) else None
        session = Session(socket, transport, request.query.get("voice_sdk_id", "")[: wire.MAX_TEXT])
        self._sessions.add(session)
        pinger = self._spawn(session.ping_for_ever(self._ping_every_s))
        try:
            async for message in socket:
                session.heard()
                if message.type is WSMsgType.TEXT:
                    await methods.handle(self, session, message.data)
        finally:
            pinger.cancel()
            self._sessions.discard(session)
            self._closed(session)
        return socket

    def registrations(self) -> list[Registration]:
        """Return who can be rung, by name."""
        return sorted((registration for registration, _ in self._registered.values()), key=lambda r: r.sip_username)

    def is_registered(self, sip_username: str) -> bool:
        return sip_username in self._registered

    async def invite(
        self,
        sip_username: str,
        *,
        call_control_id: str,
        call_session_id: str,
        call_leg_id: str,
        caller_name: str,
        caller_number: str,
        callee_number: str,
        headers: Sequence[tuple[str, str]] = (),
    ) -> BrowserLeg | None:
        """Ring the browser that logged in last as this user; None if nobody is there."""
        if sip_username not in self._registered:
            return None
        _, session = self._registered[sip_username]
        identity = LegIdentity(
            call_control_id=call_control_id,
            call_session_id=call_session_id,
            call_leg_id=call_leg_id,
            caller_name=caller_name,
            caller_number=caller_number,
            callee_number=callee_number,
            headers=tuple(headers),
        )
        leg = self._new_leg(session, identity)
        is_ringing = False
        try:
            is_ringing = await leg.invite()
        finally:
            if not is_ringing:
                leg.lost()
        return leg if is_ringing else None

    async def drop_socket(self, sip_username: str) -> None:
        """Trouble: cut the user's socket as a lost network does."""
        if sip_username in self._registered:
            self._registered[sip_username][1].abort()

    async def punt(self, sip_username: str) -> None:
        """Trouble: throw the user's browser out. It forgets its calls without a bye and does not come back alone."""
        if sip_username not in self._registered:
            return
        _, session = self._registered[sip_username]
        await session.request("punt", {})
        self._unregister(session)
        for leg in self._legs_of(session):
            leg.lost()

    async def close(self) -> None:
        """End every leg and every socket."""
        for leg in tuple(self._legs.values()):
            await leg.bye("NORMAL_CLEARING", 16, 503, "Service Unavailable")
        for session in tuple(self._sessions):
            await session.close()
        while pending := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(pending)

    # --- for the methods ---

    def resume(self, session: Session, sip_username: str, old_sessid: str | None) -> None:
        """Make the session this user's, and the next of an older one if it names one that was theirs."""
        if session.sip_username is not None:
            self._closed(session)
        session.sip_username = sip_username
        if old_sessid is not None and self._sessids.get(old_sessid) == sip_username:
            session.sessid = old_sessid
        self._sessids[session.sessid] = sip_username
        self._sessids.move_to_end(session.sessid)
        if len(self._sessids) > SESSIDS_REMEMBERED:
            self._sessids.popitem(last=False)
        # Half open: the browser is back before we noticed that it was gone. Its page has dropped what rang there.
        for leg in list(self._legs.values()):
            if leg.session is not session and leg.session.sessid == session.sessid and leg.state != "active":
                leg.lost()

    def register(self, session: Session, attempt: LoginAttempt) -> None:
        """From now on, this socket is the one that rings for its user."""
        if session.sip_username is None or not session.is_open:
            return
        registration = Registration(session.sip_username, datetime.now(UTC), attempt.user_agent, session.sessid)
        self._registered[session.sip_username] = (registration, session)
        self._on_registered(registration)

    def legs_to_attach(self, session: Session) -> list[BrowserLeg]:
        """Return the conversations that this browser had on a socket that is gone."""
        return [
            leg
            for leg in self._legs.values()
            if leg.state == "active"
            and leg.session is not session
            and leg.session.sip_username == session.sip_username
            and (leg.session.sessid == session.sessid or leg.session.voice_sdk_id == session.voice_sdk_id)
        ]

    def leg(self, session: Session, call_id: str) -> BrowserLeg | None:
        """Return the live leg of this session with that id."""
        leg = self._legs.get(call_id)
        return leg if leg is not None and leg.session is session else None

    async def call_out(self, session: Session, request: wire.Request) -> None:
        """A browser calls. Without `on_invite`, every call is rejected, politely and by the protocol."""
        dialog, call_id = wire.dialog(request.params), wire.call_id(request.params)
        if call_id in self._legs or session.sip_username is None:
            raise wire.BadFrame("callID is in use")
        identity = LegIdentity(
            call_control_id="",
            call_session_id="",
            call_leg_id="",
            caller_name=wire.text(dialog, "caller_id_name") or "",
            caller_number=wire.text(dialog, "caller_id_number") or "",
            callee_number=wire.required(dialog, "destination_number"),
            headers=wire.custom_headers(dialog),
        )
        client_state = wire.text(dialog, "clientState", limit=4_096) or ""
        leg = self._new_leg(session, identity, call_id=call_id, offer_sdp=wire.sdp(request.params))
        body = {"callID": call_id, "message": "CALL CREATED", "sessid": session.sessid}
        await session.result(request, body)
        if self.on_invite is None:
            await leg.bye("CALL_REJECTED", 21, 603, "Decline")
            return
        self.on_invite(
            OutboundInvite(
                sip_username=session.sip_username,
                destination_number=identity.callee_number,
                caller_number=identity.caller_number,
                caller_name=identity.caller_name,
                headers=identity.headers,
                client_state=client_state,
                leg=leg,
            )
        )

    # --- means ---

    def _new_leg(
        self, session: Session, identity: LegIdentity, *, call_id: str | None = None, offer_sdp: str | None = None
    ) -> BrowserLeg:
        leg = BrowserLeg(
            session=session,
            identity=identity,
            spawn=self._spawn,
            on_done=self._forget_leg,
            grace_s=self._grace_s,
            call_id=call_id,
            offer_sdp=offer_sdp,
        )
        self._legs[leg.call_id] = leg
        return leg

    def _forget_leg(self, leg: BrowserLeg) -> None:
        self._legs.pop(leg.call_id, None)
        self._switch.silence(leg.port)

    def _legs_of(self, session: Session) -> list[BrowserLeg]:
        return [leg for leg in self._legs.values() if leg.session is session]

    def _closed(self, session: Session) -> None:
        self._unregister(session)
        for leg in self._legs_of(session):
            leg.socket_lost()

    def _unregister(self, session: Session) -> None:
        registration, registered = self._registered.get(session.sip_username or "", (None, None))
        if registration is not None and registered is session:
            del self._registered[registration.sip_username]
            self._on_unregistered(registration)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("A task of the gateway failed", exc_info=task.exception())
