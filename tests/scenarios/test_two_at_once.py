"""Two people, or two workers, who want the same at the same moment: real threads, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Agent
from curbe.companies.models import Company
from telephony.models import NumberOrder, PhoneNumber, SipEndpoint, TelnyxAccount
from telephony.operations import endpoints, number_orders
from telephony.operations.number_orders import Pick, Wired, order_numbers
from telephony.operations.number_purchase import advance
from telephony.telnyx.account import ensure_account
from tests import cast
from tests.telnyx.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(db: None) -> Company:
    return cast.make_company("acme")


@pytest.fixture(autouse=True)
def without_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_orders, "_queue", lambda: None)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run each in a thread of its own, all let go at the same moment; return what each returned."""
    start = threading.Barrier(len(works), timeout=20)
    results: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            results[place] = work()
        except Exception as err:
            results[place] = err
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    failed = [one for one in results if isinstance(one, Exception)]
    assert not failed, failed
    return results


# --- An agent's credential ----------------------------------------------------------------------------------------


@pytest.fixture
def agent(sandbox: Sandbox, acme: Company) -> Agent:
    made = cast.make_agent(acme, "bob")
    ensure_account(sandbox.client(), timezone.now())
    return Agent.objects.select_related("company", "user").get(pk=made.pk)


def test_two_who_need_an_agents_credential_make_one(sandbox: Sandbox, agent: Agent) -> None:
    client = sandbox.client()

    one, two = at_once(*[lambda: endpoints.ensure_endpoint(agent, client)] * 2)

    assert one == two
    assert list(sandbox.table("telephony_credentials")) == [one.telnyx_credential_id]


def test_two_who_renew_it_leave_one(sandbox: Sandbox, agent: Agent) -> None:
    client, now = sandbox.client(), timezone.now()
    endpoints.ensure_endpoint(agent, client)

    at_once(*[lambda: endpoints.renew_endpoint(agent, client, now)] * 2)

    assert list(sandbox.table("telephony_credentials")) == [SipEndpoint.objects.get(agent=agent).telnyx_credential_id]


def test_one_who_renews_it_while_another_needs_it_leaves_one(sandbox: Sandbox, agent: Agent) -> None:
    client, now = sandbox.client(), timezone.now()

    at_once(
        lambda: endpoints.ensure_endpoint(agent, client),
        lambda: endpoints.renew_endpoint(agent, client, now),
    )

    assert list(sandbox.table("telephony_credentials")) == [SipEndpoint.objects.get(agent=agent).telnyx_credential_id]


# --- A number -----------------------------------------------------------------------------------------------------


@pytest.fixture
def application_id(sandbox: Sandbox, acme: Company) -> str:
    ensure_account(sandbox.client(), timezone.now())
    return TelnyxAccount.objects.get(company=None).texml_application_id


def for_sale(sandbox: Sandbox, amount: int = 1) -> list[Pick]:
    found = sandbox.client().available_numbers(country="US", area_code="305", limit=amount)
    return [Pick(one.e164, "local", one.monthly_cost) for one in found[:amount]]


def test_of_two_companies_that_want_the_same_numbers_each_number_goes_to_one(
    sandbox: Sandbox, acme: Company, application_id: str
) -> None:
    other = cast.make_company("other")
    picks, now = for_sale(sandbox, 6), timezone.now()

    ordered = at_once(
        lambda: order_numbers(acme, picks, Wired(), ordered_by=None, now=now),
        # The other way round: they must not wait for each other in a circle.
        lambda: order_numbers(other, picks[::-1], Wired(), ordered_by=None, now=now),
    )

    got = [order.e164 for one in ordered for order in one.orders]
    assert sorted(got) == sorted(pick.e164 for pick in picks)
    assert sorted(e164 for one in ordered for e164 in one.taken) == sorted(got)


def test_two_workers_who_come_to_an_order_at_once_send_it_once(
    sandbox: Sandbox, acme: Company, application_id: str
) -> None:
    now, client = timezone.now(), sandbox.client()
    (order,) = order_numbers(acme, for_sale(sandbox), Wired(), ordered_by=None, now=now).orders

    at_once(*[lambda: advance(order.pk, client, now)] * 4)

    (sent,) = sandbox.table("number_orders").values()
    assert sent["customer_reference"] == order.customer_reference
    order.refresh_from_db()
    assert (order.attempts, order.is_open) == (1, True)


def test_two_who_take_a_bought_number_home_write_one_row(sandbox: Sandbox, acme: Company, application_id: str) -> None:
    now = timezone.now()
    (order,) = order_numbers(acme, for_sale(sandbox), Wired(), ordered_by=None, now=now).orders

    def home() -> PhoneNumber | None:
        mine = NumberOrder.objects.select_related("leads_to", "hours").get(pk=order.pk)
        with transaction.atomic():
            return number_orders.note_bought(mine, telnyx_id="71", connection_id=application_id, now=now)

    rows = at_once(home, home)

    assert len([row for row in rows if row is not None]) == 1
    assert PhoneNumber.objects.get().e164 == order.e164
