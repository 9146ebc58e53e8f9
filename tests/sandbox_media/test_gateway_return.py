"""What comes back after a lost socket and what does not, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os

from tests.sandbox_media.support import Exchange, until
from tests.sandbox_media.wire_client import BOB, WireClient, answered_call, with_exchange


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
            for _ in range(5):
                assert (await client.ask("telnyx_rtc.ping", {}))["result"] == {"message": "pong"}
                await client.asked("ping")
            assert exchange.gateway.is_registered(BOB)
            await until(lambda: not exchange.gateway.is_registered(BOB), what="the silent socket given up")

    with_exchange(scenario, ping_every_s=0.12)


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
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()}, what="every task ended")
        assert exchange.gateway._legs == {}

    asyncio.run(scenario())
