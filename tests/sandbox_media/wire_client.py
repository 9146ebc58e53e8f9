"""A browser of a few lines: speaks the frames that @telnyx/webrtc 2.27.10 was seen to send, without a page.

Its WebRTC is our own `Peer` in the other role, so a whole call with sound needs no Chromium.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp

from telephony.sandbox.media.frames import Frame
from telephony.sandbox.verto.gateway import BrowserLeg
from telephony.sandbox.verto.peer import Peer
from tests.sandbox_media.support import Exchange

BOB = "agent-bob"
USER_AGENT = {"sdkVersion": "2.27.10", "data": "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0.0.0"}


def login_params(token: str, **extra: Any) -> dict[str, Any]:
    """Return what the SDK logs in with (captured; `reconnection` and `sessid` differ on a reconnect)."""
    return {
        "login_token": token,
        "userVariables": {"push_when_active": False, "pn_late_fanout": False},
        "reconnection": False,
        "loginParams": {"early_sdp_answer": False},
        "User-Agent": USER_AGENT,
        **extra,
    }


class WireClient:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._http = aiohttp.ClientSession()
        self._inbox: list[dict[str, Any]] = []
        self.heard: list[Frame] = []
        self.peer: Peer | None = None
        self.socket: aiohttp.ClientWebSocketResponse
        self.sessid = ""
        self.voice_sdk_id = ""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.peer is not None:
            await self.peer.close()
        await self.socket.close()
        await self._http.close()

    async def connect(self, query: str = "") -> None:
        self._inbox.clear()
        self.socket = await self._http.ws_connect(f"{self._exchange.url}/verto{query}")

    async def send(self, frame: object) -> None:
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its answer; what else arrives meanwhile is kept for `asked`."""
        request_id = str(uuid.uuid4())
        await self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return await self._first(lambda frame: frame.get("id") == request_id and "method" not in frame)

    async def asked(self, method: str) -> dict[str, Any]:
        """Return the params of the server's next request of this method, acknowledged as the SDK does."""
        frame = await self._first(lambda frame: frame.get("method") == f"telnyx_rtc.{method}")
        if method not in ("ping", "clientReady", "punt"):
            await self.send({"jsonrpc": "2.0", "id": frame["id"], "result": {"method": frame["method"]}})
        params: dict[str, Any] = frame["params"]
        return params

    async def log_in(self, token: str, **extra: Any) -> dict[str, Any]:
        """Log in and register; return clientReady's params."""
        answer = await self.ask("login", login_params(token, **extra))
        self.sessid, self.voice_sdk_id = answer["result"]["sessid"], answer["voice_sdk_id"]
        ready = await self.asked("clientReady")
        state = await self.ask("telnyx_rtc.gatewayState", {})
        assert state["result"]["params"]["state"] == "REGED"
        return ready

    async def answer(self, offer: dict[str, Any], method: str = "answer") -> dict[str, Any]:
        """Answer an invite or an attach with real media."""
        self.peer = Peer(on_frame=self.heard.append, on_gone=lambda peer: None)
        answer_sdp = await self.peer.answer(offer["sdp"])
        dialog = {"callID": offer["callID"], "attach": method == "attach", "custom_headers": []}
        return await self.ask(
            f"telnyx_rtc.{method}",
            {"sessid": self.sessid, "sdp": answer_sdp, "dialogParams": dialog, "User-Agent": "Web-2.27.10"},
        )

    async def about(self, method: str, call_id: str, **params: Any) -> dict[str, Any]:
        """Ask something about a call: its id stands in dialogParams only."""
        return await self.ask(
            f"telnyx_rtc.{method}", {"sessid": self.sessid, "dialogParams": {"callID": call_id}, **params}
        )

    async def bye(self, call_id: str, cause: str = "NORMAL_CLEARING", code: int = 16) -> dict[str, Any]:
        return await self.about("bye", call_id, sipCode=None, sip_call_id=None, cause=cause, causeCode=code)

    async def _first(self, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while True:
                for frame in self._inbox:
                    if wanted(frame):
                        self._inbox.remove(frame)
                        return frame
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"the socket ended: {message.type.name} {self.socket.close_code}")
                self._inbox.append(json.loads(message.data))


def with_exchange(scenario: Callable[[Exchange], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with Exchange(**options).running() as exchange:
            await scenario(exchange)

    asyncio.run(run())


async def answered_call(exchange: Exchange, client: WireClient) -> BrowserLeg:
    leg: BrowserLeg = await exchange.invite(BOB)
    answer = await client.answer(await client.asked("invite"))
    assert answer["result"]["message"] == "CALL ANSWERED"
    return leg
