"""Ten minutes of talk: walked through by ranges, silence skipped, at double speed; and on a telephone's screen."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Response, expect

from curbe.dev.stack import Stack
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for
from tests.browser.test_player import a_recorded_call, at_s, paused

pytestmark = pytest.mark.browser

LIA = "+13055551104"
SECONDS = 600
BYTES = SECONDS * 8000 * 4 + 44
#: Puts ten minutes in the place of a recording: the customer speaks, but for the silence from 0:10 to 5:00.
LENGTHEN = """
import hashlib, io, wave
import numpy as np
from django.core.files.base import ContentFile
from recordings.models import Recording, Waveform
at = np.arange({seconds} * 8000)
voice = np.sin(2 * np.pi * 440 * at / 8000) * 12000
voice[10 * 8000 : 300 * 8000] = 0
buffer = io.BytesIO()
with wave.open(buffer, "wb") as file:
    file.setnchannels(2)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes(np.column_stack((voice, np.zeros_like(voice))).astype(np.int16).tobytes())
content = buffer.getvalue()
one = Recording.objects.get(pk="{recording}")
one.audio.storage.delete(one.audio.name)
one.audio.save("audio.wav", ContentFile(content), save=False)
one.content_type, one.size_bytes, one.duration_s, one.channels = "audio/wav", len(content), {seconds}, 2
one.sha256 = hashlib.sha256(content).hexdigest()
one.save()
Waveform.objects.filter(pk=one.pk).delete()
"""


@pytest.fixture
def eva(sit: Callable[..., Desk], sandbox: Sandbox, stack: Stack) -> Desk:
    """Eva supervises, and looks at a call of ten minutes."""
    ana = sit("ana")
    a_recorded_call(ana, sandbox, LIA)
    expect(ana.row_of(LIA).locator("[data-play]")).to_be_visible(timeout=15_000)
    call = ana.call_from(LIA)
    assert call is not None
    recording = call["recordings"][0]["id"]
    stack.manage("shell", "-c", LENGTHEN.format(seconds=SECONDS, recording=recording), capture=True)
    eva = sit("eva", ready=False)
    eva.page.goto(f"/calls/{call['id']}/")
    return eva


def test_a_long_recording_is_sought_by_range_skipped_through_and_played_faster(eva: Desk) -> None:
    page = eva.page
    parts: list[tuple[int, int]] = []

    def note(response: Response) -> None:
        if response.url.endswith("/audio") and response.status == 206:
            first, _, rest = response.headers["content-range"].removeprefix("bytes ").partition("-")
            parts.append((int(first), int(rest.partition("/")[0])))

    page.on("response", note)
    page.locator("#call-page [data-play]").first.click()
    wait_for("it to play", lambda: at_s(page) > 0.1)

    # 1. To the ninth tenth: a part from there comes, and what lies between does not.
    page.keyboard.press("9")
    wait_for("the ninth tenth to play", lambda: at_s(page) > SECONDS * 0.9 + 0.3)
    far = [first for first, _last in parts if first > BYTES // 2]
    assert far
    assert far[0] == pytest.approx(BYTES * 0.9, abs=2**21)
    assert sum(last - first + 1 for first, last in parts) < BYTES * 3 // 4

    # 2. Twice as fast is twice as fast.
    for _ in range(4):
        page.keyboard.press(">")
    expect(page.locator("[data-player-speed]")).to_have_value("2")
    began, began_s = time.monotonic(), at_s(page)
    wait_for("some seconds of it", lambda: at_s(page) > began_s + 4)
    assert time.monotonic() - began == pytest.approx(2, abs=0.7)

    # 3. The waveform is made by the worker while it plays, and with it the silence is known, and left out.
    expect(page.locator("[data-player-silence]")).to_have_text("4:49", timeout=30_000)
    page.keyboard.press("s")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wait_for("what comes after the silence", lambda: at_s(page) > 299)
    assert at_s(page) < 310

    # 4. Words of it that are pressed lead into what is open: who is muted stays so, and nothing is asked for again.
    page.locator('[data-player-channel="1"] [data-player-mute]').click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#call-page [data-play]").first.evaluate("(button) => { button.dataset.at = '420'; button.click(); }")
    wait_for("that moment", lambda: at_s(page) > 420)
    expect(page.locator('[data-player-channel="1"] [data-player-mute]')).to_have_attribute("aria-pressed", "true")
    assert [url for url in asked if url.endswith(("/player", "/waveform"))] == []

    # 5. Closed is closed: no key of the keyboard's own brings the sound back.
    page.locator("[data-player-close]").click()
    assert paused(page)
    # The browser lets go of what it has at its next turn.
    wait_for("nothing to be loaded", lambda: page.evaluate("document.querySelector('#player audio').networkState") == 0)
    page.keyboard.press("MediaPlayPause")
    assert paused(page)


def test_on_a_narrow_screen_the_player_hides_nothing_and_says_what_went_wrong(eva: Desk) -> None:
    page = eva.page
    page.set_viewport_size({"width": 390, "height": 844})
    play = page.locator("#call-page [data-play]").first
    play.click()
    wait_for("it to play", lambda: at_s(page) > 0.1)
    page.evaluate("window.scrollTo(0, 0)")

    lower = "(element) => element.getBoundingClientRect().bottom"
    assert page.locator("#player").evaluate(lower) <= page.locator("#main").evaluate("(main) => main.offsetTop") + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # What the keyboard walks to lies clear of it.
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.locator("#call-page .page-head__title").evaluate("(title) => { title.tabIndex = -1; title.focus(); }")
    top = page.locator("#call-page .page-head__title").evaluate("(title) => title.getBoundingClientRect().top")
    assert top >= page.locator("#player").evaluate(lower) - 1

    # A recording that cannot be had is said, in a line that is read out; and Play does not play the one before.
    page.route("**/player", lambda route: route.fulfill(status=403, json={"error": "no"}))
    play.evaluate("(button) => { button.dataset.play = `/api/recordings/${crypto.randomUUID()}/audio`; }")
    play.click()
    expect(page.locator("#player").get_by_role("status")).to_have_text("No puede escuchar esta grabación.")
    page.locator("[data-player-toggle]").click()
    assert paused(page)
    assert page.locator("#player audio[src]").count() == 0
