"""A call on the wire, frame by frame, with a client that speaks what the SDK was seen to speak."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from telephony.sandbox.media.frames import peak_hz
from telephony.sandbox.media.sources import tone
from telephony.sandbox.verto.wire import ByeCause
from tests.sandbox_media.support import Exchange, open_sockets, until
from tests.sandbox_media.wire_client import BOB, WireClient, answered_call, with_exchange


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

            def both_hear() -> bool:
                heard_hz = peak_hz(np.concatenate(client.heard[-25:])) if len(client.heard) > 25 else 0
                return abs(caller.heard_peak_hz - 1000) < 5 and abs(heard_hz - 440) < 5

            await until(both_hear, what="each hears the other's tone")
            speaking.cancel()
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


def test_a_leg_that_ends_while_its_offer_is_made_rings_nobody_and_leaves_nothing() -> None:
    async def scenario(exchange: Exchange) -> None:
        async with WireClient(exchange) as client:
            await client.log_in(BOB)
            open_before = open_sockets()
            for yields in range(30):
                inviting = asyncio.create_task(exchange.invite(BOB))
                for _ in range(1 + yields):
                    await asyncio.sleep(0)
                is_invited = inviting.done()
                for leg in list(exchange.gateway._legs.values()):
                    leg.lost()

                assert (await inviting is None) or is_invited
                assert exchange.gateway._legs == {}
            await until(lambda: open_sockets() <= open_before, what="every socket closed")

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
