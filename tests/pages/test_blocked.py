"""``/numbers/blocked/`` and "block this caller" on a call's page."""

from __future__ import annotations

import pytest

from curbe.companies.models import Company, User
from telephony.models import BlockedCaller
from telephony.operations import blocking
from tests import cast
from tests.pages.people import looking, words

CALLER = "+13055551234"


def test_a_caller_is_blocked_listed_and_let_in_again(acme: Company, sam: User) -> None:
    browser = looking(sam)

    browser.post("/numbers/blocked/", {"caller": "(305) 555-1234", "note": "Robocalls"})
    row = BlockedCaller.objects.get()
    assert (row.company, row.e164, row.note, row.blocked_by) == (acme, CALLER, "Robocalls", sam)
    assert "+1 305-555-1234 Robocalls" in words(browser.get("/numbers/blocked/"))

    browser.post(f"/numbers/blocked/{row.pk}/remove/")
    assert not BlockedCaller.objects.exists()


def test_blocking_twice_is_blocking_once(acme: Company, sam: User) -> None:
    browser = looking(sam)
    for note in ("first", "second"):
        assert browser.post("/numbers/blocked/", {"caller": CALLER, "note": note}).status_code == 302

    assert BlockedCaller.objects.get().note == "first"


def test_what_is_no_number_is_refused_at_its_field(acme: Company, sam: User) -> None:
    answer = looking(sam).post("/numbers/blocked/", {"caller": "hello"})

    assert (answer.status_code, "with its country" in words(answer)) == (422, True)


def test_a_call_page_blocks_its_caller_and_says_so(acme: Company, sam: User) -> None:
    call = cast.make_call(acme, from_number=CALLER, caller_name="Spam")
    browser = looking(sam)
    assert "Block this caller" in words(browser.get(f"/calls/{call.pk}/"))

    answer = browser.post(f"/calls/{call.pk}/block/", follow=True)

    assert BlockedCaller.objects.get().note == "Spam"
    page = words(answer)
    assert "rejected from now on" in page and "Block this caller" not in page


@pytest.mark.parametrize("from_number", ["anonymous", "", "sip:bob"])
def test_a_withheld_number_cannot_be_blocked(acme: Company, sam: User, from_number: str) -> None:
    call = cast.make_call(acme, from_number=from_number)
    browser = looking(sam)
    assert "Block this caller" not in words(browser.get(f"/calls/{call.pk}/"))

    answer = browser.post(f"/calls/{call.pk}/block/", follow=True)

    assert "nothing to block" in words(answer)
    assert not BlockedCaller.objects.exists()


def test_agents_and_strangers_block_nobody(acme: Company, bob: User, mallory: User) -> None:
    call = cast.make_call(acme, from_number=CALLER)
    row = blocking.block(acme, "+13055559999")
    assert "Block this caller" not in words(looking(bob).get(f"/calls/{call.pk}/"))
    for person, status in ((bob, 403), (mallory, 404)):
        browser = looking(person)
        assert browser.post(f"/calls/{call.pk}/block/").status_code == status
        assert browser.post(f"/numbers/blocked/{row.pk}/remove/").status_code == status
    assert looking(bob).get("/numbers/blocked/").status_code == 403
    assert "555-9999" not in words(looking(mallory).get("/numbers/blocked/"))
    assert BlockedCaller.objects.count() == 1


def test_a_wrong_method_is_refused(acme: Company, sam: User) -> None:
    call, row = cast.make_call(acme), blocking.block(acme, CALLER)

    for address in (f"/calls/{call.pk}/block/", f"/numbers/blocked/{row.pk}/remove/"):
        assert looking(sam).get(address).status_code == 405
