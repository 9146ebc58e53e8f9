"""Buying numbers: written here first, asked for at Telnyx by the worker, finished by whoever comes to it next.

An order climbs REQUESTED → PENDING → DONE, or ends FAILED, or waits at NEEDS_DOCUMENTS. What may have been sent is
asked for by its reference before it is sent again, so no number is bought twice; an order ends as DONE only together
with its number's row, so none is paid for without one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Least
from kombu.exceptions import OperationalError

from curbe.companies.models import Company, User
from curbe.lib import push
from telephony.core.events import json_payload, text
from telephony.core.plan import NOWHERE, Destination
from telephony.models import BusinessHours, NumberOrder, PhoneNumber, TelnyxAccount, TelnyxEvent
from telephony.operations.assignments import columns_of
from telephony.operations.places import place_for
from telephony.queries.plans import destination_of

logger = logging.getLogger(__name__)

#: The worker's task: it stands above this module, and calls it.
TASK: Final = "telephony.tasks.finish_number_orders"
#: Numbers of one purchase at the most: they are ordered one after the other, so that each has an end of its own.
MOST_AT_ONCE: Final = 50
#: The same purchase again within this time is the same click.
JUST_NOW: Final = timedelta(minutes=5)


class UnableToOrder(ValueError):
    """Nothing was ordered. ``reason`` is a code: no_application, nothing_chosen, too_many."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pick:
    """A number that somebody chose from a search, with the prices that he saw."""

    e164: str
    kind: str = ""
    monthly_cost: Decimal | None = None
    upfront_cost: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Wired:
    """What the numbers of a purchase shall be once they are there."""

    leads_to: Destination = NOWHERE
    hours: BusinessHours | None = None
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A purchase: what is being ordered, and which of the picks are not, because others were quicker."""

    purchase: uuid.UUID
    orders: tuple[NumberOrder, ...]
    #: Somebody is buying it just now.
    taken: tuple[str, ...]
    #: It is a number of ours already.
    owned: tuple[str, ...]


def order_numbers(
    company: Company, picks: Sequence[Pick], wired: Wired, *, ordered_by: User | None, now: datetime
) -> Ordered:
    """Write an order for each number, and have the worker see to them. Raises UnableToOrder.

    Of two who want the same number at once, the one whose row is written first gets it; the other is told.
    """
    wanted = {pick.e164: pick for pick in picks}
    if not wanted:
        raise UnableToOrder("nothing_chosen")
    if len(wanted) > MOST_AT_ONCE:
        raise UnableToOrder("too_many")
    connection_id = application_of(company)
    purchase = uuid.uuid4()
    with transaction.atomic():
        place = place_for(company, wired.leads_to)
        NumberOrder.objects.bulk_create(
            [
                NumberOrder(
                    company=company,
                    purchase=purchase,
                    ordered_by=ordered_by,
                    e164=pick.e164,
                    kind=pick.kind,
                    customer_reference=f"curbe-{uuid.uuid4()}",
                    connection_id=connection_id,
                    monthly_cost=pick.monthly_cost,
                    upfront_cost=pick.upfront_cost,
                    currency=pick.currency,
                    leads_to=place,
                    hours=wired.hours,
                    caller_name=wired.caller_name,
                    next_look_at=now,
                    created_at=now,
                )
                # In one order, so that two purchases of the same numbers never wait for each other in a circle.
                for pick in sorted(wanted.values(), key=lambda pick: pick.e164)
            ],
            ignore_conflicts=True,
        )
        mine = NumberOrder.objects.filter(purchase=purchase)
        # Asked after the insert: an order that was open until a moment ago has left its number by now.
        owned = set(PhoneNumber.objects.filter(e164__in=wanted).values_list("e164", flat=True))
        mine.filter(e164__in=owned).delete()
        orders = tuple(mine.order_by("e164"))
        have_finished()
    for order in orders:
        tell(order)
    ours = {order.e164 for order in orders} | owned
    return Ordered(purchase, orders, tuple(e164 for e164 in wanted if e164 not in ours), tuple(sorted(owned)))


def application_of(company: Company) -> str:
    """Return the id of the TeXML application that the company's numbers point at. Raises UnableToOrder."""
    accounts = TelnyxAccount.objects.filter(company=company) | TelnyxAccount.objects.filter(company=None)
    ids = {account.company_id: account.texml_application_id for account in accounts}
    connection_id = ids.get(company.pk) or ids.get(None)
    if not connection_id:
        # Without one a number would be bought that rings nowhere.
        raise UnableToOrder("no_application")
    return connection_id


def have_finished() -> None:
    """Have the worker look at what is due, after commit. Without a broker the beat does, 5 s later at most."""
    transaction.on_commit(_queue, robust=True)


def _queue() -> None:
    try:
        current_app.send_task(TASK, queue="default")
    except OperationalError:
        logger.warning("The broker is away: orders of numbers go on by the clock")


def tell(order: NumberOrder) -> None:
    push.send("number_order.changed", groups=[push.supervisors_group(order.company_id)], order_id=order.pk)


# --- Taking one's turn at an order ----------------------------------------------------------------------------------

#: Longer than all the requests that a turn can make together; whoever dies in one gives the order back after it.
TURN: Final = timedelta(seconds=60)
#: How long after it was sent an order may still come to light at Telnyx: past its own time-outs, with room to spare.
SETTLED_AFTER: Final = timedelta(seconds=60)
#: A person waits for the number: what Telnyx did not take within this time is not bought behind his back later.
TRIED_FOR: Final = timedelta(minutes=15)
#: The pause after the n-th turn, in seconds.
PAUSES_S: Final = (2, 3, 5, 10, 20, 30, 60, 120, 300)
#: Documents are handed in by people.
DOCUMENTS_PAUSE: Final = timedelta(minutes=10)
#: What Telnyx has not finished by then is given up; one that succeeds later all the same is taken home.
PENDING_FOR: Final = timedelta(days=3)
DOCUMENTS_FOR: Final = timedelta(days=60)
#: The column ends at 32,767, and nobody counts further than this.
MOST_ATTEMPTS: Final = 1_000
#: Error codes of ours: somebody asked Telnyx to cancel the order; the number is not wired to us.
CANCELLING: Final = "cancelling"
NOT_WIRED: Final = "not_wired"


def take(order_id: int, now: datetime) -> NumberOrder | None:
    """Return an open order whose time has come, for this turn ours alone; None when there is nothing to do."""
    due = NumberOrder.objects.filter(pk=order_id, state__in=NumberOrder.OPEN, next_look_at__lte=now)
    if not due.update(next_look_at=now + TURN, attempts=Least(F("attempts") + 1, MOST_ATTEMPTS)):
        return None
    return NumberOrder.objects.select_related("company", "leads_to", "hours").get(pk=order_id)


def mark_sent(order: NumberOrder, now: datetime) -> bool:
    """Note, before it is, that the order is being sent; False when somebody else is sending it."""
    same = NumberOrder.objects.filter(pk=order.pk, state=NumberOrder.State.REQUESTED, sent_at=order.sent_at)
    if not same.update(sent_at=now):
        return False
    order.sent_at = now
    return True


def look_again(order: NumberOrder, now: datetime, *, after: timedelta | None = None) -> None:
    """End this turn; the next one comes after a pause that grows."""
    _change(order, next_look_at=now + max(_pause(order), after or timedelta(0)))


def _pause(order: NumberOrder) -> timedelta:
    return timedelta(seconds=PAUSES_S[min(order.attempts, len(PAUSES_S)) - 1])


# --- What became of an order ----------------------------------------------------------------------------------------


def note_pending(order: NumberOrder, telnyx_order_id: str, *, needs_documents: bool, now: datetime) -> None:
    """Telnyx has the order, and is at it or waits for documents."""
    state = NumberOrder.State.NEEDS_DOCUMENTS if needs_documents else NumberOrder.State.PENDING
    is_news = state != order.state
    pause = DOCUMENTS_PAUSE if needs_documents else _pause(order)
    code = "documents" if needs_documents else ""
    if order.error_code == CANCELLING:
        code = CANCELLING
    changed = _change(
        order, state=state, telnyx_order_id=telnyx_order_id, error_code=code, error_detail="", next_look_at=now + pause
    )
    if changed and is_news:
        tell(order)


def note_failed(order: NumberOrder, code: str, detail: str, now: datetime) -> None:
    """Nothing was bought, and nothing more is tried."""
    state = NumberOrder.State.FAILED
    if _change(order, state=state, error_code=code[:40], error_detail=detail[:500], next_look_at=None, ended_at=now):
        logger.warning("Order %s of a number failed: %s", order.pk, code)
        tell(order)


def note_bought(
    order: NumberOrder, *, telnyx_id: str, connection_id: str, now: datetime, trouble: str = ""
) -> PhoneNumber | None:
    """Write the number's row with the order's end, together; return it, None when the order had ended already.

    Only a caller-ID name that is still to be listed keeps the order open: its number is there by then. ``trouble`` says
    why the number is not wired as it was ordered.
    """
    with transaction.atomic():
        locked = NumberOrder.objects.select_for_update().get(pk=order.pk)
        if not locked.is_open:
            return None
        number, made = PhoneNumber.objects.get_or_create(
            e164=order.e164,
            defaults={
                "company_id": order.company_id,
                "telnyx_id": telnyx_id,
                "connection_id": connection_id,
                "hours_id": order.hours_id,
                **columns_of(destination_of(order.leads_to)),
            },
        )
        if number.company_id != order.company_id:
            # A company file brought the row meanwhile. The number is ours and has a row; whose it is, people decide.
            logger.error("Number %s was bought for company %s, but has another's row", number.pk, order.company_id)
            note_failed(order, "row_of_another_company", "", now)
            return None
        if not made and (number.telnyx_id, number.connection_id) != (telnyx_id, connection_id):
            number.telnyx_id, number.connection_id = telnyx_id, connection_id
            number.save(update_fields=["telnyx_id", "connection_id"])
        ended: dict[str, Any] = {"state": NumberOrder.State.DONE, "next_look_at": None, "ended_at": now}
        unnamed = order.caller_name and number.caller_name != order.caller_name
        said = {"error_code": NOT_WIRED if trouble else "", "error_detail": trouble[:500]}
        _change(order, number=number, **said, **({} if unnamed else ended))
        tell(order)
    return number


def note_done(order: NumberOrder, now: datetime, *, error_code: str = "", error_detail: str = "") -> None:
    """The number is there. An error says what of it could not be set; that it is not wired is the worst of them."""
    if order.error_code == NOT_WIRED:
        error_code, error_detail = order.error_code, order.error_detail
    if _change(
        order,
        state=NumberOrder.State.DONE,
        error_code=error_code[:40],
        error_detail=error_detail[:500],
        next_look_at=None,
        ended_at=now,
    ):
        tell(order)


def _change(order: NumberOrder, **values: Any) -> bool:
    """Write to an order that is open still; False when somebody ended it meanwhile."""
    if not NumberOrder.objects.filter(pk=order.pk, state__in=NumberOrder.OPEN).update(**values):
        return False
    for name, value in values.items():
        setattr(order, name, value)
    return True


def on_order_event(event: TelnyxEvent, now: datetime) -> None:
    """Telnyx says that an order went on: it is looked at now. What it became is asked for, not believed.

    One that was given up, and succeeded all the same, is paid for: it is opened again. Part of the ledger's
    transaction.
    """
    payload = json_payload(event.payload)
    reference, order_id = text(payload.get("customer_reference")), text(payload.get("id"), 64)
    orders = NumberOrder.objects.filter(customer_reference=reference) if reference else NumberOrder.objects.none()
    if order_id:
        orders = orders | NumberOrder.objects.filter(telnyx_order_id=order_id)
    order = orders.first()
    if order is None:
        # An order that somebody made in the portal.
        return
    event.company_id = order.company_id
    is_open = NumberOrder.objects.filter(pk=order.pk, state__in=NumberOrder.OPEN).update(next_look_at=now)
    if is_open or (text(payload.get("status")) == "success" and _reopen(order, order_id, now)):
        have_finished()


def _reopen(order: NumberOrder, telnyx_order_id: str, now: datetime) -> bool:
    failed = NumberOrder.objects.filter(pk=order.pk, state=NumberOrder.State.FAILED, sent_at__isnull=False)
    values = {"state": NumberOrder.State.PENDING, "error_code": "", "error_detail": "", "ended_at": None}
    try:
        with transaction.atomic():
            done = failed.update(
                **values, sent_at=now, next_look_at=now, telnyx_order_id=telnyx_order_id or order.telnyx_order_id
            )
    except IntegrityError:
        # Somebody orders the number anew: Telnyx says to that order that we have it, and its turn takes it home.
        logger.warning("Order %s succeeded after it was given up, while its number is ordered again", order.pk)
        return False
    if done:
        logger.warning("Order %s succeeded after it was given up: it goes on", order.pk)
    return bool(done)


def repeated(company: Company, picks: Sequence[Pick], *, ordered_by: User | None, now: datetime) -> uuid.UUID | None:
    """Return the purchase that this one says again: the same person's, of the same numbers, a moment ago or open.

    A second click on "Buy" is no mistake of anybody else's.
    """
    wanted = {pick.e164 for pick in picks}
    same = NumberOrder.objects.filter(company=company, ordered_by=ordered_by, ordered_by__isnull=False, e164__in=wanted)
    lately = same.filter(Q(state__in=NumberOrder.OPEN) | Q(created_at__gte=now - JUST_NOW)).order_by("id")
    purchases = dict(lately.values_list("e164", "purchase"))
    one = set(purchases.values())
    return one.pop() if set(purchases) == wanted and len(one) == 1 else None


def ask_now(orders: Sequence[int], now: datetime) -> int:
    """Have the worker look at these orders at once, as a person asked; return how many are open."""
    with transaction.atomic():
        amount = NumberOrder.objects.filter(pk__in=orders, state__in=NumberOrder.OPEN).update(next_look_at=now)
        have_finished()
    return amount
