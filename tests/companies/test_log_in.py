"""Log-in, log-out, invitations, and the brake on guessing."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from curbe.companies import throttle
from curbe.companies.invitations import invitation_link
from curbe.companies.models import Company, User
from tests import cast

PASSWORD = "a-quiet-green-river"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann(acme: Company) -> Iterator[User]:
    """A member with a password; of a name that no other run counts failures of."""
    user = cast.make_user(acme, f"ann-{uuid4().hex[:8]}", password=PASSWORD)
    yield user
    throttle.forget(user.username, "127.0.0.1")


def log_in(client: Client, username: str, password: str, **more: str) -> int:
    return client.post("/login/", {"username": username, "password": password, **more}).status_code


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# --- In and out -----------------------------------------------------------------------------------------------------


def test_the_right_password_opens_the_phone(client: Client, ann: User) -> None:
    answer = client.post("/login/", {"username": ann.username, "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_the_operator_is_sent_to_his_console(client: Client, db: None) -> None:
    operator = cast.make_user(None, is_staff=True, is_superuser=True, password=PASSWORD)

    assert client.post("/login/", {"username": operator.username, "password": PASSWORD})["Location"] == "/admin/"


def test_a_person_comes_back_to_the_page_that_he_wanted(client: Client, ann: User) -> None:
    answer = client.post("/login/?next=/calls/", {"username": ann.username, "password": PASSWORD, "next": "/calls/"})

    assert answer["Location"] == "/calls/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site_after_the_log_in(client: Client, ann: User, elsewhere: str) -> None:
    answer = client.post("/login/", {"username": ann.username, "password": PASSWORD, "next": elsewhere})

    assert answer["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_look_the_same(client: Client, ann: User) -> None:
    wrong = client.post("/login/", {"username": ann.username, "password": "wrong"})
    unknown = client.post("/login/", {"username": "nobody-here", "password": "wrong"})

    assert (wrong.status_code, unknown.status_code) == (200, 200)
    assert wrong.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()


def test_who_is_switched_off_cannot_log_in(client: Client, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert log_in(client, ann.username, PASSWORD) == 200
    assert not is_logged_in(client)


def test_a_log_in_needs_the_token_of_its_form(ann: User) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert log_in(strict, ann.username, PASSWORD) == 403


def test_the_log_in_is_not_shown_to_who_is_logged_in(bob: User) -> None:
    assert cast.client_for(bob).get("/login/")["Location"] == "/"


def test_a_log_out_is_a_post(bob: User) -> None:
    client = cast.client_for(bob)

    assert client.get("/logout/").status_code == 405
    assert is_logged_in(client)
    assert client.post("/logout/")["Location"] == "/login/"
    assert not is_logged_in(client)


def test_a_member_who_was_switched_off_is_out_at_once(bob: User) -> None:
    client = cast.client_for(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)

    assert client.get("/calls/").status_code == 302


# --- The brake ------------------------------------------------------------------------------------------------------


def test_after_ten_wrong_passwords_even_the_right_one_must_wait(client: Client, ann: User) -> None:
    codes = [log_in(client, ann.username, "wrong") for _ in range(throttle.FAILURES)]
    answer = client.post("/login/", {"username": ann.username, "password": PASSWORD})

    assert codes == [200] * throttle.FAILURES
    assert (answer.status_code, answer["Retry-After"]) == (429, str(throttle.PAUSE_S))
    assert not is_logged_in(client)


def test_the_same_name_in_other_letters_is_counted_together(client: Client, ann: User) -> None:
    for _ in range(throttle.FAILURES):
        log_in(client, ann.username.upper(), "wrong")

    assert log_in(client, f" {ann.username} ", PASSWORD) == 429


def test_somebody_elses_guesses_do_not_lock_a_person_out(client: Client, ann: User) -> None:
    attacker = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(throttle.FAILURES + 1):
        log_in(attacker, ann.username, "wrong")

    assert log_in(client, ann.username, PASSWORD) == 302
    throttle.forget(ann.username, "203.0.113.9")


def test_a_right_password_starts_the_count_anew(client: Client, ann: User) -> None:
    for _ in range(throttle.FAILURES - 1):
        log_in(client, ann.username, "wrong")
    log_in(client, ann.username, PASSWORD)
    client.logout()

    assert log_in(client, ann.username, "wrong") == 200
    assert log_in(client, ann.username, PASSWORD) == 302


def test_people_get_in_while_the_cache_is_away(client: Client, ann: User) -> None:
    away = ConnectionError("the cache is away")
    with (
        patch.object(throttle.cache, "get", side_effect=away),
        patch.object(throttle.cache, "add", side_effect=away),
        patch.object(throttle.cache, "delete", side_effect=away),
    ):
        assert log_in(client, ann.username, "wrong") == 200
        assert not throttle.is_blocked(ann.username, "127.0.0.1")


def test_what_people_type_never_stands_in_the_cache_as_typed() -> None:
    throttle.failed("a password typed as a name", "203.0.113.7")

    assert "password" not in throttle._key("a password typed as a name", "203.0.113.7")
    throttle.forget("a password typed as a name", "203.0.113.7")


@pytest.mark.parametrize(
    ("proxied", "forwarded", "address"),
    [
        (False, "198.51.100.1", "127.0.0.1"),
        (True, "198.51.100.1", "198.51.100.1"),
        # What comes before the last was written by the browser, who may write what he likes.
        (True, "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        (True, "", "127.0.0.1"),
    ],
)
def test_an_address_is_believed_only_from_our_own_proxy(
    settings: Settings, rf: object, proxied: bool, forwarded: str, address: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if proxied else None
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    assert throttle.address_of(rf.get("/", headers=headers)) == address  # type: ignore[attr-defined]


# --- Invitations ----------------------------------------------------------------------------------------------------


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def accept(client: Client, link: str, password: str) -> str:
    """Open the link, choose the password, and return where one is sent."""
    form = client.get(path_of(link), follow=True)
    answer = client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password})
    return answer["Location"] if answer.status_code == 302 else ""


def test_an_invitation_sets_a_password_and_opens_the_phone(client: Client, bob: User) -> None:
    assert accept(client, invitation_link(bob), PASSWORD) == "/"
    assert is_logged_in(client)
    assert User.objects.get(pk=bob.pk).check_password(PASSWORD)


def test_an_invitation_works_once(client: Client, bob: User) -> None:
    link = invitation_link(bob)
    accept(client, link, PASSWORD)

    assert not Client().get(path_of(link), follow=True).context["validlink"]


@pytest.mark.parametrize(("intact", "damaged"), [("/invitation/", "/invitation/x"), ("-", "-0")])
def test_a_damaged_link_says_that_it_no_longer_works(client: Client, bob: User, intact: str, damaged: str) -> None:
    page = client.get(path_of(invitation_link(bob)).replace(intact, damaged, 1), follow=True)

    assert (page.status_code, page.context["validlink"]) == (200, False)


@pytest.mark.parametrize("weak", ["12345678", "password", "short"])
def test_a_weak_password_is_refused_with_words(client: Client, bob: User, weak: str) -> None:
    assert accept(client, invitation_link(bob), weak) == ""
    assert not User.objects.get(pk=bob.pk).has_usable_password()


# --- In both languages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("page", ["/login/", "/invitation/x/y/"])
def test_the_pages_before_the_log_in_can_be_read_in_both_languages(
    client: Client, db: None, settings: Settings, page: str, language: str
) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    answer = client.get(page)

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.content.decode()
    translation.activate(settings.LANGUAGE_CODE)
