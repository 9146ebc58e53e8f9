"""Numbers bought by the operator for a company, given hours in bulk, and not deleted while they are paid for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from curbe.companies.models import Company, User
from telephony.models import BlockedCaller, NumberOrder, PhoneNumber, TelnyxAccount
from tests import cast
from tests.sandbox_server import SandboxServer

LIST = "/admin/telephony/phonenumber/"


@pytest.fixture
def shop(house: SandboxServer, settings: Settings, acme: Company) -> SandboxServer:
    settings.TELNYX_API_URL, settings.TELNYX_API_KEY = f"{house.url}/v2", "KEY_test"
    application = {"friendly_name": "Curbe", "voice_url": "http://127.0.0.1:9/voice"}
    application_id = house.api("POST", "/texml_applications", json=application)["data"]["id"]
    TelnyxAccount.objects.create(company=None, texml_application_id=application_id)
    return house


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_operator_buys_a_number_for_a_company(console: Client, acme: Company, shop: SandboxServer) -> None:
    assert f"{LIST}buy/" in text(console.get(LIST))
    assert "Acme Seguros" in text(console.get(f"{LIST}buy/"))
    search = {"country": "US", "kind": "local", "area_code": "305", "features": ["voice"]}
    found = console.get(f"{LIST}buy/", {"company": acme.pk, **search})
    offers = re.findall(r'name="offer" value="([^"]+)"', text(found))

    sent = {**search, "offer": offers[:2], "leads_to": "company", "hours": "always"}
    answer = console.post(f"{LIST}buy/?company={acme.pk}", sent)

    again = console.post(f"{LIST}buy/?company={acme.pk}", sent)
    assert answer["Location"].startswith(f"{LIST}purchase/") and again["Location"] == answer["Location"]
    page = text(console.get(answer["Location"]))
    assert "0 de 2" in page and "Acme Seguros" in page and "Una llamada ahora" in page
    assert console.get(f"{LIST}purchase/00000000-0000-0000-0000-000000000000/").status_code == 404
    assert NumberOrder.objects.filter(company=acme, ordered_by__is_superuser=True).count() == 2
    assert "+1305" in text(console.get("/admin/telephony/numberorder/"))


def test_what_is_wrong_is_said_and_nothing_is_ordered(console: Client, acme: Company, shop: SandboxServer) -> None:
    sent = {"country": "US", "kind": "local", "leads_to": "", "hours": "always"}

    answer = console.post(f"{LIST}buy/?company={acme.pk}", sent)

    assert "Elija al menos un número." in text(answer)
    assert not NumberOrder.objects.exists()


def test_nobody_but_the_operator_comes_here(alice: User, acme: Company) -> None:
    for address in (f"{LIST}buy/", f"{LIST}buy/?company={acme.pk}"):
        assert cast.client_for(alice).get(address).status_code == 302


def test_many_numbers_are_given_a_destination_and_hours_at_once(console: Client, acme: Company) -> None:
    hours = cast.make_hours(acme)
    numbers = [cast.make_number(acme) for _ in range(3)]
    action = {"action": "assign_to_user_or_queue", ACTION_CHECKBOX_NAME: [number.pk for number in numbers[:2]]}
    assert "oficina" in text(console.post(LIST, action))

    console.post(LIST, {**action, "destination": "company", "hours": str(hours.pk)})

    assert list(PhoneNumber.objects.order_by("pk").values_list("destination", "hours")) == [
        ("company", hours.pk),
        ("company", hours.pk),
        ("none", None),
    ]


def test_a_number_that_is_paid_for_is_not_deleted_here(console: Client, acme: Company) -> None:
    linked = cast.make_number(acme, telnyx_id="123")
    unlinked = cast.make_number(acme)

    assert console.post(f"{LIST}{linked.pk}/delete/", {"post": "yes"}).status_code == 403
    console.post(LIST, {"action": "delete_selected", ACTION_CHECKBOX_NAME: [linked.pk], "post": "yes"})
    assert console.post(f"{LIST}{unlinked.pk}/delete/", {"post": "yes"}).status_code == 302

    assert list(PhoneNumber.objects.all()) == [linked]


def test_telnyx_is_asked_about_chosen_orders(console: Client, acme: Company) -> None:
    order = NumberOrder.objects.create(
        company=acme, e164="+13052345678", customer_reference="r", connection_id="1", created_at=timezone.now()
    )

    console.post("/admin/telephony/numberorder/", {"action": "ask_telnyx_now", ACTION_CHECKBOX_NAME: [order.pk]})

    order.refresh_from_db()
    assert order.next_look_at is not None


def test_a_caller_is_blocked_for_a_company(console: Client, acme: Company) -> None:
    console.post("/admin/telephony/blockedcaller/add/", {"e164": "+13055551234", "company": acme.pk, "note": "Spam"})

    assert BlockedCaller.objects.get().company == acme
