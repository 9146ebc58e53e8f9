"""``GET /api/calls``: the filters that the history has too."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from tests import cast
from tests.api.asking import Asker
from tests.pages.people import answered_call, recording_of
from tests.pages.test_history import NOON, call_at, said

PATH = "/api/calls"


def found(user: User, **query: Any) -> list[str]:
    answer = Asker(user).get(PATH, query)
    assert answer.status_code == 200, answer.content
    return [call["id"] for call in answer.json()["results"]]


def test_each_filter_finds_its_calls_and_no_others(acme: Company, bob: User) -> None:
    maria = cast.make_contact(acme, "María", "+13055550142")
    one = answered_call(acme, direction="outbound", contact=maria, caller_name="María")
    other = answered_call(acme, outcome="missed", caller_name="John")
    recording_of(one)
    said(one, "sale")

    for query in (
        {"search": "mari"},
        {"direction": "outbound"},
        {"outcome": "answered"},
        {"disposition": "sale"},
        {"recording": "with"},
        {"contact": maria.pk},
    ):
        assert found(bob, **query) == [str(one.pk)], query
    assert found(bob, recording="without") == [str(other.pk)]


def test_until_is_exclusive(acme: Company, bob: User) -> None:
    call = call_at(acme, NOON)

    assert found(bob, until="2026-11-20T17:00:00Z") == []
    assert found(bob, until="2026-11-20T17:00:01Z", since="2026-11-20T17:00:00Z") == [str(call.pk)]


def test_a_search_is_paged_by_its_cursor(acme: Company, bob: User) -> None:
    calls = sorted((str(cast.make_call(acme, caller_name="Eva").pk) for _ in range(3)), reverse=True)
    first = Asker(bob).get(PATH, {"search": "eva", "limit": 2}).json()

    assert [call["id"] for call in first["results"]] == calls[:2]
    assert found(bob, search="eva", limit=2, cursor=first["next"]) == calls[2:]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("search", ""),
        ("search", "x" * 65),
        ("direction", "sideways"),
        ("outcome", "great"),
        ("recording", "maybe"),
        ("disposition", ""),
        ("until", "tomorrow"),
        ("contact", "x"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(bob: User, name: str, text: str) -> None:
    answer = Asker(bob).get(PATH, {name: text})

    assert answer.status_code == 400
    assert answer.json()["field"] == name


def test_a_search_costs_as_much_for_many_as_for_one(
    acme: Company, bob: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        recording_of(answered_call(acme, caller_name="Eva"))
    asker = Asker(bob)

    with django_assert_max_num_queries(8):
        assert len(asker.get(PATH, {"search": "eva"}).json()["results"]) == 20
