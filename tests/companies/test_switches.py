"""The open company, and the language in which a person reads."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from curbe.companies.models import Company, User
from tests import cast


def company_seen(client: Client) -> str:
    return str(client.get("/calls/").context["company"])


def language_seen(client: Client, page: str = "/login/") -> str:
    text = client.get(page).content.decode()
    return text.split('<html lang="')[1][:2]


# --- The company ----------------------------------------------------------------------------------------------------


def test_a_member_of_two_companies_goes_from_one_to_the_other(acme: Company, elsewhere: Company, bob: User) -> None:
    cast.make_membership(elsewhere, bob)
    cast.make_call(elsewhere, caller_name="Only elsewhere")
    client = cast.client_for(bob)
    before = company_seen(client)

    answer = client.post("/company/", {"company": elsewhere.public_id})

    assert (before, answer["Location"], company_seen(client)) == ("Acme Seguros", "/", "Elsewhere Ltd")
    assert "Only elsewhere" in client.get("/calls/").content.decode()


@pytest.mark.parametrize("wanted", ["elsewhere", "nothing", ""])
def test_a_company_that_is_not_ones_own_does_not_exist(
    acme: Company, elsewhere: Company, bob: User, wanted: str
) -> None:
    client = cast.client_for(bob)
    public_id = elsewhere.public_id if wanted == "elsewhere" else wanted

    assert client.post("/company/", {"company": public_id}).status_code == 404
    assert company_seen(client) == "Acme Seguros"


def test_who_left_the_open_company_is_in_another_at_once(acme: Company, elsewhere: Company, bob: User) -> None:
    cast.make_membership(elsewhere, bob)
    client = cast.client_for(bob)
    client.post("/company/", {"company": elsewhere.public_id})

    bob.memberships.filter(company=elsewhere).delete()

    assert company_seen(client) == "Acme Seguros"


def test_a_switch_is_a_post_by_a_member(bob: User, client: Client) -> None:
    assert cast.client_for(bob).get("/company/").status_code == 405
    assert client.post("/company/", {"company": "00000000"})["Location"].startswith("/login/")


def test_nobody_is_sent_to_another_site_by_a_switch(acme: Company, bob: User) -> None:
    client = cast.client_for(bob)

    for address, field in (("/company/", {"company": acme.public_id}), ("/language/", {"language": "en"})):
        assert client.post(address, {**field, "next": "https://evil.example/"})["Location"] == "/"
        assert client.post(address, {**field, "next": "/calls/"})["Location"] == "/calls/"


# --- The language ---------------------------------------------------------------------------------------------------


def test_a_language_is_kept_on_the_person_wherever_he_logs_in(bob: User) -> None:
    cast.client_for(bob).post("/language/", {"language": "en"})

    bob.refresh_from_db()
    assert bob.language == "en"
    assert language_seen(cast.client_for(bob), "/calls/") == "en"


def test_a_language_is_kept_in_the_browser_before_the_log_in(client: Client, db: None) -> None:
    client.post("/language/", {"language": "en", "next": "/login/"})

    assert language_seen(client) == "en"


@pytest.mark.parametrize("language", ["", "fr", "../../etc"])
def test_a_language_that_we_do_not_speak_changes_nothing(bob: User, language: str) -> None:
    answer = cast.client_for(bob).post("/language/", {"language": language})

    bob.refresh_from_db()
    assert (answer.status_code, bob.language, answer.cookies.get("curbe_language")) == (302, "", None)


@pytest.mark.parametrize(
    ("of_person", "of_browser", "of_company", "seen"),
    [
        ("en", "es", "es", "en"),
        ("", "en", "es", "en"),
        ("", "", "en", "en"),
        ("", "", "es", "es"),
        ("", "fr", "en", "en"),
    ],
)
def test_the_person_comes_before_the_browser_and_the_browser_before_the_company(
    db: None, settings: Settings, of_person: str, of_browser: str, of_company: str, seen: str
) -> None:
    user = cast.make_user(cast.make_company(language=of_company), language=of_person)
    client = cast.client_for(user)
    if of_browser:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = of_browser

    assert language_seen(client, "/calls/") == seen


def test_nobody_reads_the_language_of_the_installation(client: Client, db: None, settings: Settings) -> None:
    # Not the browser's Accept-Language: an office whose machines speak English may work in Spanish.
    for language in ("es", "en"):
        settings.DEFAULT_LANGUAGE = language
        page = client.get("/login/", headers={"accept-language": "en"}).content.decode()
        assert f'<html lang="{language}">' in page
