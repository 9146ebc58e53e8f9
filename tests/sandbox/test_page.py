"""The sandbox's own page in a real browser: a person calls, watches, makes trouble, and hangs up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.sandbox.house import House, told

pytestmark = pytest.mark.browser


@asynccontextmanager
async def page_of(home: House, *, width: int = 1280, wanted_error: str = "") -> AsyncIterator[Page]:
    """The page, open; an error on its console that is not the wanted one fails the test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": width, "height": 800})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        await page.goto(home.world.origin)
        yield page
        await browser.close()
        assert [problem for problem in problems if not wanted_error or wanted_error not in problem] == []


def test_a_person_calls_watches_and_hangs_up(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("Ana Gómez", status_callback="/app")
        home.curbe.answers["/voice"] = [f'<Dial action="/done">{home.sip("Ana Gómez")}</Dial>']
        home.curbe.answers["/done"] = ["<Hangup/>"]
        async with page_of(home) as page:
            await page.get_by_role("button", name="Stand in").click()
            await expect(page.locator("#registrations")).to_contain_text("answers after 1.5 s")
            await page.get_by_label("Name").fill("Zoë <b>Díaz</b>")
            await page.get_by_role("button", name="Call", exact=True).click()

            line = page.locator("#calls > li")
            await expect(line).to_contain_text("Zoë <b>Díaz</b>")
            await expect(line).to_contain_text("hears Ana Gómez", timeout=8000)
            await line.locator("button.line").click()
            await expect(line).to_contain_text("+12125550142 → Ana Gómez")
            await line.locator("summary", has_text="instruction").first.click()
            await expect(line.locator("pre").first).to_contain_text('<Dial action="/done">')
            await expect(line.locator("dl").first).to_contain_text("CallingPartyType")
            await line.get_by_role("button", name="5", exact=True).click()
            await line.get_by_role("button", name="Hang up").click()
            await expect(line.locator(".how").first).to_contain_text("completed")
            await expect(page.locator("#end-all")).to_be_hidden()
        await home.until_quiet()

    told(tmp_path, story)


def test_what_is_refused_stands_there_in_words(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ["<Dial><Client>ana</Client></Dial>"]
        async with page_of(home, width=390, wanted_error="422") as page:
            await page.get_by_label("Number", exact=True).fill("+13055550999")
            await page.get_by_role("button", name="Call", exact=True).click()
            await expect(page.locator("#call-problem")).to_contain_text("is not a number of this account")

            await home.call(hold_line_s=0.5)
            await expect(page.locator("#errors")).to_contain_text("<Dial> cannot hold <Client>")
            assert await page.evaluate("document.documentElement.scrollWidth") == 390

    told(tmp_path, story)


def test_switches_set_on_the_page_or_elsewhere_show_the_same(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        async with page_of(home) as page:
            await page.get_by_label("Send every webhook twice").check()
            await page.get_by_label("API refuses").select_option("429")
            await home.until(lambda: home.world.trouble.switches.refuse_api == "429")
            assert home.world.trouble.switches.duplicate is True

            await home.control("POST", "/trouble", {"all_off": True, "shuffle": True})
            await expect(page.get_by_label("Shuffle notifications")).to_be_checked()
            await expect(page.get_by_label("Send every webhook twice")).not_to_be_checked()
            await page.get_by_role("button", name="All off").click()
            await home.until(lambda: home.world.trouble.switches.shuffle is False)

    told(tmp_path, story)
