"""The doors, without an address: what they give whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cached_db import SessionStore
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request

from curbe.companies import access
from curbe.companies.authentication import SessionAuthentication
from curbe.companies.context import addresses, current_company
from curbe.companies.models import Company, Role, User
from telephony.models import Call, CallLeg
from tests import cast


def request_of(user: User | AnonymousUser, path: str = "/", *, open_company: str = "", **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers)
    request.user = user
    request.session = SessionStore()
    if open_company:
        request.session[access.COMPANY_KEY] = open_company
    return request


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the page")


# --- Which company --------------------------------------------------------------------------------------------------


def test_a_member_is_in_his_first_company_until_he_opens_another(acme: Company, elsewhere: Company, bob: User) -> None:
    cast.make_membership(elsewhere, bob, role=Role.SUPERVISOR)

    assert access.company_of(request_of(bob)) == acme
    assert access.membership_of(request_of(bob, open_company=elsewhere.public_id)).role == Role.SUPERVISOR


def test_a_session_that_names_a_company_of_others_opens_ones_own(acme: Company, elsewhere: Company, bob: User) -> None:
    assert access.company_of(request_of(bob, open_company=elsewhere.public_id)) == acme


def test_an_api_request_is_in_the_same_company_as_the_plain_one(acme: Company, bob: User) -> None:
    assert access.company_of(Request(request_of(bob), authenticators=[SessionAuthentication()])) == acme


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "an operator"])
def test_who_belongs_to_no_company_is_not_a_member(who: str) -> None:
    user = AnonymousUser() if who == "nobody" else cast.make_user(None, is_superuser=True)

    with pytest.raises(access.NotAMember):
        access.membership_of(request_of(user))


def test_the_company_is_asked_for_once_per_request(
    bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = request_of(bob)

    with django_assert_num_queries(1):
        for _ in range(3):
            access.company_of(request)
            access.memberships_of(request)


# --- Rows -----------------------------------------------------------------------------------------------------------


def test_only_rows_of_the_open_company_are_there(acme: Company, elsewhere: Company, bob: User) -> None:
    mine, foreign = cast.make_call(acme), cast.make_call(elsewhere)
    request = request_of(bob)

    assert list(access.for_company(request, Call)) == [mine]
    assert access.get_for_company(request, Call, pk=mine.pk) == mine
    assert access.get_for_company(request, Call.objects.select_related("company"), pk=mine.pk) == mine
    for rows in (Call, Call.objects.all()):
        with pytest.raises(Http404):
            access.get_for_company(request, rows, pk=foreign.pk)


def test_a_model_without_a_company_has_no_door(bob: User) -> None:
    with pytest.raises(Exception, match="company"):
        access.for_company(request_of(bob), CallLeg)


# --- Pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nobody_is_sent_to_the_log_in_and_back() -> None:
    answer = access.member_required(page)(request_of(AnonymousUser(), "/calls/?number=1"))

    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/calls/%3Fnumber%3D1")


@pytest.mark.django_db
def test_a_fragment_that_refetches_itself_leaves_the_page_where_it_is() -> None:
    answer = access.member_required(page)(request_of(AnonymousUser(), "/today/", **{"HX-Request": "true"}))

    assert (answer.status_code, answer.content, "HX-Redirect" in answer) == (401, b"", False)


@pytest.mark.django_db
def test_a_person_who_follows_a_boosted_link_is_sent_to_the_log_in() -> None:
    headers = {"HX-Request": "true", "HX-Boosted": "true"}

    answer = access.member_required(page)(request_of(AnonymousUser(), "/calls/", **headers))

    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login/?next=/calls/")


def test_who_belongs_to_no_company_is_told_so(db: None) -> None:
    answer = access.member_required(page)(request_of(cast.make_user(None)))

    assert answer.status_code == 403
    assert b"the page" not in answer.content


# --- What templates know --------------------------------------------------------------------------------------------


def test_a_template_knows_the_company_the_agent_and_the_other_companies(
    acme: Company, elsewhere: Company, bob: User
) -> None:
    cast.make_membership(elsewhere, bob)

    known: dict[str, Any] = current_company(request_of(bob))

    assert known["company"] == acme
    assert known["membership"] == bob.memberships.get(company=acme)
    assert known["agent"] == bob.agents.get()
    assert list(known["other_companies"]) == [elsewhere]


def test_an_agent_who_answers_no_more_has_no_phone(bob: User) -> None:
    bob.agents.update(is_active=False)

    assert not current_company(request_of(bob))["agent"]


def test_a_template_knows_nothing_of_nobody_and_asks_nothing(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        known = current_company(request_of(AnonymousUser()))
        assert [bool(known[name]) for name in ("company", "membership", "agent", "other_companies")] == [False] * 4


def test_the_socket_is_on_the_host_of_the_request() -> None:
    request = RequestFactory().get("/", headers={"host": "localhost:8000"})

    assert addresses(request)["live_url"].startswith("ws://localhost:")
    assert addresses(request)["live_url"].endswith("/ws/live")


def test_a_host_that_is_not_ours_still_gets_a_page_that_says_so() -> None:
    assert addresses(RequestFactory().get("/", headers={"host": "evil.example"})) == {"live_url": ""}
