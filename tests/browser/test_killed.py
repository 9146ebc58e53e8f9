"""The page dies at six moments, without a word to anybody. The customer's leg stays up in each, where it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from curbe.dev.stack import Stack
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for
from tests.browser.test_talking import CALLER_HZ, TO_ANA, hears_music, must_say_how_it_went, talk

pytestmark = pytest.mark.browser
Sit = Callable[..., Desk]


def kill(desk: Desk) -> None:
    """Close the browser as a crash does: no page says good-bye."""
    desk.page.context.close()


def agents_legs(sandbox: Sandbox, call: str) -> list[dict[str, Any]]:
    return [leg for leg in sandbox.see(call)["legs"] if leg["parent"] is not None]


def line_is_lost(sandbox: Sandbox, call: str) -> None:
    """Telnyx notices now that the browser is gone; by itself it would half a minute later."""
    for leg in agents_legs(sandbox, call):
        if not leg["ended_at"]:
            sandbox.post(f"legs/{leg['call_control_id']}/end", how="lost")


def is_up(sandbox: Sandbox, call: str) -> bool:
    return bool(sandbox.see(call)["is_live"])


def back_at_another_computer(sit: Sit) -> Desk:
    """Ana logs in elsewhere, and takes her phone there."""
    ana = sit("ana", ready=False)
    taken = ana.phone.locator('[data-say="elsewhere"]')
    expect(taken.or_(ana.button("answer")).filter(visible=True).first).to_be_visible(timeout=15_000)
    if taken.is_visible():
        ana.button("use.here").click()
    return ana


def test_ringing(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA)
    ana.rings()

    kill(ana)

    wait_for("the end of her ringing", lambda: all(leg["ended_at"] for leg in agents_legs(sandbox, call)))
    assert is_up(sandbox, call)
    # Nobody else has this number: the caller is asked for a message.
    wait_for("voicemail", lambda: "Record" in str(sandbox.see(call)["exchanges"]))
    assert is_up(sandbox, call)


def test_answering(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA)
    ana.rings()

    ana.button("answer").click()
    kill(ana)
    line_is_lost(sandbox, call)

    wait_for("the end of her leg", lambda: all(leg["ended_at"] for leg in agents_legs(sandbox, call)))
    assert is_up(sandbox, call)


def test_talking_the_customer_hears_music_until_she_is_back_anywhere(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)

    kill(ana)
    line_is_lost(sandbox, call)

    wait_for("music", lambda: hears_music(sandbox, call))
    ana = back_at_another_computer(sit)
    ana.rings()
    ana.answer()
    wait_for("the caller's voice", lambda: ana.hears_tone(CALLER_HZ))
    assert is_up(sandbox, call)
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_held_the_music_goes_on(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)
    ana.button("hold").click()
    wait_for("music", lambda: hears_music(sandbox, call))

    kill(ana)
    line_is_lost(sandbox, call)

    ana = back_at_another_computer(sit)
    ana.rings()
    assert is_up(sandbox, call)
    ana.answer()
    wait_for("the caller's voice", lambda: ana.hears_tone(CALLER_HZ))


def test_consulting_the_one_who_was_asked_has_the_customer(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")
    call = talk(sandbox, ana)
    ana.give("Luis", "consult")
    luis.rings()
    luis.button("answer").click()
    luis.says("consulted")
    wait_for("music", lambda: hears_music(sandbox, call))

    kill(ana)
    line_is_lost(sandbox, call)

    luis.says("talking")
    wait_for("the caller's voice", lambda: luis.hears_tone(CALLER_HZ))
    assert is_up(sandbox, call)


def test_in_the_wrap_up_the_form_is_there_again(sit: Sit, sandbox: Sandbox, stack: Stack) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)
    with must_say_how_it_went(stack):
        sandbox.hang_up(call)
        ana.presence("WRAP_UP")
    ana.page.locator("#wrap-up-note").fill("Calls back on Monday")
    expect(ana.page.locator("[data-wrap-up-saved]")).to_be_visible()

    kill(ana)

    ana = back_again(sit)
    expect(ana.page.locator("#wrap-up-note")).to_have_value("Calls back on Monday")
    ana.page.locator("#disposition").select_option("sold")
    ana.page.locator('[data-wrap-up-do="end"]').click()
    ana.presence("AVAILABLE")


def back_again(sit: Sit) -> Desk:
    ana = sit("ana", ready=False)
    ana.take_phone(until="wrap-up")
    return ana
