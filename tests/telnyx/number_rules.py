"""Rules of the judge for what numbers ask of Telnyx besides: their voice settings, emergency service, addresses."""

from __future__ import annotations

from typing import Any, Final, get_origin

from telnyx import types as of
from telnyx.types import phone_numbers

from tests.telnyx import judge
from tests.telnyx.judge import Rule

RULES: Final = (
    Rule("GET", "/phone_numbers/{}/voice", answer=phone_numbers.VoiceRetrieveResponse),
    Rule(
        "PATCH",
        "/phone_numbers/{}/voice",
        body=phone_numbers.VoiceUpdateParams,
        answer=phone_numbers.VoiceUpdateResponse,
    ),
    Rule(
        "POST",
        "/phone_numbers/{}/actions/enable_emergency",
        body=phone_numbers.ActionEnableEmergencyParams,
        answer=phone_numbers.ActionEnableEmergencyResponse,
    ),
    Rule("PATCH", "/sub_number_orders/{}/cancel", answer=of.SubNumberOrderCancelResponse),
    Rule("GET", "/addresses", query=of.AddressListParams, answer=of.Address, is_list=True),
    Rule("POST", "/addresses", body=of.AddressCreateParams, answer=of.AddressCreateResponse),
)


_check = judge._check


def check(value: Any, kind: Any, where: str, *, of_text: bool = False) -> None:
    """Hold a list of a query against its type too: the package joins it by commas (``array_format="comma"``)."""
    if of_text and isinstance(value, str) and get_origin(kind) is list:
        value = value.split(",")
    _check(value, kind, where, of_text=of_text)
