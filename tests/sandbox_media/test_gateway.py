"""The gateway's side of the wire, frame by frame, with a client that speaks what the SDK was seen to speak."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import numpy as np
import pytest

from telephony.sandbox.media.frames import peak_hz
from telephony.sandbox.media.sources import tone
from telephony.sandbox.verto.gateway import BrowserLeg
from telephony.sandbox.verto.wire import ByeCause
from tests.sandbox_media.support import Exchange, until
from tests.sandbox_media.wire_client import USER_AGENT, WireClient, login_params

BOB = "agent-bob"


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


# --- log-in and registration ---


def test_a_login_is_answered_as_telnyx_does_and_registers_the_browser() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            answer = await client.ask("login", login_params(BOB))
            ready = await client.asked("clientReady")
            state = await client.ask("telnyx_rtc.gatewayState", {})

            assert answer["result"] == {"message": "logged in", "sessid": answer["result"]["sessid"]}
            assert answer["voice_sdk_id"].startswith("VSDK")
            assert ready == {"reattached_sessions": []}
            assert state["result"]["params"] == {"state": "REGED", "dc": "lo", "region": "sandbox"}
            (registration,) = exchange.gateway.registrations()
            assert registration.sip_username == BOB
            assert registration.user_agent == USER_AGENT["data"]
            assert registration.sessid == answer["result"]["sessid"]
            assert registration.since.utcoffset() is not None
            assert exchange.registered == [registration]

    with_exchange(scenario)


def test_login_and_password_are_handed_on_as_they_are() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.ask("login", {"login": BOB, "passwd": "secret", "User-Agent": USER_AGENT})

            (attempt,) = exchange.attempts
            assert (attempt.login, attempt.password, attempt.login_token) == (BOB, "secret", None)
            assert exchange.gateway.is_registered(BOB)

    with_exchange(scenario)


def test_a_refused_login_is_minus_32001_and_the_socket_stays() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            answer = await client.ask("login", login_params("mallory"))
            again = await client.ask("login", login_params(BOB))

            assert answer["error"] == {"code": -32001, "message": "Authentication Failure"}
            assert again["result"]["message"] == "logged in"

    with_exchange(scenario)


def test_the_last_login_is_rung_and_the_older_socket_stays_open() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as first, WireClient(exchange) as second:
            await first.log_in(BOB)
            await second.log_in(BOB)
            leg = await exchange.invite(BOB)
            offer = await second.asked("invite")

            assert offer["callID"] == leg.call_id
            assert [r.sessid for r in exchange.gateway.registrations()] == [second.sessid]
            assert (await first.ask("telnyx_rtc.ping", {}))["result"] == {"message": "pong"}

            await first.socket.close()
            assert exchange.gateway.is_registered(BOB)
            await second.socket.close()
            await until(lambda: not exchange.gateway.is_registered(BOB), what="bob unregistered")
            assert [r.sessid for r in exchange.unregistered] == [second.sessid]
            assert await exchange.invite(BOB) is None

    with_exchange(scenario)


def test_a_fresh_token_on_a_live_socket_ends_no_call() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            answer = await client.ask("login", login_params(BOB))
            await client.ask("telnyx_rtc.ping", {})

            assert answer["result"] == {"message": "logged in", "sessid": client.sessid}
            assert "telnyx_rtc.clientReady" not in [frame.get("method") for frame in client._inbox]
            assert leg.state == "active"

    with_exchange(scenario)


# --- a call ---


def test_an_invite_carries_who_calls_the_ids_of_the_leg_and_the_headers() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await exchange.invite(BOB, caller_name="Ana & Co", headers=[("X-Curbe-Call", "7"), ("X-B", "ü")])
            offer = await client.asked("invite")

            sdp = offer.pop("sdp")
            assert offer == {
                "callID": leg.call_id,
                "caller_id_name": "Ana & Co",
                "caller_id_number": "+13125550123",
                "callee_id_name": "Outbound Call",
                "callee_id_number": "+13125550100",
                "display_direction": "outbound",
                "telnyx_call_control_id": "v3:leg-1",
                "telnyx_session_id": "session-1",
                "telnyx_leg_id": "leg-1",
                "dialogParams": {
                    "custom_headers": [{"name": "X-Curbe-Call", "value": "7"}, {"name": "X-B", "value": "ü"}]
                },
            }
            assert "opus/48000/2" in sdp
            assert {line.split()[4] for line in sdp.splitlines() if line.startswith("a=candidate")} == {"127.0.0.1"}

    with_exchange(scenario)


def test_sound_goes_both_ways_through_opus() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            caller = exchange.switch.party()
            caller.say(tone(440))
            leg = await exchange.invite(BOB)
            leg.on_answer = lambda: exchange.switch.bridge(caller, leg.port)
            await client.answer(await client.asked("invite"))
            agent_says = tone(1000)

            async def speak() -> None:
                while True:
                    frame = agent_says.next()
                    assert client.peer is not None
                    assert frame is not None
                    client.peer.send(frame)
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            await until(lambda: len(client.heard) > 60 and caller.heard_peak_hz > 0, what="sound both ways")
            await asyncio.sleep(0.5)
            speaking.cancel()

            assert caller.heard_peak_hz == pytest.approx(1000, abs=5)
            assert peak_hz(np.concatenate(client.heard[-25:])) == pytest.approx(440, abs=5)
            await leg.bye()

    with_exchange(scenario)


def test_our_bye_says_why_and_later_words_about_the_call_change_nothing() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            told: list[object] = []
            leg = await exchange.invite(BOB)
            leg.on_answer = lambda: told.append("answer")
            leg.on_bye, leg.on_lost = told.append, lambda: told.append("lost")
            offer = await client.asked("invite")
            await leg.bye("LOSE_RACE", 502, 502, "LOSE_RACE")
            await leg.bye()
            bye = await client.asked("bye")

            assert bye.pop("sip_call_id")
            assert bye == {
                "callID": leg.call_id, "cause": "LOSE_RACE", "causeCode": 502, "sipCode": 502, "sipReason": "LOSE_RACE",
                "dialogParams": {"custom_headers": []},
            }  # fmt: skip
            # The SDK's own race: an answer already on its way, and the extra bye that follows.
            late = await client.answer(offer)
            extra = await client.bye(leg.call_id)
            assert late["error"] == {"code": -32002, "message": "CALL DOES NOT EXIST"}
            assert extra["result"]["message"] == "CALL ENDED"
            assert [frame for frame in client._inbox if frame.get("method") == "telnyx_rtc.bye"] == []
            assert told == []

    with_exchange(scenario)


def test_a_bye_of_the_browser_is_told_once_and_answered_every_time() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            byes: list[ByeCause] = []
            leg.on_bye = byes.append
            first = await client.bye(leg.call_id)
            second = await client.bye(leg.call_id)

            assert byes == [ByeCause("NORMAL_CLEARING", 16, None)]
            assert first["result"] == {
                "callID": leg.call_id, "message": "CALL ENDED", "sessid": client.sessid,
                "cause": "NORMAL_CLEARING", "causeCode": 16,
            }  # fmt: skip
            assert second["result"]["message"] == "CALL ENDED"
            assert (leg.state, leg.port.is_closed) == ("done", True)

    with_exchange(scenario)


@pytest.mark.parametrize(
    ("is_answered", "params", "cause"),
    [
        (False, {"cause": "USER_BUSY", "causeCode": 17, "sipCode": None}, ByeCause("USER_BUSY", 17, None)),
        (False, {"cause": "CALL_REJECTED", "causeCode": 21, "sipCode": 603}, ByeCause("CALL_REJECTED", 21, 603)),
        (False, {}, ByeCause("USER_BUSY", 17, None)),
        (True, {}, ByeCause("NORMAL_CLEARING", 16, None)),
        (True, {"cause": None, "causeCode": "x", "sipCode": "y"}, ByeCause("NORMAL_CLEARING", 16, None)),
    ],
)
def test_the_browsers_cause_is_told_as_it_is_and_the_sdks_default_stands_in(
    is_answered: bool, params: dict[str, Any], cause: ByeCause
) -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await exchange.invite(BOB)
            offer = await client.asked("invite")
            if is_answered:
                await client.answer(offer)
            byes: list[ByeCause] = []
            leg.on_bye = byes.append
            await client.about("bye", leg.call_id, **params)

            assert byes == [cause]

    with_exchange(scenario)


def test_a_second_answer_of_an_active_leg_is_ignored() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            answers: list[str] = []
            leg = await exchange.invite(BOB)
            leg.on_answer = lambda: answers.append("answer")
            offer = await client.asked("invite")
            await client.answer(offer)
            again = await client.about("answer", leg.call_id, sdp="v=0\r\n")

            assert again["result"]["message"] == "CALL ANSWERED"
            assert answers == ["answer"]
            assert leg.state == "active"

    with_exchange(scenario)


def test_keys_and_hold_are_told_and_answered() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            told: list[object] = []
            leg.on_dtmf, leg.on_hold = told.append, told.append
            await client.about("info", leg.call_id, dtmf="12#x<a")
            states = [
                (await client.about("modify", leg.call_id, action=action))["result"]["holdState"]
                for action in ("hold", "hold", "unhold", "toggleHold")
            ]

            assert told == ["1", "2", "#", "A", True, True, False, True]
            assert states == ["held", "held", "active", "held"]

    with_exchange(scenario)


# --- what comes back and what does not ---


def test_a_call_is_offered_again_on_the_socket_that_comes_back() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            lost: list[str] = []
            leg.on_lost = lambda: lost.append("lost")
            sessid, old_peer = client.sessid, client.peer
            await exchange.gateway.drop_socket(BOB)
            await until(lambda: not exchange.gateway.is_registered(BOB), what="the drop noticed")

            await client.connect(f"?voice_sdk_id={client.voice_sdk_id}")
            ready = await client.log_in(BOB, reconnection=True, sessid=sessid)
            offer = await client.asked("attach")
            answer = await client.answer(offer, "attach")

            assert client.sessid == sessid
            assert ready == {"reattached_sessions": [leg.call_id]}
            assert (offer["callID"], offer["telnyx_leg_id"]) == (leg.call_id, "leg-1")
            assert answer["result"]["message"] == "CALL ATTACHED"
            # The grace of the drop ended with the answer.
            assert leg._grace is None
            assert (leg.state, lost) == ("active", [])
            assert old_peer is not None
            await old_peer.close()

    with_exchange(scenario)


def test_an_attach_that_is_never_answered_loses_the_call_after_the_grace() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            lost: list[str] = []
            leg.on_lost = lambda: lost.append("lost")
            await exchange.gateway.drop_socket(BOB)
            await until(lambda: not exchange.gateway.is_registered(BOB), what="the drop noticed")
            await client.connect()
            await client.log_in(BOB, reconnection=True, sessid=client.sessid)
            await until(lambda: lost, what="the grace over")

            assert leg.state == "done"

    with_exchange(scenario, grace_s=0.3)


def test_a_session_id_is_worth_nothing_to_somebody_else() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as bob, WireClient(exchange) as mallory:
            await bob.log_in(BOB)
            leg = await answered_call(exchange, bob)
            await exchange.gateway.drop_socket(BOB)
            await until(lambda: not exchange.gateway.is_registered(BOB), what="the drop noticed")
            await mallory.connect(f"?voice_sdk_id={bob.voice_sdk_id}")
            ready = await mallory.log_in("agent-mallory", reconnection=True, sessid=bob.sessid)
            bye = await mallory.bye(leg.call_id)
            keys = await mallory.about("info", leg.call_id, dtmf="1")

            assert ready == {"reattached_sessions": []}
            assert mallory.sessid != bob.sessid
            assert bye["result"]["message"] == "CALL ENDED"
            assert keys["error"]["code"] == -32002
            assert leg.state == "active"

    with_exchange(scenario)


def test_a_call_ended_while_the_socket_was_away_is_not_offered_again() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            await exchange.gateway.drop_socket(BOB)
            await until(lambda: not exchange.gateway.is_registered(BOB), what="the drop noticed")
            await leg.bye()
            await client.connect()
            ready = await client.log_in(BOB, reconnection=True, sessid=client.sessid)

            # With the same session id the SDK says SESSION_NOT_REATTACHED; with another it would say nothing.
            assert ready == {"reattached_sessions": []}

    with_exchange(scenario)


def test_a_browser_back_before_its_old_socket_is_noticed_gets_its_call_there() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as stale, WireClient(exchange) as client:
            await stale.log_in(BOB)
            leg = await answered_call(exchange, stale)
            lost: list[str] = []
            ringing = await exchange.invite(BOB)
            ringing.on_lost = lambda: lost.append("ringing")
            ready = await client.log_in(BOB, reconnection=True, sessid=stale.sessid)
            answer = await client.answer(await client.asked("attach"), "attach")
            # Its page has dropped what rang there: before the stale socket ends, not with it.
            assert lost == ["ringing"]
            await stale.socket.close()
            await until(lambda: len(exchange.gateway._sessions) == 1, what="the stale socket gone")

            assert ready == {"reattached_sessions": [leg.call_id]}
            assert answer["result"]["message"] == "CALL ATTACHED"
            assert lost == ["ringing"]
            assert (leg.state, leg._grace) == ("active", None)
            assert exchange.gateway.is_registered(BOB)

    with_exchange(scenario)


def test_a_browser_that_closes_its_media_without_a_bye_is_lost_after_the_grace() -> None:
    """`call.hangup({}, false)` in the page: no bye, the socket stays."""

    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            leg = await answered_call(exchange, client)
            lost: list[str] = []
            leg.on_lost = lambda: lost.append("lost")
            assert client.peer is not None
            peer = client.peer
            await until(lambda: peer.state == "connected", what="media connected")
            await peer.close()
            await until(lambda: lost, what="the leg lost")

            assert leg.state == "done"
            assert exchange.gateway.is_registered(BOB)

    with_exchange(scenario, grace_s=0.2)


def test_the_gateway_pings_and_gives_up_a_socket_that_says_nothing() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            ping = await client.asked("ping")
            assert set(ping) == {"serno"}
            for _ in range(6):
                assert (await client.ask("telnyx_rtc.ping", {}))["result"] == {"message": "pong"}
                await asyncio.sleep(0.1)
            assert exchange.gateway.is_registered(BOB)
            await until(lambda: not exchange.gateway.is_registered(BOB), what="the silent socket given up")

    with_exchange(scenario, ping_every_s=0.12)


# --- nonsense ---


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


def test_closing_the_gateway_leaves_no_socket_no_task_and_no_port_behind() -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def scenario() -> None:
        before = open_files()
        async with Exchange().running() as exchange, WireClient(exchange) as client:
            await client.log_in(BOB)
            await answered_call(exchange, client)
            await exchange.invite(BOB)
            assert open_files() > before
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert exchange.gateway._legs == {}

    asyncio.run(scenario())


def test_without_its_browser_there_is_nobody_to_ring_drop_or_punt() -> None:
    async def scenario(exchange: Exchange) -> None:
        await exchange.gateway.drop_socket(BOB)
        await exchange.gateway.punt(BOB)

        assert await exchange.invite(BOB) is None
        assert exchange.gateway.registrations() == []

    with_exchange(scenario)
