"""The owner edits a queue, reads what a call would meet, calls, and it is so; callers wait and menus branch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.browser

TO_QUEUE = "+13055550100"
TO_MENU = "+13055550104"
EDITED, WAITER, TALKER, PRESSER = (f"+1305555110{number}" for number in range(1, 5))

Sit = Callable[..., Desk]


class Editor:
    """The owner at the page of one queue."""

    def __init__(self, desk: Desk, queue: str) -> None:
        self.desk = desk
        self.page = desk.page
        self.page.goto("/queues/")
        self.page.locator("main").get_by_role("link", name=queue, exact=True).first.click()
        expect(self.page.locator("main h1")).to_have_text(queue)

    def choose(self, strategy: str) -> None:
        self.page.locator("select[name$=strategy]").select_option(strategy)

    def save(self) -> None:
        self.page.locator(".editor__actions button.button--primary").click()
        expect(self.page.locator(".said")).to_be_visible()


@pytest.fixture
def ventas(sit: Sit) -> Iterator[Editor]:
    """The owner at the queue of the demo company's first number; it is as it was afterwards."""
    editor = Editor(sit("olga", ready=False), "ventas")
    yield editor
    editor = Editor(editor.desk, "ventas")
    editor.choose("ring_all")
    editor.save()


def test_the_owner_edits_a_queue_and_a_call_meets_what_the_preview_promised(
    sit: Sit, sandbox: Sandbox, ventas: Editor
) -> None:
    ana, luis = sit("ana"), sit("luis")
    preview = ventas.page.locator("#preview")

    ventas.choose("priority")

    expect(preview.locator(".badge--note")).to_be_visible()
    expect(preview.locator(".preview__decision")).to_contain_text("Ana Gómez")
    expect(preview.locator(".preview__decision")).not_to_contain_text("Luis")
    call = sandbox.call(TO_QUEUE, caller=EDITED)
    luis.rings()
    ana.rings()
    sandbox.hang_up(call)
    ana.rings_not()
    ana.presence("AVAILABLE")
    luis.presence("AVAILABLE")

    ventas.save()
    call = sandbox.call(TO_QUEUE, caller=EDITED)
    ana.rings()
    assert [leg["parent"] is not None for leg in sandbox.see(call)["legs"]].count(True) == 1
    luis.rings_not()
    ana.answer()
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))

    told = ana.call_from(EDITED)
    assert told is not None
    trace = ana.api(f"/api/calls/{told['id']}/trace")
    (offer,) = trace["steps"][0]["offers"]
    assert (offer["agent"]["name"], offer["strategy"], offer["outcome"]) == ("Ana Gómez", "priority", "answered")
    assert [visit["outcome"] for visit in trace["visits"]] == ["answered"]
    ventas.page.goto(f"/calls/{told['id']}/")
    expect(ventas.page.locator(".story")).to_contain_text("Ana Gómez")
    expect(ventas.page.locator(".story")).to_contain_text("Luis Pérez")


def test_who_waits_in_the_queue_rings_as_soon_as_an_agent_is_free(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")
    talk = sandbox.call("+13055550101", caller=TALKER)
    ana.rings()
    ana.answer()

    waiting = sandbox.call(TO_QUEUE, caller=WAITER, script=[{"tone": 440}])
    wait_for("music in the caller's ear", lambda: _waits(ana, WAITER))
    assert sandbox.see(waiting)["is_live"]
    ana.end()
    wait_for("the end of the talk", lambda: sandbox.is_over(talk))

    ana.rings()
    expect(ana.phone).to_contain_text("+1 305-555-1102")
    ana.answer()
    assert ana.hears()["hz"] == pytest.approx(440, abs=12)
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(waiting))
    told = ana.call_from(WAITER)
    assert told is not None
    assert [visit["outcome"] for visit in ana.api(f"/api/calls/{told['id']}/trace")["visits"]] == ["answered"]


def _waits(desk: Desk, caller: str) -> bool:
    told = desk.call_from(caller)
    if told is None:
        return False
    steps = desk.api(f"/api/calls/{told['id']}/trace")["steps"]
    return bool(steps) and steps[-1]["decision"]["verb"] == "wait"


def test_a_digit_in_the_menu_leads_to_the_queue(sit: Sit, sandbox: Sandbox) -> None:
    ana = sit("ana")

    call = sandbox.call(TO_MENU, caller=PRESSER, script=[{"until_hears": "ventas"}, {"digits": "1"}, {"tone": 440}])

    ana.rings()
    ana.answer()
    ana.end()
    wait_for("the end of the call", lambda: sandbox.is_over(call))
    told = ana.call_from(PRESSER)
    assert told is not None
    verbs = [step["decision"]["verb"] for step in ana.api(f"/api/calls/{told['id']}/trace")["steps"]]
    assert verbs[:2] == ["gather", "ring"]


def test_a_call_that_has_not_happened_is_explained_on_its_page(sit: Sit) -> None:
    olga = sit("olga", ready=False)
    olga.page.goto("/routing/explain/")

    olga.page.locator("form.explain select[name$=to]").select_option("+13055550103")
    olga.page.locator("form.explain button").click()

    expect(olga.page.locator(".preview__decision")).to_contain_text("sin asignar")
