"""An order at Telnyx, turn by turn: sent, asked for, taken home. Outside of any transaction.

A turn does whatever an order needs next. It may be interrupted anywhere, by the end of its process too: the next turn
finds what Telnyx has by the order's reference, and goes on from there.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

import phonenumbers

from telephony.models import NumberOrder
from telephony.operations import number_orders as orders
from telephony.telnyx.answers import RemoteOrder
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

MUST_SEARCH: Final = "85000"
#: No longer available, already reserved: perhaps by ourselves, a moment ago.
GONE: Final = frozenset({"85001", "85006"})
#: Telnyx's words for an order, or a number in it, that comes to nothing.
FAILED: Final = frozenset({"failure", "failed", "cancelled", "canceled", "deleted"})


def advance(order_id: int, client: TelnyxClient, now: datetime) -> None:
    """Give one order its turn, if it is due."""
    order = orders.take(order_id, now)
    if order is None:
        return
    try:
        _turn(order, client, now)
        _end_by_age(order, client, now)
    except TelnyxUnreachable as err:
        # Nothing is known of what was asked: the next turn begins by finding out.
        logger.warning("Order %s waits for Telnyx: %s", order.pk, err)
        orders.look_again(order, now, after=timedelta(seconds=min(err.retry_after_s or 0, 600)))
    except TelnyxRefused as err:
        # Asking was refused (a key that was changed, say). That is no word on the order, which may be paid for.
        logger.error("Order %s cannot be asked for: %s", order.pk, err)
        orders.look_again(order, now, after=timedelta(seconds=30))


def _end_by_age(order: NumberOrder, client: TelnyxClient, now: datetime) -> None:
    """Give up what Telnyx has not finished for days: an open order keeps everybody from ordering the number."""
    if order.number_id is not None or not order.is_open:
        return
    waits = order.state == NumberOrder.State.NEEDS_DOCUMENTS
    longest = orders.DOCUMENTS_FOR if waits else orders.PENDING_FOR
    if now - (order.sent_at or order.created_at) > longest:
        _give_up(order, "too_old", "", client, now)


def cancel(order: NumberOrder, client: TelnyxClient, now: datetime) -> bool:
    """Have Telnyx cancel an order that it has and has not delivered; return whether it could still be asked to.

    The order ends as Telnyx says that it ended: one that was delivered meanwhile is taken home. Raises TelnyxRefused,
    TelnyxUnreachable; asked twice it is the same.
    """
    cancellable = (NumberOrder.State.PENDING, NumberOrder.State.NEEDS_DOCUMENTS)
    open_ones = NumberOrder.objects.filter(pk=order.pk, state__in=cancellable, number=None)
    if not open_ones.exists():
        return False
    for remote in client.number_orders(customer_reference=order.customer_reference):
        for part in remote.parts:
            client.cancel_sub_order(part)
    open_ones.update(error_code=orders.CANCELLING, error_detail="")
    orders.ask_now([order.pk], now)
    return True


def _turn(order: NumberOrder, client: TelnyxClient, now: datetime) -> None:
    if order.number_id is not None:
        _name(order, client, now)
    elif order.sent_at is None:
        _send(order, client, now)
    else:
        _ask(order, client, now)


# --- Sending --------------------------------------------------------------------------------------------------------


def _send(order: NumberOrder, client: TelnyxClient, now: datetime) -> None:
    was_sent = order.sent_at is not None
    if not orders.mark_sent(order, now):
        return
    try:
        remote = _post(order, client)
    except TelnyxRefused as err:
        _refused(order, err, client, now, was_sent=was_sent)
        return
    _found(order, remote, client, now)


def _post(order: NumberOrder, client: TelnyxClient) -> RemoteOrder:
    wanted = {
        "e164": order.e164,
        "connection_id": order.connection_id,
        "customer_reference": order.customer_reference,
    }
    try:
        return client.create_number_order(**wanted)
    except TelnyxRefused as err:
        if MUST_SEARCH not in err.codes:
            raise
    # A clear no: nothing was ordered. Its search is too old, so it is searched for again.
    _search(order, client)
    return client.create_number_order(**wanted)


def _search(order: NumberOrder, client: TelnyxClient) -> None:
    parsed = phonenumbers.parse(order.e164, None)
    region = phonenumbers.region_code_for_number(parsed)
    if region:
        client.available_numbers(
            country=region, kind=order.kind, contains=phonenumbers.national_significant_number(parsed), limit=1
        )


def _refused(order: NumberOrder, err: TelnyxRefused, client: TelnyxClient, now: datetime, *, was_sent: bool) -> None:
    """End the order where the no is certain; else ask again."""
    is_young = now - order.created_at < orders.TRIED_FOR
    # Without Telnyx's own words it was not Telnyx who answered. And what was sent before may be what stands in the way.
    is_doubtful = not err.complaints or (was_sent and bool(err.codes & GONE))
    if is_doubtful and is_young:
        logger.warning("Order %s: %s", order.pk, err)
        orders.look_again(order, now)
        return
    first = err.complaints[0] if err.complaints else None
    detail = first.detail or first.title if first else ""
    code = first.code if first else f"http {err.status}"
    if was_sent:
        _give_up(order, code, detail, client, now)
    else:
        orders.note_failed(order, code, detail, now)


def _give_up(order: NumberOrder, code: str, detail: str, client: TelnyxClient, now: datetime) -> None:
    """End an order that was sent and never came to light, unless its number is in the account: then it is paid for."""
    if client.find_number(order.e164) is not None:
        _take_home(order, order.telnyx_order_id, client, now)
    else:
        orders.note_failed(order, code, detail, now)


# --- Asking ---------------------------------------------------------------------------------------------------------


def _ask(order: NumberOrder, client: TelnyxClient, now: datetime) -> None:
    """Find what Telnyx has under the order's reference, and only if that is nothing, for long enough, send it again."""
    found = client.number_orders(customer_reference=order.customer_reference)
    if found:
        _found(order, max(found, key=lambda one: _hope(one, order.e164)), client, now)
        return
    assert order.sent_at is not None
    settles_in = order.sent_at + orders.SETTLED_AFTER - now
    if order.state != NumberOrder.State.REQUESTED or settles_in > timedelta(0):
        orders.look_again(order, now, after=min(settles_in, timedelta(seconds=20)))
    elif now - order.created_at > orders.TRIED_FOR:
        _give_up(order, "not_taken", "", client, now)
    else:
        _send(order, client, now)


def _hope(remote: RemoteOrder, e164: str) -> int:
    status = remote.status_of(e164)
    return 2 if status == "success" else 0 if status in FAILED else 1


def _found(order: NumberOrder, remote: RemoteOrder, client: TelnyxClient, now: datetime) -> None:
    """Go on from what Telnyx has."""
    status = remote.status_of(order.e164)
    if not remote.id:
        # An answer that says nothing: the order may stand all the same.
        orders.look_again(order, now)
    elif status == "success":
        _take_home(order, remote.id, client, now)
    elif status in FAILED:
        code = "cancelled" if order.error_code == orders.CANCELLING else "order_failed"
        orders.note_failed(order, code, "", now)
    else:
        orders.note_pending(order, remote.id, needs_documents=not remote.requirements_met, now=now)


# --- Taking home ----------------------------------------------------------------------------------------------------


def _take_home(order: NumberOrder, telnyx_order_id: str, client: TelnyxClient, now: datetime) -> None:
    number = client.find_number(order.e164)
    if number is None:
        # Bought, and not listed yet.
        orders.note_pending(order, telnyx_order_id, needs_documents=False, now=now)
        return
    connection_id, trouble = number.connection_id, ""
    if connection_id != order.connection_id:
        try:
            connection_id = client.wire_number(number.id, connection_id=order.connection_id).connection_id
        except TelnyxRefused as err:
            # It is paid for, so it gets its row: the audit shows it, and wires it.
            trouble = str(err)
        if connection_id != order.connection_id:
            trouble = trouble or f"It is wired to {connection_id or 'nothing'} all the same."
            logger.error("Number %s was bought and cannot be wired: %s", number.id, trouble)
    NumberOrder.objects.filter(pk=order.pk).update(telnyx_order_id=telnyx_order_id)
    row = orders.note_bought(order, telnyx_id=number.id, connection_id=connection_id, now=now, trouble=trouble)
    if row is None:
        return
    if order.is_open:
        _name(order, client, now)


def _name(order: NumberOrder, client: TelnyxClient, now: datetime) -> None:
    """List the caller-ID name that was wished for; one that Telnyx refuses is told, and costs nobody the number."""
    number = order.number
    if number is None or not number.telnyx_id:
        orders.note_done(order, now)
        return
    try:
        client.set_caller_name(number.telnyx_id, order.caller_name)
    except TelnyxRefused as err:
        orders.note_done(order, now, error_code="caller_name", error_detail=str(err))
        return
    number.caller_name = order.caller_name
    number.save(update_fields=["caller_name"])
    orders.note_done(order, now)
