"""Statements that are prepared: whatever goes in comes out, and a transaction holds them like all others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

from curbe.companies.models import Company
from curbe.lib.db import prepared
from telephony.models import TelnyxEvent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", ""),
        ("text", "José \\ ' \" {} % \ud7ff"),
        ("bigint", -(2**63)),
        ("boolean", False),
        ("uuid", UUID("0198f2a0-0000-7000-8000-000000000001")),
        ("timestamptz", datetime(2026, 4, 1, 12, 30, 0, 123456, tzinfo=UTC)),
        ("text[]", ["", "NULL", 'a "quoted" \\ {one}, two', None]),
        ("bigint[]", [1, None, 2**40]),
        ("boolean[]", []),
        ("uuid[]", [UUID(int=7)]),
        ("timestamptz[]", [datetime(2026, 4, 1, tzinfo=UTC), None]),
        ("text", None),
    ],
)
def test_a_value_comes_back_as_it_went_in(type_: str, value: object) -> None:
    assert prepared(f"SELECT %(value)s::{type_}, 7 %% 4", {"value": value, "unused": object()}) == [(value, 3)]


@pytest.mark.parametrize("document", [{"a": ["é", None, 1.5, {"b": True}]}, {"big": 2**70}, []])
def test_a_document_comes_back_as_it_went_in(document: Any) -> None:
    assert prepared("SELECT %s::jsonb", [Jsonb(document)]) == [(document,)]


def test_a_member_of_an_enumeration_is_its_text() -> None:
    assert prepared("SELECT %s::text", [TelnyxEvent.Source.CALLBACK]) == [("callback",)]


def test_a_text_that_the_database_could_not_keep_whole_is_refused() -> None:
    with pytest.raises(DataError):
        prepared("SELECT %s::text", ["all\0this"])


def test_a_value_that_nobody_taught_us_to_write_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        prepared("SELECT %s::text", [object()])


_RENAME = "UPDATE companies_company SET name = %(name)s WHERE id = %(id)s"


@pytest.fixture
def committed() -> Iterator[Company]:
    company = Company.objects.create(name="Before", slug="before")
    yield company
    company.delete()


@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_transaction_is_undone_with_it(committed: Company) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        prepared(_RENAME, {"name": "After", "id": committed.pk})
        raise ZeroDivisionError

    committed.refresh_from_db()
    assert committed.name == "Before"
    assert connection.get_autocommit()


@pytest.mark.django_db(transaction=True)
def test_a_broken_rule_is_the_error_that_the_orm_would_raise(committed: Company) -> None:
    with pytest.raises(IntegrityError, match="null value"):
        prepared(_RENAME, {"name": None, "id": committed.pk})

    assert prepared(_RENAME, {"name": "After", "id": committed.pk}) == []


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_meanwhile_is_opened_anew() -> None:
    ((pid,),) = prepared("SELECT pg_backend_pid()", ())
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    ((after,),) = prepared("SELECT pg_backend_pid()", ())
    assert after != pid


@pytest.mark.django_db(transaction=True)
def test_a_statement_is_planned_once_whatever_its_arrays_hold() -> None:
    # PostgreSQL guesses ten; of fewer it would think that a plan of its own is worth making each time.
    connection.close()
    asked = "SELECT agent.id FROM unnest(%(ids)s::bigint[]) AS one (id) JOIN agents_agent AS agent USING (id)"
    for _ in range(8):
        prepared(asked, {"ids": [1]})

    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements")
        assert cursor.fetchall() == [(8, 0)]
