"""Who may not hear a recording: a stranger, an agent whose call it is not, and nobody; and who may only hear it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from curbe.dev.stack import Stack
from tests.browser.people import PASSWORD, Desk
from tests.browser.sandbox import Sandbox, wait_for
from tests.browser.test_player import a_recorded_call, at_s

pytestmark = pytest.mark.browser

IVO = "+13055551103"
STRANGER = f"""
from curbe.companies.models import Company, Membership, User
company, _ = Company.objects.get_or_create(slug="otra", defaults={{"name": "Otra"}})
if not User.objects.filter(username="mallory").exists():
    user = User.objects.create_user("mallory", password="{PASSWORD}", name="Mallory")
    Membership.objects.create(company=company, user=user, role="owner")
"""


def test_a_stranger_gets_404_an_agent_of_other_calls_403_and_nobody_the_log_in_page(
    sit: Callable[..., Desk], sandbox: Sandbox, stack: Stack, context: Callable[..., BrowserContext]
) -> None:
    ana = sit("ana")
    a_recorded_call(ana, sandbox, IVO)
    expect(ana.row_of(IVO).locator("[data-play]")).to_be_visible(timeout=15_000)
    call = ana.call_from(IVO)
    assert call is not None
    recording = call["recordings"][0]["id"]
    link = f"/calls/{call['id']}/?t=1&recording={recording}"
    addresses = [f"/api/recordings/{recording}/{what}" for what in ("audio", "player", "waveform")]

    # 1. Ana, whose call it is, hears it, and is offered no file; asked for by hand it is refused.
    assert [ana.page.request.get(address).status for address in addresses[:2]] == [200, 200]
    assert ana.page.request.get(f"{addresses[0]}?download=1").status == 403

    # 2. Luis is an agent too, and it is not his call: the link gives him no sound.
    luis = sit("luis", ready=False)
    assert [luis.page.request.get(address).status for address in addresses] == [403, 403, 403]
    luis.page.goto(link)
    expect(luis.page.locator("#call-page")).to_be_visible()
    luis.page.wait_for_load_state("networkidle")
    expect(luis.page.locator("#player audio[src]")).to_have_count(0)

    # 3. Mallory belongs elsewhere: there is no such call, and no such recording.
    stack.manage("shell", "-c", STRANGER, capture=True)
    mallory = Desk.log_in(context(), "mallory")
    answer = mallory.page.goto(link)
    assert answer is not None
    assert answer.status == 404
    assert [mallory.page.request.get(address).status for address in addresses] == [404, 404, 404]

    # 4. Nobody is asked to log in, and comes to the moment that the link names when he has.
    nobody = context().new_page()
    assert [nobody.request.get(address).status for address in addresses] == [401, 401, 401]
    nobody.goto(link)
    nobody.wait_for_url("**/login/**")
    nobody.locator("input[name=username]").fill("ana")
    nobody.locator("input[name=password]").fill(PASSWORD)
    nobody.locator("input[name=password]").press("Enter")
    expect(nobody.locator("#player")).to_be_visible()
    wait_for("the moment of the link", lambda: at_s(nobody) == pytest.approx(1, abs=0.3))
