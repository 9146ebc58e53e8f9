"""``/numbers/buy/`` and ``/numbers/orders/``: searched, ordered, seen arriving; refused in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
import responses
from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries, Settings

from curbe.companies.models import Company, User
from telephony.forms import number_purchase
from telephony.models import NumberOrder, PhoneNumber, TelnyxAccount
from telephony.operations.number_chores import finish_due
from telephony.telnyx.client import get_client
from telephony.views import order_words
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import leads_to
from tests.sandbox_server import SandboxServer

SEARCH = {"country": "US", "kind": "local", "area_code": "305", "features": ["voice"]}


@pytest.fixture(autouse=True)
def shop(house: SandboxServer, settings: Settings, db: None) -> SandboxServer:
    """The pages ask this pretend Telnyx, in which the platform has its application."""
    settings.TELNYX_API_URL, settings.TELNYX_API_KEY = f"{house.url}/v2", "KEY_test"
    application = {"friendly_name": "Curbe", "voice_url": "http://127.0.0.1:9/voice"}
    application_id = house.api("POST", "/texml_applications", json=application)["data"]["id"]
    TelnyxAccount.objects.create(company=None, texml_application_id=application_id)
    return house


def offers(answer: Any) -> list[str]:
    return re.findall(r'name="offer" value="([^"]+)"', html(answer))


def bought(browser: Any, *, amount: int = 1, **more: Any) -> Any:
    """Search, tick the first numbers, and press Buy; return the answer."""
    found = offers(browser.get("/numbers/buy/", SEARCH))[:amount]
    return browser.post("/numbers/buy/", {**SEARCH, "offer": found, "leads_to": "company", "hours": "always", **more})


def test_a_search_shows_each_number_with_place_and_prices(alice: User) -> None:
    page = words(looking(alice).get("/numbers/buy/", SEARCH))

    assert re.search(r"\+1 305-\d{3}-\d{4} Miami, FL Calls, SMS, MMS, Fax, Emergency calls 1.00 USD 1.00 USD", page)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "toll_free", "area_code": ""}, "+1 888-"),
        ({"country": "ES", "kind": "mobile", "area_code": ""}, "+34 6"),
        ({"area_code": "", "city": "orlando"}, "+1 407-"),
        ({"area_code": "", "area": "ny"}, "+1 212-"),
        ({"digits": "99"}, "99"),
        ({"country": "DE"}, "Nothing is for sale like this"),
    ],
)
def test_each_filter_reaches_telnyx(alice: User, change: dict[str, str], expected: str) -> None:
    assert expected in words(looking(alice).get("/numbers/buy/", {**SEARCH, **change}))


@pytest.mark.parametrize("change", [{"area_code": "3o5"}, {"kind": "satellite"}, {"country": "XX"}, {"digits": "*"}])
def test_a_search_for_nonsense_says_where(alice: User, change: dict[str, str]) -> None:
    answer = looking(alice).get("/numbers/buy/", {**SEARCH, **change})

    assert answer.status_code == 422
    assert "entry--wrong" in html(answer)


def test_a_telnyx_that_does_not_answer_is_said(alice: User, shop: SandboxServer) -> None:
    shop.trouble(refuse_api="500")

    answer = looking(alice).get("/numbers/buy/", SEARCH)

    assert (answer.status_code, "Telnyx does not answer" in words(answer)) == (502, True)


def test_what_was_ticked_is_ordered_and_seen_arriving(alice: User, acme: Company) -> None:
    browser = looking(alice)

    answer = bought(browser, amount=2, caller_name="Acme Seguros")

    orders = NumberOrder.objects.order_by("e164")
    assert answer["Location"] == f"/numbers/orders/?purchase={orders[0].purchase}"
    for order in orders:
        assert (order.company, order.ordered_by, order.caller_name) == (acme, alice, "Acme Seguros")
        assert (order.state, str(order.monthly_cost), order.currency) == ("requested", "1.0000", "USD")
    page = browser.get(answer["Location"])
    assert "0 of 2 bought" in words(page) and "data-unsettled" in html(page)
    until_closed()
    page = browser.get(answer["Location"])
    assert "2 of 2 bought" in words(page) and "data-unsettled" not in html(page)
    assert "A call now:" in words(page)
    assert PhoneNumber.objects.filter(company=acme, destination="company").count() == 2


def until_closed() -> None:
    for _ in range(400):
        NumberOrder.objects.filter(next_look_at__isnull=False).update(next_look_at=timezone.now())
        finish_due(get_client(), timezone.now())
        if not NumberOrder.objects.filter(state__in=NumberOrder.OPEN).exists():
            return
    raise AssertionError("an order stays open")


def test_nothing_ticked_orders_nothing_and_keeps_the_search(alice: User) -> None:
    answer = looking(alice).post("/numbers/buy/", {**SEARCH, "leads_to": "company", "hours": "always"})

    assert answer.status_code == 422
    assert "Choose at least one number." in words(answer) and offers(answer)
    assert not NumberOrder.objects.exists()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"leads_to": "queue:999"}, "not there any more"),
        ({"caller_name": "Peña & Hijos"}, "15 letters"),
        ({"hours": "999"}, "choice"),
    ],
)
def test_a_wish_that_cannot_be_orders_nothing_and_keeps_the_ticks(
    alice: User, change: dict[str, str], error: str
) -> None:
    answer = bought(looking(alice), **change)

    assert (answer.status_code, error in words(answer)) == (422, True)
    assert "checked" in html(answer)
    assert not NumberOrder.objects.exists()


def test_a_price_or_number_that_nobody_offered_cannot_be_ordered(alice: User, mallory: User) -> None:
    hers = offers(looking(mallory).get("/numbers/buy/", SEARCH))[0]
    browser = looking(alice)
    for forged in ("+13052345678", hers, hers[:-1]):
        answer = browser.post("/numbers/buy/", {**SEARCH, "offer": [forged], "leads_to": "", "hours": "always"})
        assert (answer.status_code, "too old" in words(answer)) == (422, True)
    assert not NumberOrder.objects.exists()


def test_an_old_search_cannot_be_bought_from(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_purchase, "OFFER_LIVES_S", -1)

    assert "too old" in words(bought(looking(alice)))


def test_two_admins_who_tick_the_same_number_hear_who_gets_it(alice: User, acme: Company) -> None:
    other = cast.make_user(acme, "olivia", role="admin")
    first, second = looking(alice), looking(other)
    theirs = offers(second.get("/numbers/buy/", SEARCH))[:1]
    bought(first)

    answer = second.post("/numbers/buy/", {**SEARCH, "offer": theirs, "leads_to": "", "hours": "always"})

    assert answer.status_code == 409
    assert "somebody else is buying it just now" in words(answer)
    until_closed()
    answer = second.post("/numbers/buy/", {**SEARCH, "offer": theirs, "leads_to": "", "hours": "always"})
    assert "it has been bought already" in words(answer)
    assert NumberOrder.objects.count() == 1


def test_a_second_click_on_buy_leads_to_the_purchase_of_the_first(alice: User) -> None:
    browser = looking(alice)
    found = offers(browser.get("/numbers/buy/", SEARCH))[:2]
    sent = {**SEARCH, "offer": found, "leads_to": "company", "hours": "always"}

    first, second = browser.post("/numbers/buy/", sent), browser.post("/numbers/buy/", sent)

    assert (second.status_code, second["Location"]) == (302, first["Location"])
    until_closed()
    assert browser.post("/numbers/buy/", sent)["Location"] == first["Location"]
    assert NumberOrder.objects.count() == 2


def test_without_an_application_nothing_is_ordered(alice: User) -> None:
    TelnyxAccount.objects.update(texml_application_id="")

    answer = bought(looking(alice))

    assert (answer.status_code, "not set up yet" in words(answer)) == (409, True)


@pytest.mark.parametrize("code", sorted(order_words.WORDS))
def test_every_end_of_an_order_is_told_in_words_in_both_languages(acme: Company, sam: User, code: str) -> None:
    NumberOrder.objects.create(
        company=acme, e164="+13052345678", customer_reference="r", connection_id="1", state="failed",
        error_code=code, created_at=timezone.now(),
    )  # fmt: skip

    said = []
    for language in ("en", "es"):
        page = words(looking(sam, language).get("/numbers/orders/"))
        with override(language):
            said.append(str(order_words.WORDS[code]))
        assert said[-1] in page
    assert said[0] != said[1]


def test_an_order_that_takes_long_can_be_asked_about(acme: Company, alice: User) -> None:
    order = NumberOrder.objects.create(
        company=acme, e164="+13052345678", customer_reference="r", connection_id="1", state="needs_documents",
        error_code="documents", attempts=9, created_at=timezone.now(),
    )  # fmt: skip
    browser = looking(alice)
    assert f"/numbers/orders/{order.pk}/ask/" in html(browser.get("/numbers/orders/"))

    answer = browser.post(f"/numbers/orders/{order.pk}/ask/", follow=True)

    order.refresh_from_db()
    assert order.next_look_at is not None
    assert "Telnyx is asked" in words(answer)


def test_an_order_that_waits_for_documents_can_be_cancelled(acme: Company, alice: User, mallory: User) -> None:
    order = NumberOrder.objects.create(
        company=acme, e164="+13052345678", customer_reference="r", connection_id="1", state="needs_documents",
        error_code="documents", attempts=9, created_at=timezone.now(),
    )  # fmt: skip
    path = f"/numbers/orders/{order.pk}/cancel/"
    browser = looking(alice)
    assert path in html(browser.get("/numbers/orders/"))
    assert looking(mallory).post(path).status_code == 404
    orders = f"{django_settings.TELNYX_API_URL}/number_orders"
    row = {"id": "o1", "customer_reference": "r", "sub_number_orders_ids": ["s1"], "status": "pending"}
    with responses.RequestsMock() as telnyx:
        telnyx.get(orders, json={"data": [row]})
        telnyx.patch(f"{django_settings.TELNYX_API_URL}/sub_number_orders/s1/cancel", json={"data": {"id": "s1"}})
        answer = browser.post(path, follow=True)

    assert "Telnyx was asked to cancel the order." in words(answer)
    assert path not in html(answer)
    NumberOrder.objects.update(state="done")
    assert "cannot be cancelled any more" in words(browser.post(path, follow=True))


@pytest.mark.parametrize("query", ["purchase=x", "older=x", "older=99999999999999999999"])
def test_nonsense_in_the_address_of_orders_is_a_bad_request(acme: Company, sam: User, query: str) -> None:
    assert looking(sam).get(f"/numbers/orders/?{query}").status_code == 400


def test_who_may_buy_and_who_may_look(acme: Company, bob: User, sam: User, mallory: User) -> None:
    order = NumberOrder.objects.create(
        company=acme, e164="+13052345678", customer_reference="r", connection_id="1", created_at=timezone.now()
    )
    for person, buy, look in ((bob, 403, 403), (sam, 403, 200)):
        browser = looking(person)
        assert browser.get("/numbers/buy/").status_code == buy
        assert browser.post("/numbers/buy/", SEARCH).status_code == buy
        assert browser.get("/numbers/orders/").status_code == look
        assert browser.post(f"/numbers/orders/{order.pk}/ask/").status_code == 403
    stranger = looking(mallory)
    assert "234-5678" not in words(stranger.get("/numbers/orders/"))
    assert "234-5678" not in words(stranger.get(f"/numbers/orders/?purchase={order.purchase}"))
    assert stranger.post(f"/numbers/orders/{order.pk}/ask/").status_code == 404


@pytest.mark.parametrize("size", [1, 10])
def test_the_number_of_queries_of_orders_does_not_grow(
    acme: Company, sam: User, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(size):
        queue = cast.make_queue(acme, f"queue{index}")
        NumberOrder.objects.create(
            company=acme, e164=f"+130523456{index:02}", customer_reference=str(index), connection_id="1",
            leads_to=leads_to(acme, queue=queue), ordered_by=sam, created_at=timezone.now(),
        )  # fmt: skip
    browser = looking(sam)

    with django_assert_num_queries(6):
        browser.get("/numbers/orders/")
