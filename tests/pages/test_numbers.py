"""``/numbers/``: where each number of the company leads."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from telephony.models import PhoneNumber
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import errors_at, everything, leads_to, make_hours, make_menu, preview_on, sent_by

COLUMNS = ("destination", "agent_id", "queue_id", "menu_id", "forward_to", "words")


def leads(number: PhoneNumber) -> dict[str, Any]:
    """Return the columns that say where the number leads, without the empty ones."""
    row = PhoneNumber.objects.values(*COLUMNS).get(pk=number.pk)
    return {name: value for name, value in row.items() if value}


@pytest.mark.parametrize("kind", ["user", "queue", "menu", "company", "voicemail", "number", "say", "none"])
def test_a_number_leads_where_it_was_sent_and_nowhere_else(acme: Company, alice: User, kind: str) -> None:
    ana = cast.ready_agent(acme, "ana")
    number = cast.make_number(acme, agent=ana)
    target = {"user": ana.pk, "queue": cast.make_queue(acme).pk, "menu": make_menu(acme).pk}.get(kind)
    code = "" if kind == "none" else f"{kind}:{target}" if target else kind
    expected = {
        "destination": kind,
        **({f"{'agent' if kind == 'user' else kind}_id": target} if target else {}),
        **({"forward_to": "+13055559999"} if kind == "number" else {}),
        **({"words": "Hola"} if kind == "say" else {}),
    }
    browser = looking(alice)
    texts = {"leads_to-number": "(305) 555-9999", "leads_to-words": " Hola "}

    answer = browser.post(
        f"/numbers/{number.pk}/", sent_by(browser.get(f"/numbers/{number.pk}/"), leads_to=code, **texts)
    )

    assert answer["Location"] == f"/numbers/{number.pk}/"
    assert leads(number) == expected
    # What was kept is what the form shows, and keeps again.
    browser.post(f"/numbers/{number.pk}/", sent_by(browser.get(f"/numbers/{number.pk}/")))
    assert leads(number) == expected


def test_hours_label_and_language_are_kept(acme: Company, alice: User) -> None:
    number = cast.make_number(acme, destination="company")
    hours = make_hours(acme)
    browser = looking(alice)
    changes = {"label": "Ventas", "hours": hours.pk, "language": "en", "when_closed": "voicemail"}

    browser.post(f"/numbers/{number.pk}/", sent_by(browser.get(f"/numbers/{number.pk}/"), **changes))

    number.refresh_from_db()
    assert (number.label, number.hours, number.language, str(number.when_closed)) == (
        "Ventas",
        hours,
        "en",
        "Voicemail",
    )
    assert number.destination == "company"


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"leads_to": "number", "leads_to-number": ""}, "leads_to", "with its country"),
        ({"leads_to": "number", "leads_to-number": "+13055550100"}, "leads_to", "one of your own numbers"),
        ({"leads_to": "user:999999"}, "leads_to", "not there any more"),
        ({"leads_to": "none"}, "leads_to", "Choose from the list."),
        ({"leads_to": "user:²"}, "leads_to", "Choose from the list."),
        ({"leads_to": "say", "leads_to-words": "x" * 501}, "leads_to", "500"),
        ({"language": "fr"}, "language", "fr"),
        ({"hours": "999999"}, "hours", "choice"),
    ],
)
def test_an_error_stands_in_words_at_its_field_and_nothing_is_kept(
    acme: Company, alice: User, changes: dict[str, str], field: str, error: str
) -> None:
    number = cast.make_number(acme, "+13055550100", destination="company")
    browser = looking(alice)
    sent = sent_by(browser.get(f"/numbers/{number.pk}/"), **changes)
    before = everything()

    answer = browser.post(f"/numbers/{number.pk}/", sent)

    assert answer.status_code == 422
    assert error in errors_at(answer, field)
    assert everything() == before


@pytest.mark.parametrize("field", ["leads_to", "when_closed"])
@pytest.mark.parametrize("kind", ["user", "queue", "menu"])
def test_nothing_of_another_company_can_be_chosen(
    acme: Company, elsewhere: Company, alice: User, mallory: User, field: str, kind: str
) -> None:
    foreign = {
        "user": mallory.agents.get().pk,
        "queue": cast.make_queue(elsewhere, "theirs").pk,
        "menu": make_menu(elsewhere, "theirs").pk,
    }[kind]
    number = cast.make_number(acme)
    browser = looking(alice)
    page = browser.get(f"/numbers/{number.pk}/")
    answer = browser.post(f"/numbers/{number.pk}/", sent_by(page, **{field: f"{kind}:{foreign}"}))

    assert "not there any more" in errors_at(answer, field)
    assert "theirs" not in words(page)


def test_a_number_whose_target_is_gone_does_not_pretend_to_lead_somewhere(acme: Company, alice: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    number = cast.make_number(acme, agent=ana)
    ana.is_active = False
    ana.save()
    browser = looking(alice)
    page = browser.get(f"/numbers/{number.pk}/")

    assert "Gone: choose anew" in words(page)
    assert "not assigned" in preview_on(page)
    assert "not there any more" in errors_at(browser.post(f"/numbers/{number.pk}/", sent_by(page)), "leads_to")


def test_the_preview_says_what_it_would_do_and_changes_nothing(acme: Company, alice: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    number = cast.make_number(acme, destination="voicemail")
    browser = looking(alice)
    page = browser.get(f"/numbers/{number.pk}/")
    before = everything()

    preview = preview_on(browser.post(f"/numbers/{number.pk}/", sent_by(page, leads_to=f"user:{ana.pk}", preview="1")))

    assert "could leave a message" in preview_on(page)
    assert "would ring the phone of Ana" in preview
    assert everything() == before


def test_the_list_reads_as_a_tree_from_number_to_end(acme: Company, sam: User) -> None:
    queue = cast.make_queue(acme, overflow=leads_to(acme, say="Vuelva mañana"))
    menu = make_menu(acme, options={"1": leads_to(acme, queue=queue), "2": leads_to(acme, queue=queue)})
    cast.make_number(acme, "+13055550100", destination="menu", menu=menu, label="Ventas")
    page = words(looking(sam).get("/numbers/"))

    assert (
        "+1 305-555-0100 Ventas Menu principal 1 Queue ventas not served “Vuelva mañana” 2 Queue ventas always open"
        in page
    )


def test_an_agent_is_kept_out_and_a_supervisor_reads(acme: Company, bob: User, sam: User, alice: User) -> None:
    number = cast.make_number(acme)
    sent = sent_by(looking(alice).get(f"/numbers/{number.pk}/"), label="changed")
    before = everything()

    for address in ("/numbers/", f"/numbers/{number.pk}/"):
        assert looking(bob).get(address).status_code == 403
    assert "disabled" in html(looking(sam).get(f"/numbers/{number.pk}/"))
    assert looking(sam).post(f"/numbers/{number.pk}/", sent).status_code == 403
    assert everything() == before


def test_mallory_finds_no_number(acme: Company, mallory: User) -> None:
    number = cast.make_number(acme, "+13055550100")
    browser = looking(mallory)

    assert browser.get(f"/numbers/{number.pk}/").status_code == 404
    assert browser.post(f"/numbers/{number.pk}/", {"leads_to": "company"}).status_code == 404
    assert "555-0100" not in words(browser.get("/numbers/"))


@pytest.mark.parametrize(("method", "address"), [("post", "/numbers/"), ("delete", "/numbers/{id}/")])
def test_a_wrong_method_is_refused(acme: Company, alice: User, method: str, address: str) -> None:
    assert getattr(looking(alice), method)(address.format(id=cast.make_number(acme).pk)).status_code == 405


@pytest.mark.parametrize("size", [1, 10])
def test_the_number_of_queries_does_not_grow(
    acme: Company, sam: User, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(size):
        queue = cast.make_queue(acme, f"queue{index}")
        menu = make_menu(acme, f"menu{index}", options={"1": leads_to(acme, queue=queue)})
        cast.make_number(acme, destination="menu", menu=menu, hours=make_hours(acme, f"hours{index}"))
    browser = looking(sam)

    with django_assert_num_queries(18):
        browser.get("/numbers/")
