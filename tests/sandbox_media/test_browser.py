"""The unmodified SDK in a real Chromium, with sound both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from telephony.sandbox.media.sources import tone
from telephony.sandbox.media.switch import MediaSwitch
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
