"""Versions of a company's plan: the newest is what the rows say, whoever changed them, whatever else goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, connections, transaction

from agents.models import Skill
from curbe.companies.models import Company
from telephony.models import BusinessHours, CallQueue, Menu, MenuOption, Place, PlanVersion, QueueSkill, SpecialDate
from telephony.operations.plans import current_plan
from tests import cast

WAIT_S = 20


@pytest.mark.django_db
def test_a_company_goes_with_all_that_its_plan_is_made_of(acme: Company) -> None:
    queue = cast.make_queue(acme)
    hours = cast.make_hours(acme)
    SpecialDate.objects.create(hours=hours, date="2026-12-25")
    skill = Skill.objects.create(company=acme, code="es", language="es")
    QueueSkill.objects.create(queue=queue, skill=skill)
    menu = Menu.objects.create(company=acme, name="principal", say_es="Hola")
    place = Place.objects.create(company=acme, kind="queue", queue=queue)
    MenuOption.objects.create(menu=menu, digit="1", place=place)
    queue.overflow = Place.objects.create(company=acme, kind="voicemail")
    queue.save()

    acme.delete()
    connection.check_constraints()

    assert not PlanVersion.objects.exists()
    assert not BusinessHours.objects.exists()


@pytest.fixture
def committed() -> Iterator[Company]:
    company = cast.make_company("committed")
    yield company
    CallQueue.objects.filter(company=company).delete()
    company.delete()


def _wait_until_somebody_waits(thread: threading.Thread) -> None:
    until = time.monotonic() + WAIT_S
    while thread.is_alive() and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_are_both_in_the_newest_version(committed: Company) -> None:
    first, second = cast.make_queue(committed, "uno"), cast.make_queue(committed, "dos")

    def change() -> None:
        try:
            with transaction.atomic():
                second.max_wait_s = 60
                second.save()
        finally:
            connections.close_all()

    with transaction.atomic():
        first.max_wait_s = 30
        first.save()
        other = threading.Thread(target=change)
        other.start()
        _wait_until_somebody_waits(other)
    other.join(WAIT_S)

    plan = current_plan(committed.pk)
    assert [plan.queues[one.pk].max_wait_s for one in (first, second)] == [30, 60]
