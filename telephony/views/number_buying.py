"""``/numbers/buy/`` and ``/numbers/orders/``: numbers are searched for, bought, and seen arriving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES, Company, User
from curbe.lib.phone import for_people
from telephony.forms.number_purchase import FEATURES, PurchaseForm, SearchForm, sealed, unsealed
from telephony.models import NumberOrder, NumberRelease
from telephony.operations import number_purchase
from telephony.operations.number_orders import (
    CANCELLING,
    Ordered,
    Pick,
    UnableToOrder,
    Wired,
    ask_now,
    order_numbers,
    repeated,
)
from telephony.queries import destinations
from telephony.queries.explain import explain_call
from telephony.queries.history import zone_of
from telephony.queries.place_choices import place_choices
from telephony.queries.plans import destination_of
from telephony.telnyx.answers import AvailableNumber
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError, TelnyxRefused
from telephony.views import order_words

SHOWN = 50
#: Orders and releases of a page.
PAGE_SIZE = 50
#: Most orders are done in their second or third turn.
USUAL_TURNS = 3


@dataclass(frozen=True)
class Offer:
    """A number of the search, as a row with a checkbox."""

    e164: str
    place: str
    features: str
    pick: Pick
    token: str
    is_chosen: bool


@dataclass(frozen=True)
class Found:
    """What a search found, or why it found nothing."""

    offers: tuple[Offer, ...] = ()
    error: str = ""
    status: int = 200


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def buy_numbers(request: HttpRequest) -> HttpResponse:
    """Search by the address's fields; buy what was ticked."""
    company = company_of(request)
    posted = request.POST if request.method == "POST" else None
    asked = posted or request.GET
    search = SearchForm(asked if "country" in asked else None)
    form = PurchaseForm(posted, company=company, choices=place_choices(company))
    status = 200
    if posted is not None:
        ordered, status = _order(request, company, form)
        if ordered is not None:
            return redirect(f"{reverse('number-orders')}?purchase={ordered.purchase}")
    found = search_for(company, search, chosen=posted.getlist("offer") if posted else [])
    context = {
        "search": search,
        "form": form,
        "found": found,
        "has_searched": search.is_bound and not search.errors and not found.error,
    }
    if search.is_bound and search.errors:
        status = max(status, 422)
    return render(request, "telephony/numbers_buy.html", context, status=max(status, found.status))


def search_for(company: Company, search: SearchForm, *, chosen: Iterable[str] = ()) -> Found:
    """Ask Telnyx for what the form says; nothing while it is not filled in, or wrong."""
    if not search.is_bound or not search.is_valid():
        return Found()
    asked = search.asked()
    try:
        numbers = get_client().available_numbers(**asked, limit=SHOWN)
    except TelnyxError as err:
        return Found(error=order_words.in_words(err), status=422 if isinstance(err, TelnyxRefused) else 502)
    kept = {pick.e164: Offer(pick.e164, "", "", pick, token, True) for token, pick in _picks(company, chosen)}
    offers = [_offer(company, number, asked["kind"], number.e164 in kept) for number in numbers[:SHOWN]]
    # What was ticked stays in sight, also where this search does not find it.
    unseen = [offer for e164, offer in kept.items() if e164 not in {offer.e164 for offer in offers}]
    return Found((*unseen, *offers))


def _picks(company: Company, tokens: Iterable[str]) -> Iterator[tuple[str, Pick]]:
    for token in tokens:
        with suppress(ValueError):
            yield token, unsealed(company, token)


def _offer(company: Company, number: AvailableNumber, kind: str, is_chosen: bool) -> Offer:
    return Offer(
        e164=number.e164,
        place=number.place,
        features=", ".join(str(label) for name, label in FEATURES.items() if name in number.features),
        pick=Pick(number.e164, kind, number.monthly_cost, number.upfront_cost, number.currency),
        token=sealed(company, number, kind),
        is_chosen=is_chosen,
    )


def _order(request: HttpRequest, company: Company, form: PurchaseForm) -> tuple[Ordered | None, int]:
    """Order what was chosen, and say what was not; without anything ordered, the status says why."""
    if not form.is_valid():
        return None, 422
    wish = form.wish
    wired = Wired(form.destination, wish.hours if wish else None, form.cleaned_data["caller_name"])
    who = request.user if isinstance(request.user, User) else None
    try:
        ordered = order_numbers(company, form.picks, wired, ordered_by=who, now=timezone.now())
    except UnableToOrder as err:
        form.add_error(None, order_words.refused(err.reason))
        return None, 409
    if not ordered.orders and (purchase := repeated(company, form.picks, ordered_by=who, now=timezone.now())):
        return Ordered(purchase, (), (), ()), 200
    for text in not_ordered(ordered):
        if ordered.orders:
            messages.error(request, text)
        else:
            form.add_error(None, text)
    return (ordered, 200) if ordered.orders else (None, 409)


def not_ordered(ordered: Ordered) -> list[str]:
    """Return a sentence for each number that others were quicker with."""
    taken = _("%(number)s was not ordered: somebody else is buying it just now.")
    owned = _("%(number)s was not ordered: it has been bought already.")
    return [
        *(taken % {"number": for_people(e164)} for e164 in ordered.taken),
        *(owned % {"number": for_people(e164)} for e164 in ordered.owned),
    ]


# --- Orders --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """An order as a row."""

    order: NumberOrder
    leads_to: str
    reason: str
    tone: str
    #: It takes longer than usual: a person may want to have Telnyx asked.
    may_ask: bool
    #: Telnyx has it, and has not delivered it.
    may_cancel: bool


_TONES = {
    NumberOrder.State.REQUESTED: "live",
    NumberOrder.State.PENDING: "live",
    NumberOrder.State.DONE: "good",
    NumberOrder.State.FAILED: "bad",
    NumberOrder.State.NEEDS_DOCUMENTS: "note",
}


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def number_orders(request: HttpRequest) -> HttpResponse:
    """The orders of one purchase, or all of them, newest first; below them what was given back."""
    company, purchase = company_of(request), _uuid_or_none(request.GET.get("purchase", ""))
    older = request.GET.get("older", "")
    if older and not (older.isascii() and older.isdigit() and len(older) < 19):
        raise BadRequest("older")
    rows = for_company(request, NumberOrder).select_related(
        "ordered_by", "number", "leads_to__agent__user", "leads_to__queue", "leads_to__menu"
    )
    if purchase is not None:
        rows = rows.filter(purchase=purchase)
    if older:
        rows = rows.filter(pk__lt=int(older))
    found = list(rows.order_by("-id" if purchase is None else "e164")[: PAGE_SIZE + 1])
    orders = [shown(order) for order in found[:PAGE_SIZE]]
    context = {
        "orders": orders,
        "purchase": purchase,
        "older": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
        "is_open": any(one.order.is_open for one in orders),
        "done": sum(one.order.state == NumberOrder.State.DONE for one in orders),
        "ended": sum(not one.order.is_open for one in orders),
        "rings": where_it_rings(company, orders) if purchase is not None else "",
        "releases": []
        if purchase is not None or older
        else for_company(request, NumberRelease).select_related("released_by").order_by("-id")[:PAGE_SIZE],
        "zone": zone_of(company.timezone),
        "may_edit": membership_of(request).administers,
        "address": request.get_full_path(),
    }
    return render(request, "telephony/number_orders.html", context)


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def ask_about_order(request: HttpRequest, order_id: int) -> HttpResponse:
    """Have Telnyx asked now how an order stands."""
    order = get_for_company(request, NumberOrder, pk=order_id)
    if ask_now([order.pk], timezone.now()):
        messages.success(request, _("Telnyx is asked. The page shows the answer by itself."))
    return redirect(f"{reverse('number-orders')}?purchase={order.purchase}")


@require_POST
@never_cache
@role_required(*ADMINISTERING_ROLES)
def cancel_order(request: HttpRequest, order_id: int) -> HttpResponse:
    """Have Telnyx cancel an order that waits, for documents say."""
    order = get_for_company(request, NumberOrder, pk=order_id)
    try:
        if number_purchase.cancel(order, get_client(), timezone.now()):
            messages.success(request, _("Telnyx was asked to cancel the order."))
        else:
            messages.error(request, _("This order cannot be cancelled any more."))
    except TelnyxError as err:
        messages.error(request, order_words.in_words(err))
    return redirect(f"{reverse('number-orders')}?purchase={order.purchase}")


def _may_cancel(order: NumberOrder) -> bool:
    is_slow = order.state == NumberOrder.State.NEEDS_DOCUMENTS or (
        order.state == NumberOrder.State.PENDING and order.attempts > USUAL_TURNS
    )
    return is_slow and order.number_id is None and order.error_code != CANCELLING


def shown(order: NumberOrder) -> Shown:
    return Shown(
        order=order,
        leads_to=destinations.of_place(order.leads_to).label if order.leads_to else _("Nobody: not assigned"),
        reason=order_words.reason_of(order),
        tone=_TONES[NumberOrder.State(order.state)],
        may_ask=order.is_open and order.attempts > USUAL_TURNS,
        may_cancel=_may_cancel(order),
    )


def where_it_rings(company: Company, orders: list[Shown]) -> str:
    """Return in one line what a call to these numbers meets now; all of one purchase lead to one place."""
    if not orders:
        return ""
    order = orders[0].order
    to: Any = order.e164 if order.number_id else destination_of(order.leads_to)
    now = timezone.now()
    return explain_call(company, to, "", now, now=now, language=get_language() or "es").decision


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as err:
        raise BadRequest("purchase") from err
