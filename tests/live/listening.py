"""A page's socket, spoken to without a server; Redis between the sender and the listener is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from curbe.companies.models import User
from curbe.live import websocket_urlpatterns

# asgiref does not type its test helper.
_Communicator: Any = ApplicationCommunicator

ORIGIN = "https://voice.test"
HOST = "voice.test"
#: Long enough for Redis on a busy machine; a test that waits for silence waits shorter.
ARRIVES_WITHIN_S = 5.0
SILENCE_S = 0.3


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine so that its database work stays in the test's own transaction."""
    async_to_sync(story)()


class Socket:
    """One WebSocket, as the server of the live process would drive it.

    Written on asgiref's communicator: importing ``channels.testing`` wants daphne, which Curbe does not use.
    """

    def __init__(self, user: User | None, *, origin: str | None = ORIGIN, host: str = HOST, **session: str) -> None:
        headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
        scope = {
            "type": "websocket",
            "path": "/ws/live",
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
            "user": user or AnonymousUser(),
            "session": session,
        }
        self._wire = _Communicator(URLRouter(websocket_urlpatterns), scope)

    async def connects(self) -> bool:
        await self._wire.send_input({"type": "websocket.connect"})
        answer = await self._wire.receive_output(ARRIVES_WITHIN_S)
        return bool(answer["type"] == "websocket.accept")

    async def say(self, text: str) -> None:
        await self._wire.send_input({"type": "websocket.receive", "text": text})

    async def hears(self) -> dict[str, Any]:
        """Return the next push, or ``{"closed": code}``."""
        message = await self._wire.receive_output(ARRIVES_WITHIN_S)
        if message["type"] == "websocket.close":
            return {"closed": message["code"]}
        event: dict[str, Any] = json.loads(message["text"])
        return event

    async def hears_nothing(self) -> bool:
        return bool(await self._wire.receive_nothing(timeout=SILENCE_S))

    async def leave(self) -> None:
        await self._wire.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._wire.wait(ARRIVES_WITHIN_S)


async def open_socket(user: User, **session: str) -> Socket:
    """Return the person's socket once it hears its groups."""
    socket = Socket(user, **session)
    assert await socket.connects()
    assert await socket.hears() == {"type": "live"}
    return socket


async def in_another_thread(call: Callable[[], object]) -> None:
    """Let ordinary code run where it does in a server: not on the loop that listens."""
    await asyncio.to_thread(call)
