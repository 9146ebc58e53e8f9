"""Buying numbers on good days and bad ones: against the pretend Telnyx, with the worker's own runs.

Whatever goes wrong, two things hold: no number is bought twice, and none is paid for without a row.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.db import IntegrityError, transaction
from django.utils import timezone

from curbe.companies.models import Company, User
from telephony.core.plan import COMPANY, Destination, DestinationKind
from telephony.models import NumberOrder, PhoneNumber, TelnyxAccount, TelnyxEvent
from telephony.operations import number_orders, number_purchase
from telephony.operations.number_chores import finish_due
from telephony.operations.number_orders import Ordered, Pick, UnableToOrder, Wired, order_numbers
from telephony.telnyx import transport
from tests import cast
from tests.sandbox_server import SandboxServer
from tests.telnyx_post import Telnyx

State = NumberOrder.State
NOWHERE = Wired()


class Shop:
    """A company that buys numbers: its account at the pretend Telnyx, and a clock that only moves forward."""

    def __init__(self, house: SandboxServer, company: Company) -> None:
        self.house = house
        self.company = company
        self.client = house.client()
        application = {"friendly_name": "Curbe", "voice_url": "http://127.0.0.1:9/voice"}
        self.application_id = house.api("POST", "/texml_applications", json=application)["data"]["id"]
        TelnyxAccount.objects.create(company=None, texml_application_id=self.application_id)
        self.now = timezone.now()

    def finds(self, amount: int = 1, **filters: Any) -> list[Pick]:
        found = self.client.available_numbers(**{"country": "US", "area_code": "305", **filters}, limit=amount)
        return [Pick(one.e164, filters.get("kind", "local"), one.monthly_cost) for one in found[:amount]]

    def orders(self, picks: list[Pick], wired: Wired = NOWHERE, *, by: User | None = None) -> Ordered:
        return order_numbers(self.company, picks, wired, ordered_by=by, now=self.now)

    def later(self, **by: float) -> None:
        """Let the worker run once, after so much time."""
        self.now += timedelta(**by)
        finish_due(self.client, self.now)

    def until_closed(self, order: NumberOrder) -> NumberOrder:
        """Let the worker run every few seconds of ours, while the pretend Telnyx takes its own time, to the end."""
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            order.refresh_from_db()
            if not order.is_open:
                return order
            self.later(seconds=5)
            time.sleep(0.01)
        raise AssertionError(f"order is still {order.state}")

    def settles(self) -> None:
        """Wait until Telnyx is done with every order that it has."""
        deadline_s = time.monotonic() + 10
        while any(order["status"] == "pending" for order in self.ordered_at_telnyx()):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    def bought_at_telnyx(self) -> list[dict[str, Any]]:
        rows = self.house.api("GET", "/phone_numbers")["data"]
        return [row for row in rows if row["status"] != "deleted"]

    def ordered_at_telnyx(self) -> list[dict[str, Any]]:
        return list(self.house.api("GET", "/number_orders")["data"])

    def is_consistent(self) -> None:
        """What the account owns, and the rows here, are the same numbers, each bought once and wired to us."""
        theirs = {row["phone_number"]: row for row in self.bought_at_telnyx()}
        ours = {row.e164: row for row in PhoneNumber.objects.all()}
        assert set(theirs) == set(ours)
        for e164, number in ours.items():
            assert (number.telnyx_id, number.connection_id) == (theirs[e164]["id"], self.application_id)
            assert theirs[e164]["connection_id"] == self.application_id
        paid = [line["phone_number"] for order in self.ordered_at_telnyx() for line in order["phone_numbers"]
                if order["status"] == "success"]  # fmt: skip
        assert sorted(paid) == sorted(set(paid))


@pytest.fixture
def shop(house: SandboxServer, acme: Company) -> Shop:
    return Shop(house, acme)


def test_three_numbers_are_bought_in_one_go_and_lead_where_they_were_wished(shop: Shop, alice: User) -> None:
    queue = cast.make_queue(shop.company)
    hours = cast.make_hours(shop.company)
    wired = Wired(Destination(DestinationKind.QUEUE, queue.pk), hours, "Acme Seguros")
    picks = shop.finds(3)

    ordered = shop.orders(picks, wired, by=alice)
    assert [order.state for order in ordered.orders] == [State.REQUESTED] * 3
    for order in ordered.orders:
        shop.until_closed(order)

    assert {order.e164 for order in NumberOrder.objects.filter(state=State.DONE)} == {pick.e164 for pick in picks}
    for number in PhoneNumber.objects.select_related("queue", "hours", "company"):
        assert (number.company, number.queue, number.hours, number.caller_name) == (
            shop.company,
            queue,
            hours,
            "Acme Seguros",
        )
        voice = shop.house.api("GET", f"/phone_numbers/{number.telnyx_id}/voice")["data"]
        assert voice["cnam_listing"] == {"cnam_listing_enabled": True, "cnam_listing_details": "Acme Seguros"}
    shop.is_consistent()


def test_the_order_carries_our_application_and_our_reference(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders

    shop.later(seconds=1)

    (sent,) = shop.ordered_at_telnyx()
    assert (sent["connection_id"], sent["customer_reference"]) == (shop.application_id, order.customer_reference)


def test_a_company_with_an_application_of_its_own_gets_its_numbers_there(shop: Shop) -> None:
    application = {"friendly_name": "Acme", "voice_url": "http://127.0.0.1:9/voice/acme"}
    own = shop.house.api("POST", "/texml_applications", json=application)["data"]["id"]
    TelnyxAccount.objects.create(company=shop.company, texml_application_id=own)

    (order,) = shop.orders(shop.finds()).orders
    shop.until_closed(order)

    assert PhoneNumber.objects.get().connection_id == own


def test_nothing_is_ordered_while_there_is_no_application(acme: Company) -> None:
    with pytest.raises(UnableToOrder, match="no_application"):
        order_numbers(acme, [Pick("+13052345678")], Wired(), ordered_by=None, now=timezone.now())

    assert not NumberOrder.objects.exists()


# --- Time-outs -----------------------------------------------------------------------------------------------------


def test_an_order_that_timed_out_and_had_succeeded_is_found_and_not_sent_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_TIMEOUT_S", 0.3)
    (order,) = shop.orders(shop.finds()).orders
    shop.house.trouble(orders_time_out=True)

    shop.later(seconds=1)
    order.refresh_from_db()
    assert (order.state, order.sent_at is not None) == (State.REQUESTED, True)

    assert shop.until_closed(order).state == State.DONE
    assert len(shop.ordered_at_telnyx()) == 1
    shop.is_consistent()


def test_an_order_that_timed_out_and_had_failed_ends_as_failed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_TIMEOUT_S", 0.3)
    (order,) = shop.orders(shop.finds()).orders
    shop.house.trouble(orders_time_out=True, orders_fail=True)

    closed = shop.until_closed(order)

    assert (closed.state, closed.error_code) == (State.FAILED, "order_failed")
    assert len(shop.ordered_at_telnyx()) == 1
    shop.is_consistent()


def test_an_order_that_never_arrived_is_sent_again_only_when_it_cannot_come_to_light_any_more(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders
    shop.house.trouble(refuse_api="disconnect")
    shop.later(seconds=1)
    shop.house.trouble(all_off=True)

    shop.later(seconds=20)
    assert shop.ordered_at_telnyx() == []

    shop.later(seconds=70)
    assert shop.until_closed(order).state == State.DONE
    shop.is_consistent()


# --- Refusals and bad days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", ["429", "500", "disconnect"])
def test_a_telnyx_that_refuses_everything_for_a_while_loses_and_doubles_nothing(shop: Shop, refusal: str) -> None:
    orders = shop.orders(shop.finds(2)).orders
    shop.house.trouble(refuse_api=refusal)
    for _ in range(4):
        shop.later(seconds=15)
    shop.house.trouble(all_off=True)

    for order in orders:
        assert shop.until_closed(order).state == State.DONE
    shop.is_consistent()


@pytest.mark.parametrize("status", [200, 403, 502])
def test_html_in_place_of_an_answer_loses_and_doubles_nothing(shop: Shop, status: int) -> None:
    (order,) = shop.orders(shop.finds()).orders
    with responses.RequestsMock() as telnyx:
        telnyx.post(f"{shop.house.url}/v2/number_orders", status=status, body="<html>Bad gateway</html>")
        shop.later(seconds=1)

    order.refresh_from_db()
    assert order.state == State.REQUESTED
    assert shop.until_closed(order).state == State.DONE
    shop.is_consistent()


def test_html_after_the_order_was_taken_is_made_good_by_asking(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders
    shop.client.create_number_order(
        e164=order.e164, connection_id=order.connection_id, customer_reference=order.customer_reference
    )
    with responses.RequestsMock() as telnyx:
        telnyx.post(f"{shop.house.url}/v2/number_orders", status=500, body="<html>Oops</html>")
        shop.later(seconds=1)

    assert shop.until_closed(order).state == State.DONE
    assert len(shop.ordered_at_telnyx()) == 1
    shop.is_consistent()


def test_a_number_that_somebody_else_bought_is_told_with_telnyx_own_code(shop: Shop) -> None:
    picks = shop.finds()
    (order,) = shop.orders(picks).orders
    shop.client.create_number_order(
        e164=picks[0].e164, connection_id=shop.application_id, customer_reference="somebody"
    )
    shop.settles()

    closed = shop.until_closed(order)

    assert (closed.state, closed.error_code) == (State.FAILED, "85001")
    assert not PhoneNumber.objects.exists()


def test_a_search_that_is_too_old_is_made_again(shop: Shop, house: SandboxServer) -> None:
    (order,) = shop.orders(shop.finds()).orders
    house.control("forget_searches")

    assert shop.until_closed(order).state == State.DONE
    shop.is_consistent()


def test_an_order_that_fails_at_telnyx_ends_as_failed_and_the_number_can_be_ordered_again(shop: Shop) -> None:
    picks = shop.finds()
    shop.house.trouble(orders_fail=True)
    (order,) = shop.orders(picks).orders
    assert shop.until_closed(order).state == State.FAILED
    shop.house.trouble(all_off=True)

    (again,) = shop.orders(picks).orders

    assert shop.until_closed(again).state == State.DONE
    shop.is_consistent()


def test_missing_documents_are_told_and_the_order_goes_on_once_they_are_there(shop: Shop) -> None:
    shop.house.trouble(orders_need_documents=True)
    (order,) = shop.orders(shop.finds()).orders
    shop.later(seconds=1)
    order.refresh_from_db()
    assert (order.state, order.error_code) == (State.NEEDS_DOCUMENTS, "documents")

    shop.house.trouble(all_off=True)
    number_orders.ask_now([order.pk], shop.now)

    assert shop.until_closed(order).state == State.DONE
    shop.is_consistent()


def test_a_pending_order_is_looked_at_until_it_has_an_end(shop: Shop) -> None:
    shop.house.trouble(orders_stay_pending_ms=400)
    (order,) = shop.orders(shop.finds()).orders
    shop.later(seconds=1)
    order.refresh_from_db()
    assert (order.state, order.telnyx_order_id) == (State.PENDING, shop.ordered_at_telnyx()[0]["id"])

    assert shop.until_closed(order).state == State.DONE
    shop.is_consistent()


def test_what_telnyx_never_takes_is_given_up_and_nothing_is_bought_later(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders
    with responses.RequestsMock(assert_all_requests_are_fired=False) as telnyx:
        telnyx.post(f"{shop.house.url}/v2/number_orders", status=500)
        telnyx.add_passthru(shop.house.url)
        telnyx.get(f"{shop.house.url}/v2/number_orders", json={"data": [], "meta": {"total_pages": 1}})
        for _ in range(14):
            shop.later(seconds=90)

    order.refresh_from_db()
    assert (order.state, order.error_code) == (State.FAILED, "not_taken")
    assert shop.bought_at_telnyx() == []


def test_an_order_that_comes_to_light_by_its_number_alone_is_taken_home(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders
    shop.client.create_number_order(
        e164=order.e164, connection_id=shop.application_id, customer_reference="misread by their list"
    )
    shop.settles()
    NumberOrder.objects.update(sent_at=shop.now)

    shop.later(minutes=16)
    shop.later(minutes=1)

    order.refresh_from_db()
    assert order.state == State.DONE
    shop.is_consistent()


# --- The end of our own process ------------------------------------------------------------------------------------


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("where", ["mark_sent", "note_pending", "note_bought"])
def test_a_process_that_dies_anywhere_is_followed_by_one_that_completes_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (order,) = shop.orders(shop.finds()).orders
    kept = getattr(number_orders, where)

    def dies(*args: Any, **kwargs: Any) -> Any:
        if where == "mark_sent":
            kept(*args, **kwargs)  # it is said that it is sent, and then it is not
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(number_purchase.orders, where, dies)
        for _ in range(3):
            shop.settles()
            try:
                shop.later(seconds=61)
            except Died:
                break
        else:
            raise AssertionError("it never came there")

    assert shop.until_closed(order).state == State.DONE
    assert len(shop.ordered_at_telnyx()) == 1
    shop.is_consistent()


def test_two_workers_at_once_send_one_order(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders
    first = number_orders.take(order.pk, shop.now)
    NumberOrder.objects.update(next_look_at=shop.now)  # the event came meanwhile, say
    second = number_orders.take(order.pk, shop.now)
    assert first is not None and second is not None

    assert [number_orders.mark_sent(one, shop.now) for one in (first, second)] == [True, False]


# --- Two people ----------------------------------------------------------------------------------------------------


def test_of_two_admins_who_buy_the_same_number_one_gets_it_and_the_other_is_told(
    shop: Shop, elsewhere: Company, alice: User, mallory: User
) -> None:
    picks = shop.finds(2)

    mine = shop.orders(picks[:1], by=alice)
    hers = order_numbers(elsewhere, picks, Wired(), ordered_by=mallory, now=shop.now)

    assert [order.e164 for order in mine.orders] == [picks[0].e164]
    assert ([order.e164 for order in hers.orders], hers.taken, hers.owned) == (
        [picks[1].e164],
        (picks[0].e164,),
        (),
    )
    shop.until_closed(mine.orders[0])
    shop.until_closed(hers.orders[0])
    assert PhoneNumber.objects.get(e164=picks[0].e164).company == shop.company
    again = order_numbers(elsewhere, picks[:1], Wired(), ordered_by=mallory, now=shop.now)
    assert (again.orders, again.owned) == ((), (picks[0].e164,))
    shop.is_consistent()


def test_the_database_itself_keeps_two_open_orders_of_a_number_apart(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds()).orders

    with pytest.raises(IntegrityError, match="one_open_order_per_number"), transaction.atomic():
        NumberOrder.objects.create(
            company=shop.company, e164=order.e164, customer_reference="other", created_at=shop.now, connection_id="1"
        )


# --- What Telnyx tells ---------------------------------------------------------------------------------------------


def event_about(order: NumberOrder, status: str = "success") -> dict[str, Any]:
    return {
        "data": {
            "id": f"event-{order.pk}-{status}",
            "event_type": "number_order.complete",
            "occurred_at": "2026-11-26T10:00:00Z",
            "payload": {"id": "any", "customer_reference": order.customer_reference, "status": status},
            "record_type": "event",
        },
        "meta": {"attempt": 1, "delivered_to": "https://x"},
    }


def test_the_event_has_the_order_looked_at_at_once_and_is_not_believed(shop: Shop, telnyx: Telnyx) -> None:
    shop.house.trouble(orders_stay_pending_ms=60_000)
    (order,) = shop.orders(shop.finds()).orders
    shop.later(seconds=1)
    order.refresh_from_db()
    assert order.next_look_at is not None and order.next_look_at > timezone.now() - timedelta(seconds=5)
    NumberOrder.objects.update(next_look_at=timezone.now() + timedelta(hours=1))

    answer = telnyx.json("/webhooks/telnyx/events", event_about(order))

    order.refresh_from_db()
    event = TelnyxEvent.objects.get()
    assert (answer.status_code, order.next_look_at <= timezone.now()) == (200, True)
    assert (event.company_id, event.processed_at is not None) == (shop.company.pk, True)
    # It says success, and Telnyx does not: the order goes on waiting.
    shop.later(seconds=30)
    order.refresh_from_db()
    assert (order.state, PhoneNumber.objects.exists()) == (State.PENDING, False)


def test_an_event_about_an_order_of_the_portal_is_kept_and_harms_nobody(shop: Shop, telnyx: Telnyx) -> None:
    stranger = NumberOrder(pk=0, customer_reference="somebody's")

    assert telnyx.json("/webhooks/telnyx/events", event_about(stranger)).status_code == 200

    event = TelnyxEvent.objects.get()
    assert (event.company_id, event.processed_at is not None) == (None, True)


def test_a_destination_that_is_gone_by_then_leaves_the_number_assigned_to_nobody(shop: Shop) -> None:
    queue = cast.make_queue(shop.company)
    (order,) = shop.orders(shop.finds(), Wired(Destination(DestinationKind.QUEUE, queue.pk))).orders
    queue.delete()

    shop.until_closed(order)

    assert PhoneNumber.objects.get().destination == "none"


def test_a_name_that_telnyx_refuses_costs_nobody_the_number(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds(), Wired(COMPANY, None, "¡Acme!")).orders

    closed = shop.until_closed(order)

    assert (closed.state, closed.error_code) == (State.DONE, "caller_name")
    assert PhoneNumber.objects.get().caller_name == ""


# --- What was given up, and what is ended ---------------------------------------------------------------------------


def test_an_order_that_was_given_up_and_succeeds_later_is_taken_home(shop: Shop, telnyx: Telnyx) -> None:
    (order,) = shop.orders(shop.finds()).orders
    shop.later(seconds=1)
    shop.settles()
    number_orders.note_failed(order, "not_taken", "", shop.now)

    assert telnyx.json("/webhooks/telnyx/events", event_about(order, "failure")).status_code == 200
    order.refresh_from_db()
    assert order.state == State.FAILED
    assert telnyx.json("/webhooks/telnyx/events", event_about(order)).status_code == 200
    shop.later(seconds=1)

    order.refresh_from_db()
    assert (order.state, order.error_code) == (State.DONE, "")
    shop.is_consistent()


def test_one_that_succeeds_while_its_number_is_ordered_again_harms_nobody(shop: Shop, telnyx: Telnyx) -> None:
    picks = shop.finds()
    (order,) = shop.orders(picks).orders
    NumberOrder.objects.filter(pk=order.pk).update(sent_at=shop.now)
    number_orders.note_failed(order, "not_taken", "", shop.now)
    (again,) = shop.orders(picks).orders

    assert telnyx.json("/webhooks/telnyx/events", event_about(order)).status_code == 200

    order.refresh_from_db()
    assert (order.state, again.is_open) == (State.FAILED, True)


def test_a_number_that_is_not_wired_is_said_so_whatever_comes_after(shop: Shop) -> None:
    (order,) = shop.orders(shop.finds(), Wired(COMPANY, None, "Acme")).orders
    shop.later(seconds=1)
    shop.settles()
    other = shop.house.api("POST", "/texml_applications", json={"friendly_name": "x", "voice_url": "http://x"})
    number = shop.client.find_number(order.e164)
    assert number is not None
    shop.client.wire_number(number.id, connection_id=other["data"]["id"])
    unchanged = shop.house.api("GET", f"/phone_numbers/{number.id}")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as telnyx:
        telnyx.patch(
            f"{shop.house.url}/v2/phone_numbers/{number.id}",
            json=unchanged,
        )
        telnyx.add_passthru(shop.house.url)
        shop.later(seconds=30)

    order.refresh_from_db()
    assert (order.state, order.error_code) == (State.DONE, "not_wired")
    assert order.error_detail.startswith("It is wired to")
    assert PhoneNumber.objects.get().caller_name == "Acme"


def test_an_order_that_waits_for_documents_is_cancelled_at_telnyx_too(shop: Shop) -> None:
    shop.house.trouble(orders_need_documents=True)
    picks = shop.finds()
    (order,) = shop.orders(picks).orders
    assert not number_purchase.cancel(order, shop.client, shop.now)  # Telnyx has not got it yet.
    shop.later(seconds=1)

    assert number_purchase.cancel(order, shop.client, shop.now)
    shop.later(seconds=1)

    order.refresh_from_db()
    assert (order.state, order.error_code) == (State.FAILED, "cancelled")
    assert [one["status"] for one in shop.ordered_at_telnyx()] == ["failure"]
    shop.house.trouble(all_off=True)
    (again,) = shop.orders(picks).orders
    assert shop.until_closed(again).state == State.DONE


@pytest.mark.parametrize(("state", "days"), [(State.PENDING, 3), (State.NEEDS_DOCUMENTS, 60)])
def test_what_telnyx_does_not_finish_is_given_up_in_the_end(shop: Shop, state: str, days: int) -> None:
    need = {"orders_need_documents": True} if state == State.NEEDS_DOCUMENTS else {"orders_stay_pending_ms": 600_000}
    shop.house.trouble(**need)
    (order,) = shop.orders(shop.finds()).orders
    shop.later(seconds=1)
    shop.later(days=days - 1)
    order.refresh_from_db()
    assert order.state == state

    NumberOrder.objects.update(attempts=1_000)
    shop.later(days=1, seconds=1)

    order.refresh_from_db()
    assert (order.state, order.error_code, order.attempts) == (State.FAILED, "too_old", 1_000)
