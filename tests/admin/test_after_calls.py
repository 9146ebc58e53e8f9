"""What comes after calls, in the operator's console."""

from __future__ import annotations

from django.test import Client

from agents.models import BreakReason
from curbe.companies.models import Company
from telephony.models import Disposition


def test_the_operator_makes_a_reason_and_a_disposition(console: Client, acme: Company) -> None:
    made = {"name": "Comida", "code": "comida", "company": acme.pk, "position": 5, "is_active": "on"}
    limits = {"soft_limit_s": 0, "hard_limit_s": 900, "at_limit": "set_offline"}

    assert console.post("/admin/agents/breakreason/add/", {**made, **limits}).status_code == 302
    assert console.post("/admin/telephony/disposition/add/", made).status_code == 302

    assert BreakReason.objects.get(code="comida").at_limit == "set_offline"
    assert Disposition.objects.get().company == acme


def test_a_limit_of_more_than_eight_hours_is_refused(console: Client, acme: Company) -> None:
    said = {"name": "x", "code": "x", "company": acme.pk, "position": 5, "soft_limit_s": 0, "hard_limit_s": 28_801}

    answer = console.post("/admin/agents/breakreason/add/", {**said, "at_limit": "warn"})

    assert answer.status_code == 200
    assert not BreakReason.objects.filter(code="x").exists()


def test_the_products_own_disposition_is_neither_made_nor_changed(console: Client, acme: Company) -> None:
    said = {"name": "x", "code": "timed_out", "company": acme.pk, "position": 1}
    answer = console.post("/admin/telephony/disposition/add/", said)
    assert answer.status_code == 200 and not Disposition.objects.exists()
    own = Disposition.objects.create(company=acme, code="timed_out", name="timed_out", is_system=True)

    assert (
        console.post(f"/admin/telephony/disposition/{own.pk}/change/", {**said, "is_active": "on"}).status_code == 403
    )
    assert console.post(f"/admin/telephony/disposition/{own.pk}/delete/", {"post": "yes"}).status_code == 403
