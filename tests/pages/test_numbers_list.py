"""``/numbers/``: found among many, page by page, and assigned many at once."""

from __future__ import annotations

from typing import Any

import pytest

from curbe.companies.models import Company, User
from telephony.models import PhoneNumber
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import make_hours, make_menu

COMPANY_WIDE = {"leads_to": "company", "hours": "keep"}


def shown(answer: Any) -> list[str]:
    """Return the numbers that the page lists, in its order."""
    return [one.number.e164 for one in answer.context["roads"]]


@pytest.fixture
def numbers(acme: Company) -> dict[str, PhoneNumber]:
    ana = cast.ready_agent(acme, "ana")
    return {
        "queue": cast.make_number(acme, "+13055550100", queue=cast.make_queue(acme, "ventas")),
        "user": cast.make_number(acme, "+13055550101", agent=ana),
        "menu": cast.make_number(acme, "+13055550102", destination="menu", menu=make_menu(acme)),
        "company": cast.make_number(acme, "+13055550103", destination="company", label="Central"),
        "none": cast.make_number(acme, "+14075550104"),
        "other": cast.make_number(acme, "+14075550105", destination="voicemail"),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=5550101", ["user"]),
        ("q=%2B1+(305)+555-0102", ["menu"]),
        ("q=407", ["none", "other"]),
        ("q=cent", ["company"]),
        ("q=vent", ["queue"]),
        ("q=ana", ["user"]),
        ("q=nothing", []),
        ("leads=none", ["none"]),
        ("leads=queue", ["queue"]),
        ("leads=user", ["user"]),
        ("leads=menu", ["menu"]),
        ("leads=company", ["company"]),
        ("leads=other", ["other"]),
        ("q=407&leads=other", ["other"]),
    ],
)
def test_numbers_are_found_by_what_a_person_remembers(
    numbers: dict[str, PhoneNumber], sam: User, query: str, found: list[str]
) -> None:
    answer = looking(sam).get(f"/numbers/?{query}")

    assert shown(answer) == [numbers[name].e164 for name in found]


def test_a_number_whose_queue_is_gone_is_found_as_not_assigned(numbers: dict[str, PhoneNumber], sam: User) -> None:
    assert numbers["queue"].queue is not None
    numbers["queue"].queue.delete()

    assert numbers["queue"].e164 in shown(looking(sam).get("/numbers/?leads=none"))


def test_the_list_goes_on_page_by_page_without_a_gap(acme: Company, sam: User) -> None:
    made = sorted(cast.make_number(acme).e164 for _ in range(120))
    browser, seen, query = looking(sam), [], ""
    while True:
        answer = browser.get(f"/numbers/?{query}")
        seen += shown(answer)
        query = answer.context["next"]
        if not query:
            break

    assert seen == made


@pytest.mark.parametrize("query", ["leads=nowhere", "after=1", "after=%2B13055550100%00"])
def test_nonsense_in_the_address_is_a_bad_request(acme: Company, sam: User, query: str) -> None:
    assert looking(sam).get(f"/numbers/?{query}").status_code == 400


def test_an_empty_list_leads_to_buying_for_those_who_may(acme: Company, alice: User, sam: User) -> None:
    assert "/numbers/buy/" in html(looking(alice).get("/numbers/"))
    supervisors = words(looking(sam).get("/numbers/"))
    assert "administrator of the company can buy one" in supervisors and "Buy numbers" not in supervisors


# --- Many at once --------------------------------------------------------------------------------------------------


def test_the_ticked_numbers_lead_there_by_those_hours_and_no_others(
    numbers: dict[str, PhoneNumber], acme: Company, alice: User
) -> None:
    hours = make_hours(acme)
    ticked = [numbers["none"].pk, numbers["user"].pk]
    sent = {"number": ticked, "leads_to": f"queue:{numbers['queue'].queue_id}", "hours": str(hours.pk)}

    answer = looking(alice).post("/numbers/assign/", sent, follow=True)

    assert "2 numbers were assigned." in words(answer)
    changed = PhoneNumber.objects.filter(hours=hours).order_by("e164")
    assert [(row.e164, row.queue_id) for row in changed] == [
        ("+13055550101", numbers["queue"].queue_id),
        ("+14075550104", numbers["queue"].queue_id),
    ]


def test_hours_stay_as_they_are_unless_others_are_wished(
    numbers: dict[str, PhoneNumber], acme: Company, alice: User
) -> None:
    hours = make_hours(acme)
    PhoneNumber.objects.update(hours=hours)
    browser, number = looking(alice), numbers["none"]

    browser.post("/numbers/assign/", {"number": [number.pk], **COMPANY_WIDE})
    number.refresh_from_db()
    assert (number.destination, number.hours) == ("company", hours)

    browser.post("/numbers/assign/", {"number": [number.pk], "leads_to": "", "hours": "always"})
    number.refresh_from_db()
    assert (number.destination, number.hours) == ("none", None)


def test_all_that_match_are_assigned_only_after_one_more_question(numbers: dict[str, PhoneNumber], alice: User) -> None:
    browser = looking(alice)
    wish = {"all": "1", "q": "407", **COMPANY_WIDE}

    asked = browser.post("/numbers/assign/", wish)
    assert "2 numbers will lead here" in words(asked)
    assert PhoneNumber.objects.filter(destination="company").count() == 1

    browser.post("/numbers/assign/", {**wish, "sure": "1"})
    assert PhoneNumber.objects.filter(destination="company").count() == 3


@pytest.mark.parametrize(
    ("change", "status"),
    [({"leads_to": "queue:999999"}, 422), ({"hours": "999999"}, 422), ({"number": ["x"]}, 400), ({"leads": "x"}, 400)],
)
def test_nonsense_assigns_nothing(
    numbers: dict[str, PhoneNumber], alice: User, change: dict[str, Any], status: int
) -> None:
    before = list(PhoneNumber.objects.order_by("pk").values())

    answer = looking(alice).post("/numbers/assign/", {"number": [numbers["none"].pk], **COMPANY_WIDE, **change})

    assert answer.status_code == status
    assert list(PhoneNumber.objects.order_by("pk").values()) == before


def test_nothing_of_another_company_is_assigned_or_assigned_to(
    numbers: dict[str, PhoneNumber], elsewhere: Company, alice: User, mallory: User
) -> None:
    theirs = cast.make_number(elsewhere, "+12125550100")
    queue, hours = cast.make_queue(elsewhere, "theirs"), make_hours(elsewhere, "theirs")
    browser = looking(alice)

    browser.post("/numbers/assign/", {"number": [theirs.pk], **COMPANY_WIDE})
    browser.post("/numbers/assign/", {"all": "1", "sure": "1", **COMPANY_WIDE})
    theirs.refresh_from_db()
    assert theirs.destination == "none"
    for foreign in ({"leads_to": f"queue:{queue.pk}"}, {"hours": str(hours.pk)}):
        sent = {"number": [numbers["none"].pk], **COMPANY_WIDE, **foreign}
        assert browser.post("/numbers/assign/", sent).status_code == 422
    before = list(PhoneNumber.objects.order_by("pk").values())
    looking(mallory).post("/numbers/assign/", {"number": [numbers["none"].pk], **COMPANY_WIDE})
    assert list(PhoneNumber.objects.order_by("pk").values()) == before


def test_only_who_administers_assigns(numbers: dict[str, PhoneNumber], sam: User, bob: User) -> None:
    for person in (sam, bob):
        sent = {"number": [numbers["none"].pk], **COMPANY_WIDE}
        assert looking(person).post("/numbers/assign/", sent).status_code == 403
    assert looking(sam).get("/numbers/assign/").status_code == 405
