"""A call rings in a real browser: the whole road, with sound."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from curbe.dev.stack import Stack
from tests.browser.conftest import MICROPHONE_HZ
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for
from tests.browser.sound import channels, loudest_hz

pytestmark = pytest.mark.browser

CALLER_HZ = 440
TO_QUEUE = "+13055550100"
TO_ANA = "+13055550101"
TO_COMPANY = "+13055550102"
FALLBACK = "+13055550199"
# Callers of their own, so that no test takes another one's call for its own.
MARTA, PAUL, ROSA, OMAR, LENA = (f"+1305555100{number}" for number in range(1, 6))

#: End asks the server, then ends here: what the network says of the end may come after that, and the SDK notes it.
LATE_BYE = "Received telnyx_rtc.bye for non existing call"

Sit = Callable[..., Desk]


def test_a_call_rings_is_answered_heard_both_ways_ended_and_played(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    # Taking the phone from the computer of the test before is a conflict (409) that the browser notes.
    ana.console.clear()

    call = sandbox.call(TO_ANA, caller=MARTA, name="Marta Ruiz", script=[{"tone": CALLER_HZ}])
    ana.rings()
    expect(ana.phone).to_contain_text("Marta Ruiz")
    expect(ana.phone).to_contain_text("+1 305-555-1001")
    wait_for("ring-back in the caller's ear", lambda: "ring" in str(sandbox.see(call)["hears"]).lower())
    ana.answer()

    heard = ana.hears()
    assert heard["hz"] == pytest.approx(CALLER_HZ, abs=12)
    assert heard["rms"] > 0.02
    wait_for(
        "the agent's beeps in the caller's ear",
        lambda: abs(sandbox.see(call)["heard_peak_hz"] - MICROPHONE_HZ) < 30,
    )

    ana.end()
    wait_for("the end of the caller's leg", lambda: sandbox.is_over(call))
    expect(ana.row_of(MARTA).locator("[data-play]")).to_be_visible(timeout=15_000)

    told = ana.call_from(MARTA)
    assert told is not None
    assert (told["status"], told["outcome"]) == ("completed", "answered")
    audio = ana.page.request.get(f"/api/recordings/{told['recordings'][0]['id']}/audio")
    left_and_right, rate_hz = channels(audio.body())
    assert len(left_and_right) == 2
    assert loudest_hz(left_and_right[0], rate_hz) == pytest.approx(CALLER_HZ, abs=15)
    assert loudest_hz(left_and_right[1], rate_hz) == pytest.approx(MICROPHONE_HZ, abs=25)
    assert ana.outside == []
    assert [line for line in ana.console if line.startswith(("pageerror", "error")) and LATE_BYE not in line] == []


def test_both_tabs_of_a_ring_group_ring_and_one_stops_when_the_other_answers(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")

    call = sandbox.call(TO_QUEUE)
    ana.rings()
    luis.rings()
    luis.answer()

    ana.says("ended-taken")
    ana.rings_not()
    ana.presence("AVAILABLE")
    luis.presence("ON_CALL")
    sandbox.hang_up(call)
    luis.presence("AVAILABLE")


def test_one_agent_declines_and_the_other_rings_on(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")

    call = sandbox.call(TO_QUEUE, caller=PAUL)
    ana.rings()
    luis.rings()
    ana.button("decline").click()
    ana.says("ended-declined")

    luis.rings()
    assert sandbox.see(call)["is_live"]
    assert "ring" in str(sandbox.see(call)["hears"]).lower()
    luis.answer()
    call_of_paul = luis.call_from(PAUL)
    assert call_of_paul is not None
    kinds = {event["kind"] for event in luis.api(f"/api/calls/{call_of_paul['id']}")["events"]}
    assert "offer.declined" in kinds
    luis.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_the_caller_hangs_up_and_the_phone_falls_silent(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")

    call = sandbox.call(TO_ANA, caller=OMAR)
    ana.rings()
    sandbox.hang_up(call)

    ana.rings_not()
    ana.presence("AVAILABLE")
    told = wait_for("the end in the history", lambda: _completed(ana, OMAR))
    assert told["outcome"] == "abandoned"


def _completed(desk: Desk, caller: str) -> dict[str, str] | None:
    newest = desk.call_from(caller)
    return newest if newest and newest["status"] == "completed" else None


def test_nobody_answers_and_the_message_can_be_played(sit: Sit, sandbox: Sandbox) -> None:
    eva = sit("eva", ready=False)
    eva.page.goto("/")
    sandbox.post(f"agents/{FALLBACK}", decline_after_ms=200)

    call = sandbox.call(TO_COMPANY, caller=ROSA, script=[{"tone": CALLER_HZ}, {"wait_s": 10}, {"hangup": True}])

    wait_for("the message to end", lambda: sandbox.is_over(call), within_s=25)
    sandbox.delete(f"agents/{FALLBACK}")
    expect(eva.row_of(ROSA).locator("[data-play]")).to_be_visible(timeout=15_000)
    told = eva.call_from(ROSA)
    assert told is not None
    assert (told["outcome"], told["recordings"][0]["kind"]) == ("voicemail", "voicemail")


def test_walking_from_page_to_page_never_drops_the_call(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA, script=[{"tone": CALLER_HZ}])
    ana.rings()
    ana.answer()

    for href in ("/calls/", "/", "/calls/"):
        ana.page.locator(f'header a[href="{href}"]').first.click()
        ana.page.wait_for_url(f"**{href}")
        ana.says("talking")

    assert ana.hears()["hz"] == pytest.approx(CALLER_HZ, abs=12)
    assert sandbox.see(call)["is_live"]
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_play_appears_with_the_socket_down(sit: Sit, sandbox: Sandbox, stack: Stack) -> None:
    ana = sit("ana")
    stack.stop("live")
    try:
        call = sandbox.call(TO_ANA, caller=LENA, script=[{"tone": CALLER_HZ}])
        ana.rings()
        ana.answer()
        ana.end()
        wait_for("the end of the call", lambda: sandbox.is_over(call))

        expect(ana.row_of(LENA).locator("[data-play]")).to_be_visible(timeout=20_000)
    finally:
        stack.start("live")


def test_a_second_tab_is_a_mirror_until_it_takes_the_phone(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    second = ana.another_tab()
    second.says("tab")

    second.button("use.here").click()

    second.wait_ready()
    ana.says("tab")
    call = sandbox.call(TO_ANA)
    second.rings()
    ana.rings_not()
    sandbox.hang_up(call)


def test_another_computer_is_a_mirror_until_it_takes_the_phone(sit: Sit, sandbox: Sandbox) -> None:
    office = sit("ana")
    home = sit("ana", ready=False)
    home.says("elsewhere")

    home.button("use.here").click()

    home.wait_ready()
    office.says("elsewhere")
    call = sandbox.call(TO_ANA)
    home.rings()
    office.rings_not()
    sandbox.hang_up(call)


def test_a_browser_that_dies_is_rung_no_more(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis = sit("ana"), sit("luis")
    ana.page.context.close()

    call = wait_for("a call that rings only Luis", lambda: _rings_only(luis, sandbox), within_s=45)

    sandbox.hang_up(call)


def _rings_only(desk: Desk, sandbox: Sandbox) -> str | None:
    call = sandbox.call(TO_COMPANY)
    desk.rings()
    if sum(leg["parent"] is not None for leg in sandbox.see(call)["legs"]) == 1:
        return call
    sandbox.hang_up(call)
    desk.rings_not()
    desk.presence("AVAILABLE")
    return None


def test_a_refused_microphone_is_said_and_nobody_is_rung(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana", ready=False, permissions=[])
    ana.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    ana.page.reload()

    ana.take_phone(until="microphone-refused")

    ana.presence("NO_DEVICE")
    call = sandbox.call(TO_ANA, script=[{"wait_s": 1}, {"hangup": True}])
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    assert [leg["to"] for leg in sandbox.see(call)["legs"][1:]] == [FALLBACK]


def test_the_server_is_away_and_end_still_ends_the_call(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA)
    ana.rings()
    ana.answer()
    ana.page.route("**/api/webrtc/server-hangup", lambda route: route.abort())

    ana.end()

    wait_for("the end of the call", lambda: sandbox.is_over(call))
    ana.presence("AVAILABLE")


def test_a_call_survives_two_reloads_with_sound_and_with_its_name(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA, caller=MARTA, name="Marta Ruiz", script=[{"tone": CALLER_HZ}])
    ana.rings()
    ana.answer()

    for _ in range(2):
        ana.page.reload()
        ana.says("talking")
        expect(ana.phone).to_contain_text("Marta Ruiz")

    assert ana.hears()["hz"] == pytest.approx(CALLER_HZ, abs=12)
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))
