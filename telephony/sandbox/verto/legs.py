"""A call's leg to one browser."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Literal

from telephony.sandbox.verto import wire
from telephony.sandbox.verto.peer import BadSdp, Peer
from telephony.sandbox.verto.port import BrowserPort
from telephony.sandbox.verto.sessions import Session
from telephony.sandbox.verto.wire import ByeCause, LegIdentity

logger = logging.getLogger(__name__)

LegState = Literal["ringing", "dialing", "active", "done"]
Spawn = Callable[[Coroutine[Any, Any, None]], object]


@dataclass
class LegCallbacks:
    """What the owner of a leg wants to know. Each is called at most once but `on_dtmf` and `on_hold`."""

    on_answer: Callable[[], None] = lambda: None
    on_bye: Callable[[ByeCause], None] = lambda cause: None
    on_lost: Callable[[], None] = lambda: None
    on_dtmf: Callable[[str], None] = lambda digit: None
    on_hold: Callable[[bool], None] = lambda is_held: None


class BrowserLeg(LegCallbacks):
    """One browser in one call: "ringing" (or "dialing", if the browser calls) → "active" → "done".

    Of everything that can end it the first counts: exactly one of `on_bye` and `on_lost` is called, and neither after
    our own `bye`.
    """

    def __init__(
        self,
        *,
        session: Session,
        identity: LegIdentity,
        spawn: Spawn,
        on_done: Callable[[BrowserLeg], None],
        grace_s: float,
        call_id: str | None = None,
        offer_sdp: str | None = None,
    ) -> None:
        """`offer_sdp` is the browser's own offer, for a call that it makes."""
        super().__init__()
        self.call_id = call_id or str(uuid.uuid4())
        self.port = BrowserPort()
        self.state: LegState = "ringing" if offer_sdp is None else "dialing"
        self.session = session
        self.identity = identity
        self._spawn, self._on_done, self._grace_s = spawn, on_done, grace_s
        self._offer_sdp = offer_sdp
        self._sip_call_id = str(uuid.uuid4())
        self._peer: Peer | None = None
        self._next_peer: Peer | None = None
        self._grace: asyncio.TimerHandle | None = None

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    # --- what we do ---

    async def invite(self) -> bool:
        """Ring the browser; return whether its socket took the invite, False too if the leg ended meanwhile."""
        self._peer = self._new_peer()
        self.port.attach(self._peer)
        offer_sdp = await self._peer.offer()
        if self.state == "done":
            return False
        return await self.session.request("invite", wire.offer_params(self.call_id, offer_sdp, self.identity))

    async def bye(
        self, cause: str = "NORMAL_CLEARING", code: int = 16, sip_code: int = 200, sip_reason: str = "OK"
    ) -> None:
        """End the leg. Always with a cause: without one the SDK invents its own. An ended leg is left alone."""
        if not self._finish():
            return
        params = wire.bye_params(
            self.call_id,
            cause=cause,
            code=code,
            sip_code=sip_code,
            sip_reason=sip_reason,
            sip_call_id=self._sip_call_id,
        )
        await self.session.request("bye", params)

    async def ring_back(self, *, call_control_id: str, call_session_id: str, call_leg_id: str) -> None:
        """Tell a browser that calls out that its call rings, and by which ids Telnyx knows this leg."""
        self.identity = replace(
            self.identity, call_control_id=call_control_id, call_session_id=call_session_id, call_leg_id=call_leg_id
        )
        params = {"callID": self.call_id, **wire.leg_ids(self.identity), "dialogParams": {}}
        await self.session.request("ringing", params)

    async def answer(self) -> None:
        """Answer a browser that calls out. Raises BadSdp if its offer cannot be used."""
        if self.state != "dialing" or self._offer_sdp is None:
            return
        self.state = "active"
        self._peer = self._new_peer()
        self.port.attach(self._peer)
        answer_sdp = await self._peer.answer(self._offer_sdp)
        if self.is_active:
            params = {"callID": self.call_id, "sdp": answer_sdp, **wire.leg_ids(self.identity)}
            await self.session.request("answer", params)

    async def attach(self, session: Session) -> None:
        """Offer the call again on the socket that came back. Until the browser answers, the grace runs on."""
        self.session = session
        self._start_grace()
        self._discard(self._next_peer)
        peer = self._next_peer = self._new_peer()
        offer_sdp = await peer.offer()
        if self.is_active and self._next_peer is peer:
            # The recipe's attach names ids and numbers, no headers: the page must remember what they meant.
            bare = replace(self.identity, headers=())
            await session.request("attach", wire.offer_params(self.call_id, offer_sdp, bare))

    # --- what the browser does ---

    async def answered(self, answer_sdp: str) -> None:
        """Take the browser's answer; one for an active leg again is ignored. Raises BadSdp."""
        if self.state != "ringing" or self._peer is None:
            return
        await self._peer.accept(answer_sdp)
        # While that was awaited, another agent may have won.
        if self.state == "ringing":
            self.state = "active"
            self._tell(self.on_answer)

    async def attached(self, answer_sdp: str) -> None:
        """Take the answer to our `attach`: the sound moves to the new connection. Raises BadSdp."""
        peer, self._next_peer = self._next_peer, None
        if peer is None or self.state != "active":
            return
        try:
            await peer.accept(answer_sdp)
        except BadSdp:
            self._discard(peer)
            raise
        if not self.is_active:
            # It ended while the answer was being taken.
            self._discard(peer)
            return
        self._stop_grace()
        self._discard(self._peer)
        self._peer = peer
        self.port.attach(peer)

    async def candidate(self, candidate: str, *, mid: str | None, line_index: int | None) -> None:
        peer = self._next_peer or self._peer
        if peer is not None:
            await peer.add_candidate(candidate, mid=mid, line_index=line_index)

    def ended(self, cause: ByeCause) -> None:
        """The browser said bye."""
        if self._finish():
            self._tell(lambda: self.on_bye(cause))

    def held(self, is_held: bool) -> None:
        """SIP hold: nothing changes in the browser, so it is we who fall silent both ways."""
        self.port.is_held = is_held
        self._tell(lambda: self.on_hold(is_held))

    def pressed(self, digit: str) -> None:
        self._tell(lambda: self.on_dtmf(digit))

    # --- what befalls it ---

    def socket_lost(self) -> None:
        """A ringing browser without a socket rings no more; a conversation has `grace_s` to come back."""
        if self.state == "active":
            self._start_grace()
        else:
            self.lost()

    def lost(self) -> None:
        if self._finish():
            self._tell(self.on_lost)

    def _peer_gone(self, peer: Peer) -> None:
        # A page that hangs up locally says no bye, but its connection closes: nobody is there any more.
        if peer is self._peer and self.state == "active":
            self._start_grace()

    # --- means ---

    def _new_peer(self) -> Peer:
        return Peer(on_frame=self.port.said, on_gone=self._peer_gone)

    def _start_grace(self) -> None:
        if self._grace is None:
            self._grace = asyncio.get_running_loop().call_later(self._grace_s, self.lost)

    def _stop_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    def _finish(self) -> bool:
        """Enter "done"; return False if it was there already."""
        if self.state == "done":
            return False
        self.state = "done"
        self._stop_grace()
        self.port.close()
        self._discard(self._peer)
        self._discard(self._next_peer)
        self._on_done(self)
        return True

    def _discard(self, peer: Peer | None) -> None:
        if peer is not None:
            self._spawn(peer.close())

    @staticmethod
    def _tell(callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            # The wire must go on: an unanswered request makes the SDK drop its socket after 10 s.
            logger.exception("The owner of a browser leg failed")
