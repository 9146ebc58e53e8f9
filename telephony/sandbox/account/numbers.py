"""Number resources of the account, and the endless shop from which they come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from telephony.sandbox import clock, ids
from telephony.sandbox.account.store import Row

# What stands on the shelves: country → kind → area code (within the country), state and place. Enough for the searches
# that people try first; any other US area code is sold too, without a place.
SHELVES: dict[str, dict[str, list[tuple[str, str, str]]]] = {
    "US": {
        "local": [
            ("305", "FL", "Miami"), ("407", "FL", "Orlando"), ("212", "NY", "New York"), ("312", "IL", "Chicago"),
            ("415", "CA", "San Francisco"), ("213", "CA", "Los Angeles"), ("512", "TX", "Austin"),
            ("617", "MA", "Boston"),
        ],
        "toll_free": [("888", "", "")],
    },
    "ES": {
        "local": [("91", "", "Madrid"), ("93", "", "Barcelona"), ("95", "", "Sevilla"), ("96", "", "Valencia")],
        "mobile": [("6", "", "")],
    },
    "MX": {"local": [("55", "", "Ciudad de Mexico"), ("33", "", "Guadalajara"), ("81", "", "Monterrey")]},
}  # fmt: skip
PREFIXES = {"US": "+1", "ES": "+34", "MX": "+52"}
#: Digits behind the prefix.
LENGTHS = {"US": 10, "ES": 9, "MX": 10}
#: Of one number: (set-up, each month), in US dollars.
PRICES = {("US", "local"): ("1.00000", "1.00000"), ("US", "toll_free"): ("0.00000", "2.00000")}
OTHER_PRICE = ("3.00000", "4.50000")
FEATURES = {
    "US": ("sms", "mms", "voice", "fax", "emergency", "hd_voice", "local_calling"),
    "ES": ("voice", "fax", "emergency", "local_calling"),
    "MX": ("voice", "sms", "local_calling"),
}
CALLING_CODES = {
    "+1": "US", "+34": "ES", "+52": "MX", "+57": "CO", "+54": "AR", "+56": "CL", "+51": "PE", "+44": "GB", "+33": "FR",
    "+49": "DE", "+39": "IT", "+351": "PT", "+55": "BR", "+593": "EC", "+58": "VE", "+506": "CR", "+507": "PA",
    "+1787": "PR", "+1809": "DO", "+1829": "DO", "+1849": "DO",
    "+1416": "CA", "+1514": "CA", "+1604": "CA", "+1647": "CA",
}  # fmt: skip


def country_of(e164: str) -> str | None:
    """ISO country of a number by its longest known prefix."""
    matches = [prefix for prefix in CALLING_CODES if e164.startswith(prefix)]
    return CALLING_CODES[max(matches, key=len)] if matches else None


def kind_of(e164: str) -> str:
    return "toll_free" if e164.startswith("+1888") else "mobile" if e164.startswith("+346") else "local"


def number_resource(e164: str, *, connection_id: str | None, customer_reference: str | None) -> Row:
    """A freshly bought number as `GET /phone_numbers` shows it; ids are 19 digits."""
    at = clock.iso(clock.now())
    return {
        "id": ids.new_numeric_id(),
        "record_type": "phone_number",
        "phone_number": e164,
        "phone_number_type": kind_of(e164),
        "country_iso_alpha2": country_of(e164) or "US",
        "status": "active",
        "tags": [],
        "connection_id": connection_id,
        "customer_reference": customer_reference,
        "billing_group_id": None,
        "external_pin": None,
        "source_type": "number_order",
        "call_forwarding_enabled": False,
        "call_recording_enabled": False,
        "caller_id_name_enabled": False,
        "cnam_listing_enabled": False,
        "deletion_lock_enabled": False,
        "emergency_enabled": False,
        "hd_voice_enabled": False,
        "t38_fax_gateway_enabled": True,
        "inbound_call_screening": "disabled",
        "created_at": at,
        "purchased_at": at,
        "updated_at": at,
    }


def shop(
    country: str, kind: str, *, area_code: str | None, state: str | None, place: str | None
) -> Iterator[tuple[str, str, str]]:
    """Yield (e164, state, place) for ever, the same ones at every search."""
    areas = [
        row
        for row in SHELVES.get(country, {}).get(kind, [])
        if area_code in (None, row[0])
        and state in (None, row[1])
        and (place is None or place.lower() == row[2].lower())
    ]
    if (country, kind) == ("US", "local") and area_code and not areas and state is None and place is None:
        areas = [(area_code, "", "")]
    serial = 0
    while areas:
        for code, its_state, its_place in areas:
            digits = int(hashlib.sha256(f"{code}/{serial}".encode()).hexdigest(), 16)
            # 200 to 998 as exchange code: what the North American plan allows; 555 stays free for what people type.
            exchange = 200 + digits % 799
            if exchange != 555:
                rest = LENGTHS[country] - len(code) - 3
                line = str(digits // 1000 % 10**rest).rjust(rest, "0")
                yield f"{PREFIXES[country]}{code}{exchange}{line}", its_state, its_place
        serial += 1
