"""A person at a computer: what tests do with the pages is said here, in the words of the people who use them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, Request, Response, expect

PASSWORD = "curbe-demo"

#: How much of what happened a failure tells.
LAST_LINES = 40

#: Tells the console what the phone says, and when: a failed test reads the story there.
LISTEN = """addEventListener('DOMContentLoaded', () => {
  const phone = document.querySelector('#phone');
  if (!phone) return;
  const told = ['data-say', 'data-stage'];
  const tell = () => console.debug(`the phone says ${told.map((name) => phone.getAttribute(name)).join(' in ')}`);
  new MutationObserver(tell).observe(phone, { attributeFilter: told });
  const clicked = ({ target }) => console.debug(`a click on ${target.closest('[data-phone]')?.dataset.phone}`);
  phone.addEventListener('click', clicked, true);
});"""

#: A browser whose devices were checked a moment ago (static/js/phone/commands/gate.js).
CHECKED = "localStorage.setItem('curbe.devices-passed', new Date().toISOString())"

#: What is pasted into an element, as the clipboard would.
PASTE = """(element, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text', text);
  element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
}"""

#: What the page's loudspeaker plays, measured by the browser itself: {"hz": …, "rms": …}.
HEAR = """async (ms) => {
  const stream = [...document.querySelectorAll('audio')].map((a) => a.srcObject).find((s) => s && s.active);
  if (!stream) return null;
  const context = new AudioContext();
  await context.resume();
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  source.connect(analyser);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const samples = new Float32Array(analyser.fftSize);
  const peaks = [];
  let rms = 0;
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    analyser.getFloatTimeDomainData(samples);
    rms = Math.max(rms, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    analyser.getFloatFrequencyData(spectrum);
    peaks.push((spectrum.indexOf(Math.max(...spectrum)) * context.sampleRate) / analyser.fftSize);
  }
  source.disconnect();
  await context.close();
  peaks.sort((a, b) => a - b);
  return { hz: peaks[peaks.length >> 1], rms };
}"""


class Desk:
    """A logged-in person's browser tab, with the phone beside the page."""

    def __init__(self, page: Page, username: str, *, checked: bool = True) -> None:
        self.page = page
        self.username = username
        self.console: list[str] = []
        self.outside: list[str] = []
        #: What happened in this tab, each line with the second at which the test heard of it.
        self.story: list[str] = []
        self._began = time.monotonic()
        page.add_init_script(LISTEN)
        if checked:
            page.add_init_script(CHECKED)
        page.on("console", lambda message: self._hear(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._hear(f"pageerror: {error}"))
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("requestfailed", lambda request: self._tell(f"{_asked(request)} → {request.failure}"))
        page.on("framenavigated", lambda frame: self._tell(f"the page is {frame.url}"))

    @classmethod
    def log_in(cls, context: BrowserContext, username: str, *, checked: bool = True) -> Desk:
        desk = cls(context.new_page(), username, checked=checked)
        desk.page.goto("/login/")
        desk.page.locator("input[name=username]").fill(username)
        desk.page.locator("input[name=password]").fill(PASSWORD)
        desk.page.locator("input[name=password]").press("Enter")
        desk.page.wait_for_url(lambda url: "/login/" not in url)
        return desk

    def another_tab(self) -> Desk:
        desk = Desk(self.page.context.new_page(), self.username)
        desk.page.goto("/")
        return desk

    def _tell(self, line: str) -> None:
        self.story.append(f"{time.monotonic() - self._began:6.2f} s  {line}")

    def _hear(self, line: str) -> None:
        self.console.append(line)
        self._tell(line)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:")):
            self.outside.append(request.url)
        if "/api/" in request.url:
            self._tell(_asked(request))

    def _on_response(self, response: Response) -> None:
        if "/api/" in response.url:
            self._tell(f"{_asked(response.request)} → {response.status}")

    @property
    def phone(self) -> Locator:
        return self.page.locator("#phone")

    def button(self, name: str) -> Locator:
        """Return one of the phone's buttons: answer, decline, end, mute, keypad, use.here, retry."""
        return self.phone.locator(f'[data-phone="{name}"]')

    def wish(self, name: str) -> Locator:
        """Return one of the buttons of a consultation: complete, merge, swap, cancel."""
        return self.phone.locator(f'[data-wish="{name}"]')

    def says(self, what: str) -> None:
        """Wait until the phone says this (a key of templates/phone/_messages.html)."""
        self._see(self.phone.locator(f'[data-say="{what}"]'))

    def presence(self, word: str) -> None:
        self._see(self.phone.locator(f'[data-presence="{word}"]'))

    def _see(self, shown: Locator, *, timeout_ms: float = 15_000) -> None:
        """Wait until this is visible; fail with what happened in this tab until then."""
        try:
            expect(shown).to_be_visible(timeout=timeout_ms)
        except AssertionError as err:
            happened = "\n".join(self.story[-LAST_LINES:])
            raise AssertionError(
                f"{str(err).split('Aria snapshot')[0]}\nWhat {self.username} saw:\n{happened}"
            ) from None

    def wait_ready(self) -> None:
        self.take_phone(until="ready")
        self.presence("AVAILABLE")

    def take_phone(self, *, until: str) -> None:
        """Wait until the phone says this, and do on the way what a person would.

        That is: take it here if a computer that is gone still holds it for half a minute, and end the wrap-up of a call
        that was before.
        """
        said = self.phone.locator(f'[data-say="{until}"]')
        elsewhere = self.phone.locator('[data-say="elsewhere"]')
        wrap_up = self.phone.locator('[data-say="wrap-up"]')
        self._see(said.or_(elsewhere).or_(wrap_up).filter(visible=True).first)
        if elsewhere.is_visible():
            self.button("use.here").click()
            self._see(said.or_(wrap_up).filter(visible=True).first)
        if until != "wrap-up" and wrap_up.is_visible():
            self.page.locator('[data-wrap-up-do="end"]').click()
        self.says(until)

    def rings(self) -> None:
        self._see(self.button("answer"), timeout_ms=10_000)

    def rings_not(self) -> None:
        expect(self.button("answer")).to_be_hidden(timeout=10_000)

    def answer(self) -> None:
        self.button("answer").click()
        self.says("talking")

    def end(self) -> None:
        self.button("end").click()

    def dial(self, number: str) -> None:
        """Open the dial pad by its key, and call this number as a person types it."""
        self.page.keyboard.press("Alt+n")
        field = self.page.locator("#dial-to")
        expect(field).to_be_focused()
        field.fill(number)
        self.page.keyboard.press("Enter")

    def give(self, name: str, how: str) -> None:
        """Give the call to this name in the list of targets: how is transfer (now) or consult (ask first)."""
        self.page.keyboard.press("Alt+g")
        row = self.page.locator("[data-target]").filter(has_text=name)
        row.locator(f'[data-give="{how}"]').click()

    def paste(self, selector: str, text: str) -> None:
        self.page.locator(selector).evaluate(PASTE, text)

    def hears_nothing(self) -> bool:
        return self.hears(400)["rms"] < 0.01

    def hears_tone(self, hz: float) -> bool:
        heard = self.hears(400)
        return heard["rms"] > 0.01 and abs(heard["hz"] - hz) < 15

    def hears(self, ms: int = 1200) -> dict[str, float]:
        """Return the loudest frequency and level of what this page plays."""
        heard = self.page.evaluate(HEAR, ms)
        assert heard is not None, "the page plays no sound"
        return dict(heard)

    def call_from(self, caller: str) -> dict[str, Any] | None:
        """Return the newest call of this caller as the API tells it; None while there is none."""
        found = self.api(f"/api/calls?from={quote(caller)}")["results"]
        return dict(found[0]) if found else None

    def row_of(self, caller: str) -> Locator:
        """Return the row of this caller's newest call on the page that is open."""
        call = self.call_from(caller)
        assert call is not None, f"no call of {caller}"
        return self.page.locator(f"#call-{call['id']}")

    def api(self, path: str) -> Any:
        answer = self.page.request.get(path)
        assert answer.ok, f"{path}: {answer.status} {answer.text()}"
        return answer.json()

    def keep_evidence(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not self.page.is_closed():
            self.page.screenshot(path=str(folder / f"{self.username}.png"))
        (folder / f"{self.username}.json").write_text(json.dumps(self.story[-200:], indent=1))


def _asked(request: Request) -> str:
    """Return the request in one line, with its body where that says what was wished (a phone's claim)."""
    wish = request.post_data if request.url.endswith(("/token", "/intent", "/heartbeat")) else None
    return f"{request.method} {urlsplit(request.url).path}{f' {wish}' if wish else ''}"
