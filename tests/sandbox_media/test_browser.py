"""The unmodified SDK in a real Chromium, with sound both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from telephony.sandbox.media.sources import tone
from telephony.sandbox.verto.legs import BrowserLeg
from tests.sandbox_media.support import (
    CHROMIUM_ARGS,
    MIC_HZ,
    Exchange,
    Softphone,
    loud_peak_hz,
    until,
    wav_channels,
    write_mic,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def browser(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    mic = write_mic(tmp_path_factory.mktemp("mic") / "mic.wav")
    playwright = runner.run(async_playwright().start())
    args = [*CHROMIUM_ARGS, f"--use-file-for-fake-audio-capture={mic}"]
    browser = runner.run(playwright.chromium.launch(executable_path="/usr/bin/chromium", args=args))
    yield browser
    runner.run(browser.close())
    runner.run(playwright.stop())


async def talking(exchange: Exchange, phone: Softphone, token: str, *, caller_hz: float = 440) -> BrowserLeg:
    """Ring the phone, answer it, and bridge it with a caller who is one steady tone."""
    caller = exchange.switch.party()
    caller.say(tone(caller_hz))
    leg: BrowserLeg = await exchange.invite(token)
    leg.on_answer = lambda: exchange.switch.bridge(caller, leg.port)
    await phone.is_in("ringing")
    await phone.answer()
    await phone.is_in("active")
    return leg


def test_a_caller_and_an_agent_hear_each_other_and_both_are_recorded(
    runner: asyncio.Runner, browser: Browser, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with Exchange().running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            caller = exchange.switch.party()
            caller.say(tone(440))
            leg = await exchange.invite("agent-bob")
            leg.on_answer = lambda: exchange.switch.bridge(caller, leg.port)
            await phone.is_in("ringing")
            facts = await phone.facts()
            await phone.answer()
            await phone.is_in("active")
            recorder = exchange.switch.record(tmp_path / "call.wav", left=caller, right=leg.port)

            heard = await phone.hears(800)
            await until(lambda: recorder.duration_s > 2, what="two seconds recorded")
            recorder.stop()
            await leg.bye()
            await phone.is_in("destroy")

            assert facts["number"] == "+13125550123"
            assert facts["name"] == "Jane Caller"
            assert facts["headers"] == [{"name": "X-Curbe-Call", "value": "42"}]
            assert facts["ids"] == {
                "telnyxCallControlId": "v3:leg-1", "telnyxSessionId": "session-1", "telnyxLegId": "leg-1",
            }  # fmt: skip
            assert heard["hz"] == pytest.approx(440, abs=8)
            assert heard["rms"] == pytest.approx(0.28, abs=0.08)
            assert caller.heard_s > 1.5
            left, right = wav_channels(tmp_path / "call.wav")
            assert loud_peak_hz(left) == pytest.approx(440, abs=5)
            assert loud_peak_hz(right) == pytest.approx(MIC_HZ, abs=5)
            assert await phone.page.evaluate("Object.values(phone.ended)") == ["NORMAL_CLEARING/16/200"]

    runner.run(scenario())


def test_two_agents_ring_at_once_and_the_slower_one_loses_the_race(runner: asyncio.Runner, browser: Browser) -> None:
    async def scenario() -> None:
        async with Exchange().running() as exchange:
            bob = await Softphone.opened(browser, exchange, "agent-bob")
            sam = await Softphone.opened(browser, exchange, "agent-sam")
            legs = [await exchange.invite(token) for token in ("agent-bob", "agent-sam")]
            answered: list[BrowserLeg] = []
            for leg in legs:
                leg.on_answer = lambda leg=leg: answered.append(leg)
            await bob.is_in("ringing")
            await sam.is_in("ringing")

            await sam.answer()
            await until(lambda: answered, what="an answer")
            await legs[0].bye("LOSE_RACE", 502, 502, "LOSE_RACE")
            await bob.is_in("destroy")
            await sam.is_in("active")

            assert answered == [legs[1]]
            assert [leg.state for leg in legs] == ["done", "active"]
            assert await bob.page.evaluate("Object.values(phone.ended)") == ["LOSE_RACE/502/502"]

    runner.run(scenario())


def test_what_the_agent_does_arrives_with_its_cause(runner: asyncio.Runner, browser: Browser) -> None:
    """Decline, keys, hold and hang-up: one tab, three calls."""

    async def scenario() -> None:
        async with Exchange().running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            byes: list[tuple[str, int, int | None]] = []
            told: list[object] = []

            declined = await exchange.invite("agent-bob")
            declined.on_bye = lambda bye: byes.append((bye.cause, bye.code, bye.sip_code))
            await phone.is_in("ringing")
            await phone.page.evaluate("phone.last.hangup(); 1")
            await until(lambda: byes, what="the bye of a declined call")
            assert byes == [("USER_BUSY", 17, None)]

            leg = await talking(exchange, phone, "agent-bob")
            leg.on_dtmf, leg.on_hold = told.append, told.append
            leg.on_bye = lambda bye: byes.append((bye.cause, bye.code, bye.sip_code))
            await phone.page.evaluate("phone.last.dtmf('4#'); phone.last.hold()")
            await phone.is_in("held")
            quiet = await phone.hears(300)
            await phone.page.evaluate("phone.last.unhold()")
            await phone.is_in("active")
            await phone.page.evaluate("phone.last.hangup(); 1")
            await until(lambda: len(byes) == 2, what="the bye of an answered call")

            assert told == ["4", "#", True, False]
            assert quiet["rms"] < 0.01
            assert byes[1] == ("NORMAL_CLEARING", 16, None)
            assert leg.state == "done"

    runner.run(scenario())


def test_a_lost_socket_comes_back_with_the_call_and_its_sound(runner: asyncio.Runner, browser: Browser) -> None:
    async def scenario() -> None:
        async with Exchange().running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            leg = await talking(exchange, phone, "agent-bob", caller_hz=600)
            lost: list[str] = []
            leg.on_lost = lambda: lost.append("lost")
            await phone.page.evaluate("phone.seen.length = 0")

            await exchange.gateway.drop_socket("agent-bob")
            await phone.sees("recovering")
            await phone.is_in("active")
            heard = await phone.hears(400)
            facts = await phone.facts()

            assert heard["hz"] == pytest.approx(600, abs=8)
            assert (facts["id"], facts["recovered"]) == (leg.call_id, leg.call_id)
            assert lost == []
            assert exchange.registered[-1].sessid == exchange.registered[0].sessid
            await leg.bye()
            await phone.is_in("destroy")

    runner.run(scenario())


def test_a_reloaded_page_gets_its_call_back_with_sound_both_ways(
    runner: asyncio.Runner, browser: Browser, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with Exchange().running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            leg = await talking(exchange, phone, "agent-bob", caller_hz=700)

            await phone.page.reload()
            await phone.log_in("agent-bob")
            await phone.is_in("active")
            heard = await phone.hears(400)
            recorder = exchange.switch.record(tmp_path / "agent.wav", left=leg.port)
            await until(lambda: recorder.duration_s > 1.2, what="a second of the agent's voice")
            recorder.stop()

            assert heard["hz"] == pytest.approx(700, abs=8)
            assert loud_peak_hz(wav_channels(tmp_path / "agent.wav")[0]) == pytest.approx(MIC_HZ, abs=5)
            await leg.bye()
            await phone.is_in("destroy")

    runner.run(scenario())


def test_a_killed_page_loses_its_call_after_the_grace_and_not_before(runner: asyncio.Runner, browser: Browser) -> None:
    async def scenario() -> None:
        async with Exchange(grace_s=0.6).running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            leg = await talking(exchange, phone, "agent-bob")
            ringing = await exchange.invite("agent-bob")
            lost: list[BrowserLeg] = []
            leg.on_lost = lambda: lost.append(leg)
            ringing.on_lost = lambda: lost.append(ringing)
            await phone.is_in("ringing")

            closed_at_s = asyncio.get_running_loop().time()
            await phone.page.close()
            await until(lambda: lost, what="the ringing leg lost")
            assert lost == [ringing]
            assert not exchange.gateway.is_registered("agent-bob")
            await until(lambda: len(lost) == 2, what="the conversation lost")

            assert asyncio.get_running_loop().time() - closed_at_s >= 0.6
            assert leg.state == "done"

    runner.run(scenario())


def test_a_punted_page_forgets_its_call_and_does_not_come_back(runner: asyncio.Runner, browser: Browser) -> None:
    async def scenario() -> None:
        async with Exchange().running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            leg = await talking(exchange, phone, "agent-bob")
            lost: list[str] = []
            leg.on_lost = lambda: lost.append("lost")

            await exchange.gateway.punt("agent-bob")
            await phone.sees("socket closed")

            assert lost == ["lost"]
            assert exchange.gateway.registrations() == []
            assert await phone.page.evaluate("Object.keys(phone.client.calls).length") == 0

    runner.run(scenario())


def test_a_call_out_is_rejected_by_the_protocol_while_nobody_takes_it(runner: asyncio.Runner, browser: Browser) -> None:
    async def scenario() -> None:
        async with Exchange().running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            await phone.page.evaluate("phone.client.newCall({ destinationNumber: '+13125550199' }); 1")
            await phone.sees("destroy")

            assert await phone.page.evaluate("Object.values(phone.ended)") == ["CALL_REJECTED/21/603"]

    runner.run(scenario())


def test_a_call_out_is_answered_with_sound_once_somebody_takes_it(runner: asyncio.Runner, browser: Browser) -> None:
    async def scenario() -> None:
        async with Exchange(rings_out=True).running() as exchange:
            phone = await Softphone.opened(browser, exchange, "agent-bob")
            await phone.page.evaluate(
                "phone.client.newCall({ destinationNumber: '+13125550199', callerNumber: '+13125550100',"
                " customHeaders: [{ name: 'X-Curbe-Call', value: '7' }] }); 1"
            )
            await until(lambda: exchange.invites, what="the invite")
            (invite,) = exchange.invites
            callee = exchange.switch.party()
            callee.say(tone(500))
            await invite.leg.ring_back(call_control_id="v3:a", call_session_id="s", call_leg_id="l")
            await invite.leg.answer()
            exchange.switch.bridge(callee, invite.leg.port)
            await phone.is_in("active")
            heard = await phone.hears(400)

            assert (invite.sip_username, invite.destination_number) == ("agent-bob", "+13125550199")
            assert (invite.caller_number, invite.headers) == ("+13125550100", (("X-Curbe-Call", "7"),))
            assert heard["hz"] == pytest.approx(500, abs=8)
            assert (await phone.facts())["ids"]["telnyxCallControlId"] == "v3:a"
            await invite.leg.bye()
            await phone.is_in("destroy")

    runner.run(scenario())
