"""A <Dial> that rings a browser: the gateway's words, spoken over a plain socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.sandbox.house import House, told


class Browser:
    """As much of the SDK as logs in, is rung, and says bye."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.invites: list[dict[str, Any]] = []

    async def tell(self, method: str, params: dict[str, Any]) -> None:
        await self._socket.send_json({"jsonrpc": "2.0", "id": "u1", "method": method, "params": params})

    async def hear(self, method: str) -> dict[str, Any]:
        """The next request or answer of that name; `result` stands for an answer."""
        async with asyncio.timeout(5):
            while True:
                frame = await self._socket.receive_json()
                if frame.get("method") == method or (method in frame and "method" not in frame):
                    return dict(frame.get("params") or frame[method])

    async def bye(self, invite: dict[str, Any], cause: str, code: int) -> None:
        dialog = {"callID": invite["callID"], "custom_headers": []}
        await self.tell("telnyx_rtc.bye", {"sipCode": None, "dialogParams": dialog, "cause": cause, "causeCode": code})


@asynccontextmanager
async def browser(home: House, agent: str) -> AsyncIterator[Browser]:
    [credential] = (await home.api("GET", f"/telephony_credentials?filter[name]={agent}"))["data"]
    token = await home.api("POST", f"/telephony_credentials/{credential['id']}/token")
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{home.world.origin}/verto") as socket:
        seat = Browser(socket)
        await seat.tell("login", {"login_token": token, "User-Agent": {"sdkVersion": "2.27.10", "data": "test"}})
        await seat.hear("result")
        await home.until(lambda: home.world.is_registered(home.agents[agent]))
        yield seat


def dial(home: House, *, headers: str = "") -> str:
    events = 'statusCallback="{origin}/leg" statusCallbackEvent="initiated ringing answered completed"'
    attributes = 'answerOnBridge="true" action="{origin}/done" timeout="30" fromDisplayName="Jane Doe"'
    return f"<Dial {attributes}>{home.sip('ana', attributes=events, headers=headers)}</Dial>"


@pytest.mark.parametrize(
    ("cause", "code", "status", "hangup_code"), [("USER_BUSY", 17, "busy", "486"), ("CALL_REJECTED", 21, "busy", "603")]
)
def test_a_browser_is_rung_with_our_headers_and_declines(
    tmp_path: Path, cause: str, code: int, status: str, hangup_code: str
) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        home.curbe.answers["/voice"] = [dial(home, headers="?X-Curbe-Call=42&amp;X-Curbe-Queue=ventas")]
        home.curbe.answers["/done"] = ["<Hangup/>"]
        async with browser(home, "ana") as seat:
            assert (await home.control("GET", "/state"))["registrations"][0]["kind"] == "browser"

            await home.call()
            invite = await seat.hear("telnyx_rtc.invite")
            await seat.bye(invite, cause, code)
            await home.until_quiet()

        assert (invite["caller_id_name"], invite["caller_id_number"]) == ("Jane Doe", "+12125550142")
        headers = invite["dialogParams"]["custom_headers"]
        assert [(header["name"], header["value"]) for header in headers] == [
            ("X-Curbe-Call", "42"), ("X-Curbe-Queue", "ventas"),
        ]  # fmt: skip
        leg = home.curbe.at("/leg")
        assert invite["telnyx_call_control_id"] == leg[0]["CallSid"]
        assert [form["CallStatus"] for form in leg] == ["initiated", "ringing", status]
        assert leg[-1]["SipHangupCause"] == hangup_code
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "busy"

    told(tmp_path, story)


def test_normal_clearing_before_the_answer_rings_again_as_telnyx_does(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        home.curbe.answers["/voice"] = [dial(home)]
        home.curbe.answers["/done"] = ["<Hangup/>"]
        async with browser(home, "ana") as seat:
            await home.call()
            first = await seat.hear("telnyx_rtc.invite")
            await seat.bye(first, "NORMAL_CLEARING", 16)
            second = await seat.hear("telnyx_rtc.invite")
            await seat.bye(second, "NORMAL_CLEARING", 16)
            await home.until_quiet()

        assert first["callID"] != second["callID"]
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "busy"

    told(tmp_path, story)


def test_a_caller_who_gives_up_cancels_the_browser_and_a_winner_tells_it_the_race_is_lost(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", "luis")
        await home.script("luis", answer_after_ms=100)
        both = f"<Dial>{home.sip('ana')}{home.sip('luis')}</Dial>"
        home.curbe.answers["/voice"] = [dial(home), both]
        home.curbe.answers["/done"] = ["<Hangup/>"]
        async with browser(home, "ana") as seat:
            call_id = await home.call()
            await seat.hear("telnyx_rtc.invite")
            await home.hang_up(call_id)
            bye = await seat.hear("telnyx_rtc.bye")
            assert (bye["cause"], bye["sipCode"]) == ("ORIGINATOR_CANCEL", 487)

            call_id = await home.call()
            await seat.hear("telnyx_rtc.invite")
            bye = await seat.hear("telnyx_rtc.bye")
            assert (bye["cause"], bye["sipCode"]) == ("LOSE_RACE", 502)
            await home.hang_up(call_id)

    told(tmp_path, story)


def test_a_browser_that_vanishes_while_it_rings_fails_at_once(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        home.curbe.answers["/voice"] = [dial(home)]
        home.curbe.answers["/done"] = ["<Hangup/>"]
        async with browser(home, "ana") as seat:
            await home.call()
            await seat.hear("telnyx_rtc.invite")
            await home.control("POST", f"/registrations/{home.agents['ana']}/drop")
            await home.until_quiet()

        assert home.curbe.at("/done")[0]["DialCallStatus"] == "failed"
        assert (await home.control("GET", "/state"))["registrations"] == []

    told(tmp_path, story)


def test_a_token_that_is_none_of_ours_logs_nobody_in(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{home.world.origin}/verto") as socket:
            await Browser(socket).tell("login", {"login_token": "a.b.c"})
            answer = await socket.receive_json()

        assert answer["error"]["code"] == -32001
        assert "log-in was refused" in (await home.control("GET", "/state"))["errors"][-1]["text"]

    told(tmp_path, story)
