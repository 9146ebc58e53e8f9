"""What people do to a phone without thinking: click twice, log out elsewhere, close the wrong tab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_ANA = "+13055550101"
Sit = Callable[..., Desk]


def test_a_double_click_on_answer_answers(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA, script=[{"tone": 440}])
    ana.rings()

    ana.button("answer").dblclick()

    ana.says("talking")
    ana.hears()
    assert sandbox.see(call)["is_live"]
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_a_double_click_on_end_ends_once(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA)
    ana.rings()
    ana.answer()
    asked: list[str] = []
    ana.page.on("request", lambda request: asked.append(request.url) if "server-hangup" in request.url else None)

    ana.button("end").dblclick()

    wait_for("the end of the call", lambda: sandbox.is_over(call))
    ana.presence("AVAILABLE")
    assert len(asked) == 1


def test_who_logs_out_in_another_tab_is_rung_no_more(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    other = ana.another_tab()
    other.says("tab")

    other.page.evaluate("document.querySelector('form[action=\"/logout/\"]').requestSubmit()")

    ana.says("signed-out")
    call = sandbox.call(TO_ANA, script=[{"wait_s": 1}, {"hangup": True}])
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    assert all("sip" not in str(leg["kind"]) for leg in sandbox.see(call)["legs"])
    ana.rings_not()


def test_a_mirror_takes_over_when_the_tab_with_the_call_closes(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA)
    ana.rings()
    ana.answer()
    mirrors = [ana.another_tab(), ana.another_tab()]
    for mirror in mirrors:
        mirror.says("tab-busy")

    ana.page.close()

    for mirror in mirrors:
        expect(mirror.phone.locator('[data-say="tab-busy"]')).to_be_hidden(timeout=15_000)
    sandbox.hang_up(call)
