"""Logging in and being the one who is rung, frame by frame."""

from __future__ import annotations

from tests.sandbox_media.support import Exchange, until
from tests.sandbox_media.wire_client import BOB, USER_AGENT, WireClient, answered_call, login_params, with_exchange


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


def test_without_its_browser_there_is_nobody_to_ring_drop_or_punt() -> None:
    async def scenario(exchange: Exchange) -> None:
        await exchange.gateway.drop_socket(BOB)
        await exchange.gateway.punt(BOB)

        assert await exchange.invite(BOB) is None
        assert exchange.gateway.registrations() == []

    with_exchange(scenario)
