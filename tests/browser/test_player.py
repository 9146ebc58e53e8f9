"""Play appears after a call, and what is played can be told apart, walked through and shared."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import MICROPHONE_HZ
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

CALLER_HZ = 440
TO_ANA = "+13055550101"
MIA, TEO = "+13055551101", "+13055551102"
Sit = Callable[..., Desk]

#: Listens where the page's sound goes to the loudspeaker: {left: {hz, rms}, right: {hz, rms}}.
TAP = """(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode && this instanceof StereoPannerNode) {
      const { context } = this;
      window.tap ??= (() => {
        const splitter = context.createChannelSplitter(2);
        const ears = [0, 1].map((index) => {
          const ear = context.createAnalyser();
          ear.fftSize = 8192;
          ear.smoothingTimeConstant = 0;
          connect.call(splitter, ear, index);
          return ear;
        });
        return { splitter, ears };
      })();
      connect.call(this, window.tap.splitter);
    }
    return connect.call(this, to, ...more);
  };
})();"""
HEAR = """async (ms) => {
  const { ears } = window.tap;
  const samples = new Float32Array(8192);
  const spectrum = new Float32Array(4096);
  const heard = ears.map(() => ({ rms: 0, at: {} }));
  // What was heard before a voice was muted has to leave the ears' window first, and its fading with it.
  await new Promise((resolve) => setTimeout(resolve, (8192 / ears[0].context.sampleRate) * 1000 + 200));
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    for (const [index, ear] of ears.entries()) {
      ear.getFloatTimeDomainData(samples);
      heard[index].rms = Math.max(heard[index].rms, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / 8192));
      ear.getFloatFrequencyData(spectrum);
      for (const hz of [440, 1000]) {
        const middle = Math.round((hz * 8192) / ear.context.sampleRate);
        const loud = Math.max(...spectrum.slice(middle - 4, middle + 5));
        heard[index].at[hz] = Math.max(heard[index].at[hz] ?? -200, loud);
      }
    }
  }
  return heard;
}"""


#: Takes the net away: nothing asks for a row again but the push (live_regions.js names what asks by the clock "ask…").
NO_NET = """(() => {
  const every = window.setInterval;
  window.setInterval = (what, ms, ...more) => (what.name.startsWith('ask') ? 0 : every(what, ms, ...more));
})()"""


def a_recorded_call(desk: Desk, sandbox: Sandbox, caller: str) -> None:
    """Let ``caller`` talk with the desk for some seconds; he hums, the microphone beeps."""
    call = sandbox.call(TO_ANA, caller=caller, name="Mia Sol", script=[{"tone": CALLER_HZ}])
    desk.rings()
    desk.answer()
    desk.hears(3_000)
    desk.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def at_s(page: Page) -> float:
    return float(page.evaluate("document.querySelector('#player audio').currentTime"))


def paused(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('#player audio').paused"))


def fetch_anew(page: Page, row: Locator) -> None:
    """Do what a push about this call does, and wait until another row stands in the place of this one."""
    row.evaluate("(row) => { window.rowBefore = row; window.htmx.trigger(row, 'refresh'); }")
    page.wait_for_function("() => !window.rowBefore.isConnected")


def heard(page: Page) -> list[dict[str, Any]]:
    return list(page.evaluate(HEAR, 900))


def test_play_appears_by_push_sounds_apart_and_obeys_the_keys(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana", permissions=["microphone", "clipboard-read", "clipboard-write"])
    page = ana.page
    page.add_init_script(TAP)
    page.add_init_script(NO_NET)
    page.goto("/")
    ana.wait_ready()
    a_recorded_call(ana, sandbox, MIA)
    play = ana.row_of(MIA).locator("[data-play]")
    expect(play).to_be_visible(timeout=15_000)

    # 1. Two channels apart: the customer more on the left, the agent more on the right; one alone is in the middle.
    play.click()
    player = page.locator("#player")
    expect(player.locator('[data-player-channel="0"] [data-player-name]')).to_have_text("Mia Sol")
    expect(player.locator('[data-player-channel="1"] [data-player-name]')).to_have_text("Ana Gómez")
    wait_for("the player to play", lambda: at_s(page) > 0.1)
    page.keyboard.press("0")
    left, right = heard(page)
    assert left["at"]["440"] > right["at"]["440"] + 6
    assert right["at"][str(MICROPHONE_HZ)] > left["at"][str(MICROPHONE_HZ)] + 6
    player.locator('[data-player-channel="1"] [data-player-mute]').click()
    page.locator("[data-player-wave]").focus()
    page.keyboard.press("0")
    # What the phone says of the call that is over, some seconds later, silences nobody.
    page.evaluate("document.dispatchEvent(new CustomEvent('curbe:call', { detail: { phase: '', callId: '' } }))")
    muted = heard(page)
    assert max(ear["at"][str(MICROPHONE_HZ)] for ear in muted) < max(ear["at"]["440"] for ear in muted) - 20
    assert muted[0]["at"]["440"] == pytest.approx(muted[1]["at"]["440"], abs=3)

    # 2. The keyboard.
    page.keyboard.press("k")
    wait_for("the pause", lambda: paused(page))
    page.keyboard.press("5")
    length = float(page.evaluate("document.querySelector('#player audio').duration"))
    wait_for("the middle", lambda: at_s(page) == pytest.approx(length / 2, abs=0.2))
    page.keyboard.press("Home")
    wait_for("the beginning", lambda: at_s(page) < 0.05)
    page.keyboard.press("j")
    wait_for("still the beginning", lambda: at_s(page) < 0.05)
    page.keyboard.press(">")
    expect(player.locator("[data-player-speed]")).to_have_value("1.25")
    page.keyboard.press("Space")
    wait_for("it to play again", lambda: not paused(page))
    page.keyboard.press("k")
    page.keyboard.press("<")

    # 3. The moment is shared, and opens where it was.
    page.keyboard.press("5")
    wait_for("the middle", lambda: at_s(page) > 0.5)
    player.locator("[data-player-copy]").click()
    link = wait_for("the link", lambda: page.evaluate("navigator.clipboard.readText()"))
    moment = re.search(r"[?&]t=(\d+)", link)
    assert moment is not None
    assert urlsplit(link).path.startswith("/calls/")
    other = ana.another_tab().page
    fetched: list[str] = []
    other.on("request", lambda request: fetched.append(request.url))
    other.goto(link)
    expect(other.locator("#player")).to_be_visible()
    wait_for("the shared moment", lambda: at_s(other) == pytest.approx(float(moment[1]), abs=0.3))
    # Nobody has pressed anything there: it is shown, and not heard, nor said to be.
    expect(other.locator("[data-player-at]")).to_have_text(f"0:0{moment[1]}")
    assert [url for url in fetched if url.endswith("/audio")] == []
    other.locator("[data-player-toggle]").click()
    wait_for("it to play from there", lambda: at_s(other) > float(moment[1]) + 0.2)
    other.close()

    # 4. A call that comes does silence it.
    page.locator("[data-player-wave]").focus()
    page.keyboard.press("0")
    page.keyboard.press("Space")
    wait_for("it to play again", lambda: not paused(page))
    call = sandbox.call(TO_ANA, caller=TEO)
    ana.rings()
    wait_for("silence", lambda: paused(page))
    sandbox.hang_up(call)
    ana.rings_not()

    # 5. The row is fetched anew meanwhile; Escape closes, and gives the focus back to what is the same button.
    fetch_anew(page, ana.row_of(MIA))
    page.locator("[data-player-wave]").focus()
    page.keyboard.press("Escape")
    expect(player).to_be_hidden()
    expect(play).to_be_focused()
    fetch_anew(page, ana.row_of(MIA))
    expect(play).to_be_focused()


@pytest.mark.parametrize("socket", ["is down", "is up, and says nothing"])
def test_play_appears_without_the_push(sit: Sit, sandbox: Sandbox, socket: str) -> None:
    ana = sit("ana")
    if socket == "is down":
        ana.page.route_web_socket(re.compile("/ws/live"), lambda route: route.close())
    else:
        ana.page.route_web_socket(re.compile("/ws/live"), _deaf)
    ana.page.goto("/")
    ana.wait_ready()

    a_recorded_call(ana, sandbox, TEO)

    # Nobody reloads anything: once every five seconds the page asks for the end of the call, then for its recording.
    expect(ana.row_of(TEO).locator("[data-play]").first).to_be_visible(timeout=25_000)
    expect(ana.row_of(TEO)).not_to_have_attribute("data-awaits-audio", "")


def test_new_calls_announce_themselves_and_move_nothing(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    sandbox.hang_up(sandbox.call(TO_ANA, caller=MIA))
    wait_for("the first call", lambda: ana.call_from(MIA))
    ana.page.goto("/calls/")
    rows = ana.page.locator("#calls [data-call]")
    before = rows.count()
    first = rows.first.get_attribute("id")

    sandbox.hang_up(sandbox.call(TO_ANA, caller=TEO))

    expect(ana.page.locator(".news__bar")).to_contain_text("1")
    assert (rows.count(), rows.first.get_attribute("id")) == (before, first)
    ana.page.locator(".news__bar").click()
    expect(rows.first).not_to_have_id(first or "")
    expect(ana.row_of(TEO)).to_be_visible()
    expect(ana.page.locator(".news__bar")).to_have_count(0)


def _deaf(route: Any) -> None:
    """Connect to the live process, and keep everything back but that the socket is up."""
    server = route.connect_to_server()
    route.on_message(server.send)

    def keep(message: str) -> None:
        if '"live"' in message or '"pong"' in message:
            route.send(message)

    server.on_message(keep)
