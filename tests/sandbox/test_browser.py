"""The whole sandbox with the unmodified SDK: called, rung by a document, talking, recorded, hung up by the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from telephony.sandbox.config import Timing
from tests.sandbox.house import NUMBER, House, told
from tests.sandbox_media.support import (
    CHROMIUM_ARGS,
    MIC_HZ,
    PAGE,
    SDK,
    Exchange,
    Softphone,
    loud_peak_hz,
    wav_channels,
    write_mic,
)

pytestmark = pytest.mark.browser


@dataclass
class Place:
    """Where the phone's page is, and at which port its gateway."""

    url: str
    port: int


def test_a_caller_reaches_a_browser_through_a_document_and_both_are_recorded(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        _serve_the_phone(home)
        wishes = 'record="record-from-answer-dual" recordingStatusCallback="{origin}/kept" action="{origin}/done"'
        sip = home.sip("ana", headers="?X-Curbe-Call=42")
        home.curbe.answers["/voice"] = [f'<Dial answerOnBridge="true" {wishes}>{sip}</Dial>']
        home.curbe.answers["/done"] = ["<Hangup/>"]
        async with softphone(home, tmp_path) as phone:
            call_id = await home.call(script=[{"tone": 440}])
            await phone.is_in("ringing")
            facts = await phone.facts()
            await phone.answer()
            await phone.is_in("active")
            heard = await phone.hears(600)
            ear = home.root(call_id).endpoint.ear  # type: ignore[attr-defined]
            await home.until(lambda: abs(ear.heard_peak_hz - MIC_HZ) < 10 and ear.heard_rms > 0.02)
            [running] = home.world.recordings._running.values()
            await home.until(lambda: running.recorder.duration_s > 2, "something to hear in the recording")
            sid = home.curbe.at("/voice")[0]["CallSid"]
            await home.api("POST", f"/calls/{sid}/actions/hangup", json={})
            await phone.is_in("destroy")
            await home.until(lambda: bool(home.curbe.at("/kept")))
            ended = await phone.page.evaluate("Object.values(phone.ended)")

        assert facts["headers"] == [{"name": "X-Curbe-Call", "value": "42"}]
        assert heard["hz"] == pytest.approx(440, abs=8)
        assert ended == ["NORMAL_CLEARING/16/200"]
        status, sound = await home.get(home.curbe.at("/kept")[0]["RecordingUrl"])
        (tmp_path / "kept.wav").write_bytes(sound)
        caller, agent = wav_channels(tmp_path / "kept.wav")
        assert status == 200
        assert loud_peak_hz(caller) == pytest.approx(440, abs=5)
        assert loud_peak_hz(agent) == pytest.approx(MIC_HZ, abs=5)

    told(tmp_path, story, media=True, timing=Timing())


def test_a_browser_calls_out_is_led_into_a_room_and_both_hear_each_other(tmp_path: Path) -> None:
    """The SDK stores our ids at `ringing`, is active as soon as the room answers, and the number is dialled by REST."""

    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        await home.control("POST", "/settings", {"parked_status_callbacks": False, "outbound_headers_in_form": True})
        _serve_the_phone(home)
        room = '<Conference beep="false" participantLabel="{}" endConferenceOnExit="{}">call-42</Conference>'
        home.curbe.answers["/parked"] = [f"<Dial>{room.format('ana', 'false')}</Dial>"]
        home.curbe.answers["/customer"] = [f"<Dial>{room.format('customer', 'true')}</Dial>"]
        async with softphone(home, tmp_path) as phone:
            await phone.page.evaluate(
                """([number, from]) => {
                  phone.client.newCall({ destinationNumber: number, callerNumber: from, callerName: "Ana",
                    customHeaders: [{ name: "X-Curbe-Call", value: "42" }] });
                }""",
                ["+12125550177", NUMBER],
            )
            await phone.is_in("active")
            facts = await phone.facts()
            form = {"From": NUMBER, "To": "+12125550177", "Url": f"{home.curbe.origin}/customer"}
            made = await home.api("POST", f"/texml/calls/{home.application_id}", data=form)
            customer = home.world.calls.leg(made["call_sid"])
            assert customer is not None
            await home.until(lambda: customer.hears == "the room call-42", "the customer in the room")
            ear = customer.endpoint.ear  # type: ignore[attr-defined]
            await home.until(lambda: abs(ear.heard_peak_hz - MIC_HZ) < 10 and ear.heard_rms > 0.02, "the agent's voice")
            await phone.page.wait_for_function(
                "async hz => Math.abs((await phone.listen(400)).hz - hz) < 8", arg=520, timeout=20_000
            )
            await phone.page.evaluate("phone.last.dtmf('7'); 1")
            await home.until(lambda: customer.heard_digits == "7", "the key at the other end")
            await home.api("POST", f"{home.account_path}/Calls/{made['call_sid']}", data={"Status": "completed"})
            await phone.is_in("destroy")
            ended = await phone.page.evaluate("Object.values(phone.ended)")
            await home.until_quiet()

        [parked] = home.curbe.at("/parked")
        assert facts["ids"]["telnyxCallControlId"] == parked["CallSid"]
        assert (parked["From"], parked["To"]) == (NUMBER, "+12125550177")
        assert parked["SipHeader_X-Curbe-Call"] == "42"
        assert ended == ["NORMAL_CLEARING/16/200"]

    told(tmp_path, story, media=True, timing=Timing())


@asynccontextmanager
async def softphone(home: House, folder: Path) -> AsyncIterator[Softphone]:
    """The only agent's browser, with the real SDK, logged in."""
    [credential] = (await home.api("GET", "/telephony_credentials"))["data"]
    token = await home.api("POST", f"/telephony_credentials/{credential['id']}/token")
    args = [*CHROMIUM_ARGS, f"--use-file-for-fake-audio-capture={write_mic(folder / 'mic.wav')}"]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=args)
        place = Place(home.curbe.origin, int(home.world.origin.rsplit(":", 1)[1]))
        yield await Softphone.opened(chromium, cast(Exchange, place), token)
        await chromium.close()


def _serve_the_phone(home: House) -> None:
    for path, file in (("/", PAGE / "index.html"), ("/phone.js", PAGE / "phone.js"), ("/sdk.js", SDK)):
        home.curbe.answers[path] = [_serving(file)]


def _serving(path: Path) -> Any:
    async def serve(request: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    return serve
