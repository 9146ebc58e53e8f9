"""Where numbers lead, assigned in the list itself and for many at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import Agent
from curbe.companies.models import Company, User
from telephony.models import BusinessHours, CallQueue, Menu, PhoneNumber
from telephony.operations.assignments import UnableToAssign, assign, target_of
from tests import cast
from tests.admin.forms import form_of

LIST = "/admin/telephony/phonenumber/"
Destination = PhoneNumber.Destination


@pytest.fixture
def agent(bob: User) -> Agent:
    return bob.agents.get()  # type: ignore[no-any-return]


@pytest.fixture
def queue(acme: Company) -> CallQueue:
    return cast.make_queue(acme, "ventas")


def leads_to(number: PhoneNumber) -> tuple[str, Agent | None, CallQueue | None]:
    number.refresh_from_db()
    return number.destination, number.agent, number.queue


def save_list(console: Client, numbers: list[PhoneNumber], codes: list[str]) -> Any:
    """Press "Save" under the list, in which each number is now said to lead to its code."""
    form: dict[str, object] = {"form-TOTAL_FORMS": len(numbers), "form-INITIAL_FORMS": len(numbers), "_save": "Save"}
    for place, (number, code) in enumerate(zip(numbers, codes, strict=True)):
        form |= {f"form-{place}-id": number.pk, f"form-{place}-destination": code}
    return console.post(LIST, form)


def act(console: Client, action: str, numbers: list[PhoneNumber], **more: str) -> Any:
    return console.post(LIST, {"action": action, ACTION_CHECKBOX_NAME: [number.pk for number in numbers], **more})


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_the_list_assigns_to_a_user_a_queue_the_company_and_nobody(
    console: Client, acme: Company, agent: Agent, queue: CallQueue
) -> None:
    # The list shows the newest first.
    numbers = [cast.make_number(acme, agent=agent), *(cast.make_number(acme) for _ in range(3))][::-1]

    answer = save_list(console, numbers, [f"user:{agent.pk}", f"queue:{queue.pk}", "company", "none"])

    assert answer.status_code == 302
    assert [leads_to(number) for number in numbers] == [
        (Destination.USER, agent, None),
        (Destination.QUEUE, None, queue),
        (Destination.COMPANY, None, None),
        (Destination.NONE, None, None),
    ]


def test_the_list_moves_a_number_from_a_user_to_a_queue(
    console: Client, acme: Company, agent: Agent, queue: CallQueue
) -> None:
    number = cast.make_number(acme, agent=agent)

    save_list(console, [number], [f"queue:{queue.pk}"])

    assert leads_to(number) == (Destination.QUEUE, None, queue)


def test_rows_of_the_list_that_nobody_touched_are_not_saved(console: Client, acme: Company, agent: Agent) -> None:
    numbers = [cast.make_number(acme, agent=agent) for _ in range(3)][::-1]

    with CaptureQueriesContext(connection) as asked:
        save_list(console, numbers, [f"user:{agent.pk}"] * 3)

    assert not [query for query in asked.captured_queries if "UPDATE" in query["sql"] and "phonenumber" in query["sql"]]


@pytest.mark.parametrize("code", ["user:999999", "queue:0", "user:", "user:1 OR 1=1", "menu:1", "", "user:٣"])
def test_the_list_refuses_a_code_that_means_nothing(console: Client, acme: Company, agent: Agent, code: str) -> None:
    number = cast.make_number(acme, agent=agent)

    answer = save_list(console, [number], [code])

    assert answer.status_code == 200
    assert answer.context["cl"].formset.errors[0]["destination"]
    assert leads_to(number) == (Destination.USER, agent, None)


def test_the_list_refuses_an_agent_of_another_company(console: Client, acme: Company, mallory: User) -> None:
    number = cast.make_number(acme)

    answer = save_list(console, [number], [f"user:{mallory.agents.get().pk}"])

    assert answer.status_code == 200
    assert leads_to(number)[0] == Destination.NONE


def test_many_numbers_are_assigned_to_a_user_at_once(console: Client, acme: Company, agent: Agent) -> None:
    numbers = [cast.make_number(acme) for _ in range(3)]

    question = act(console, "assign_to_user_or_queue", numbers)
    answer = act(console, "assign_to_user_or_queue", numbers, destination=f"user:{agent.pk}")

    assert question.status_code == 200 and "3" in question.content.decode()
    assert answer.status_code == 302
    assert [leads_to(number) for number in numbers] == [(Destination.USER, agent, None)] * 3


def test_many_numbers_are_assigned_to_a_queue_at_once(console: Client, acme: Company, queue: CallQueue) -> None:
    numbers = [cast.make_number(acme) for _ in range(2)]

    act(console, "assign_to_user_or_queue", numbers, destination=f"queue:{queue.pk}")

    assert [leads_to(number) for number in numbers] == [(Destination.QUEUE, None, queue)] * 2


def test_all_rows_of_a_search_are_assigned_though_only_a_page_was_ticked(
    console: Client, acme: Company, queue: CallQueue
) -> None:
    numbers = [cast.make_number(acme) for _ in range(3)]

    act(console, "assign_to_user_or_queue", numbers[:1], destination=f"queue:{queue.pk}", select_across="1")

    assert [leads_to(number)[2] for number in numbers] == [queue] * 3


@pytest.mark.parametrize(
    ("action", "destination"), [("assign_to_company", Destination.COMPANY), ("unassign", Destination.NONE)]
)
def test_many_numbers_of_several_companies_are_assigned_to_their_own_or_nobody(
    console: Client, acme: Company, elsewhere: Company, agent: Agent, action: str, destination: str
) -> None:
    numbers = [cast.make_number(acme, agent=agent), cast.make_number(elsewhere)]

    act(console, action, numbers)

    assert [leads_to(number) for number in numbers] == [(destination, None, None)] * 2


def test_numbers_of_several_companies_are_not_assigned_to_one_user(
    console: Client, acme: Company, elsewhere: Company, agent: Agent
) -> None:
    numbers = [cast.make_number(acme), cast.make_number(elsewhere)]

    answer = act(console, "assign_to_user_or_queue", numbers, destination=f"user:{agent.pk}")

    assert said(answer)
    assert [leads_to(number)[0] for number in numbers] == [Destination.NONE] * 2


def test_a_queue_of_another_company_takes_no_number(console: Client, acme: Company, elsewhere: Company) -> None:
    number, foreign = cast.make_number(acme), cast.make_queue(elsewhere)

    act(console, "assign_to_user_or_queue", [number], destination=f"queue:{foreign.pk}")

    assert leads_to(number)[0] == Destination.NONE


def test_the_operation_changes_none_when_one_number_is_anothers(
    acme: Company, elsewhere: Company, agent: Agent
) -> None:
    mine, foreign = cast.make_number(acme), cast.make_number(elsewhere)

    with pytest.raises(UnableToAssign, match="other_company"):
        assign(PhoneNumber.objects.all(), target_of(f"user:{agent.pk}"))

    assert [leads_to(number)[0] for number in (mine, foreign)] == [Destination.NONE] * 2


def test_the_page_of_a_number_changes_where_it_leads_and_not_whose_it_is(
    console: Client, acme: Company, elsewhere: Company, queue: CallQueue
) -> None:
    number = cast.make_number(acme)
    form = {"label": "Sales", "destination": f"queue:{queue.pk}", "company": elsewhere.pk, "e164": "+13055559999"}

    console.post(f"{LIST}{number.pk}/change/", form)

    assert leads_to(number) == (Destination.QUEUE, None, queue)
    assert (number.label, number.company, number.e164 == "+13055559999") == ("Sales", acme, False)


def test_a_new_number_leads_nowhere_until_it_is_assigned(console: Client, acme: Company) -> None:
    console.post(f"{LIST}add/", {"e164": "+13055550777", "company": acme.pk, "label": ""})

    assert leads_to(PhoneNumber.objects.get(e164="+13055550777")) == (Destination.NONE, None, None)


def test_the_choices_are_those_of_the_company_and_match_what_was_typed(
    console: Client, acme: Company, agent: Agent, queue: CallQueue, mallory: User
) -> None:
    address = reverse("admin:telephony_phonenumber_destinations")
    menu = Menu.objects.create(company=acme, name="principal", say_es="Hola")

    def texts(term: str) -> list[str]:
        found = console.get(address, {"company": acme.pk, "term": term}).json()["results"]
        return [one["id"] for one in found]

    assert texts("") == ["none", "company", "voicemail", f"queue:{queue.pk}", f"menu:{menu.pk}", f"user:{agent.pk}"]
    # What was typed can be said, and a number can be forwarded to.
    assert texts("bob") == [f"user:{agent.pk}", "say:bob"]
    assert texts("mallory") == ["say:mallory"]
    assert texts("+13055550111") == ["number:+13055550111", "say:+13055550111"]


def test_the_choices_are_for_operators_only(acme: Company) -> None:
    staff = cast.make_user(acme, "staff", is_staff=True)

    answer = cast.client_for(staff).get(reverse("admin:telephony_phonenumber_destinations"), {"company": acme.pk})

    assert (answer.status_code, answer.json()) == (403, {"results": []})


def test_the_page_of_a_number_says_its_hours_language_and_where_it_leads_while_closed(
    console: Client, acme: Company, queue: CallQueue
) -> None:
    number = cast.make_number(acme, queue=queue)
    hours = BusinessHours.objects.create(company=acme, name="office")
    address = f"{LIST}{number.pk}/change/"
    form = {**form_of(console, address), "hours": hours.pk, "language": "en", "when_closed": "say:Cerrado"}

    answer = console.post(address, form)

    number.refresh_from_db()
    assert answer.status_code == 302, answer.context["errors"]
    assert (number.hours, number.language) == (hours, "en")
    assert number.when_closed and number.when_closed.words == "Cerrado"
    assert leads_to(number) == (Destination.QUEUE, None, queue)


def test_a_number_is_forwarded_or_says_something_and_then_leads_to_a_menu(console: Client, acme: Company) -> None:
    number = cast.make_number(acme)
    menu = Menu.objects.create(company=acme, name="principal", say_es="Hola")

    save_list(console, [number], ["number:+13055550111"])
    number.refresh_from_db()
    assert (number.destination, number.forward_to) == ("number", "+13055550111")
    save_list(console, [number], ["say:Hasta mañana"])
    number.refresh_from_db()
    assert (number.destination, number.forward_to, number.words) == ("say", "", "Hasta mañana")
    save_list(console, [number], [f"menu:{menu.pk}"])
    number.refresh_from_db()

    assert (number.destination, number.menu, number.words) == ("menu", menu, "")


@pytest.mark.parametrize("code", ["queue", "menu", "user"])
def test_a_number_leads_nowhere_of_another_company_while_it_is_closed(
    console: Client, acme: Company, elsewhere: Company, code: str, mallory: User
) -> None:
    number = cast.make_number(acme)
    theirs = {
        "queue": cast.make_queue(elsewhere).pk,
        "menu": Menu.objects.create(company=elsewhere, name="m", say_es="Hola").pk,
        "user": mallory.agents.get().pk,
    }
    address = f"{LIST}{number.pk}/change/"

    answer = console.post(address, {**form_of(console, address), "when_closed": f"{code}:{theirs[code]}"})

    number.refresh_from_db()
    assert "when_closed" in answer.context["adminform"].form.errors
    assert number.when_closed is None


def test_hours_of_another_company_are_refused(console: Client, acme: Company, elsewhere: Company) -> None:
    number = cast.make_number(acme)
    theirs = BusinessHours.objects.create(company=elsewhere, name="office")
    address = f"{LIST}{number.pk}/change/"

    answer = console.post(address, {**form_of(console, address), "hours": theirs.pk})

    assert "hours" in answer.context["adminform"].form.errors
