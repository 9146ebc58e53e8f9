"""Waiting in a queue of Curbe's own: words and music over and over, until a REST update puts something else there."""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from telephony.sandbox.media.frames import RATE_HZ
from telephony.sandbox.texml.sounds import KEPT_S, MOST_KEPT, Sounds
from tests.sandbox.house import CALLER, NUMBER, House, told

MUSIC_HZ = 350
WAIT = '<Say language="es-ES">Número uno.</Say><Play>{origin}/static/music.wav</Play><Redirect>/wait</Redirect>'
MENU = (
    '<Gather action="/menu" %s><Say language="es-ES">Para ventas, marque uno.</Say></Gather><Redirect>/none</Redirect>'
)


def music(seconds: float) -> web.Response:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        at_s = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
        file.writeframes((np.sin(2 * np.pi * MUSIC_HZ * at_s) * 9_000).astype(np.int16).tobytes())
    return web.Response(body=sound.getvalue(), content_type="audio/wav")


def serve_music(home: House, *, seconds: float) -> None:
    async def serve(request: web.Request) -> web.Response:
        return music(seconds)

    home.curbe.answers["/static/music.wav"] = [serve]


def asked_for_music(home: House) -> int:
    return len(home.curbe.at("/static/music.wav"))


async def waiting(home: House, **options: Any) -> tuple[str, str]:
    """A caller who hears the music of the queue: the call's id, and the address of his leg."""
    home.curbe.answers["/voice"] = home.curbe.answers["/wait"] = [WAIT]
    call_id = await home.call(**options)
    root = home.root(call_id)
    await home.until(lambda: root.hears.endswith("/static/music.wav"), "the music")
    return call_id, f"/texml/Accounts/{home.world.account.account_sid}/Calls/{root.call_control_id}"


# --- wait documents ---


@pytest.mark.parametrize("media", [True, False])
def test_words_and_music_take_their_real_time_with_and_without_sound(tmp_path: Path, media: bool) -> None:
    """A call without media, in a sandbox that has sound for others."""

    async def story(home: House) -> None:
        loop = asyncio.get_running_loop()
        await home.furnish()
        serve_music(home, seconds=0.6)
        call_id, _ = await waiting(home, media=media)
        began_s = loop.time()

        await home.until(lambda: bool(home.curbe.at("/wait")), "the wait document asked again")
        assert loop.time() - began_s > 0.5
        await home.until(lambda: len(home.curbe.at("/wait")) == 2, "and again")

        assert asked_for_music(home) == 1  # kept, as at Telnyx (S-54)
        again = home.curbe.at("/wait")[0]
        assert (again["CallSid"], again["From"], again["To"]) == (
            home.root(call_id).call_control_id, CALLER, NUMBER,
        )  # fmt: skip
        await home.hang_up(call_id)
        assert (await home.whole(call_id))["errors"] == []

    told(tmp_path, story, media=True)


def test_a_call_without_media_moves_no_sound_and_decodes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        serve_music(home, seconds=0.2)
        call_id, path = await waiting(home, media=False)
        switch = home.world.switch
        assert not switch._wanted.is_set()

        document = f'<Response><Dial record="record-from-answer-dual">{home.sip("ana")}</Dial></Response>'
        await home.api("POST", path, data={"Texml": document})
        await home.until(lambda: home.root(call_id).hears == "ana")
        assert not switch._wanted.is_set()
        await home.hang_up(call_id)

        [row] = (await home.api("GET", "/recordings"))["data"]
        assert (row["channels"], row["initiated_by"]) == ("dual", "DialVerb")

    told(tmp_path, story, media=True)


def test_time_can_be_told_to_run_faster(tmp_path: Path) -> None:
    """For load tests: twenty seconds of music in two tenths of one, and so with time-outs and pauses."""

    async def story(home: House) -> None:
        await home.furnish()
        for wrong in (0, -1, 11, "fast", True):
            await home.control("POST", "/settings", {"time_scale": wrong}, status=422)
        assert (await home.control("POST", "/settings", {"time_scale": 0.01}))["time_scale"] == 0.01
        serve_music(home, seconds=20)

        call_id, _ = await waiting(home, media=False)
        await home.until(lambda: len(home.curbe.at("/wait")) == 2, "forty seconds of music", timeout_s=5)
        await home.hang_up(call_id)
        home.curbe.answers["/voice"] = ['<Pause length="180"/><Redirect>/after</Redirect>']
        home.curbe.answers["/after"] = ["<Hangup/>"]
        await home.call(media=False)
        await home.until_quiet(timeout_s=5)

        assert len(home.curbe.at("/after")) == 1
        await home.control("POST", "/reset")
        assert (home.world.second_s, home.world.switch.time_scale) == (0.1, 1.0)

    told(tmp_path, story, media=True)


def test_a_sound_is_kept_a_minute_and_only_the_latest_few(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        now_s = 0.0
        sounds = Sounds(clock=lambda: now_s)
        urls = [f"{home.curbe.origin}/static/music.wav?{n}" for n in range(MOST_KEPT + 1)]
        serve_music(home, seconds=0.1)

        await sounds.fetch(urls[0])
        await sounds.fetch(urls[0])
        assert asked_for_music(home) == 1
        now_s = KEPT_S
        await sounds.fetch(urls[0])
        assert asked_for_music(home) == 2
        for url in urls[1:]:
            await sounds.fetch(url)
        await sounds.fetch(urls[0])
        assert asked_for_music(home) == 2 + MOST_KEPT + 1

    told(tmp_path, story)


# --- updates ---


def test_an_update_stops_the_music_at_once_and_asks_the_new_address(tmp_path: Path) -> None:
    """With real sound: the caller's ear is measured."""

    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=300)
        serve_music(home, seconds=20)
        call_id, path = await waiting(home)
        root = home.root(call_id)
        ear: Any = root.endpoint.ear  # type: ignore[attr-defined]
        await home.until(lambda: abs(ear.heard_peak_hz - MUSIC_HZ) < 5)
        home.curbe.answers["/offer"] = [f'<Dial timeout="25" action="/done">{home.sip("ana")}</Dial>']
        home.curbe.answers["/done"] = ["<Hangup/>"]

        update = {"Url": f"{home.curbe.origin}/offer?call=42", "Method": "POST"}
        answer = await home.api("POST", path, data=update)
        await home.until(lambda: root.hears == "ana")
        await home.until(lambda: abs(ear.heard_peak_hz - 660) < 5)

        assert (answer["sid"], answer["status"]) == (root.call_control_id, "in-progress")
        [offer] = home.curbe.at("/offer")
        assert offer == home.curbe.at("/voice")[0] | {"CallStatus": "in-progress"}
        assert home.curbe.at("/wait") == []
        await home.hang_up(call_id)
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "completed"

    told(tmp_path, story, media=True)


def test_an_update_of_a_menu_takes_its_keys_away(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = [MENU % 'numDigits="1"']
        home.curbe.answers["/new"] = ["<Pause length='180'/>"]
        call_id = await home.call(media=False)
        root = home.root(call_id)
        await home.until(lambda: "marque uno" in root.hears)
        path = f"/texml/Accounts/{home.world.account.account_sid}/Calls/{root.call_control_id}"

        await home.api("POST", path, data={"Url": f"{home.curbe.origin}/new"})
        await home.until(lambda: bool(home.curbe.at("/new")))
        await home.control("POST", f"/calls/{call_id}/digits", {"digits": "1"})
        await home.hang_up(call_id)

        assert home.curbe.at("/menu") == home.curbe.at("/none") == []

    told(tmp_path, story)


def test_the_second_of_two_updates_waits_for_the_document_that_the_first_one_stopped(tmp_path: Path) -> None:
    """A document that tidies up slowly would else silence what the second update plays."""

    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = home.curbe.answers["/second"] = ['<Pause length="180"/>']
        call_id = await home.call(media=False)
        root = home.root(call_id)
        stopped, tidy = asyncio.Event(), asyncio.Event()

        async def slow_to_stop() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                stopped.set()
                await tidy.wait()

        former = root.document = asyncio.ensure_future(slow_to_stop())
        path = f"/texml/Accounts/{home.world.account.account_sid}/Calls/{root.call_control_id}"
        await home.api("POST", path, data={"Url": f"{home.curbe.origin}/first"})
        await home.until(stopped.is_set)
        first = root.document
        await home.api("POST", path, data={"Url": f"{home.curbe.origin}/second"})
        await home.until(lambda: first.cancelling() > 0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (former.done(), home.curbe.at("/second")) == (False, [])

        tidy.set()
        await home.until(lambda: bool(home.curbe.at("/second")))
        await home.hang_up(call_id)
        assert home.curbe.at("/first") == []

    told(tmp_path, story)


def test_of_two_updates_at_once_the_last_one_is_what_the_caller_hears(tmp_path: Path) -> None:
    """The first one waits for the music to tidy up when the second comes: it must not play on, nor silence it."""

    async def story(home: House) -> None:
        await home.furnish()
        serve_music(home, seconds=20)
        call_id, path = await waiting(home)
        ear: Any = home.root(call_id).endpoint.ear  # type: ignore[attr-defined]
        documents = [f"<Response><Say loop='0' language='{tag}'>uno dos tres</Say></Response>" for tag in ("es", "en")]

        await asyncio.gather(*(home.api("POST", path, data={"Texml": text}) for text in documents))
        await home.until(lambda: home.root(call_id).hears.startswith("speech"))
        heard_s = ear.heard_s
        await home.until(lambda: ear.heard_s > heard_s + 1)

        assert home.root(call_id).hears.startswith("speech")
        assert ear.heard_rms > 0.01
        await home.hang_up(call_id)

    told(tmp_path, story, media=True)


@pytest.mark.parametrize(("word", "status", "code"), [("429", 429, "10011"), ("500", 500, "10007")])
def test_updates_alone_can_be_refused_and_the_music_plays_on(tmp_path: Path, word: str, status: int, code: str) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        serve_music(home, seconds=20)
        call_id, path = await waiting(home, media=False)
        home.curbe.answers["/offer"] = ["<Hangup/>"]
        await home.control("POST", "/trouble", {"refuse_updates": word})

        body = await home.api("POST", path, data={"Url": f"{home.curbe.origin}/offer"}, status=status)
        assert body["errors"][0]["code"] == code
        assert home.root(call_id).hears.endswith("/static/music.wav")
        assert (await home.api("GET", path))["status"] == "in-progress"

        await home.control("POST", "/trouble", {"refuse_updates": "no"})
        await home.api("POST", path, data={"Url": f"{home.curbe.origin}/offer"})
        await home.until_quiet()
        assert len(home.curbe.at("/offer")) == 1

    told(tmp_path, story)


def test_a_refused_update_may_cut_the_line_and_a_hang_up_passes_all_the_same(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        serve_music(home, seconds=20)
        call_id, path = await waiting(home, media=False)
        await home.control("POST", "/trouble", {"refuse_updates": "disconnect"})

        with pytest.raises(aiohttp.ServerDisconnectedError):
            await home.api("POST", path, data={"Url": f"{home.curbe.origin}/offer"})
        await home.api("POST", path, data={"Status": "completed"})
        await home.until_quiet()

        assert (await home.whole(call_id))["status"] == "completed"

    told(tmp_path, story)


def test_a_slow_update_is_answered_after_its_effect_and_a_late_one_before(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        loop = asyncio.get_running_loop()
        await home.furnish()
        serve_music(home, seconds=20)
        call_id, path = await waiting(home, media=False)
        home.curbe.answers["/offer"] = ["<Pause length='180'/>"]
        wish = {"Url": f"{home.curbe.origin}/offer"}
        await home.control("POST", "/trouble", {"slow_updates_ms": 1000})
        began_s = loop.time()
        update = asyncio.ensure_future(home.api("POST", path, data=wish))
        await home.until(lambda: len(home.curbe.at("/offer")) == 1)
        assert not update.done()
        await update
        assert loop.time() - began_s >= 1

        await home.control("POST", "/trouble", {"all_off": True, "late_updates_ms": 300})
        await home.api("POST", path, data=wish)
        assert len(home.curbe.at("/offer")) == 1
        await home.until(lambda: len(home.curbe.at("/offer")) == 2)
        await home.api("POST", path, data=wish)
        await home.hang_up(call_id)
        assert len(home.curbe.at("/offer")) == 2  # he was gone when it would have come
        await home.api("POST", path, data=wish, status=422)

    told(tmp_path, story)


def test_a_moved_caller_falls_back_where_his_application_says(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        serve_music(home, seconds=20)
        _, path = await waiting(home, media=False)
        home.curbe.answers["/offer"] = [500]
        home.curbe.answers["/fallback"] = ["<Hangup/>"]

        both = {"Url": f"{home.curbe.origin}/offer", "FallbackMethod": "GET"}
        wrong = await home.api("POST", path, data=both, status=422)
        assert wrong["errors"][0]["source"]["pointer"] == "/FallbackMethod"
        await home.api("POST", path, data={"Url": f"{home.curbe.origin}/offer"})
        await home.until_quiet()

        assert len(home.curbe.at("/fallback")) == 1

    told(tmp_path, story)


# --- menus ---


def test_a_key_ends_the_prompt_and_reaches_the_action_at_once(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        serve_music(home, seconds=20)
        prompts = '<Say language="es-ES">Para ventas, marque uno.</Say><Play>/static/music.wav</Play>'
        menu = f'<Gather action="/menu" numDigits="1" validDigits="12" finishOnKey="#">{prompts}</Gather>'
        home.curbe.answers["/voice"] = [f"{menu}<Redirect>/none</Redirect>"]
        home.curbe.answers["/menu"] = ["<Pause length='180'/>"]

        call_id = await home.call()
        root = home.root(call_id)
        ear: Any = root.endpoint.ear  # type: ignore[attr-defined]
        await home.until(lambda: abs(ear.heard_peak_hz - MUSIC_HZ) < 5)
        await home.control("POST", f"/calls/{call_id}/digits", {"digits": "2"})
        await home.until(lambda: bool(home.curbe.at("/menu")))
        await home.until(lambda: root.hears == "nothing")

        fields = home.curbe.at("/menu")[0]
        assert (fields["Digits"], fields["CallSid"], fields["To"]) == ("2", root.call_control_id, NUMBER)
        await home.hang_up(call_id)
        assert home.curbe.at("/none") == []

    told(tmp_path, story, media=True)


@pytest.mark.parametrize("media", [True, False])
def test_a_scripted_caller_walks_through_menus_in_menus(tmp_path: Path, media: bool) -> None:
    """Each digit waits for its question: keys that come before a menu asks are not for it (S-55)."""

    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", "/settings", {"time_scale": 0.1})
        home.curbe.answers["/voice"] = [MENU % 'numDigits="1"']
        second = '<Gather action="/deep" numDigits="2"><Say>Marque su número.</Say></Gather><Redirect>/none</Redirect>'
        home.curbe.answers["/menu"] = [second]
        home.curbe.answers["/deep"] = ["<Hangup/>"]

        script = [{"until_hears": "marque uno"}, {"digits": "1"}, {"until_hears": "su número"}, {"digits": "42"}]
        await home.call(media=media, script=script)
        await home.until_quiet()

        assert [form["Digits"] for form in home.curbe.at("/menu")] == ["1"]
        assert [form["Digits"] for form in home.curbe.at("/deep")] == ["42"]

    told(tmp_path, story, media=True)


@pytest.mark.parametrize("media", [True, False])
def test_nobody_presses_and_the_redirect_behind_the_menu_is_next(tmp_path: Path, media: bool) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = [MENU % 'numDigits="1" timeout="5" validDigits="12"']
        home.curbe.answers["/none"] = ["<Hangup/>"]

        await home.call(media=media)
        await home.until_quiet()

        assert home.curbe.at("/menu") == []
        assert len(home.curbe.at("/none")) == 1
        assert "Digits" not in home.curbe.at("/none")[0]

    told(tmp_path, story, media=True)


def test_a_wrong_key_falls_through_as_none_does(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = [MENU % 'numDigits="1" validDigits="12"', "<Hangup/>"]
        home.curbe.answers["/none"] = ["<Hangup/>"]

        await home.call(media=False, script=[{"digits": "9"}])
        await home.until_quiet()

        assert home.curbe.at("/menu") == []
        assert len(home.curbe.at("/none")) == 1

    told(tmp_path, story)
