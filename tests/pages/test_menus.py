"""``/menus/``: the editor of a spoken menu, with what each digit does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from telephony.models import Menu, MenuOption, Place, PlanVersion
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import errors_at, everything, leads_to, make_menu, preview_on, row, sent_by


def options_of(menu: Menu) -> list[tuple[str, str, str]]:
    rows = menu.options.select_related("place__queue", "place__menu", "place__agent__user").order_by("digit")
    return [(one.digit, str(one.place), one.language) for one in rows]


def test_what_the_form_shows_is_what_it_keeps(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme)
    places = {"1": leads_to(acme, queue=queue), "0": leads_to(acme, voicemail=True), "#": leads_to(acme, say="Hola")}
    menu = make_menu(
        acme, options=places, say_en="For sales, press one.", on_timeout=leads_to(acme, number="+13055559999")
    )
    MenuOption.objects.filter(digit="0").update(language="en")
    before = Menu.objects.values().get(), options_of(menu)
    browser = looking(alice)

    answer = browser.post(f"/menus/{menu.pk}/", sent_by(browser.get(f"/menus/{menu.pk}/")))

    assert answer.status_code == 302
    assert (Menu.objects.values().get(), options_of(menu)) == before


def test_a_new_menu_is_made_and_routed_by_at_once(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme)
    browser = looking(alice)
    sent = sent_by(
        browser.get("/menus/new/"), name="principal", say_es="Para ventas, marque uno.", on_timeout="voicemail"
    )
    sent |= row("options", 0, digit="1", place=f"queue:{queue.pk}", language="es")

    answer = browser.post("/menus/new/", sent)

    menu = Menu.objects.get()
    assert answer["Location"] == f"/menus/{menu.pk}/"
    assert options_of(menu) == [("1", "A queue: ventas", "es")]
    assert [one["name"] for one in PlanVersion.objects.latest("id").document["menus"]] == ["principal"]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        (row("options", 0, digit="5"), [("5", "Voicemail", "")]),
        (row("options", 0, language="en"), [("1", "Voicemail", "en")]),
        (row("options", 0, DELETE="on"), []),
        (row("options", 0, digit="", place=""), []),
        (
            row("options", 1, digit="2", place="say", **{"place-words": "Hola"}),
            [("1", "Voicemail", ""), ("2", "An announcement: Hola", "")],
        ),
    ],
)
def test_digits_are_changed_added_and_taken_away(
    acme: Company, alice: User, changes: dict[str, str], options: list[tuple[str, str, str]]
) -> None:
    menu = make_menu(acme, options={"1": leads_to(acme, voicemail=True)})
    browser = looking(alice)

    browser.post(f"/menus/{menu.pk}/", sent_by(browser.get(f"/menus/{menu.pk}/"), **changes))

    assert options_of(menu) == options


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"name": ""}, "name", "Give the menu a name."),
        ({"name": "otro"}, "name", "There is another menu of this name."),
        ({"say_es": " "}, "say_es", "in one language at least"),
        ({"timeout_s": "0"}, "timeout_s", "1"),
        ({"on_wrong": "say"}, "on_wrong", "Write what the caller shall hear."),
        (row("options", 1, digit="1", place="voicemail"), "options-1-digit", "stands here twice"),
        (row("options", 1, digit="", place="voicemail"), "options-1-digit", "Choose the digit."),
        (row("options", 1, digit="2", place=""), "options-1-place", "Choose where it leads."),
        (row("options", 1, digit="12", place="voicemail"), "options-1-digit", "12"),
        (row("options", 1, digit="2", place="menu:999999"), "options-1-place", "not there any more"),
    ],
)
def test_an_error_stands_in_words_at_its_field_and_nothing_is_kept(
    acme: Company, alice: User, changes: dict[str, str], field: str, error: str
) -> None:
    make_menu(acme, "otro")
    menu = make_menu(acme, options={"1": leads_to(acme, voicemail=True)})
    browser = looking(alice)
    sent = sent_by(browser.get(f"/menus/{menu.pk}/"), **changes)
    before = everything()

    answer = browser.post(f"/menus/{menu.pk}/", sent)

    assert answer.status_code == 422
    assert error in errors_at(answer, field)
    assert everything() == before


def test_a_form_without_its_lists_is_refused(acme: Company, alice: User) -> None:
    menu = make_menu(acme, options={"1": leads_to(acme, voicemail=True)})
    before = everything()

    answer = looking(alice).post(f"/menus/{menu.pk}/", {"name": "x", "say_es": "y", "timeout_s": 5, "retries": 1})

    assert answer.status_code == 422
    assert everything() == before


@pytest.mark.parametrize("kind", ["user", "queue", "menu"])
def test_no_digit_leads_to_another_company(
    acme: Company, elsewhere: Company, alice: User, mallory: User, kind: str
) -> None:
    foreign: Any = {
        "user": mallory.agents.get().pk,
        "queue": cast.make_queue(elsewhere, "theirs").pk,
        "menu": make_menu(elsewhere, "theirs").pk,
    }[kind]
    menu = make_menu(acme)
    browser = looking(alice)
    page = browser.get(f"/menus/{menu.pk}/")
    answer = browser.post(
        f"/menus/{menu.pk}/", sent_by(page, **row("options", 0, digit="1", place=f"{kind}:{foreign}"))
    )

    assert "not there any more" in errors_at(answer, "options-0-place")
    assert "theirs" not in words(page)


def test_a_circle_is_refused_in_words_that_name_it(acme: Company, alice: User) -> None:
    first, second = make_menu(acme, "principal"), make_menu(acme, "noche")
    first.on_timeout = leads_to(acme, menu=second)
    first.save()
    browser = looking(alice)
    sent = sent_by(browser.get(f"/menus/{second.pk}/"), on_timeout=f"menu:{first.pk}")
    before = everything()

    answer = browser.post(f"/menus/{second.pk}/", sent)

    assert answer.status_code == 422
    assert "round in a circle: principal → noche → principal" in words(answer)
    assert everything() == before


def test_a_digit_that_leads_back_is_no_circle(acme: Company, alice: User) -> None:
    first, second = make_menu(acme, "principal"), make_menu(acme, "noche")
    first.on_timeout = leads_to(acme, menu=second)
    first.save()
    browser = looking(alice)
    sent = sent_by(browser.get(f"/menus/{second.pk}/"), **row("options", 0, digit="0", place=f"menu:{first.pk}"))

    assert browser.post(f"/menus/{second.pk}/", sent).status_code == 302


def test_digits_are_told_as_they_lie_on_a_telephone_each_with_its_language(acme: Company, sam: User) -> None:
    menu = make_menu(
        acme, options={"0": Place.objects.create(company=acme, kind="company"), "1": leads_to(acme, voicemail=True)}
    )
    for digit, language in (("8", "es"), ("9", "en")):
        MenuOption.objects.create(menu=menu, digit=digit, place=leads_to(acme, menu=menu), language=language)
    cast.make_number(acme, destination="menu", menu=menu)

    told = words(looking(sam).get("/numbers/"))

    assert re.findall(r"(?:8|9) · (?:Español|English)", told) == ["8 · Español", "9 · English"]
    assert told.index("1 Voicemail") < told.index("9 · English") < told.index("0 Any free agent")


def test_the_preview_follows_each_digit_and_changes_nothing(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")])
    menu = make_menu(acme)
    browser = looking(alice)
    sent = sent_by(browser.get(f"/menus/{menu.pk}/"), on_timeout="say", preview="1", **{"on_timeout-words": "Adiós"})
    sent |= row("options", 0, digit="1", place=f"queue:{queue.pk}")
    before = everything()

    preview = preview_on(browser.post(f"/menus/{menu.pk}/", sent))

    assert "would hear the menu: “Para ventas, marque uno.”" in preview
    assert "After 1 The call would ring the phone of Ana for 25 s." in preview
    assert "Without a digit The caller would hear “Adiós”" in preview
    assert everything() == before


def test_an_agent_is_kept_out_and_a_supervisor_reads(acme: Company, bob: User, sam: User, alice: User) -> None:
    menu = make_menu(acme)
    sent = sent_by(looking(alice).get(f"/menus/{menu.pk}/"), name="changed")
    before = everything()

    for address in ("/menus/", "/menus/new/", f"/menus/{menu.pk}/"):
        assert looking(bob).get(address).status_code == 403
    assert "principal" in words(looking(sam).get("/menus/"))
    assert "disabled" in html(looking(sam).get(f"/menus/{menu.pk}/"))
    assert looking(sam).post(f"/menus/{menu.pk}/", sent).status_code == 403
    assert looking(sam).post("/menus/new/", sent).status_code == 403
    assert looking(sam).post(f"/menus/{menu.pk}/delete/").status_code == 403
    assert everything() == before


def test_mallory_finds_no_menu(acme: Company, mallory: User) -> None:
    menu = make_menu(acme)
    browser = looking(mallory)

    assert browser.get(f"/menus/{menu.pk}/").status_code == 404
    assert browser.post(f"/menus/{menu.pk}/").status_code == 404
    assert browser.post(f"/menus/{menu.pk}/delete/").status_code == 404
    assert "principal" not in words(browser.get("/menus/"))


@pytest.mark.parametrize(
    ("method", "address"), [("post", "/menus/"), ("put", "/menus/{id}/"), ("get", "/menus/{id}/delete/")]
)
def test_a_wrong_method_is_refused(acme: Company, alice: User, method: str, address: str) -> None:
    assert getattr(looking(alice), method)(address.format(id=make_menu(acme).pk)).status_code == 405


def test_a_menu_is_deleted_with_its_digits_unless_something_leads_there(acme: Company, alice: User) -> None:
    menu = make_menu(acme, options={"1": leads_to(acme, voicemail=True)})
    other = make_menu(acme, "noche", options={"1": leads_to(acme, menu=menu)})
    browser = looking(alice)

    refused = browser.post(f"/menus/{menu.pk}/delete/", follow=True)
    browser.post(f"/menus/{other.pk}/delete/")
    browser.post(f"/menus/{menu.pk}/delete/")

    assert "principal was not deleted: noche still lead there" in words(refused)
    assert not Menu.objects.exists()


@pytest.mark.parametrize("size", [1, 10])
def test_the_number_of_queries_does_not_grow(
    acme: Company, sam: User, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    queues = [cast.make_queue(acme, f"queue{index}") for index in range(size)]
    for index in range(size):
        menu = make_menu(acme, f"menu{index}", options={str(n): leads_to(acme, queue=q) for n, q in enumerate(queues)})
    browser = looking(sam)

    with django_assert_num_queries(6):
        browser.get("/menus/")
    del menu
