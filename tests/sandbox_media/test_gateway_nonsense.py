"""Frames that make no sense, and owners that fail: the wire goes on."""

from __future__ import annotations

import aiohttp
import pytest

from tests.sandbox_media.support import Exchange
from tests.sandbox_media.wire_client import BOB, WireClient, with_exchange


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", -32600),
        ("[1, 2]", -32600),
        ('"text"', -32600),
        ("[" * 5_000, -32600),
        ({"jsonrpc": "2.0", "method": "telnyx_rtc.ping"}, -32600),
        ({"jsonrpc": "2.0", "id": {}, "method": "telnyx_rtc.ping"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.ping", "params": []}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.teleport"}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.bye"}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.bye", "params": {"dialogParams": "x"}}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.bye", "params": {"dialogParams": {"callID": 7}}}, -32602),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.info", "params": {"dialogParams": {"callID": "no"}}},
            -32002,
        ),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.invite", "params": {"dialogParams": {"callID": "a"}}},
            -32602,
        ),
    ],
)
def test_nonsense_is_refused_by_its_own_code_and_the_socket_lives_on(frame: object, code: int) -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            await client.send(frame)
            refusal = await client._first(lambda f: "error" in f)

            assert refusal["error"]["code"] == code
            assert (await client.ask("telnyx_rtc.ping", {}))["result"] == {"message": "pong"}

    with_exchange(scenario)


def test_before_the_login_nothing_is_done_and_minus_32000_is_never_said() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            for method in ("gatewayState", "invite", "bye", "ping"):
                answer = await client.ask(f"telnyx_rtc.{method}", {"dialogParams": {"callID": "a"}, "sdp": "v=0"})
                assert answer["error"]["code"] == -32001

    with_exchange(scenario)


@pytest.mark.parametrize("sdp", ["nonsense", "v=0\r\n", "v=0\r\nm=audio x y z\r\n", "v=0\r\na=group:BUNDLE 0\r\n", ""])
def test_an_answer_that_is_no_session_description_is_refused_and_the_leg_rings_on(sdp: str) -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await exchange.invite(BOB)
            await client.asked("invite")
            refusal = await client.about("answer", leg.call_id, sdp=sdp)

            assert refusal["error"]["code"] == -32602
            assert leg.state == "ringing"

    with_exchange(scenario)


def test_a_frame_of_a_megabyte_closes_only_its_own_socket() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client, WireClient(exchange) as other:
            await other.log_in("agent-sam")
            await client.send("x" * 2**20)
            message = await client.socket.receive(timeout=5)

            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
            assert (await other.ask("telnyx_rtc.ping", {}))["result"] == {"message": "pong"}

    with_exchange(scenario)


def test_an_owner_that_fails_does_not_stop_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await exchange.invite(BOB)

            def fail() -> None:
                raise RuntimeError("the owner is broken")

            leg.on_answer = fail
            answer = await client.answer(await client.asked("invite"))

            assert answer["result"]["message"] == "CALL ANSWERED"

    with_exchange(scenario)
    assert "The owner of a browser leg failed" in caplog.messages
