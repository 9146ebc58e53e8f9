"""Whom the company talks to: a number names one contact within a company, and any number of companies may know it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from curbe.companies.models import Company
from curbe.contacts.models import Contact, ContactNumber
from tests import cast


def test_a_number_names_one_contact_of_a_company(acme: Company) -> None:
    cast.make_contact(acme, "Carmen", "+13125550001")

    with pytest.raises(IntegrityError, match="one_contact_per_number"):
        cast.make_contact(acme, "Diego", "+13125550001")


def test_two_companies_may_know_the_same_number_by_other_names(acme: Company, elsewhere: Company) -> None:
    for company, name in ((acme, "Carmen"), (elsewhere, "Doña Carmen")):
        cast.make_contact(company, name, "+13125550001")

    names = ContactNumber.objects.filter(e164="+13125550001").values_list("company__slug", "contact__name")
    assert dict(names) == {"acme": "Carmen", "elsewhere": "Doña Carmen"}


def test_a_contact_may_have_several_numbers(acme: Company) -> None:
    carmen = cast.make_contact(acme, "Carmen", "+13125550001", "+34911234567")

    assert {number.e164 for number in carmen.numbers.all()} == {"+13125550001", "+34911234567"}


@pytest.mark.parametrize(
    "text", ["3125550001", "+0123456789", "+1312555000a", "+123456", "+1234567890123456", "+١٢٣٤٥٦٧٨"]
)
def test_what_is_not_a_number_as_e164_is_not_valid(acme: Company, text: str) -> None:
    number = ContactNumber(company=acme, contact=cast.make_contact(acme, "Carmen"), e164=text)

    with pytest.raises(ValidationError) as caught:
        number.full_clean()

    assert "e164" in caught.value.message_dict


def test_the_numbers_of_a_contact_go_with_him_and_his_calls_stay(acme: Company) -> None:
    carmen = cast.make_contact(acme, "Carmen", "+13125550001")
    call = cast.make_call(acme, contact=carmen, caller_name="Carmen")

    carmen.delete()

    call.refresh_from_db()
    assert (call.contact, call.caller_name) == (None, "Carmen")
    assert not ContactNumber.objects.exists()
    assert not Contact.objects.exists()
