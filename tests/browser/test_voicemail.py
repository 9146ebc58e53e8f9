"""A caller leaves a message: it appears by itself, sounds, is heard, and called back with one click."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_ANA = "+13055550101"
FALLBACK = "+13055550199"
MARTA = "+13055552201"
WORDS = "Hola, soy Marta Ruiz. Llámeme, por favor, por la póliza del coche."

#: Whether the page plays a recording, and where in it.
PLAYING = """() => [...document.querySelectorAll('audio')].some((a) => a.currentSrc.includes('/api/recordings/')
  && !a.paused && a.currentTime > 0.2)"""


def test_a_message_appears_plays_is_heard_and_called_back(sit: Callable[..., Desk], sandbox: Sandbox) -> None:
    ana = sit("ana", ready=False)
    page = ana.page
    page.goto("/voicemail/")
    page.locator("#phone").wait_for()
    sandbox.post(f"agents/{FALLBACK}", decline_after_ms=200)
    # She is away, so that the call is not hers to answer.
    page.evaluate("""async () => {
      const token = document.querySelector('meta[name="csrf-token"]').content;
      const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
      await fetch('/api/agents/intent', { method: 'POST', headers, body: JSON.stringify({ intent: 'OFFLINE' }) });
    }""")
    ana.presence("OFFLINE")

    script = [{"until_hears": "being recorded"}, {"say": WORDS}, {"wait_s": 0.5}, {"hangup": True}]
    call = sandbox.call(TO_ANA, caller=MARTA, name="Marta Ruiz", script=script)
    wait_for("the message to end", lambda: sandbox.is_over(call), within_s=45)
    sandbox.delete(f"agents/{FALLBACK}")

    # Nobody reloads anything.
    message = page.locator(".message", has_text="Marta Ruiz").first
    expect(message).to_be_visible(timeout=15_000)
    expect(page.locator("#voicemail-badge .nav__count")).to_have_text("1")
    expect(message).to_contain_text("póliza del coche", timeout=15_000)
    callback = message.locator(f'button[data-dial-number="{MARTA}"]')
    expect(callback).to_be_visible()
    expect(callback).to_be_enabled()

    message.get_by_role("button", name="Reproducir el mensaje").click()
    page.wait_for_function(PLAYING)

    # Who plays it has heard it, and the badge knows.
    expect(message.get_by_role("button", name="Marcar como nuevo")).to_be_visible()
    expect(page.locator("#voicemail-badge .nav__count")).to_have_count(0)
    page.reload()
    expect(message.get_by_role("button", name="Marcar como nuevo")).to_be_visible()
    expect(message).to_contain_text("oído por Ana")

    # The words lead into the sound, and are found.
    message.locator("[data-at]").first.click()
    page.wait_for_function(PLAYING)
    page.locator("#filter-words").fill("polizas")
    page.locator("#filter-words").press("Enter")
    page.wait_for_url("**q=polizas**")
    expect(page.locator("#filter-words")).to_have_value("polizas")
    expect(message).to_be_visible()
    page.locator("#filter-words").fill("siniestro")
    page.locator("#filter-words").press("Enter")
    expect(page.get_by_text("Ningún mensaje coincide")).to_be_visible()


def test_a_greeting_is_recorded_in_the_browser_and_callers_hear_it(sit: Callable[..., Desk], sandbox: Sandbox) -> None:
    luis = sit("luis", ready=False)
    page = luis.page
    page.goto("/voicemail/boxes/")
    page.get_by_role("link", name="Luis Pérez").click()
    page.locator("[data-recorder-start]").click()
    expect(page.locator("[data-recorder-time]")).to_have_text("0:02", timeout=10_000)
    page.locator("[data-recorder-stop]").click()
    page.locator("[data-recorder-send]").click()

    expect(page.get_by_text("La próxima persona que llame oirá su grabación")).to_be_visible(timeout=15_000)
    played = page.locator('audio[src^="/greetings/"]').get_attribute("src")
    assert played is not None
    audio = page.request.get(played)
    assert (audio.status, audio.headers["content-type"]) == (200, "audio/mpeg")
    assert len(audio.body()) > 8_000
    page.get_by_role("button", name="Borrar la grabación").click()
    expect(page.get_by_text("Quien llame oirá el texto.")).to_be_visible()
    assert page.request.get(played).status == 404
