"""What became of an order of a number, in words: what is wrong, and what the person can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from telephony.models import NumberOrder
from telephony.telnyx.errors import TelnyxError, TelnyxRefused

#: Telnyx's codes (rest-api.md section 2), and words of our own.
WORDS: Final[Mapping[str, str | Promise]] = {
    "85000": gettext_lazy("Telnyx wants the number to be searched for once more. Search again and order it anew."),
    "85001": gettext_lazy("Somebody else was quicker: the number is not for sale any more. Choose another one."),
    "85004": gettext_lazy("Telnyx does not know where calls would be sent to. The account must be checked."),
    "85006": gettext_lazy("Somebody has reserved the number. Try again in half an hour, or choose another one."),
    "85007": gettext_lazy("The account has reserved as many numbers as it may. Order fewer at a time."),
    "10009": gettext_lazy("Telnyx does not accept the key of this installation. Its operator has to look at it."),
    "10010": gettext_lazy("Telnyx does not allow this account to buy the number. Its operator has to look at it."),
    "10002": gettext_lazy("Telnyx says that this is not a number."),
    "10027": gettext_lazy("Telnyx cannot carry out this order."),
    "documents": gettext_lazy(
        "Telnyx needs documents or an address for numbers of this kind. Hand them in on Telnyx's portal, under this "
        "order; it goes on by itself then."
    ),
    "order_failed": gettext_lazy("Telnyx could not deliver the number, and does not charge it. Choose another one."),
    "not_taken": gettext_lazy("Telnyx did not take the order for a quarter of an hour. Nothing was bought."),
    "cancelling": gettext_lazy("Telnyx was asked to cancel the order."),
    "cancelled": gettext_lazy("The order was cancelled. Nothing was bought."),
    "too_old": gettext_lazy(
        "Telnyx did not finish the order for too long. It is not waited for any more; if the number comes all the "
        "same, it is taken."
    ),
    "caller_name": gettext_lazy("The number is yours. Telnyx refused its caller-ID name: set another one."),
    "not_wired": gettext_lazy(
        "The number is yours, but Telnyx refused to send its calls here. The account must be checked."
    ),
    "row_of_another_company": gettext_lazy(
        "The number was bought, but another company has it in Curbe Voice. The operator has to look at it."
    ),
}

NOT_NOW: Final = gettext_lazy("Telnyx does not answer. Try again in a moment.")


def reason_of(order: NumberOrder) -> str:
    """Return what is wrong with the order; empty where nothing is."""
    if not order.error_code:
        return ""
    known = WORDS.get(order.error_code)
    said = _("Telnyx says: %(words)s (%(code)s)") % {
        "words": order.error_detail or _("no reason"),
        "code": order.error_code,
    }
    if known is None:
        return said
    tells_more = order.error_detail and order.error_code in {"10027", "caller_name", "not_wired"}
    return f"{known} {said}" if tells_more else str(known)


def in_words(err: TelnyxError) -> str:
    """Return what a person is told when Telnyx did not do what was asked."""
    if not isinstance(err, TelnyxRefused):
        return str(NOT_NOW)
    first = err.complaints[0] if err.complaints else None
    known = WORDS.get(first.code) if first and first.code != "10027" else None
    if known is not None:
        return str(known)
    return _("Telnyx says: %(words)s (%(code)s)") % {
        "words": (first.detail or first.title) if first else _("no reason"),
        "code": first.code if first else err.status,
    }


def refused(reason: str) -> str:
    """Return why nothing was ordered (``UnableToOrder.reason``)."""
    return str(_REFUSALS[reason])


_REFUSALS: Final[Mapping[str, str | Promise]] = {
    "no_application": gettext_lazy(
        "The Telnyx account is not set up yet: a number that is bought now would ring nowhere. Nothing was ordered."
    ),
    "nothing_chosen": gettext_lazy("Choose at least one number."),
    "too_many": gettext_lazy("Too many numbers at once."),
}
