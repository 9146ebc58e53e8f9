"""Queues, menus, hours and skills in the console: what is saved, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Agent, AgentSkill, Skill
from curbe.companies.models import Company, User
from telephony.core.plan import VOICEMAIL, Destination, DestinationKind
from telephony.models import (
    BusinessHours,
    CallQueue,
    Menu,
    MenuOption,
    Offer,
    PhoneNumber,
    PlanVersion,
    QueueVisit,
    SpecialDate,
)
from telephony.operations.places import UnableToLead, place_for
from tests import cast
from tests.admin.forms import add_row, form_of


def page_of(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def make_menu(company: Company, name: str = "principal", **fields: Any) -> Menu:
    return Menu.objects.create(company=company, name=name, **{"say_es": "Hola", **fields})


def send(console: Client, row: Any, **changes: Any) -> Any:
    """Save the row's page with some fields changed."""
    return console.post(page_of(row), {**form_of(console, page_of(row)), **changes})


def errors_of(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


# --- Queues ---------------------------------------------------------------------------------------------------------


def test_a_queue_that_nobody_changed_is_saved_as_it_was(console: Client, acme: Company, bob: User) -> None:
    place = place_for(acme, Destination(DestinationKind.SAY, text="Adiós"))
    queue = cast.make_queue(acme, members=[bob.agents.get()], overflow=place, max_wait_s=90, match_language=True)
    before = CallQueue.objects.filter(pk=queue.pk).values().get()

    answer = send(console, queue)

    assert answer.status_code == 302, answer.context["errors"]
    assert CallQueue.objects.filter(pk=queue.pk).values().get() == before


def test_a_queue_is_given_hours_overflow_and_a_wait(console: Client, acme: Company, bob: User) -> None:
    queue = cast.make_queue(acme)
    hours = BusinessHours.objects.create(company=acme, name="office")

    answer = send(
        console,
        queue,
        strategy="longest_idle",
        max_wait_s=120,
        hours=hours.pk,
        overflow=f"user:{bob.agents.get().pk}",
        when_closed="voicemail",
    )

    queue.refresh_from_db()
    assert answer.status_code == 302, answer.context["errors"]
    assert (queue.strategy, queue.max_wait_s, queue.hours) == ("longest_idle", 120, hours)
    assert queue.overflow and queue.overflow.agent == bob.agents.get()
    assert queue.when_closed and queue.when_closed.kind == "voicemail"


def test_what_was_saved_is_the_plan(console: Client, acme: Company) -> None:
    queue = cast.make_queue(acme)

    send(console, queue, overflow="voicemail")

    newest = PlanVersion.objects.filter(company=acme).latest("id")
    assert newest.document["queues"][0]["overflow"] == VOICEMAIL.as_json()


def test_skills_are_asked_for_by_a_queue(console: Client, acme: Company) -> None:
    queue = cast.make_queue(acme)
    skill = Skill.objects.create(company=acme, code="pagos")
    form = form_of(console, page_of(queue))
    row = {"id": "", "queue": queue.pk, "skill": skill.pk, "min_level": 4, "relaxable": "on", "weight": 2}

    answer = console.post(page_of(queue), add_row(form, "skills", **row))

    assert answer.status_code == 302, answer.context["errors"]
    asked = queue.skills.get()
    assert (asked.skill, asked.min_level, asked.weight) == (skill, 4, 2)


def test_a_skill_of_another_company_is_not_asked_for(console: Client, acme: Company, elsewhere: Company) -> None:
    queue = cast.make_queue(acme)
    theirs = Skill.objects.create(company=elsewhere, code="pagos")
    form = form_of(console, page_of(queue))
    row = {"id": "", "queue": queue.pk, "skill": theirs.pk, "min_level": 4, "weight": 2}

    answer = console.post(page_of(queue), add_row(form, "skills", **row))

    assert answer.status_code == 200
    assert not queue.skills.exists()


@pytest.mark.parametrize("code", ["queue:0", "menu:999999", "user:", "number:911", "say:", "nonsense", "company:1"])
def test_a_code_that_means_nothing_is_refused(console: Client, acme: Company, code: str) -> None:
    answer = send(console, cast.make_queue(acme), overflow=code)

    assert errors_of(answer).keys() == {"overflow"}


def test_a_queue_does_not_overflow_into_another_company(console: Client, acme: Company, elsewhere: Company) -> None:
    queue, theirs = cast.make_queue(acme), cast.make_queue(elsewhere)

    answer = send(console, queue, overflow=f"queue:{theirs.pk}")

    queue.refresh_from_db()
    assert errors_of(answer).keys() == {"overflow"}
    assert queue.overflow is None


def test_no_place_is_made_of_another_companys_row(acme: Company, elsewhere: Company) -> None:
    with pytest.raises(UnableToLead):
        place_for(acme, Destination(DestinationKind.QUEUE, cast.make_queue(elsewhere).pk))


def test_a_queue_that_would_overflow_in_circles_is_refused_in_words(console: Client, acme: Company) -> None:
    support = cast.make_queue(acme, "support")
    sales = cast.make_queue(acme, "sales", overflow=place_for(acme, Destination(DestinationKind.QUEUE, support.pk)))

    answer = send(console, support, overflow=f"queue:{sales.pk}")

    support.refresh_from_db()
    assert "support → sales → support" in str(errors_of(answer)["__all__"])
    assert support.overflow is None


def test_hours_that_would_close_a_circle_are_refused(console: Client, acme: Company) -> None:
    hours = BusinessHours.objects.create(company=acme, name="office")
    queue = cast.make_queue(acme)
    CallQueue.objects.filter(pk=queue.pk).update(
        when_closed=place_for(acme, Destination(DestinationKind.QUEUE, queue.pk))
    )

    answer = send(console, queue, hours=hours.pk)

    assert "ventas → ventas" in str(errors_of(answer)["__all__"])


def test_a_queue_that_something_leads_to_is_not_deleted(console: Client, acme: Company) -> None:
    queue = cast.make_queue(acme)
    MenuOption.objects.create(
        menu=make_menu(acme), digit="1", place=place_for(acme, Destination(DestinationKind.QUEUE, queue.pk))
    )

    answer = console.post(f"/admin/telephony/callqueue/{queue.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 200
    assert CallQueue.objects.filter(pk=queue.pk).exists()


# --- Menus ----------------------------------------------------------------------------------------------------------


def test_a_menu_is_given_digits(console: Client, acme: Company, bob: User) -> None:
    menu, queue = make_menu(acme), cast.make_queue(acme)
    form = form_of(console, page_of(menu))
    form = add_row(form, "options", id="", menu=menu.pk, digit="1", place=f"queue:{queue.pk}", language="en")
    form = add_row(form, "options", id="", menu=menu.pk, digit="0", place=f"menu:{menu.pk}", language="")

    answer = console.post(page_of(menu), {**form, "on_timeout": "voicemail", "retries": 1})

    menu.refresh_from_db()
    assert answer.status_code == 302, answer.context["errors"]
    leads = [(one.digit, one.place.queue or one.place.menu, one.language) for one in menu.options.order_by("-digit")]
    assert leads == [("1", queue, "en"), ("0", menu, "")]
    assert (menu.retries, menu.on_timeout and menu.on_timeout.kind) == (1, "voicemail")


def test_a_digit_is_led_elsewhere_and_another_taken_away(console: Client, acme: Company) -> None:
    menu = make_menu(acme)
    voicemail = place_for(acme, VOICEMAIL)
    one, two = (MenuOption.objects.create(menu=menu, digit=digit, place=voicemail) for digit in "12")
    form = form_of(console, page_of(menu))

    answer = console.post(page_of(menu), {**form, "options-0-place": "company", "options-1-DELETE": "on"})

    assert answer.status_code == 302, answer.context["errors"]
    one.refresh_from_db()
    assert one.place.kind == "company"
    assert not MenuOption.objects.filter(pk=two.pk).exists()


@pytest.mark.parametrize("place", ["none", "", "queue:0"])
def test_a_digit_must_lead_somewhere(console: Client, acme: Company, place: str) -> None:
    menu = make_menu(acme)
    form = add_row(form_of(console, page_of(menu)), "options", id="", menu=menu.pk, digit="1", place=place)

    answer = console.post(page_of(menu), form)

    assert answer.status_code == 200
    assert not menu.options.exists()


def test_a_digit_does_not_lead_into_another_company(console: Client, acme: Company, elsewhere: Company) -> None:
    menu, theirs = make_menu(acme), make_menu(elsewhere)
    row = {"id": "", "menu": menu.pk, "digit": "1", "place": f"menu:{theirs.pk}"}

    answer = console.post(page_of(menu), add_row(form_of(console, page_of(menu)), "options", **row))

    assert answer.status_code == 200
    assert not menu.options.exists()


def test_a_menu_says_something(console: Client, acme: Company) -> None:
    assert errors_of(send(console, make_menu(acme), say_es=" ", say_en="")).keys() == {"say_es"}
    new = console.post("/admin/telephony/menu/add/", {"name": "m", "company": acme.pk, "say_es": "", "say_en": ""})
    assert errors_of(new).keys() == {"say_es"}


def test_menus_that_would_give_up_into_each_other_are_refused_in_words(console: Client, acme: Company) -> None:
    first = make_menu(acme, "first")
    second = make_menu(acme, "second", on_timeout=place_for(acme, Destination(DestinationKind.MENU, first.pk)))

    answer = send(console, first, on_wrong=f"menu:{second.pk}")

    assert "first → second → first" in str(errors_of(answer)["__all__"])


def test_the_numbers_of_a_deleted_menu_lead_nowhere(console: Client, acme: Company) -> None:
    menu = make_menu(acme)
    number = cast.make_number(acme, destination="menu", menu=menu)

    console.post(f"/admin/telephony/menu/{menu.pk}/delete/", {"post": "yes"})

    number.refresh_from_db()
    assert (number.destination, number.menu) == (PhoneNumber.Destination.NONE, None)


# --- Hours ----------------------------------------------------------------------------------------------------------


def test_hours_are_written_as_people_write_them(console: Client, acme: Company) -> None:
    form = {"name": "office", "company": acme.pk, "mon": "9:00-13:00, 15:00 – 18:30", "sat": "", "switch": ""}
    dates = {"special_dates-TOTAL_FORMS": 0, "special_dates-INITIAL_FORMS": 0}
    day = {"id": "", "date": "2026-12-24", "intervals": "9:00-12:00", "name": "Nochebuena"}

    answer = console.post("/admin/telephony/businesshours/add/", add_row({**form, **dates}, "special_dates", **day))

    assert answer.status_code == 302, answer.context["errors"]
    hours = BusinessHours.objects.get()
    assert hours.weekly == {"mon": ["09:00-13:00", "15:00-18:30"]}
    special = hours.special_dates.get()
    assert (special.date, special.intervals) == (date(2026, 12, 24), ["09:00-12:00"])


def test_hours_that_nobody_changed_are_saved_as_they_were(console: Client, acme: Company) -> None:
    hours = BusinessHours.objects.create(company=acme, name="office", weekly={"fri": ["22:00-02:00"]})
    SpecialDate.objects.create(hours=hours, date=date(2026, 12, 25), every_year=True, name="Navidad")
    before = BusinessHours.objects.values().get(), SpecialDate.objects.values().get()

    answer = send(console, hours)

    assert answer.status_code == 302, answer.context["errors"]
    assert (BusinessHours.objects.values().get(), SpecialDate.objects.values().get()) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("mon", "9-18"), ("tue", "25:00-26:00"), ("timezone", "Mars/Olympus"), ("country", "1A"), ("switch", "ajar")],
)
def test_hours_that_nobody_can_mean_are_refused(console: Client, acme: Company, field: str, value: str) -> None:
    hours = BusinessHours.objects.create(company=acme, name="office")

    assert errors_of(send(console, hours, **{field: value})).keys() == {field}


@pytest.mark.parametrize("keeps", ["number", "queue"])
def test_hours_that_something_keeps_are_not_deleted(console: Client, acme: Company, keeps: str) -> None:
    hours = BusinessHours.objects.create(company=acme, name="office")
    if keeps == "number":
        cast.make_number(acme, hours=hours)
    else:
        cast.make_queue(acme, hours=hours)

    console.post(f"/admin/telephony/businesshours/{hours.pk}/delete/", {"post": "yes"})
    action = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [hours.pk], "post": "yes"}
    console.post("/admin/telephony/businesshours/", action)

    assert BusinessHours.objects.filter(pk=hours.pk).exists()


# --- Skills ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def agent(bob: User) -> Agent:
    return bob.agents.get()  # type: ignore[no-any-return]


def test_an_agent_is_given_a_skill_and_a_priority(console: Client, acme: Company, agent: Agent) -> None:
    skill = Skill.objects.create(company=acme, code="es", language="es")
    form = add_row(form_of(console, page_of(agent)), "skills", id="", agent=agent.pk, skill=skill.pk, level=5)

    answer = console.post(page_of(agent), {**form, "priority": 2})

    agent.refresh_from_db()
    assert answer.status_code == 302, answer.context["errors"]
    assert (agent.priority, agent.skills.get().level) == (2, 5)


def test_an_agent_has_no_skill_of_another_company(
    console: Client, acme: Company, elsewhere: Company, agent: Agent
) -> None:
    theirs = Skill.objects.create(company=elsewhere, code="es", language="es")
    form = add_row(form_of(console, page_of(agent)), "skills", id="", agent=agent.pk, skill=theirs.pk, level=5)

    console.post(page_of(agent), form)

    assert not AgentSkill.objects.exists()


def test_the_code_of_a_language_means_that_language(console: Client, acme: Company) -> None:
    form = {"code": "es", "name": "Español", "language": "", "company": acme.pk}

    console.post("/admin/agents/skill/add/", form)
    answer = console.post("/admin/agents/skill/add/", {**form, "code": "en", "language": "es"})

    assert Skill.objects.get().language == "es"
    assert "language" in errors_of(answer)


# --- What the product writes ----------------------------------------------------------------------------------------


def test_an_offer_says_why_he_stood_where_he_stood(console: Client, acme: Company, agent: Agent) -> None:
    offer = Offer.objects.create(
        call=cast.make_call(acme),
        agent=agent,
        step=1,
        rank=[1, -90.5, -3, -90.5, 2, agent.pk],
        offered_at=timezone.now(),
        expires_at=timezone.now(),
    )

    page = console.get(page_of(offer)).content.decode()

    assert "nivel 1, estrategia -90.5, habilidad 3, libre 90 s, llamadas de hoy 2" in page


@pytest.mark.parametrize("name", ["place", "queuevisit", "planversion"])
def test_nobody_makes_or_edits_what_only_the_product_writes(console: Client, acme: Company, name: str) -> None:
    queue = cast.make_queue(acme)
    rows = {
        "place": place_for(acme, VOICEMAIL),
        "queuevisit": QueueVisit.objects.create(
            company=acme, queue=queue, call=cast.make_call(acme), entered_at=timezone.now()
        ),
        "planversion": PlanVersion.objects.create(company=acme, document={}),
    }

    assert console.get(f"/admin/telephony/{name}/add/").status_code == 403
    assert console.post(page_of(rows[name]), {"kind": "company"}).status_code == 403


def test_the_list_of_plans_does_not_read_their_documents(console: Client, acme: Company) -> None:
    PlanVersion.objects.create(company=acme, document={"queues": []})

    with CaptureQueriesContext(connection) as asked:
        console.get("/admin/telephony/planversion/")

    assert not [query for query in asked.captured_queries if '"document"' in query["sql"]]
