"""A browser that calls out, over a plain socket but with real sound; its WebRTC is our own `Peer` in the other role."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from telephony.sandbox.media import sources
from telephony.sandbox.media.frames import FRAME_S, RATE_HZ, Frame, peak_hz
from telephony.sandbox.verto.peer import Peer
from tests.sandbox.house import House
from tests.sandbox_media.support import Exchange
from tests.sandbox_media.wire_client import WireClient

JUDGED_FRAMES = int(0.5 * RATE_HZ) // int(FRAME_S * RATE_HZ)


@dataclass
class Phone:
    """One browser's seat: what it dialled, what it was told, and what it hears."""

    client: WireClient
    call_id: str = ""
    heard: list[Frame] = field(default_factory=list)
    peer: Peer | None = None
    singing: asyncio.Task[None] | None = None

    async def dial(
        self, number: str, *, caller: str = "+13055550100", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send the invite, as the SDK does, and take CALL CREATED."""
        self.peer = Peer(on_frame=self.heard.append, on_gone=lambda peer: None)
        offer = await self.peer.offer()
        self.call_id = str(uuid.uuid4())
        dialog = {
            "callID": self.call_id,
            "destination_number": number,
            "caller_id_number": caller,
            "caller_id_name": "Ana",
            "custom_headers": [{"name": name, "value": value} for name, value in (headers or {}).items()],
        }
        params = {"sessid": self.client.sessid, "sdp": offer, "dialogParams": dialog, "User-Agent": "Web-2.27.10"}
        answer = await self.client.ask("telnyx_rtc.invite", params)
        assert answer["result"]["message"] == "CALL CREATED"

    async def asked(self, method: str) -> dict[str, Any]:
        return await self.client.asked(method)

    async def is_answered(self, *, sings_hz: float = 0) -> None:
        """Take the server's answer, and sing from then on."""
        answer = await self.client.asked("answer")
        assert self.peer is not None
        await self.peer.accept(answer["sdp"])
        if sings_hz:
            self.singing = asyncio.create_task(self._sing(sings_hz))

    async def press(self, digits: str) -> None:
        await self.client.about("info", self.call_id, dtmf=digits)

    async def hang_up(self) -> None:
        await self.client.bye(self.call_id)

    @property
    def hears_hz(self) -> float:
        """The strongest frequency of the last half second."""
        last = self.heard[-JUDGED_FRAMES:]
        return peak_hz(np.concatenate(last)) if len(last) == JUDGED_FRAMES else 0.0

    async def _sing(self, hz: float) -> None:
        tone = sources.tone(hz)
        while self.peer is not None and (frame := tone.next()) is not None:
            self.peer.send(frame)
            await asyncio.sleep(FRAME_S)


@asynccontextmanager
async def phone_of(home: House, agent: str) -> AsyncIterator[Phone]:
    """The agent's browser, logged in."""
    rows = (await home.api("GET", f"/telephony_credentials?filter[name]={agent}"))["data"]
    token = await home.api("POST", f"/telephony_credentials/{rows[0]['id']}/token")
    async with WireClient(cast(Exchange, _At(home.world.origin))) as client:
        await client.log_in(token)
        phone = Phone(client)
        try:
            yield phone
        finally:
            if phone.singing is not None:
                phone.singing.cancel()
                with suppress(asyncio.CancelledError):
                    await phone.singing
            if phone.peer is not None:
                await phone.peer.close()


@dataclass
class _At:
    url: str
