"""``/numbers/<id>/services/`` and ``/release/``: caller-ID name, emergency address, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from curbe.companies.models import Company, User
from telephony.models import EmergencyAddress, NumberRelease, PhoneNumber
from telephony.operations.number_chores import finish_due
from telephony.telnyx.client import get_client
from tests import cast
from tests.pages.people import looking, words
from tests.pages.plans import leads_to
from tests.sandbox_server import SandboxServer

E164 = "+13055550100"
ADDRESS = {
    "what": "emergency", "address": "", "name": "Acme Seguros", "street": "1200 Brickell Avenue", "extended": "Suite 4",
    "locality": "Miami", "area": "fl", "postal_code": "33131", "country": "US",
}  # fmt: skip


@pytest.fixture(autouse=True)
def telnyx_house(house: SandboxServer, settings: Settings) -> SandboxServer:
    settings.TELNYX_API_URL, settings.TELNYX_API_KEY = f"{house.url}/v2", "KEY_test"
    return house


@pytest.fixture
def number(acme: Company, house: SandboxServer) -> PhoneNumber:
    theirs = house.control("numbers", e164=E164)
    return cast.make_number(acme, E164, destination="company", telnyx_id=theirs["id"], label="Central")


def voice(house: SandboxServer, number: PhoneNumber) -> Any:
    return house.api("GET", f"/phone_numbers/{number.telnyx_id}/voice")["data"]


def owned(house: SandboxServer) -> list[str]:
    rows = house.api("GET", "/phone_numbers")["data"]
    return [row["phone_number"] for row in rows if row["status"] != "deleted"]


# --- Caller-ID name ------------------------------------------------------------------------------------------------


def test_a_caller_id_name_is_listed_and_taken_back(number: PhoneNumber, alice: User, house: SandboxServer) -> None:
    browser = looking(alice)
    browser.post(f"/numbers/{number.pk}/services/", {"what": "caller_name", "caller_name": " Acme  Seguros "})
    number.refresh_from_db()
    assert number.caller_name == "Acme Seguros"
    assert voice(house, number)["cnam_listing"]["cnam_listing_details"] == "Acme Seguros"

    browser.post(f"/numbers/{number.pk}/services/", {"what": "caller_name", "caller_name": ""})
    number.refresh_from_db()
    assert (number.caller_name, voice(house, number)["cnam_listing"]) == ("", {"cnam_listing_enabled": False})


@pytest.mark.parametrize(
    ("trouble", "name", "status", "said"),
    [
        ({}, "Peña", 422, "15 letters"),
        ({}, "x" * 16, 422, "15"),
        ({"refuse_api": "500"}, "Acme", 502, "Telnyx does not answer"),
        ({"refuse_api": "429"}, "Acme", 502, "Telnyx does not answer"),
    ],
)
def test_a_name_that_cannot_be_set_changes_nothing(
    number: PhoneNumber, alice: User, house: SandboxServer, trouble: dict[str, str], name: str, status: int, said: str
) -> None:
    house.trouble(**trouble)

    answer = looking(alice).post(f"/numbers/{number.pk}/services/", {"what": "caller_name", "caller_name": name})

    assert (answer.status_code, said in words(answer)) == (status, True)
    number.refresh_from_db()
    assert number.caller_name == ""


def test_a_number_that_is_not_linked_says_so(acme: Company, alice: User) -> None:
    number = cast.make_number(acme)

    answer = looking(alice).post(f"/numbers/{number.pk}/services/", {"what": "caller_name", "caller_name": "Acme"})

    assert (answer.status_code, "not linked to Telnyx" in words(answer)) == (409, True)


# --- Emergency address ---------------------------------------------------------------------------------------------


def test_an_address_is_made_once_and_used_by_several_numbers(
    number: PhoneNumber, acme: Company, alice: User, house: SandboxServer
) -> None:
    second = cast.make_number(acme, "+13055550101", telnyx_id=house.control("numbers", e164="+13055550101")["id"])
    browser = looking(alice)

    browser.post(f"/numbers/{number.pk}/services/", ADDRESS)
    address = EmergencyAddress.objects.get()
    browser.post(f"/numbers/{second.pk}/services/", {"what": "emergency", "address": address.pk})

    (made,) = house.api("GET", "/addresses")["data"]
    assert (made["id"], made["administrative_area"], made["business_name"]) == (address.telnyx_id, "FL", "Acme Seguros")
    for row in (number, second):
        row.refresh_from_db()
        assert (row.emergency_address, row.emergency_status) == (address, "provisioning")
        assert voice(house, row)["emergency"]["emergency_address_id"] == address.telnyx_id
    assert "Brickell" in words(browser.get(f"/numbers/{number.pk}/services/"))


def test_an_address_that_is_sent_twice_is_made_once(number: PhoneNumber, alice: User, house: SandboxServer) -> None:
    browser = looking(alice)

    browser.post(f"/numbers/{number.pk}/services/", ADDRESS)
    browser.post(f"/numbers/{number.pk}/services/", ADDRESS)

    assert EmergencyAddress.objects.count() == len(house.api("GET", "/addresses")["data"]) == 1


def test_the_emergency_address_is_switched_off(number: PhoneNumber, alice: User, house: SandboxServer) -> None:
    browser, page = looking(alice), f"/numbers/{number.pk}/services/"
    assert "Switch it off" not in words(browser.get(page))
    browser.post(page, ADDRESS)
    assert "Switch it off" in words(browser.get(page))

    answer = browser.post(page, {"what": "emergency_off"}, follow=True)

    number.refresh_from_db()
    assert number.emergency_status == "disabled"
    assert voice(house, number)["emergency"]["emergency_enabled"] is False
    assert "switched off" in words(answer) and "Switch it off" not in words(answer)
    # A second click finds it off.
    assert browser.post(page, {"what": "emergency_off"}).status_code == 302


def test_an_address_that_telnyx_does_not_find_is_corrected_and_not_kept(number: PhoneNumber, alice: User) -> None:
    answer = looking(alice).post(f"/numbers/{number.pk}/services/", ADDRESS | {"postal_code": "nowhere"})

    assert (answer.status_code, "postal code" in words(answer)) == (422, True)
    assert not EmergencyAddress.objects.exists()


def test_an_address_whose_answer_was_lost_is_found_and_not_made_twice(
    number: PhoneNumber, alice: User, house: SandboxServer
) -> None:
    browser = looking(alice)
    house.trouble(refuse_api="500")
    answer = browser.post(f"/numbers/{number.pk}/services/", ADDRESS)
    assert answer.status_code == 502
    address = EmergencyAddress.objects.get()
    house.trouble(all_off=True)
    fields = {"business_name": "Acme", "street_address": "1", "locality": "Miami", "country_code": "US"}
    more = {"administrative_area": "FL", "postal_code": "33131", "customer_reference": address.customer_reference}
    more |= {"first_name": "", "last_name": ""}
    made = house.api("POST", "/addresses", json=fields | more)["data"]["id"]

    browser.post(f"/numbers/{number.pk}/services/", {"what": "emergency", "address": address.pk})

    address.refresh_from_db()
    assert address.telnyx_id == made
    assert len(house.api("GET", "/addresses")["data"]) == 1


def test_what_is_missing_in_an_address_stands_at_its_field(number: PhoneNumber, alice: User) -> None:
    answer = looking(alice).post(f"/numbers/{number.pk}/services/", {"what": "emergency", "country": "US"})

    assert answer.status_code == 422
    assert set(answer.context["address_form"].errors) == {"name", "street", "locality", "postal_code", "area"}


def test_another_companys_address_cannot_be_used(number: PhoneNumber, elsewhere: Company, alice: User) -> None:
    theirs = EmergencyAddress.objects.create(company=elsewhere, name="Theirs", customer_reference="t", country="US")

    answer = looking(alice).post(f"/numbers/{number.pk}/services/", {"what": "emergency", "address": theirs.pk})

    assert answer.status_code == 422
    assert "Theirs" not in words(answer)


# --- The way back --------------------------------------------------------------------------------------------------


def test_a_number_is_released_once_it_was_typed_and_leaves_a_trace(
    number: PhoneNumber, acme: Company, alice: User, house: SandboxServer
) -> None:
    call = cast.make_call(acme, number=number)

    answer = looking(alice).post(f"/numbers/{number.pk}/release/", {"typed": "(305) 555-0100"}, follow=True)

    assert "+1 305-555-0100 was released." in words(answer)
    assert (owned(house), PhoneNumber.objects.count()) == ([], 0)
    trace = NumberRelease.objects.get()
    assert (trace.company, trace.e164, trace.label, trace.released_by, trace.state, trace.ended_at is not None) == (
        acme,
        E164,
        "Central",
        alice,
        "done",
        True,
    )
    assert trace.led_to == "The company (automatic)"
    call.refresh_from_db()
    assert (call.number, call.to_number) == (None, E164)
    assert "Central" in words(looking(alice).get("/numbers/orders/"))


@pytest.mark.parametrize("typed", ["", "+13055550101", "hello", "0100"])
def test_another_number_releases_nothing(number: PhoneNumber, alice: User, house: SandboxServer, typed: str) -> None:
    answer = looking(alice).post(f"/numbers/{number.pk}/release/", {"typed": typed})

    assert answer.status_code == 422
    assert (owned(house), NumberRelease.objects.count()) == ([E164], 0)


def test_what_the_number_is_used_for_is_told_first(number: PhoneNumber, acme: Company, alice: User) -> None:
    acme.fallback_number = E164
    acme.save()
    cast.make_queue(acme, "tarde", overflow=leads_to(acme, number=E164))
    cast.make_call(acme, number=number, status="in_progress")
    cast.make_call(acme, number=number, status="completed")

    page = words(looking(alice).get(f"/numbers/{number.pk}/release/"))

    assert "Its calls go to: The company (automatic)" in page
    assert "1 call is going on right now." in page and "2 calls in the last 30 days." in page
    assert "fallback number" in page and "“tarde” passes calls on to it." in page


def test_while_telnyx_is_away_the_release_waits_and_then_is_done_by_itself(
    number: PhoneNumber, alice: User, house: SandboxServer
) -> None:
    house.trouble(refuse_api="500")
    answer = looking(alice).post(f"/numbers/{number.pk}/release/", {"typed": E164}, follow=True)
    assert "is released as soon as it does" in words(answer) and "being released" in words(answer)
    assert PhoneNumber.objects.exists()
    house.trouble(all_off=True)

    NumberRelease.objects.update(next_look_at=timezone.now())
    finish_due(get_client(), timezone.now())

    assert (owned(house), PhoneNumber.objects.exists(), NumberRelease.objects.get().state) == ([], False, "done")


def test_a_number_that_telnyx_has_not_any_more_is_released_all_the_same(
    number: PhoneNumber, alice: User, house: SandboxServer
) -> None:
    house.api("DELETE", f"/phone_numbers/{number.telnyx_id}")

    looking(alice).post(f"/numbers/{number.pk}/release/", {"typed": E164})

    assert (PhoneNumber.objects.exists(), NumberRelease.objects.get().state) == (False, "done")


def test_an_unlinked_number_is_looked_for_by_its_digits(acme: Company, alice: User, house: SandboxServer) -> None:
    house.control("numbers", e164=E164)
    number = cast.make_number(acme, E164)

    looking(alice).post(f"/numbers/{number.pk}/release/", {"typed": E164})

    assert (owned(house), PhoneNumber.objects.exists()) == ([], False)


@pytest.mark.parametrize("address", ["services", "release"])
def test_only_who_administers_the_company_comes_here(
    number: PhoneNumber, bob: User, sam: User, mallory: User, house: SandboxServer, address: str
) -> None:
    path = f"/numbers/{number.pk}/{address}/"
    sent = {"typed": E164, "what": "caller_name", "caller_name": "Mallory"}
    for person, status in ((bob, 403), (sam, 403), (mallory, 404)):
        browser = looking(person)
        assert browser.get(path).status_code == status
        assert browser.post(path, sent).status_code == status
    assert owned(house) == [E164]
