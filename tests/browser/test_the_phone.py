"""What people do to a phone without thinking: click twice, log out elsewhere, close the wrong tab."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Route, expect

from curbe.dev.stack import Stack
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_ANA = "+13055550101"
LINA = "+13055551006"
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


def test_a_mirror_takes_over_and_ends_the_call_when_the_tab_that_talked_closes(sit: Sit, sandbox: Sandbox) -> None:
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
    holder = wait_for("a tab that offers the end", lambda: _who_may_end(mirrors), within_s=15)
    assert sandbox.see(call)["is_live"]
    holder.button("end.held").focus()
    holder.page.keyboard.press("Enter")
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    holder.presence("AVAILABLE")
    holder.says("ready")


def _who_may_end(mirrors: list[Desk]) -> Desk | None:
    return next((mirror for mirror in mirrors if mirror.button("end.held").is_visible()), None)


def test_taking_the_phone_is_tried_again_until_the_server_grants_it(sit: Sit, sandbox: Sandbox) -> None:
    office = sit("ana")
    home = sit("ana", ready=False)
    home.says("elsewhere")
    failures = iter([502, 503])

    def refuse(route: Route) -> None:
        status = next(failures, None)
        if status is None:
            route.continue_()
        else:
            route.fulfill(status=status, json={"error": "not now"})

    home.page.route("**/api/webrtc/token", refuse)
    home.button("use.here").click()

    home.says("server-away")
    home.says("no-credential")
    home.wait_ready()
    office.says("elsewhere")


def test_a_page_that_does_not_come_is_said_and_can_be_tried_again(sit: Sit) -> None:
    ana = sit("ana")
    ana.page.route("**/calls/", lambda route: route.abort())

    ana.page.locator('nav a[href="/calls/"]').click()

    expect(ana.page.locator('[data-notice="pageAway"]')).to_be_visible()
    assert ana.page.url.endswith("/")
    ana.says("ready")
    ana.page.unroute("**/calls/")
    ana.page.locator("[data-notice-again]").click()
    ana.page.wait_for_url("**/calls/")
    expect(ana.page.locator("#notice")).to_be_hidden()


def test_what_a_proxy_says_in_the_servers_place_does_not_take_the_page_away(sit: Sit) -> None:
    ana = sit("ana")
    ana.page.route("**/calls/", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))

    ana.page.locator('nav a[href="/calls/"]').click()

    expect(ana.page.locator('[data-notice="pageAway"]')).to_be_visible()
    expect(ana.page.locator("#main #todays-calls")).to_be_visible()


def test_a_walk_arrives_though_the_list_with_its_link_was_fetched_anew_meanwhile(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    sandbox.hang_up(sandbox.call(TO_ANA, caller=LINA))
    wait_for("the call in the list", lambda: ana.call_from(LINA))
    ana.page.goto("/")
    held: list[Route] = []
    ana.page.route(re.compile(r"/calls/[0-9a-f-]+/$"), lambda route: held.append(route))

    link = ana.row_of(LINA).locator("a[href^='/calls/']")
    href = link.get_attribute("href")
    with ana.page.expect_request(f"**{href}"):
        link.click()
    with ana.page.expect_response(lambda response: response.url.endswith("/today/")):
        ana.page.evaluate("htmx.trigger('#todays-calls', 'refresh')")
    held[0].continue_()

    ana.page.wait_for_url(f"**{href}")
    expect(ana.page.locator("#call-page")).to_be_visible()
    expect(ana.page.locator("html")).not_to_have_attribute("data-busy", "")
    expect(ana.page.locator("nav [aria-current]")).to_have_count(0)


def test_a_call_with_all_its_legs_fits_a_telephone(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    sandbox.hang_up(sandbox.call(TO_ANA, caller=LINA))
    wait_for("the call in the list", lambda: ana.call_from(LINA))
    ana.page.set_viewport_size({"width": 390, "height": 844})
    call = ana.call_from(LINA)
    assert call is not None

    ana.page.goto(f"/calls/{call['id']}/")

    expect(ana.page.locator(".lines__one").first).to_be_visible()
    rights = ana.page.locator(".lines__one").evaluate_all(
        "(legs) => legs.map((one) => one.getBoundingClientRect().right)"
    )
    assert max(rights) <= 390
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_page_that_does_not_come_back_is_said_too(sit: Sit) -> None:
    ana = sit("ana")
    ana.page.locator('nav a[href="/calls/"]').click()
    ana.page.wait_for_url("**/calls/")
    home = re.compile(r"^http://[^/]+/$")
    ana.page.route(home, lambda route: route.abort())

    ana.page.evaluate("history.back()")

    expect(ana.page.locator('[data-notice="pageAway"]')).to_be_visible()
    ana.page.unroute(home)
    ana.page.locator("[data-notice-again]").click()
    expect(ana.page.locator("#todays-calls")).to_be_visible()
    expect(ana.page.locator("#notice")).to_be_hidden()


def test_a_status_chosen_in_one_tab_is_shown_in_every_other(sit: Sit) -> None:
    office = sit("ana")
    tab, home = office.another_tab(), sit("ana", ready=False)
    for mirror in (tab, home):
        expect(mirror.phone.locator("#intent")).to_have_value("AVAILABLE")

    office.phone.locator("#intent").select_option("BREAK")

    for mirror in (tab, home):
        expect(mirror.phone.locator("#intent")).to_have_value("BREAK")
        mirror.presence("BREAK")
    home.phone.locator("#intent").select_option("AVAILABLE")
    expect(office.phone.locator("#intent")).to_have_value("AVAILABLE")
    office.says("ready")


def test_the_title_rings_on_while_the_person_walks_to_another_page(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    call = sandbox.call(TO_ANA)
    ana.rings()
    rings = re.compile("^● ")
    expect(ana.page).to_have_title(rings)

    ana.page.locator('nav a[href="/calls/"]').click()
    expect(ana.page.locator("#calls")).to_be_visible()

    expect(ana.page).to_have_title(rings)
    sandbox.hang_up(call)
    expect(ana.page).to_have_title(re.compile("^(Calls|Llamadas) "))


def test_what_would_interrupt_a_call_cannot_be_pressed_during_it(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    shut = ana.page.locator("[data-unloads] button")
    call = sandbox.call(TO_ANA)
    ana.rings()
    ana.answer()

    assert shut.count() >= 3
    for index in range(shut.count()):
        expect(shut.nth(index)).to_be_disabled()
        expect(shut.nth(index)).to_have_accessible_description(re.compile("call|llamada"))
    ana.page.locator("[data-menu] summary").click()
    expect(ana.page.locator("#unloads-why")).to_be_visible()

    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    for index in range(shut.count()):
        expect(shut.nth(index)).to_be_enabled()


def test_who_did_not_respond_is_told_so_and_says_that_he_is_back(sit: Sit, sandbox: Sandbox, stack: Stack) -> None:
    ana = sit("ana")
    agent = ana.phone.get_attribute("data-agent")
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE agents_agent SET activity = 'NOT_RESPONDING' WHERE id = %s", [agent])

    ana.says("not-responding")
    ana.presence("NOT_RESPONDING")
    ana.button("i.am.back").click()

    ana.says("ready")
    ana.presence("AVAILABLE")
    call = sandbox.call(TO_ANA)
    ana.rings()
    sandbox.hang_up(call)
