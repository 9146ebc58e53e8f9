"""Versions of a company's plan: a new one with each change of what it is compiled from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Final

import orjson
from django.db import transaction

from curbe.companies.models import Company
from curbe.lib.db import prepared
from telephony.core.plan import CompanyPlan
from telephony.core.plan_json import plan_as_json, plan_from_json
from telephony.models import PlanVersion
from telephony.queries.plans import compile_plan

#: Versions that a process keeps, the latest used: most are of 1 to 5 KB.
KEPT: Final = 5_000

_held_back: ContextVar[set[int] | None] = ContextVar("held_back", default=None)


def publish(company_id: int) -> int:
    """Compile the company's rows as they are in this transaction; return the version that holds now.

    Part of the change's own transaction: a plan that could differ from its rows would route calls by the past. Of two
    changes at once the second waits here for the first to be committed, and is compiled with it.
    """
    held_back = _held_back.get()
    if held_back is not None:
        held_back.add(company_id)
        return 0
    with transaction.atomic():
        return _publish_locked(company_id)


def _publish_locked(company_id: int) -> int:
    company = Company.objects.select_for_update(no_key=True).filter(pk=company_id).first()
    if company is None:
        return 0
    document = plan_as_json(compile_plan(company))
    newest = PlanVersion.objects.filter(company=company).order_by("-id").first()
    if newest is not None and newest.document == document:
        return newest.pk
    return PlanVersion.objects.create(company=company, document=document).pk


@contextmanager
def published_once() -> Iterator[None]:
    """Compile once at the end what many changes in a row would compile again and again."""
    if _held_back.get() is not None:
        yield
        return
    changed: set[int] = set()
    token = _held_back.set(changed)
    try:
        yield
    finally:
        _held_back.reset(token)
    for company_id in sorted(changed):
        publish(company_id)


def plan_of(company_id: int, version: int | None) -> CompanyPlan:
    """Return a version of a company's plan; without one (the company never had any) what its rows say now."""
    return _kept(company_id, version or publish(company_id))


_DOCUMENT: Final = "SELECT document::text FROM telephony_planversion WHERE id = %(id)s AND company_id = %(company)s"


# A version never changes, so keeping it is no state: another process would read the same.
@lru_cache(maxsize=KEPT)
def _kept(company_id: int, version: int) -> CompanyPlan:
    rows = prepared(_DOCUMENT, {"id": version, "company": company_id})
    if not rows:
        raise PlanVersion.DoesNotExist(f"company {company_id} has no version {version} of its plan")
    return plan_from_json(orjson.loads(rows[0][0]), version)


def current_plan(company_id: int) -> CompanyPlan:
    newest = PlanVersion.objects.filter(company_id=company_id).order_by("-id").values_list("id", flat=True).first()
    return plan_of(company_id, newest)
