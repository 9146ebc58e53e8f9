"""What Telnyx keeps beside a number: the name that it shows when it calls, and where help is sent.

What Telnyx refuses changes nothing here; each wish can be made again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final

from curbe.companies.models import Company
from telephony.models import EmergencyAddress, PhoneNumber
from telephony.telnyx.client import TelnyxClient

#: SDK 4.189.0, CnamListing: alphanumeric characters or spaces, 15 at most.
CALLER_NAME: Final = re.compile(r"[A-Za-z0-9 ]{0,15}")


class NotAtTelnyx(ValueError):
    """The number has no Telnyx id: the audit has to link it first."""


def set_caller_name(number: PhoneNumber, name: str, client: TelnyxClient) -> None:
    """List the name for the number, or none. Raises NotAtTelnyx, TelnyxRefused, TelnyxUnreachable."""
    client.set_caller_name(_id_of(number), name)
    number.caller_name = name
    number.save(update_fields=["caller_name"])


def add_address(company: Company, fields: Mapping[str, str]) -> EmergencyAddress:
    """Write an address of the company; Telnyx gets it with the first number that uses it."""
    return EmergencyAddress.objects.create(company=company, customer_reference=f"curbe-{uuid.uuid4()}", **fields)


def set_emergency_address(number: PhoneNumber, address: EmergencyAddress, client: TelnyxClient) -> None:
    """Have help sent to the address when somebody calls it from the number.

    The address is looked for by its reference before Telnyx is asked to make it. Raises NotAtTelnyx, TelnyxRefused,
    TelnyxUnreachable.
    """
    number_id = _id_of(number)
    if not address.telnyx_id:
        made = client.find_address(customer_reference=address.customer_reference)
        address.telnyx_id = made or client.create_address(as_telnyx_has_it(address))
        address.save(update_fields=["telnyx_id"])
    number.emergency_status = client.enable_emergency(number_id, address_id=address.telnyx_id)
    number.emergency_address = address
    number.save(update_fields=["emergency_address", "emergency_status"])


def as_telnyx_has_it(address: EmergencyAddress) -> dict[str, str]:
    fields = {
        "business_name": address.name,
        # Required by the API, and empty for a business (SDK 4.189.0, AddressCreateParams).
        "first_name": "",
        "last_name": "",
        "street_address": address.street,
        "locality": address.locality,
        "country_code": address.country,
        "customer_reference": address.customer_reference,
    }
    more = {
        "extended_address": address.extended,
        "administrative_area": address.area,
        "postal_code": address.postal_code,
    }
    return fields | {name: value for name, value in more.items() if value}


def refresh_emergency(number: PhoneNumber, client: TelnyxClient) -> None:
    """Read how far Telnyx is with the number's address, while it is on its way. Raises what the client raises."""
    if number.telnyx_id and number.emergency_status in {"provisioning", "deprovisioning"}:
        number.emergency_status = client.emergency_status(number.telnyx_id) or number.emergency_status
        number.save(update_fields=["emergency_status"])


def _id_of(number: PhoneNumber) -> str:
    if not number.telnyx_id:
        raise NotAtTelnyx(number.e164)
    return number.telnyx_id
