"""``/contacts/``: whom the company talks to."""

from __future__ import annotations

import re

import pytest
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from curbe.contacts import queries
from curbe.contacts.models import Contact, ContactNumber
from tests import cast
from tests.pages.people import answered_call, html, looking, recording_of, words
from tests.pages.test_calls import ids_on


def names_on(page: str) -> list[str]:
    return re.findall(r'class="contacts__name" href="[^"]*">([^<]*)<', page)


def test_contacts_stand_by_name_and_are_found_by_any_part(acme: Company, bob: User) -> None:
    cast.make_contact(acme, "Zoe", "+13055550199")
    cast.make_contact(acme, "María Fernández", "+13055550142")
    browser = looking(bob)

    assert names_on(html(browser.get("/contacts/"))) == ["María Fernández", "Zoe"]
    for typed in ("fern", "0142", "+1 305 555 0142", "maria", "MARÍA", "fernandez mar"):
        assert names_on(html(browser.get("/contacts/", {"search": typed}))) == ["María Fernández"], typed
    assert "No contact matches" in words(browser.get("/contacts/", {"search": "nobody"}))


def test_more_contacts_are_a_link_away(acme: Company, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(queries.page.__kwdefaults__, "size", 2)
    for name in ("Ana", "Ana", "Bea", "Ciro", "Dora"):
        Contact.objects.create(company=acme, name=name)
    browser, address, seen = looking(bob), "/contacts/", []
    while address:
        page = html(browser.get(address))
        seen.append(names_on(page))
        more = re.search(r'href="(/contacts/\?[^"]*after=[^"]*)"', page)
        address = more.group(1).replace("&amp;", "&") if more else ""

    assert seen == [["Ana", "Ana"], ["Bea", "Ciro"], ["Dora"]]
    assert browser.get("/contacts/", {"after": "x"}).status_code == 400


def test_a_contacts_page_has_its_calls_with_play(acme: Company, bob: User) -> None:
    maria = cast.make_contact(acme, "María", "+13055550142")
    call, other = answered_call(acme, bob.agents.get(), contact=maria), answered_call(acme)
    recording = recording_of(call)
    page = html(looking(bob).get(f"/contacts/{maria.pk}/"))

    assert ids_on(page) == [str(call.pk)]
    assert str(other.pk) not in page
    assert f'data-play="/api/recordings/{recording.pk}/audio"' in page


def test_a_stranger_does_not_find_a_contact(acme: Company, mallory: User) -> None:
    maria = cast.make_contact(acme, "María", "+13055550142")
    browser = looking(mallory)

    for address in (f"/contacts/{maria.pk}/", f"/contacts/{maria.pk}/edit/"):
        assert browser.get(address).status_code == 404
    assert browser.post(f"/contacts/{maria.pk}/edit/", {"name": "Mine"}).status_code == 404
    assert "María" not in words(browser.get("/contacts/"))


def test_an_agent_writes_a_contact_with_its_numbers(acme: Company, bob: User) -> None:
    browser = looking(bob)
    answer = browser.post(
        "/contacts/new/", {"name": " María ", "language": "es", "numbers": "(305) 555-0142\n+34911234567"}
    )
    maria = Contact.objects.get(company=acme)

    assert answer.status_code == 302
    assert answer["Location"] == f"/contacts/{maria.pk}/"
    assert (maria.name, maria.language) == ("María", "es")
    assert {one.e164 for one in maria.numbers.all()} == {"+13055550142", "+34911234567"}

    browser.post(f"/contacts/{maria.pk}/edit/", {"name": "María F.", "language": "", "numbers": "+34911234567"})

    assert list(ContactNumber.objects.values_list("e164", "contact__name")) == [("+34911234567", "María F.")]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": "", "numbers": ""}, "name"),
        ({"name": "Eva", "numbers": "12"}, "12 is not a telephone number"),
        ({"name": "Eva", "numbers": "+13055550142"}, "+13055550142 is the number of María"),
        ({"name": "Eva", "numbers": "", "language": "xx"}, "anguage"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_the_reason(
    acme: Company, bob: User, fields: dict[str, str], text: str
) -> None:
    cast.make_contact(acme, "María", "+13055550142")
    answer = looking(bob).post("/contacts/new/", fields)

    assert answer.status_code == 422
    assert text in words(answer)
    assert Contact.objects.count() == 1


def test_a_number_of_another_company_is_free_here(acme: Company, elsewhere: Company, bob: User) -> None:
    cast.make_contact(elsewhere, "María", "+13055550142")

    assert looking(bob).post("/contacts/new/", {"name": "Eva", "numbers": "+13055550142"}).status_code == 302


def test_a_call_knows_the_contact_that_was_made_of_it(acme: Company, bob: User) -> None:
    call = answered_call(acme, from_number="+13055550142")
    browser = looking(bob)
    page = html(browser.get(f"/calls/{call.pk}/"))
    assert "/contacts/new/?number=%2B13055550142" in page

    browser.post("/contacts/new/", {"name": "María", "numbers": "+13055550142"})

    page = html(browser.get(f"/calls/{call.pk}/"))
    assert "/contacts/new/" not in page
    assert f'href="/contacts/{Contact.objects.get().pk}/"' in page


@pytest.mark.parametrize("amount", [1, 12])
def test_the_number_of_queries_does_not_grow(
    acme: Company, bob: User, amount: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    contacts = [cast.make_contact(acme, f"Contact {one}", f"+130555501{one:02}") for one in range(amount)]
    for _ in range(amount):
        recording_of(answered_call(acme, bob.agents.get(), contact=contacts[0]))
    browser = looking(bob)

    with django_assert_num_queries(6):
        browser.get("/contacts/")
    with django_assert_num_queries(10):
        browser.get(f"/contacts/{contacts[0].pk}/")
