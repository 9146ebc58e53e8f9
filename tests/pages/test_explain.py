"""``/routing/explain/``, ``manage.py routing_explain`` and ``/agents/<id>/why/``: what would happen, and why."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent, AgentSkill, Skill
from curbe.companies.models import Company, User
from telephony.core.plan import Destination, DestinationKind
from telephony.core.types import Ring, Say
from telephony.models import Call, Offer, QueueVisit
from telephony.queries.explain import explain_call
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import everything, leads_to, make_hours, make_menu


def ask(browser: Any, to: str, **more: str) -> Any:
    return browser.get("/routing/explain/", {"call-to": to, **{f"call-{name}": value for name, value in more.items()}})


# --- The function -------------------------------------------------------------------------------------------------


def test_a_call_that_nobody_made_is_decided_by_the_same_rules_and_changes_nothing(acme: Company) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")], sticky=True)
    number = cast.make_number(acme, queue=queue)
    now = timezone.now()
    with CaptureQueriesContext(connection) as asked:
        found = explain_call(acme, number.e164, "+13055551234", now, language="en")

    assert isinstance(found.decided, Ring)
    assert found.decision == "The call would ring the phone of Ana for 25 s."
    assert all(query["sql"].lstrip().upper().startswith(("SELECT", "WITH", "EXECUTE")) for query in asked)
    assert not Call.objects.exists()
    assert Agent.objects.get().activity == "IDLE"


def test_a_number_that_is_not_the_companys_is_nobodys(acme: Company, elsewhere: Company) -> None:
    theirs = cast.make_number(elsewhere, destination="company")
    found = explain_call(acme, theirs.e164, "", timezone.now(), language="en")

    assert isinstance(found.decided, Say)
    assert "Número sin asignar" in found.decision


def test_people_are_as_they_are_now_whatever_the_moment(acme: Company) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")])
    place = Destination(DestinationKind.QUEUE, queue.pk)
    now = timezone.now()
    for moment in (now - timedelta(days=400), now, now + timedelta(days=400)):
        assert isinstance(explain_call(acme, place, "", moment, now=now).decided, Ring)


def test_the_caller_is_known_by_his_language_and_by_whom_he_talked_to(acme: Company) -> None:
    skill = Skill.objects.create(company=acme, code="en", language="en")
    ana, luis = cast.ready_agent(acme, "ana", idle_s=5), cast.ready_agent(acme, "luis", idle_s=50)
    AgentSkill.objects.create(agent=ana, skill=skill)
    contact = cast.make_contact(acme, "John", "+13055557777")
    contact.language = "en"
    contact.save()
    queue = cast.make_queue(acme, members=[ana, luis], strategy="longest_idle", match_language=True, sticky=True)
    cast.make_call(acme, from_number="+13055558888", agent=ana, status="completed")
    place = Destination(DestinationKind.QUEUE, queue.pk)

    def rung(caller: str) -> str:
        return explain_call(acme, place, caller, timezone.now(), language="en").decision

    assert "Luis" in rung("")
    assert "Ana" in rung("+13055557777")
    assert "Ana" in rung("+13055558888")


def test_it_says_what_follows_when_nobody_answers(acme: Company) -> None:
    ana, luis = cast.ready_agent(acme, "ana", idle_s=50), cast.ready_agent(acme, "luis", idle_s=5)
    queue = cast.make_queue(acme, members=[ana, luis], strategy="longest_idle")
    found = explain_call(acme, Destination(DestinationKind.QUEUE, queue.pk), "", timezone.now(), language="en")
    (after,) = found.branches

    assert "Ana" in found.decision
    assert after.digit is None
    assert after.decision == "The call would ring the phone of Luis for 25 s."


# --- The page -----------------------------------------------------------------------------------------------------


def test_the_page_answers_for_a_number_and_a_moment(acme: Company, sam: User) -> None:
    closed = leads_to(acme, say="Cerrado")
    number = cast.make_number(acme, destination="company", hours=make_hours(acme), when_closed=closed)
    cast.ready_agent(acme, "ana")
    browser = looking(sam)

    assert "would hear “Cerrado”" in words(ask(browser, number.e164, at="2027-01-03T10:00"))
    assert "would ring the phone of Ana" in words(ask(browser, number.e164, at="2027-01-04T10:00"))


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"to": "+19999999999"}, "not one of the available choices"),
        ({"caller": "nobody"}, "with its country"),
        ({"at": "soon"}, "valid date"),
        ({"at": "0001-01-01T00:00"}, "nearer moment"),
    ],
)
def test_nonsense_is_told_in_words(acme: Company, sam: User, asked: dict[str, str], error: str) -> None:
    number = cast.make_number(acme)

    assert error in words(ask(looking(sam), **{"to": number.e164, **asked}))


def test_another_companys_number_is_no_choice(acme: Company, elsewhere: Company, sam: User) -> None:
    theirs = cast.make_number(elsewhere, "+13055550177", destination="company")

    page = ask(looking(sam), theirs.e164)

    assert "not one of the available choices" in words(page)
    assert "preview__decision" not in html(page)


def test_only_who_supervises_may_ask(acme: Company, bob: User, mallory: User) -> None:
    number = cast.make_number(acme, "+13055550100")

    assert ask(looking(bob), number.e164).status_code == 403
    assert "555-0100" not in words(looking(mallory).get("/routing/explain/"))
    assert looking(bob).post("/routing/explain/").status_code == 405


# --- The command --------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("routing_explain", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_sentences_and_changes_nothing(acme: Company) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")])
    menu = make_menu(acme, options={"1": leads_to(acme, queue=queue)})
    number = cast.make_number(acme, destination="menu", menu=menu)
    before = everything()
    spanish = run(number.e164, "--from", "+13055551234")
    english = run(number.e164, "--at", "2027-01-04T10:00", "--language", "en")

    assert "→ El llamante oiría el menú: «Para ventas, marque uno.»" in spanish
    assert "Si el llamante marca 1:" in spanish
    assert "2027-01-04 10:00 EST" in english
    assert "→ The call would ring the phone of Ana for 25 s." in english
    assert everything() == before
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("12",), "is not a number"),
        (("+13055550199",), "not a number of any company"),
        (("+13055550100", "--at", "soon"), "is not a moment"),
        (("+13055550100", "--from", "x"), "is not a number"),
    ],
)
def test_the_command_says_what_it_does_not_understand(acme: Company, arguments: tuple[str, ...], said: str) -> None:
    cast.make_number(acme, "+13055550100")

    with pytest.raises(CommandError, match=said):
        run(*arguments)


# --- Why am I not getting calls? ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Can be rung now"),
        ({"intent": "BREAK"}, "On a break Choose Available in the phone."),
        ({"activity": "NOT_RESPONDING"}, "Not responding"),
        ({"activity": "ON_CALL"}, "On a call"),
        ({"is_active": False}, "Answers no calls"),
    ],
)
def test_it_says_how_he_stands_and_what_to_do(acme: Company, sam: User, fields: dict[str, Any], said: str) -> None:
    ana = cast.ready_agent(acme, "ana")
    Agent.objects.filter(pk=ana.pk).update(**fields)

    assert said in words(looking(sam).get(f"/agents/{ana.pk}/why/"))


def test_a_browser_that_is_silent_is_offline_whatever_the_cache_says(acme: Company, sam: User) -> None:
    ana = cast.ready_agent(acme, "ana", now=timezone.now() - timedelta(minutes=5))

    assert "No sign of the browser" in words(looking(sam).get(f"/agents/{ana.pk}/why/"))


def test_queue_by_queue_it_tells_his_turn_and_who_waits(acme: Company, sam: User) -> None:
    skill = Skill.objects.create(company=acme, code="autos")
    ana, luis = cast.ready_agent(acme, "ana", idle_s=5), cast.ready_agent(acme, "luis", idle_s=50)
    sales = cast.make_queue(acme, "ventas", members=[ana, luis], strategy="longest_idle", match_language=True)
    cars = cast.make_queue(acme, "autos", members=[ana])
    cars.skills.create(skill=skill, min_level=3)
    homes = cast.make_queue(acme, "hogar", members=[luis, ana])
    homes.skills.create(skill=skill, min_level=3)
    AgentSkill.objects.create(agent=ana, skill=skill, level=2)
    cars.skills.update(relaxable=False)
    QueueVisit.objects.create(
        company=acme, queue=sales, call=cast.make_call(acme), entered_at=timezone.now(), language="en"
    )
    page = words(looking(sam).get(f"/agents/{ana.pk}/why/"))

    assert "autos Gets no call here: the queue asks for more of “autos”." in page
    assert "hogar Gets no call here at first: the queue asks for more of “autos”." in page
    assert "ventas Number 2 of 2 who can be rung. 2 at work 1 waits" in page
    assert "1 of them is for others" in page


def test_the_last_rings_are_listed_with_how_they_ended(acme: Company, sam: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    call = cast.make_call(acme, caller_name="María Fernández")
    now = timezone.now()
    Offer.objects.create(call=call, agent=ana, step=1, outcome="missed", offered_at=now, expires_at=now)

    assert "María Fernández Missed" in words(looking(sam).get(f"/agents/{ana.pk}/why/"))


def test_an_agent_sees_his_own_page_and_no_colleagues(acme: Company, bob: User) -> None:
    other = cast.ready_agent(acme, "ana")
    browser = looking(bob)
    own = browser.get(f"/agents/{bob.agents.get().pk}/why/")

    assert "Why am I not getting calls?" in words(own)
    assert "/queues/" not in html(own)
    assert browser.get(f"/agents/{other.pk}/why/").status_code == 403
    assert f'href="/agents/{bob.agents.get().pk}/why/"' in html(browser.get("/"))


def test_mallory_finds_no_agent(acme: Company, bob: User, mallory: User) -> None:
    assert looking(mallory).get(f"/agents/{bob.agents.get().pk}/why/").status_code == 404
    assert looking(bob).post(f"/agents/{bob.agents.get().pk}/why/").status_code == 405


@pytest.mark.parametrize("colleagues", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_colleagues(
    acme: Company, sam: User, colleagues: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agents = [cast.ready_agent(acme, f"agent{index}") for index in range(colleagues)]
    cast.make_queue(acme, members=agents)
    browser = looking(sam)

    with django_assert_num_queries(16):
        browser.get(f"/agents/{agents[0].pk}/why/")
