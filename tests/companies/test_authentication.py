"""Who may use the API, and what who may not is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from curbe.companies import authentication
from curbe.companies.models import ApiToken, Company, User
from tests import cast

ADDRESS = "/api/calls"


def program(key: str, scheme: str = "Token") -> Client:
    return Client(headers={"Authorization": f"{scheme} {key}"})


@pytest.mark.parametrize("header", ["", "Token wrong", "Token", "Token ", "token wrong", "Bearer wrong", "Basic YTpi"])
def test_nobody_gets_a_401_that_says_how_to_come_in(db: None, header: str) -> None:
    answer = Client(headers={"Authorization": header} if header else {}).get(ADDRESS)

    assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert answer["WWW-Authenticate"] == 'Token realm="Curbe Voice"'


def test_a_program_sees_the_calls_of_its_company(acme: Company, elsewhere: Company, bob: User) -> None:
    mine = cast.make_call(acme)
    cast.make_call(elsewhere)

    answer = program(cast.make_token(bob)).get(ADDRESS)

    assert [call["id"] for call in answer.json()["results"]] == [str(mine.pk)]


def test_the_scheme_is_read_in_any_case(bob: User) -> None:
    assert program(cast.make_token(bob), "token").get(ADDRESS).status_code == 200


def test_a_program_stays_in_its_company_whatever_its_member_has_open(
    acme: Company, elsewhere: Company, bob: User
) -> None:
    key = cast.make_token(bob)
    cast.make_membership(elsewhere, bob)
    cast.make_call(elsewhere)
    browser = cast.client_for(bob)
    browser.post("/company/", {"company": elsewhere.public_id})

    answer = browser.get(ADDRESS, headers={"Authorization": f"Token {key}"})

    # The browser's session comes first; without it the key decides.
    assert len(answer.json()["results"]) == 1
    assert program(key).get(ADDRESS).json()["results"] == []


@pytest.mark.parametrize("end", ["deleted", "switched off", "left"])
def test_a_key_dies_with_its_row_its_person_and_his_membership(bob: User, end: str) -> None:
    client = program(cast.make_token(bob))
    match end:
        case "deleted":
            ApiToken.objects.all().delete()
        case "switched off":
            User.objects.filter(pk=bob.pk).update(is_active=False)
        case _:
            bob.memberships.all().delete()

    assert client.get(ADDRESS).status_code == 401


def test_only_a_digest_of_a_key_is_kept(bob: User) -> None:
    key = cast.make_token(bob)

    assert key not in str(ApiToken.objects.values().get())


def test_the_last_use_is_written_once_a_minute(bob: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key = cast.make_token(bob)
    now = timezone.now()

    with django_assert_num_queries(2):
        authentication.token_of(key, now)
    with django_assert_num_queries(1):
        authentication.token_of(key, now + timedelta(seconds=59))
    with django_assert_num_queries(2):
        authentication.token_of(key, now + timedelta(seconds=61))

    assert ApiToken.objects.get().last_used_at == now + timedelta(seconds=61)


def test_a_key_opens_no_page(bob: User) -> None:
    assert program(cast.make_token(bob)).get("/calls/").status_code == 302


def test_a_person_without_a_company_is_told_so(db: None) -> None:
    answer = cast.client_for(cast.make_user(None)).get(ADDRESS)

    assert (answer.status_code, list(answer.json())) == (403, ["error"])


def test_what_changes_something_needs_the_token_of_a_form_from_a_person_and_not_from_a_program(bob: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(bob)
    key = cast.make_token(bob)
    other = Client(enforce_csrf_checks=True, headers={"Authorization": f"Token {key}"})
    intent = {"intent": "BREAK"}

    assert browser.post("/api/agents/intent", intent, content_type="application/json").status_code == 403
    assert other.post("/api/agents/intent", intent, content_type="application/json").status_code == 200


@pytest.mark.parametrize(("cast_member", "status"), [("bob", 404), ("mallory", 404), ("", 401), ("nobody's", 403)])
def test_audio_has_the_same_door(request: pytest.FixtureRequest, db: None, cast_member: str, status: int) -> None:
    if cast_member == "nobody's":
        client = cast.client_for(cast.make_user(None))
    else:
        client = cast.client_for(request.getfixturevalue(cast_member)) if cast_member else Client()

    answer = client.get("/api/recordings/00000000-0000-7000-8000-000000000000/audio")

    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer) is (status == 401)


def test_a_program_hears_audio_by_its_key(bob: User) -> None:
    address = "/api/recordings/00000000-0000-7000-8000-000000000000/audio"

    assert program(cast.make_token(bob)).get(address).status_code == 404
    assert program("wrong").get(address).status_code == 401
