"""A recording is played by who may hear it, and by nobody else: an agent, a supervisor of another team, a stranger,
nobody."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from curbe.dev.stack import Stack
from tests.browser.people import PASSWORD, Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_ANA = "+13055550101"
NORA = "+13055553301"
OTHER_COMPANY = """\
company: {slug: otra, name: Otra Casa, language: es}
users:
  - {username: max, name: Max Otero, email: max@otra.test, role: owner}
"""
Context = Callable[..., BrowserContext]
Sit = Callable[..., Desk]


@pytest.fixture
def stranger(stack: Stack, context: Context, tmp_path: Path) -> Page:
    """The page of somebody who owns another company; he came by his invitation."""
    file = tmp_path / "otra.yaml"
    file.write_text(OTHER_COMPANY, encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "manage.py", "company_import", str(file)],
        env=dict(stack.env),
        cwd=Path(__file__).resolve().parents[2],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    page = context().new_page()
    if invitation := re.search(r"max: (\S+/invitation/\S+)", told):
        page.goto(invitation[1])
        page.locator("[name=new_password1]").fill(PASSWORD)
        page.locator("[name=new_password2]").fill(PASSWORD)
        page.locator("[name=new_password2]").press("Enter")
        page.wait_for_url(lambda url: "/invitation/" not in url)
    return page


@pytest.fixture
def olga(sit: Sit) -> Iterator[Desk]:
    """The owner, who leaves the company without teams, as it was."""
    olga = sit("olga", ready=False)
    yield olga
    page = olga.page
    page.goto("/teams/")
    while page.locator("a.plan-table__name").count():
        page.locator("a.plan-table__name").first.click()
        page.locator(".plain-details summary").last.click()
        page.locator(".plain-details .button--danger").last.click()
        page.wait_for_url("**/teams/")


def make_team(olga: Desk, name: str, *people: str) -> None:
    page = olga.page
    page.goto("/teams/new/")
    page.locator("#id_name").fill(name)
    for person in people:
        page.locator("[data-rows-add]").click()
        page.locator("[data-rows-list] [data-row]:last-child select").select_option(label=person)
    page.locator(".editor__actions .button--primary").click()
    page.wait_for_url("**/teams/")
    expect(page.locator("#main")).to_contain_text(name)


def asked(page: Page, path: str) -> int:
    return page.request.get(path, max_redirects=0).status


def test_each_hears_what_is_his(sit: Sit, sandbox: Sandbox, olga: Desk, stranger: Page, context: Context) -> None:
    ana, luis, eva = sit("ana"), sit("luis", ready=False), sit("eva", ready=False)
    olga.page.goto("/teams/")
    expect(olga.page.locator(".empty")).to_be_visible()
    make_team(olga, "Norte", "Ana Gómez · Agente")
    make_team(olga, "Sur", "Luis Pérez · Agente", "Eva Ríos · Supervisor")
    # 1. Ana talks. Her Play comes by itself; where the others look, the row says only that there is a recording.
    call = sandbox.call(TO_ANA, caller=NORA, name="Nora Gil", script=[{"tone": 440}])
    ana.rings()
    ana.answer()
    ana.hears(2_000)
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    found = ana.call_from(NORA)
    assert found is not None
    expect(ana.row_of(NORA).locator("[data-play]")).to_be_visible(timeout=15_000)
    for desk in (luis, eva):
        expect(desk.row_of(NORA).locator(".calls__private")).to_be_visible(timeout=15_000)
        expect(desk.row_of(NORA).locator("[data-play]")).to_have_count(0)
    page = f"/calls/{found['id']}/"
    audio = ana.row_of(NORA).locator("[data-play]").get_attribute("data-play") or ""
    for desk, may in ((ana, True), (luis, False), (eva, False), (olga, True)):
        desk.page.goto("/calls/")
        row = desk.row_of(NORA)
        expect(row.locator("[data-play]")).to_have_count(int(may))
        expect(row.locator(".calls__private")).to_have_count(int(not may))
        desk.page.goto(page)
        expect(desk.page.locator(f'[data-play="{audio}"]')).to_have_count(int(may))

    # 2. The addresses say the same to each.
    assert asked(ana.page, audio) == 200
    assert asked(luis.page, audio) == 403
    assert asked(eva.page, audio) == 403
    assert asked(stranger, audio) == 404
    assert asked(stranger, page) == 404
    nobody = context().new_page()
    assert asked(nobody, audio) == 401
    nobody.goto(page)
    expect(nobody).to_have_url(re.compile(r"/login/\?next=/calls/"))
    expect(nobody.locator("input[name=password]")).to_be_visible()

    # 3. As soon as Eva is in Ana's team she hears her.
    make_team(olga, "Noche", "Ana Gómez · Agente", "Eva Ríos · Supervisor")
    eva.page.goto("/calls/")
    eva.row_of(NORA).locator("[data-play]").click()
    expect(eva.page.locator("#player")).to_be_visible()
    wait_for("the player to play", lambda: eva.page.evaluate("document.querySelector('#player audio').currentTime") > 0)
    assert asked(eva.page, audio) == 200
