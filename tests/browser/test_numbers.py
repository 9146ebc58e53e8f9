"""The owner buys a number of the pretend Telnyx, gives it to a queue, and calls ring the right browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

CALLER, NUISANCE = "+13055551121", "+13055551122"

Sit = Callable[..., Desk]


def buy(page: Page, *, area_code: str, amount: int = 1) -> list[str]:
    """Search, tick the first numbers, and buy them; return them as E.164 once the page shows all of them as bought."""
    page.goto("/numbers/buy/")
    page.locator("form.search input[name=area_code]").fill(area_code)
    page.locator("form.search button").click()
    ticks = page.locator("[data-tick]")
    expect(ticks.first).to_be_visible()
    for place in range(amount):
        ticks.nth(place).check()
    expect(page.locator("[data-basket-count]")).to_have_text(str(amount))
    page.locator(".bulk button.button--primary").click()
    # The page refetches itself: nobody reloads it.
    expect(page.locator("#orders .badge--good")).to_have_count(amount, timeout=20_000)
    expect(page.locator("progress")).to_have_attribute("value", str(amount))
    return [digits(row) for row in page.locator("#orders tbody th").all()]


def make_queue(page: Page, name: str, member: str) -> None:
    """Make a queue in which one person answers."""
    page.goto("/queues/new/")
    page.locator(".editor input[name$=name]").fill(name)
    page.locator(".rows", has=page.locator("[name=members-TOTAL_FORMS]")).locator("[data-rows-add]").click()
    choose(page.locator("[data-rows-list] select[name$=agent]").last, member)
    page.locator(".editor__actions button.button--primary").click()
    expect(page.locator(".said--success")).to_be_visible()


def choose(select: Locator, text: str) -> None:
    """Choose the option that has this text in it."""
    value = select.locator("option", has_text=text).first.get_attribute("value")
    select.select_option(value)


def digits(shown: Locator) -> str:
    return "+" + re.sub(r"\D", "", shown.inner_text())


def test_a_number_is_bought_given_to_a_queue_and_rings_there(sit: Sit, sandbox: Sandbox) -> None:
    ana, luis, olga = sit("ana"), sit("luis"), sit("olga", ready=False)
    page = olga.page

    make_queue(page, "norte", "Luis")
    (number,) = buy(page, area_code="407")
    page.goto(f"/numbers/?q={number[1:]}")
    page.locator("[data-tick]").check()
    choose(page.locator(".bulk select[name=leads_to]"), "norte")
    page.locator(".bulk button.button--primary").click()
    expect(page.locator(".said--success")).to_be_visible()
    expect(page.locator("tbody tr")).to_contain_text("norte")
    call = sandbox.call(number, caller=CALLER, script=[{"tone": 440}])

    luis.rings()
    ana.rings_not()
    luis.answer()
    assert luis.hears()["hz"] == pytest.approx(440, abs=12)
    luis.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))


def test_a_caller_who_is_blocked_on_his_calls_page_rings_nobody_any_more(sit: Sit, sandbox: Sandbox) -> None:
    ana, olga = sit("ana"), sit("olga", ready=False)
    page = olga.page
    call = sandbox.call("+13055550101", caller=NUISANCE)
    ana.rings()
    sandbox.hang_up(call)
    wait_for("the call on the list", lambda: olga.call_from(NUISANCE))
    told = olga.call_from(NUISANCE)
    assert told is not None
    page.goto(f"/calls/{told['id']}/")

    page.locator("form[action$='/block/'] button").click()
    expect(page.locator(".said--success")).to_be_visible()
    again = sandbox.call("+13055550101", caller=NUISANCE)

    wait_for("the rejection", lambda: sandbox.is_over(again))
    ana.rings_not()
    page.goto("/numbers/blocked/")
    page.locator("form[action$='/remove/'] button").click()
    expect(page.locator(".empty")).to_be_visible()


def test_a_number_is_released_once_it_is_typed(sit: Sit, sandbox: Sandbox) -> None:
    olga = sit("olga", ready=False)
    page = olga.page
    (number,) = buy(page, area_code="312")
    page.locator("#orders tbody th a").click()
    page.locator("a[href$='/release/']").click()

    page.locator("input[name=typed]").fill("+13055550100")
    page.locator("form.sheet button.button--danger").click()
    expect(page.locator(".entry__errors")).to_be_visible()
    page.locator("input[name=typed]").fill(number)
    page.locator("form.sheet button.button--danger").click()

    expect(page.locator(".said--success")).to_be_visible()
    assert number not in [row["e164"] for row in sandbox.get("state")["numbers"]]
