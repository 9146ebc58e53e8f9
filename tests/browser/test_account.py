"""The Telnyx account in a browser: a number repointed in the portal, a credential renewed, an agent switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import expect

from curbe.dev.stack import Stack
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

#: Of the demo company: leads to ana.
TO_ANA = "+13055550101"
CALLER = "+13055551177"

Sit = Callable[..., Desk]


@pytest.fixture
def owner(sit: Sit) -> Desk:
    desk = sit("olga", ready=False)
    desk.page.goto("/account/")
    return desk


@pytest.fixture
def ana_answers_again(stack: Stack) -> Iterator[None]:
    yield
    _switch(stack, on=True)


def test_a_number_that_somebody_repointed_is_found_repaired_and_rings_again(
    sit: Sit, owner: Desk, sandbox: Sandbox
) -> None:
    ana, main = sit("ana"), owner.page.locator("main")
    connections = requests.get(
        f"{sandbox.url}/v2/credential_connections", headers={"Authorization": "Bearer test"}, timeout=10
    ).json()["data"]
    sandbox.post("numbers", e164=TO_ANA, connection_id=connections[0]["id"])

    main.locator("form[action='/account/check/'] button").click()
    line = main.locator(".finding--wrong", has_text="305-555-0101")
    expect(line).to_be_visible(timeout=30_000)
    line.get_by_role("button").click()

    expect(main.locator(".said--success")).to_contain_text("305-555-0101")
    expect(line).to_have_count(0)
    expect(main.get_by_role("table").last).to_contain_text("Olga")
    call = sandbox.call(TO_ANA, caller=CALLER)
    ana.rings()
    sandbox.hang_up(call)


def test_a_renewed_credential_cuts_the_old_computer_off_and_rings_where_she_logs_in(
    sit: Sit, owner: Desk, sandbox: Sandbox
) -> None:
    lost, main = sit("ana"), owner.page.locator("main")
    before = _registered(sandbox, "curbe-agent-1-")
    renew = main.locator("tr", has_text="Ana").locator("form[action$='/renew/'] button")
    main.locator("section[aria-labelledby=credentials-title] summary").click()

    renew.click()

    expect(main.locator(".said--success")).to_contain_text("Ana")
    lost.says("signed-out")
    lost.page.reload()
    lost.page.wait_for_url("**/login/**")
    ana = sit("ana")
    now = wait_for("the phone to register", lambda: _registered(sandbox, "curbe-agent-1-"))
    assert not now & before
    call = sandbox.call(TO_ANA, caller=CALLER)
    ana.rings()
    sandbox.hang_up(call)


def test_who_is_switched_off_is_logged_out_of_the_phone_and_cannot_come_back(
    sit: Sit, stack: Stack, sandbox: Sandbox, ana_answers_again: None
) -> None:
    ana = sit("ana")

    _switch(stack, on=False)

    ana.says("signed-out")
    wait_for("the credential to be gone", lambda: not _registered(sandbox, "curbe-agent-1-"), within_s=30)
    credentials = sandbox.get("state")["credentials"]
    assert not [one for one in credentials if one["name"].startswith("curbe-agent-1-")]


def _switch(stack: Stack, *, on: bool) -> None:
    """Switch ana on or off as the operator does, by saving her row."""
    ana = "from agents.models import Agent; ana = Agent.objects.get(user__username='ana')"
    stack.manage("shell", "-c", f"{ana}; ana.is_active = {on}; ana.save()", capture=True)


def _registered(sandbox: Sandbox, name: str) -> set[str]:
    """Return the SIP user names under which browsers of such credentials are registered."""
    seats = sandbox.get("state")["registrations"]
    return {seat["sip_username"] for seat in seats if seat["name"].startswith(name)}
