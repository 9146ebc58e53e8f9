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
from curbe.lib.db import columns_of, inserted, prepared, row_of
from recordings.models import Recording
from telephony.models import Call, TelnyxEvent
from tests import cast

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


@pytest.mark.parametrize("model", [Call, TelnyxEvent])
def test_a_row_that_is_read_so_is_the_row_of_the_orm(acme: Company, model: type[Call] | type[TelnyxEvent]) -> None:
    call = cast.make_call(acme)
    event = TelnyxEvent.objects.create(
        dedupe_key="k", kind="status.ringing", occurred_at=call.started_at, payload={"é": [1, None]}, call=call
    )
    known = call if model is Call else event

    (row,) = prepared(
        f"SELECT {columns_of(model)} FROM {model._meta.db_table} WHERE id = %(id)s::uuid", {"id": known.pk}
    )

    read, as_ever = row_of(model, row), model.objects.get(pk=known.pk)
    names = [field.attname for field in model._meta.concrete_fields]
    assert [getattr(read, name) for name in names] == [getattr(as_ever, name) for name in names]
    read.save()
    assert model.objects.count() == 1, "it is known to be in the database"


def test_a_row_is_inserted_once_and_says_whether_it_was(acme: Company) -> None:
    now = datetime(2026, 4, 1, 12, 30, tzinfo=UTC)

    def row() -> Recording:
        return Recording(company=acme, call=cast.make_call(acme), telnyx_recording_id="rec-1", is_net=True)

    first, second = row(), row()

    assert [inserted(one, now=now) for one in (first, second)] == [True, False]
    kept = Recording.objects.get()
    assert (kept.pk, kept.created_at, kept.is_net, kept.audio.name) == (first.pk, now, True, "")
    assert first.created_at == now


def test_a_row_whose_key_the_database_gives_is_inserted_too(acme: Company) -> None:
    company = Company(slug="new", name="New", public_id="0a0b0c0d", outbound_countries=["US", "MX"])

    assert inserted(company, now=datetime(2026, 4, 1, tzinfo=UTC))

    assert Company.objects.get(slug="new").outbound_countries == ["US", "MX"]
