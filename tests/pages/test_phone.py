"""``/``: the phone, and today's calls beside it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curbe.companies.models import Company, User
from tests.pages.people import answered_call, html, looking, words


def test_an_agent_has_a_phone_with_what_it_needs_to_connect(acme: Company, bob: User) -> None:
    page = html(looking(bob).get("/"))

    assert f'data-agent="{bob.agents.get().pk}"' in page
    assert f'data-company="{acme.public_id}"' in page
    assert "vendor/telnyx-webrtc/bundle.js" in page


def test_a_supervisor_has_pages_but_no_phone(acme: Company, sam: User) -> None:
    page = html(looking(sam).get("/"))

    assert 'id="phone"' not in page
    assert "telnyx-webrtc" not in page


def test_an_agent_of_another_company_has_no_phone_here(acme: Company, elsewhere: Company, mallory: User) -> None:
    from tests import cast

    cast.make_membership(acme, mallory)
    browser = looking(mallory)
    browser.post("/company/", {"company": acme.public_id})

    assert 'id="phone"' not in html(browser.get("/"))


def test_the_empty_day_says_what_happens_next(bob: User, sam: User) -> None:
    assert "Leave the phone on Available" in words(looking(bob).get("/"))
    assert "appears here by itself" in words(looking(sam).get("/"))


def test_today_begins_at_midnight_of_the_companys_own_clock(acme: Company, sam: User) -> None:
    zone = ZoneInfo("America/New_York")
    midnight = datetime.combine(timezone.now().astimezone(zone).date(), datetime.min.time(), tzinfo=zone)
    before = answered_call(acme, started_at=midnight - timedelta(seconds=1))
    after = answered_call(acme, started_at=midnight)
    page = html(looking(sam).get("/"))

    assert f"call-{after.id}" in page
    assert f"call-{before.id}" not in page
    assert ">00:00<" in page.replace("</span> 00:00", ">00:00")


def test_todays_calls_are_not_looked_for_among_all_that_ever_were(acme: Company, sam: User) -> None:
    """Newest first, and none today: without a bound on the key all of them would be read to find that out."""
    browser = looking(sam)
    with CaptureQueriesContext(connection) as asked:
        browser.get("/")

    listed = [query["sql"] for query in asked if 'FROM "telephony_call"' in query["sql"] and "LIMIT 30" in query["sql"]]
    assert len(listed) == 1
    assert '"telephony_call"."id" >= ' in listed[0]


def test_nothing_on_the_page_needs_a_weaker_content_policy(bob: User) -> None:
    response = looking(bob).get("/")
    policy = response["Content-Security-Policy"]
    page = html(response)

    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert " style=" not in page
    assert " onclick=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=")


def test_the_phone_opens_on_nothing_but_its_state(bob: User) -> None:
    page = html(looking(bob).get("/"))

    for closed in ("dial", "transfer", "keypad", "gate"):
        assert re.search(rf'<(section|div) id="{closed}"[^>]* hidden>', page), closed
    assert re.search(r"<form class=\"wrap-up\"[^>]* hidden>", page)


@pytest.mark.parametrize(
    "button",
    [
        *("answer", "decline", "end", "mute", "hold", "dial.toggled", "gate.tone", "gate.heard", "gate.unheard"),
        *("gate.notify", "gate.toggled", "intent.taken-back", "keys"),
    ],
)
def test_every_button_is_there_and_says_its_verb(bob: User, button: str) -> None:
    page = html(looking(bob).get("/"))

    found = re.search(rf'<button[^>]*data-phone="{re.escape(button)}"[^>]*>(.*?)</button>', page, re.DOTALL)
    assert found is not None
    assert re.sub(r"<[^>]+>", " ", found[1]).strip()


def test_every_field_of_the_phone_has_a_label(bob: User) -> None:
    page = html(looking(bob).get("/"))
    phone = page[page.index('<aside id="phone"') : page.index("</aside>")]

    for field in re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', phone):
        assert f'for="{field}"' in phone, field


def test_the_check_of_the_devices_offers_no_way_around_the_microphone(bob: User) -> None:
    page = html(looking(bob).get("/"))
    microphone = page[page.index('data-check="microphone"') : page.index('data-check="sound"')]

    assert "<button" not in microphone


def test_a_customers_number_is_a_link_that_calls_it(acme: Company, bob: User) -> None:
    answered_call(acme, bob.agents.get(), from_number="+13055551234")
    page = html(looking(bob).get("/"))

    assert '<a class="number" href="tel:+13055551234" data-dial-number="+13055551234"' in page


def test_a_withheld_number_is_no_link(acme: Company, bob: User) -> None:
    answered_call(acme, bob.agents.get(), from_number="anonymous")

    assert "data-dial-number" not in html(looking(bob).get("/"))


def test_a_call_out_is_told_by_whom_it_called(acme: Company, bob: User) -> None:
    call = answered_call(
        acme, bob.agents.get(), direction="outbound", from_number="+13055550101", to_number="+13055559001"
    )
    browser = looking(bob)

    assert 'data-dial-number="+13055559001"' in html(browser.get(f"/calls/{call.id}/row"))
    assert "called +1 305-555-9001" in words(browser.get(f"/calls/{call.id}/row"))
    assert "+1 305-555-9001 Shown +1 305-555-0101" in words(browser.get(f"/phone/incoming/{call.id}"))
