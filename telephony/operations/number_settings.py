"""What Telnyx keeps beside a number: the name that it shows when it calls, and where help is sent.

What Telnyx refuses changes nothing here; each wish can be made again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final

from django.db import transaction

from curbe.companies.models import Company
from curbe.lib.locks import alone
from telephony.models import EmergencyAddress, PhoneNumber
from telephony.telnyx.client import TelnyxClient

#: SDK 4.189.0, CnamListing: alphanumeric characters or spaces, 15 at most.
CALLER_NAME: Final = re.compile(r"[A-Za-z0-9 ]{0,15}")

#: With the address's id, what whoever asks Telnyx for it holds meanwhile.
LOCK: Final = 0x0C0B_E00D


class NotAtTelnyx(ValueError):
    """The number has no Telnyx id: the audit has to link it first."""


def set_caller_name(number: PhoneNumber, name: str, client: TelnyxClient) -> None:
    """List the name for the number, or none. Raises NotAtTelnyx, TelnyxRefused, TelnyxUnreachable."""
    client.set_caller_name(_id_of(number), name)
    number.caller_name = name
    number.save(update_fields=["caller_name"])


def add_address(company: Company, fields: Mapping[str, str]) -> EmergencyAddress:
    """Return the company's address of these fields, written if it is new; Telnyx gets it with the first number.

    Written twice, it is one: of two requests at once the second waits for the first.
    """
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        known = EmergencyAddress.objects.filter(company=company, **fields).order_by("id").first()
        return known or EmergencyAddress.objects.create(
            company=company, customer_reference=f"curbe-{uuid.uuid4()}", **fields
        )


def set_emergency_address(number: PhoneNumber, address: EmergencyAddress, client: TelnyxClient) -> None:
    """Have help sent to the address when somebody calls it from the number.

    The address is looked for by its reference before Telnyx is asked to make it. Raises NotAtTelnyx, TelnyxRefused,
    TelnyxUnreachable.
    """
    number_id = _id_of(number)
    if not address.telnyx_id:
        with alone(LOCK, address.pk):
            address.refresh_from_db(fields=["telnyx_id"])
            if not address.telnyx_id:
                made = client.find_address(customer_reference=address.customer_reference)
                address.telnyx_id = made or client.create_address(as_telnyx_has_it(address))
                address.save(update_fields=["telnyx_id"])
    number.emergency_status = client.enable_emergency(number_id, address_id=address.telnyx_id)
    number.emergency_address = address
    number.save(update_fields=["emergency_address", "emergency_status"])


def switch_emergency_off(number: PhoneNumber, client: TelnyxClient) -> None:
    """Have nobody sent anywhere any more, which ends the monthly charge; one that is off already stays so.

    Raises NotAtTelnyx, TelnyxRefused, TelnyxUnreachable.
    """
    number_id, address = _id_of(number), number.emergency_address
    if address is None or not address.telnyx_id:
        return
    number.emergency_status = client.disable_emergency(number_id, address_id=address.telnyx_id)
    number.save(update_fields=["emergency_status"])


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
