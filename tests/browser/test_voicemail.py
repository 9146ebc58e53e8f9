"""A caller leaves a message: it appears by itself, sounds, is heard, and called back with one click."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_ANA = "+13055550101"
FALLBACK = "+13055550199"
OF_SALES = "+13055550100"
MARTA, LUCIA, PEDRO, NADIA = "+13055552201", "+13055552202", "+13055552203", "+13055552204"
WORDS = "Hola, soy Marta Ruiz. Llámeme, por favor, por la póliza del coche."

#: Keeps every track of a microphone that the page was given.
COUNT_MICROPHONES = """(() => {
  window.microphones = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.microphones.push(...stream.getAudioTracks());
    return stream;
  };
})()"""

#: Whether the page plays a recording, and where in it.
PLAYING = """() => [...document.querySelectorAll('audio')].some((a) => a.currentSrc.includes('/api/recordings/')
  && !a.paused && a.currentTime > 0.2)"""


def intends(desk: Desk, intent: str) -> None:
    desk.page.evaluate(
        """async (intent) => {
          const token = document.querySelector('meta[name="csrf-token"]').content;
          const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
          await fetch('/api/agents/intent', { method: 'POST', headers, body: JSON.stringify({ intent }) });
        }""",
        intent,
    )


def leave_message(ana: Desk, sandbox: Sandbox, caller: str, name: str) -> None:
    """Let somebody call Ana, who is away so that the call is not hers to answer, and leave a message for her."""
    sandbox.post(f"agents/{FALLBACK}", decline_after_ms=200)
    intends(ana, "OFFLINE")
    ana.presence("OFFLINE")
    script = [{"until_hears": "being recorded"}, {"say": WORDS}, {"wait_s": 0.5}, {"hangup": True}]
    call = sandbox.call(TO_ANA, caller=caller, name=name, script=script)
    wait_for("the message to end", lambda: sandbox.is_over(call), within_s=45)
    sandbox.delete(f"agents/{FALLBACK}")
    intends(ana, "AVAILABLE")


def test_a_message_appears_plays_is_heard_and_found(sit: Callable[..., Desk], sandbox: Sandbox) -> None:
    ana = sit("ana", ready=False)
    page = ana.page
    page.goto("/voicemail/")
    page.locator("#phone").wait_for()

    leave_message(ana, sandbox, MARTA, "Marta Ruiz")

    # Nobody reloads anything.
    message = page.locator(".message", has_text="Marta Ruiz").first
    expect(message).to_be_visible(timeout=15_000)
    expect(page.locator("#voicemail-badge .nav__count")).to_have_text("1")
    expect(message).to_contain_text("póliza del coche", timeout=15_000)

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


def test_one_click_calls_back_from_the_number_that_was_called_and_the_message_says_so(
    sit: Callable[..., Desk], sandbox: Sandbox
) -> None:
    ana = sit("ana")
    page = ana.page
    # What she shows otherwise.
    page.keyboard.press("Alt+n")
    page.locator("#dial-from").select_option(OF_SALES)
    page.keyboard.press("Escape")
    page.goto("/voicemail/")
    page.locator("#phone").wait_for()
    leave_message(ana, sandbox, LUCIA, "Lucía Paz")
    message = page.locator(".message", has_text="Lucía Paz").first
    expect(message).to_be_visible(timeout=15_000)
    ana.says("ready")

    message.locator(f'button[data-dial-number="{LUCIA}"]').click()

    ana.says("talking")
    [back] = ana.api(f"/api/calls?to={quote(LUCIA)}")["results"]
    assert (back["direction"], back["from"]) == ("outbound", TO_ANA)
    expect(message.get_by_role("button", name="Marcar como nuevo")).to_be_visible()
    ana.end()
    expect(message).to_contain_text("Ana Gómez devolvió la llamada", timeout=15_000)
    # The next call shows the usual number again.
    expect(page.locator("#dial-from")).to_have_value(OF_SALES)
    page.evaluate("localStorage.removeItem(`curbe.from.${document.querySelector('#phone').dataset.agent}`)")


def test_what_one_does_with_a_message_all_see_in_every_tab(sit: Callable[..., Desk], sandbox: Sandbox) -> None:
    ana, eva, luis = sit("ana", ready=False), sit("eva", ready=False), sit("luis", ready=False)
    ana.page.goto("/voicemail/")
    ana.page.locator("#phone").wait_for()
    eva.page.goto("/voicemail/")
    other = ana.another_tab()
    leave_message(ana, sandbox, PEDRO, "Pedro Sol")
    messages = [desk.page.locator(".message", has_text="Pedro Sol").first for desk in (ana, eva)]
    for message in messages:
        expect(message).to_be_visible(timeout=15_000)
    expect(other.page.locator("#voicemail-badge .nav__count")).to_have_text("1")
    # It is Ana's; nobody has asked Luis.
    expect(luis.page.locator("#voicemail-badge .nav__count")).to_have_count(0)

    # The list of people is filled in when it is opened.
    people = messages[1].locator("[data-people]")
    people.focus()
    people.select_option(label="Luis Pérez")

    expect(luis.page.locator("#voicemail-badge .nav__count")).to_have_text("1")
    expect(messages[0].locator("[data-people] option:checked")).to_have_text("Luis Pérez")

    ana.page.once("dialog", lambda dialog: dialog.accept())
    messages[0].get_by_role("button", name="Borrar el mensaje").click()

    for message in messages:
        expect(message).to_have_count(0)
    for desk in (ana, other, luis):
        expect(desk.page.locator("#voicemail-badge .nav__count")).to_have_count(0)


def test_a_row_of_a_page_that_is_no_live_list_goes_with_its_message(sit: Callable[..., Desk], sandbox: Sandbox) -> None:
    ana = sit("ana", ready=False)
    page = ana.page
    page.goto("/voicemail/")
    page.locator("#phone").wait_for()
    leave_message(ana, sandbox, PEDRO, "Pedro Luz")
    message = page.locator(".message", has_text="Pedro Luz").first
    expect(message).to_be_visible(timeout=15_000)
    message_id = message.get_attribute("data-message")
    # As on a page of older messages.
    page.evaluate("document.querySelector('#messages').removeAttribute('data-live-voicemail')")
    page.evaluate(
        """async (id) => {
          const token = document.querySelector('meta[name="csrf-token"]').content;
          await fetch(`/api/voicemail/messages/${id}`, { method: 'DELETE', headers: { 'X-CSRFToken': token } });
        }""",
        message_id,
    )

    expect(page.locator(f"#message-{message_id}")).to_have_count(0)


def test_a_second_press_while_the_browser_asks_makes_no_second_recording(sit: Callable[..., Desk]) -> None:
    luis = sit("luis", ready=False)
    page = luis.page
    page.add_init_script(COUNT_MICROPHONES)
    page.goto("/voicemail/boxes/")
    page.get_by_role("link", name="Luis Pérez").click()
    start = page.locator("[data-recorder-start]")
    start.wait_for()
    before = page.evaluate("window.microphones.length")

    start.evaluate("(button) => { button.click(); button.click(); }")
    expect(page.locator("[data-recorder-time]")).to_have_text("0:01", timeout=10_000)
    assert page.evaluate("window.microphones.length") == before + 1

    # Whoever walks on is not recorded any further.
    page.get_by_role("link", name="Saludos y correo").click()
    page.get_by_role("link", name="Luis Pérez").wait_for()
    page.wait_for_function(
        "(from) => window.microphones.slice(from).every((track) => track.readyState === 'ended')", arg=before
    )


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


def test_a_press_that_calls_nobody_leaves_the_message_new(sit: Callable[..., Desk], sandbox: Sandbox) -> None:
    ana = sit("ana")
    leave_message(ana, sandbox, NADIA, "Nadia Gil")
    mirror = ana.another_tab()
    mirror.page.goto("/voicemail/")
    mirror.says("tab")
    message = mirror.page.locator(".message", has_text="Nadia Gil").first
    expect(message).to_be_visible(timeout=15_000)

    message.locator("[data-dial-number]").click()

    mirror.page.reload()
    expect(message.get_by_role("button", name="Marcar como oído")).to_be_visible()
    expect(message).not_to_contain_text("oído por")
