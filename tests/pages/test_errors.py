"""What is shown when something is wrong: a page for people, JSON for programs."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from curbe.companies.models import Company, User
from telephony.views import pages
from tests.pages.people import html, looking, words


def test_an_address_that_is_not_there_leads_back(bob: User) -> None:
    response = looking(bob).get("/nowhere/")

    assert response.status_code == 404
    assert "There is nothing here" in words(response)
    # The page keeps the phone: a wrong link must not cost a call.
    assert 'id="phone"' in html(response)


def test_nobody_gets_the_page_without_the_house_around_it(acme: Company) -> None:
    response = Client().get("/nowhere/")

    assert response.status_code == 404
    assert "<nav" not in html(response)


def test_a_program_gets_json(acme: Company) -> None:
    response = Client().get("/api/nowhere")

    assert response.status_code == 404
    assert set(response.json()) == {"error"}


@pytest.mark.django_db(False)
def test_our_own_failure_needs_no_database(rf: RequestFactory) -> None:
    response = pages.server_error(rf.get("/"))

    assert response.status_code == 500
    assert "/" in html(response)


def test_our_own_failure_is_json_for_a_program(rf: RequestFactory) -> None:
    response = pages.server_error(rf.get("/api/calls"))

    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(("language", "text"), [("es", "No tiene permiso"), ("en", "You may not see this")])
def test_what_may_not_be_seen_says_whom_to_ask(bob: User, language: str, text: str) -> None:
    request = looking(bob, language).get("/").wsgi_request
    with translation.override(language):
        response = pages.forbidden(request)

    assert response.status_code == 403
    assert text in words(response)
