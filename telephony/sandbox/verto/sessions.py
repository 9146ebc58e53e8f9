"""One WebSocket of one browser: who it is, and what is sent on it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from telephony.sandbox.verto import wire

logger = logging.getLogger(__name__)

# Integers, as the real gateway's; one counter for all sockets, so that a log is unambiguous.
_request_ids = itertools.count(20_001)


@dataclass(frozen=True)
class Registration:
    """A browser that would be rung for this user."""

    sip_username: str
    since: datetime
    user_agent: str
    sessid: str


class Session:
    """A socket from its opening to its end. Sending on one that is gone is no error: nothing is ever waited for."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, voice_sdk_id: str) -> None:
        self._socket, self._transport = socket, transport
        self.voice_sdk_id = voice_sdk_id or f"VSDK{uuid.uuid4().hex[:20]}"
        self.sip_username: str | None = None
        self.sessid = str(uuid.uuid4())
        self._heard_at_s = time.monotonic()

    @property
    def is_open(self) -> bool:
        return not self._socket.closed

    def heard(self) -> None:
        self._heard_at_s = time.monotonic()

    async def request(self, method: str, params: wire.Frame) -> bool:
        """Ask the browser something; return whether the socket took it. Its reply is not waited for.

        (A bye for a call that the page has forgotten is never acknowledged.)
        """
        return await self._send(wire.request(next(_request_ids), method, params))

    async def result(self, request: wire.Request, body: wire.Frame) -> bool:
        return await self._send(wire.result(request.id, body))

    async def error(self, request: wire.Request | None, code: int, message: str) -> bool:
        return await self._send(wire.error(request.id if request else None, code, message))

    async def ping_for_ever(self, every_s: float) -> None:
        """Ping, and give the socket up when three pings in a row brought nothing (a laptop that sleeps)."""
        while self.is_open:
            await asyncio.sleep(every_s)
            if time.monotonic() - self._heard_at_s > 3 * every_s:
                logger.info("The browser of %s is silent; its socket is given up", self.sip_username)
                self.abort()
                return
            await self.request("ping", {"serno": int(time.time())})

    def abort(self) -> None:
        """Cut the connection without a word, as a lost network does (the browser sees 1006)."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._socket.close()

    async def _send(self, frame: wire.Frame) -> bool:
        if self._socket.closed:
            return False
        try:
            # Beside params and result, on every frame, as the real gateway does: the SDK keeps the last it saw.
            await self._socket.send_str(json.dumps({**frame, "voice_sdk_id": self.voice_sdk_id}))
        except (ConnectionError, RuntimeError):
            return False
        return True
