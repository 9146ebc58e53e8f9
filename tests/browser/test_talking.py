"""The life of a call as its agent makes it, with sound: out, on hold, given away, asked about, and what comes after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import expect

from curbe.dev.stack import Stack
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_ANA = "+13055550101"
#: A telephone that the sandbox plays: it answers, and says a tone of 660 Hz.
CUSTOMER = "+13055559001"
ENGAGED = "+13055559002"
CALLER_HZ, TELEPHONE_HZ, MICROPHONE_HZ = 440, 660, 1000
Sit = Callable[..., Desk]


@pytest.fixture
def customer(sandbox: Sandbox) -> Iterator[str]:
    sandbox.post(f"agents/{CUSTOMER}", answer_after_ms=400)
    yield CUSTOMER
    sandbox.delete(f"agents/{CUSTOMER}")


def talk(sandbox: Sandbox, desk: Desk) -> str:
    """Let somebody call this agent and be answered; return the sandbox's id of the call."""
    call = sandbox.call(TO_ANA, script=[{"tone": CALLER_HZ}])
    desk.rings()
    desk.answer()
    # The server's word of what can be done comes a moment after the sound.
    expect(desk.button("hold")).to_be_enabled()
    return call


def hears_the_agent(sandbox: Sandbox, call: str) -> bool:
    return abs(float(sandbox.see(call)["heard_peak_hz"]) - MICROPHONE_HZ) < 15


def hears_music(sandbox: Sandbox, call: str) -> bool:
    return "/hold-" in str(sandbox.see(call)["hears"])


def called(sandbox: Sandbox, number: str) -> str:
    """Return the sandbox's id of the newest call that the API placed to this number."""
    calls = sandbox.get("state")["calls"]
    return str(
        wait_for(
            "the call", lambda: next((c["id"] for c in calls if c["what"].startswith(f"The API calls {number}")), None)
        )
    )


def test_a_call_out_is_heard_both_ways_and_ended(sit: Sit, sandbox: Sandbox, customer: str) -> None:
    ana = sit("ana")

    ana.dial("(305) 555-9001")
    ana.says("dialling")

    ana.says("talking")
    wait_for("the customer's voice", lambda: ana.hears_tone(TELEPHONE_HZ))
    call = called(sandbox, customer)
    wait_for("the agent's voice", lambda: hears_the_agent(sandbox, call))
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    ana.presence("AVAILABLE")
    expect(ana.row_of(TO_ANA).locator(f'[data-dial-number="{customer}"]')).to_be_visible()


def test_a_number_that_is_engaged_says_so_and_is_one_press_away(sit: Sit, sandbox: Sandbox) -> None:
    sandbox.post(f"agents/{ENGAGED}", busy_after_ms=100)
    ana = sit("ana")

    ana.dial(ENGAGED)

    ana.says("ended-busy")
    ana.page.keyboard.press("Alt+n")
    expect(ana.page.locator(f'[data-redial-number="{ENGAGED}"]')).to_be_visible()
    sandbox.delete(f"agents/{ENGAGED}")


def test_a_number_that_is_refused_says_why_under_its_field(sit: Sit) -> None:
    ana = sit("ana", locale="en-US")

    ana.dial("12")

    expect(ana.page.locator("[data-dial-error]")).not_to_be_empty()
    expect(ana.page.locator("#dial-to")).to_have_value("12")
    expect(ana.page.locator("#dial-to")).to_be_focused()
    ana.presence("AVAILABLE")


def test_a_held_caller_hears_music_through_a_reload_and_is_taken_back(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)

    ana.page.keyboard.press("Alt+p")
    ana.says("held")
    wait_for("music", lambda: hears_music(sandbox, call), within_s=2)
    wait_for("silence", ana.hears_nothing)
    ana.page.reload()
    ana.says("held")
    assert hears_music(sandbox, call)
    ana.button("hold").click()

    ana.says("talking")
    wait_for("the caller's voice", lambda: ana.hears_tone(CALLER_HZ))
    wait_for("the agent's voice", lambda: hears_the_agent(sandbox, call))


def test_a_recording_is_paused_for_a_card_through_a_reload_and_a_hold_and_goes_on(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana", locale="en-US")
    call = talk(sandbox, ana)
    unrecorded = ana.phone.locator('[data-recording-is="paused"]')
    expect(unrecorded).to_be_hidden()

    ana.button("recording.toggled").click()
    expect(unrecorded).to_be_visible()
    ana.page.reload()
    expect(unrecorded).to_be_visible(timeout=15_000)
    ana.says("talking")
    # The room begins a recording of its own, which is paused as well.
    ana.page.keyboard.press("Alt+p")
    ana.says("held")
    wait_for("the paused room", lambda: set(sandbox.recorded(call)) == {"completed", "paused"}, within_s=12)
    expect(unrecorded).to_be_visible()
    ana.button("hold").click()
    ana.says("talking")
    ana.page.keyboard.press("Alt+r")

    expect(unrecorded).to_be_hidden()
    wait_for("the recording that goes on", lambda: "in-progress" in sandbox.recorded(call))
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_who_was_muted_is_muted_after_a_reload(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)
    ana.page.keyboard.press("Alt+m")
    ana.says("muted")
    wait_for("the muted microphone", lambda: not hears_the_agent(sandbox, call))

    ana.page.reload()

    ana.says("muted")
    wait_for("the caller's voice", lambda: ana.hears_tone(CALLER_HZ))
    assert not hears_the_agent(sandbox, call)


def test_pasted_keys_arrive_in_their_order(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)
    ana.page.keyboard.press("Alt+k")

    ana.paste("#keypad", "12-34#")
    ana.page.keyboard.press("5")

    wait_for("the keys", lambda: sandbox.see(call)["heard_digits"] == "1234#5")


def test_a_call_is_given_to_a_colleague_at_once(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")
    call = talk(sandbox, ana)

    ana.give("Luis", "transfer")
    luis.rings()
    luis.answer()

    ana.says("ready")
    wait_for("the caller's voice", lambda: luis.hears_tone(CALLER_HZ))
    assert sandbox.see(call)["is_live"]


def test_a_colleague_is_asked_swapped_merged_and_takes_the_call_over(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")
    call = talk(sandbox, ana)

    ana.give("Luis", "consult")
    ana.says("consult-ringing")
    expect(luis.page.locator("[data-asker]")).to_contain_text("Ana Gómez")
    luis.rings()
    luis.button("answer").click()
    luis.says("consulted")
    ana.says("consulting")
    wait_for("music", lambda: hears_music(sandbox, call))
    wait_for("the colleague's voice", lambda: ana.hears_tone(MICROPHONE_HZ))

    ana.page.keyboard.press("Alt+w")
    ana.says("swapped")
    luis.says("consulted-waits")
    wait_for("the caller's voice", lambda: ana.hears_tone(CALLER_HZ))

    ana.page.keyboard.press("Alt+j")
    ana.says("merged")
    luis.says("merged")

    ana.page.keyboard.press("Alt+c")
    ana.says("ready")
    luis.says("talking")
    wait_for("the caller's voice", lambda: luis.hears_tone(CALLER_HZ))
    assert sandbox.see(call)["is_live"]
    luis.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_whoever_was_asked_may_leave_and_a_question_may_be_taken_back(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")
    call = talk(sandbox, ana)
    ana.give("Luis", "consult")
    luis.rings()
    luis.button("answer").click()
    luis.says("consulted")

    luis.end()
    ana.says("talking")
    wait_for("the caller's voice", lambda: ana.hears_tone(CALLER_HZ))
    luis.presence("AVAILABLE")
    ana.give("Luis", "consult")
    luis.rings()
    expect(ana.wish("cancel")).to_be_enabled()
    ana.page.keyboard.press("Alt+z")

    luis.rings_not()
    ana.says("talking")
    assert sandbox.see(call)["is_live"]


def test_nobody_is_rung_for_a_caller_who_left(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")
    call = talk(sandbox, ana)
    ana.give("Luis", "consult")
    luis.rings()

    sandbox.hang_up(call)

    luis.rings_not()
    ana.says("ready")
    luis.presence("AVAILABLE")


@contextmanager
def must_say_how_it_went(stack: Stack) -> Iterator[None]:
    """Make every call of no queue end in a wrap-up that asks how it went."""
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as connection:
        company = "(SELECT id FROM companies_company WHERE slug = 'acme')"
        connection.execute(
            "INSERT INTO telephony_wrapuppolicy (company_id, calls, mode, seconds)"
            f" VALUES ({company}, 'direct', 'required_disposition', 120)"
        )
        connection.execute(
            "INSERT INTO telephony_disposition (company_id, code, name, is_system, is_active, position)"
            f" VALUES ({company}, 'sold', 'Sold', false, true, 1) ON CONFLICT DO NOTHING"
        )
        try:
            yield
        finally:
            connection.execute("DELETE FROM telephony_wrapuppolicy WHERE calls = 'direct'")


def test_the_form_after_the_call_survives_a_reload_and_ends_when_it_is_filled(
    sit: Sit, sandbox: Sandbox, stack: Stack
) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)
    with must_say_how_it_went(stack):
        sandbox.hang_up(call)
        ana.presence("WRAP_UP")
    note = ana.page.locator("#wrap-up-note")
    note.fill("Calls back on Monday")
    expect(ana.page.locator("[data-wrap-up-saved]")).to_be_visible()

    ana.page.reload()

    ana.says("wrap-up")
    expect(note).to_have_value("Calls back on Monday")
    done = ana.page.locator('[data-wrap-up-do="end"]')
    done.click()
    expect(ana.page.locator("[data-wrap-up-error]")).not_to_be_empty()
    ana.page.locator("#disposition").select_option("sold")
    done.click()
    ana.says("ready")
    ana.presence("AVAILABLE")


def test_a_break_chosen_in_a_call_waits_for_its_end_and_can_be_taken_back(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = talk(sandbox, ana)
    intent = ana.phone.locator("#intent")
    intent.select_option("BREAK:lunch")
    pending = ana.page.locator("[data-pending]")
    expect(pending).to_be_visible()
    ana.button("intent.taken-back").click()
    expect(pending).to_be_hidden()
    intent.select_option("BREAK:lunch")

    sandbox.hang_up(call)

    ana.presence("BREAK")
    ana.says("break")
    expect(ana.page.locator("[data-break-clock]")).to_contain_text("0:0")
    intent.select_option("AVAILABLE")
    ana.says("ready")


def test_nobody_is_rung_before_the_devices_are_checked(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana", ready=False, checked=False)
    ana.take_phone(until="check-devices")
    checked = ana.page.locator('[data-check="microphone"][data-is="passed"]')
    expect(checked).to_be_visible()
    ana.presence("NO_DEVICE")
    ana.button("gate.tone").click()
    ana.button("gate.heard").click()

    ana.says("ready")
    ana.presence("AVAILABLE")
    ana.page.reload()
    ana.wait_ready()
    expect(ana.page.locator("#gate")).to_be_hidden()
    talk(sandbox, ana)
