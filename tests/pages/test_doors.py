"""Every page: who gets in, in which language, and how much it asks of the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from telephony.models import Call
from tests import cast
from tests.pages.people import answered_call, html, looking, recording_of, words

Address = Callable[[Call], str]

PAGES: dict[str, Address] = {
    "phone": lambda call: reverse("phone"),
    "todays-calls": lambda call: reverse("todays-calls"),
    "calls": lambda call: reverse("calls"),
    "call": lambda call: reverse("call", args=[call.id]),
    "call-row": lambda call: reverse("call-row", args=[call.id]),
    "phone-incoming": lambda call: reverse("phone-incoming", args=[call.id]),
}
OF_ONE_CALL = ("call", "call-row", "phone-incoming")

#: Queries per page with one call or many; session, person and memberships are three of them.
QUERIES = {"phone": 6, "todays-calls": 5, "calls": 10, "call": 15, "call-row": 5, "phone-incoming": 4}


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    call = answered_call(acme, bob.agents.get())
    recording_of(call)
    return call


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_sent_to_the_log_in(call: Call, name: str) -> None:
    address = PAGES[name](call)
    response = Client().get(address)

    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={address}"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", ["alice", "bob", "sam"])
def test_a_member_sees_it(call: Call, name: str, role: str, request: pytest.FixtureRequest) -> None:
    response = looking(request.getfixturevalue(role)).get(PAGES[name](call))

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("name", OF_ONE_CALL)
def test_mallory_finds_nothing(call: Call, mallory: User, name: str) -> None:
    assert looking(mallory).get(PAGES[name](call)).status_code == 404


@pytest.mark.parametrize("name", ["phone", "todays-calls", "calls"])
def test_mallory_sees_a_list_without_it(call: Call, mallory: User, name: str) -> None:
    assert str(call.id) not in html(looking(mallory).get(PAGES[name](call)))


@pytest.mark.parametrize("name", PAGES)
def test_a_person_of_no_company_is_told_so(call: Call, name: str) -> None:
    response = looking(cast.make_user(None, "stranger")).get(PAGES[name](call))

    assert response.status_code == 403
    assert "no company" in words(response)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_only_read(call: Call, alice: User, name: str) -> None:
    assert looking(alice).post(PAGES[name](call)).status_code == 405


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("calls", [1, 25])
def test_the_number_of_queries_does_not_grow_with_the_calls(
    acme: Company, bob: User, call: Call, name: str, calls: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(calls - 1):
        recording_of(answered_call(acme, bob.agents.get(), queue=cast.make_queue(acme, f"q{_}")))
    browser = looking(bob)
    address = PAGES[name](call)

    with django_assert_num_queries(QUERIES[name]):
        browser.get(address)


@pytest.mark.parametrize(
    ("name", "spanish", "english"),
    [
        ("phone", "Llamadas de hoy", "Today's calls"),
        ("calls", "Número o nombre", "Number or name"),
        ("call", "Qué pasó", "What happened"),
        ("call-row", "Contestada", "Answered"),
        ("phone-incoming", "Llamó a", "Called"),
        ("todays-calls", "Duración", "Length"),
    ],
)
def test_every_page_speaks_both_languages(call: Call, bob: User, name: str, spanish: str, english: str) -> None:
    address = PAGES[name](call)
    in_spanish, in_english = words(looking(bob, "es").get(address)), words(looking(bob, "en").get(address))

    assert spanish in in_spanish
    assert english not in in_spanish
    assert english in in_english


def test_reasons_are_told_in_the_language_of_the_reader(call: Call, bob: User) -> None:
    assert "Suena el teléfono de" in words(looking(bob, "es").get(PAGES["call"](call)))
    assert "The phone of" in words(looking(bob, "en").get(PAGES["call"](call)))
