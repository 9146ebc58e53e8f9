"""How many rows a list says there are."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from curbe.companies.models import Company
from curbe.lib.console import COUNTED_ROWS, QuickPaginator


def test_a_huge_table_is_estimated_and_never_counted(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE big AS SELECT generate_series(1, %s) AS id", [COUNTED_ROWS * 3])
        cursor.execute("ANALYZE big")

    class Big(Model):  # noqa: DJ008
        class Meta:
            app_label = "tests"
            managed = False
            db_table = "big"

    with CaptureQueriesContext(connection) as asked:
        counted = QuickPaginator(Big._default_manager.order_by("id"), 50).count

    assert counted == pytest.approx(COUNTED_ROWS * 3, rel=0.05)
    assert all("COUNT" not in query["sql"] or f"LIMIT {COUNTED_ROWS + 1}" in query["sql"] for query in asked)


def test_a_small_table_is_counted_exactly(acme: Company) -> None:
    assert QuickPaginator(Company.objects.order_by("id"), 50).count == 1


def test_a_search_is_counted_exactly_however_large_the_table_is_believed_to_be(acme: Company) -> None:
    with patch("curbe.lib.console.estimated_rows", return_value=10_000_000):
        assert QuickPaginator(Company.objects.filter(slug="nobody"), 50).count == 0
