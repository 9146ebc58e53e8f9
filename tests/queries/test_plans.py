"""Versions of a company's plan: made with each change, and only then."""

from __future__ import annotations

import pytest
from django.db import transaction

from curbe.companies.models import Company
from telephony.core.plan_json import plan_as_json, plan_from_json
from telephony.models import CallQueue, Menu, MenuOption, Place, PlanVersion
from telephony.operations import plans
from telephony.queries.plans import compile_plan
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return cast.make_company()


def versions(company: Company) -> int:
    return PlanVersion.objects.filter(company=company).count()


def test_each_change_of_a_part_makes_a_version_and_a_change_of_nothing_none(company: Company) -> None:
    before = versions(company)
    queue = cast.make_queue(company)
    queue.max_wait_s = 120
    queue.save()
    assert versions(company) == before + 2

    queue.save()

    assert versions(company) == before + 2
    assert plans.current_plan(company.pk).queues[queue.pk].max_wait_s == 120


def test_many_changes_are_published_once(company: Company) -> None:
    before = versions(company)

    with plans.published_once():
        for name in ("uno", "dos", "tres"):
            cast.make_queue(company, name)

    assert versions(company) == before + 1
    assert len(plans.current_plan(company.pk).queues) == 3


def test_a_plan_that_was_rolled_back_is_nobodys(company: Company) -> None:
    queue = cast.make_queue(company)
    with pytest.raises(RuntimeError), transaction.atomic():
        queue.name = "otra"
        queue.save()
        assert plans.current_plan(company.pk).queues[queue.pk].name == "otra"
        raise RuntimeError

    assert plans.current_plan(company.pk).queues[queue.pk].name == "ventas"


def test_what_is_stored_is_what_was_compiled(company: Company) -> None:
    hours = cast.make_hours(company, weekly={"mon": ["09:00-18:00"], "fri": ["22:00-02:00"]})
    queue = cast.make_queue(company, hours=hours, strategy="skills")
    menu = Menu.objects.create(company=company, name="principal", say_es="Marque uno.")
    place = Place.objects.create(company=company, kind="queue", queue=queue)
    MenuOption.objects.create(menu=menu, digit="1", place=place, language="es")

    compiled = compile_plan(company, version=7)

    assert plan_from_json(plan_as_json(compiled), 7) == compiled


def test_a_company_that_goes_takes_its_plans_along(company: Company) -> None:
    cast.make_queue(company)

    company.delete()

    assert not PlanVersion.objects.exists()
    assert not CallQueue.objects.exists()
