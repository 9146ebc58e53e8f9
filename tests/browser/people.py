"""A person at a computer: what tests do with the pages is said here, in the words of the people who use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Locator, Page, expect

PASSWORD = "curbe-demo"

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

    def __init__(self, page: Page, username: str) -> None:
        self.page = page
        self.username = username
        self.console: list[str] = []
        self.outside: list[str] = []
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"pageerror: {error}"))
        page.on("request", lambda request: self._note(request.url))

    @classmethod
    def log_in(cls, context: BrowserContext, username: str) -> Desk:
        desk = cls(context.new_page(), username)
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

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:")):
            self.outside.append(url)

    @property
    def phone(self) -> Locator:
        return self.page.locator("#phone")

    def button(self, name: str) -> Locator:
        """Return one of the phone's buttons: answer, decline, end, mute, keypad, use.here, retry."""
        return self.phone.locator(f'[data-phone="{name}"]')

    def says(self, what: str) -> None:
        """Wait until the phone says this (a key of templates/phone/_messages.html)."""
        expect(self.phone.locator(f'[data-say="{what}"]')).to_be_visible(timeout=15_000)

    def presence(self, word: str) -> None:
        expect(self.phone.locator(f'[data-presence="{word}"]')).to_be_visible(timeout=15_000)

    def wait_ready(self) -> None:
        self.take_phone(until="ready")
        self.presence("AVAILABLE")

    def take_phone(self, *, until: str) -> None:
        """Wait until the phone says this; take it here if a computer that is gone still holds it for half a minute."""
        said = self.phone.locator(f'[data-say="{until}"]')
        elsewhere = self.phone.locator('[data-say="elsewhere"]')
        expect(said.or_(elsewhere).filter(visible=True).first).to_be_visible(timeout=15_000)
        if elsewhere.is_visible():
            self.button("use.here").click()
        self.says(until)

    def rings(self) -> None:
        expect(self.button("answer")).to_be_visible(timeout=10_000)

    def rings_not(self) -> None:
        expect(self.button("answer")).to_be_hidden(timeout=10_000)

    def answer(self) -> None:
        self.button("answer").click()
        self.says("talking")

    def end(self) -> None:
        self.button("end").click()

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
        self.page.screenshot(path=str(folder / f"{self.username}.png"))
        (folder / f"{self.username}.json").write_text(json.dumps(self.console[-200:], indent=1))
