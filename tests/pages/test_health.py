"""``/routing/``: what has to be mended, each with the way to mend it; and the rules by which it is found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import AgentSkill, Skill
from curbe.companies.models import Company, User
from telephony.core.hours import Calendar, Interval, Switch
from telephony.core.plan import (
    NOWHERE,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    NumberPlan,
    QueuePlan,
    Requirement,
)
from telephony.models import QueueVisit
from telephony.queries.health import FoundNobody, Member, Number, PlanFacts, problems
from telephony.views.problem_words import WORDS, described
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import leads_to, make_hours, make_menu

ANA = Member(1, "Ana", skills={1: 5})
LUIS = Member(2, "Luis", skills={2: 3})
#: Skill 1 is Spanish, 2 English, 3 cars.
SALES = QueuePlan(10, "ventas")
NIGHT = QueuePlan(11, "noche")
TO_SALES, TO_NIGHT = Destination(DestinationKind.QUEUE, 10), Destination(DestinationKind.QUEUE, 11)
TO_ANA, TO_GONE = Destination(DestinationKind.USER, 1), Destination(DestinationKind.USER, 99)
OFFICE = Calendar(20, "oficina", "UTC", ((Interval(540, 1080),),) * 7)
SAME_TIMES = replace(OFFICE, id=21, name="otra")
ALL_DAY = replace(OFFICE, id=22, name="siempre", weekly=((Interval(0, 1440),),) * 7)


def plan(
    *queues: QueuePlan, menus: tuple[MenuPlan, ...] = (), hours: tuple[Calendar, ...] = (OFFICE,), **fields: Any
) -> CompanyPlan:
    return CompanyPlan(
        version=1,
        language=fields.pop("language", "es"),
        queues={one.id: one for one in queues},
        menus={one.id: one for one in menus},
        hours={one.id: one for one in hours},
        language_skills={"es": 1, "en": 2},
        **fields,
    )


def facts(
    company_plan: CompanyPlan,
    *numbers: NumberPlan,
    members: Mapping[int, tuple[Member, ...]] | None = None,
    **more: Any,
) -> PlanFacts:
    everywhere = dict.fromkeys(company_plan.queues, (ANA,))
    return PlanFacts(
        plan=company_plan,
        numbers=tuple(Number(index, f"+1305555010{index}", one) for index, one in enumerate(numbers)),
        members=everywhere if members is None else members,
        agents=frozenset({1, 2}),
        **more,
    )


def menu(*options: MenuOption, **fields: Any) -> MenuPlan:
    return MenuPlan(30, "principal", {"es": "Hola"}, options, **fields)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (facts(plan(SALES), NumberPlan(TO_SALES)), []),
        (facts(plan(SALES), members={}), ["queue_empty"]),
        (facts(plan(), NumberPlan(NOWHERE)), ["number_nowhere"]),
        (facts(plan(), NumberPlan(TO_ANA)), []),
        (facts(plan(), NumberPlan(TO_GONE)), ["number_nowhere"]),
        (facts(plan(), NumberPlan(TO_ANA, 20, TO_GONE)), ["number_to_gone"]),
        (facts(plan(replace(SALES, overflow=TO_GONE))), ["queue_to_gone"]),
        # A language in which callers may come: the company's, a number's, a menu's.
        (facts(plan(replace(SALES, match_language=True))), []),
        (facts(plan(replace(SALES, match_language=True), language="en")), ["no_speaker"]),
        (facts(plan(replace(SALES, match_language=True)), NumberPlan(TO_SALES, language="en")), ["no_speaker"]),
        (
            facts(plan(replace(SALES, match_language=True), menus=(menu(MenuOption("1", TO_SALES, "en")),))),
            ["no_speaker"],
        ),
        (facts(plan(SALES), NumberPlan(TO_SALES, language="en")), []),
        # A skill that gives way is asked for at level 1 in the end; one that does not at its own.
        (facts(plan(replace(SALES, requirements=(Requirement(3, "autos", 4),)))), ["no_skill"]),
        (facts(plan(replace(SALES, requirements=(Requirement(2, "en", 4),))), members={10: (LUIS,)}), []),
        (
            facts(
                plan(replace(SALES, requirements=(Requirement(2, "en", 4, relaxable=False),))), members={10: (LUIS,)}
            ),
            ["no_skill"],
        ),
        (facts(plan(menus=(menu(),))), ["menu_empty"]),
        (facts(plan(SALES, menus=(menu(MenuOption("1", TO_SALES)),)), members={}), ["queue_empty", "menu_to_empty"]),
        (facts(plan(menus=(menu(MenuOption("1", TO_GONE)),))), ["menu_to_gone"]),
        # Closed at the same hours: by the same calendar, or by another that says the same.
        (
            facts(plan(replace(SALES, hours_id=20, when_closed=TO_NIGHT), replace(NIGHT, hours_id=20))),
            ["queue_closed_too"],
        ),
        (
            facts(
                plan(
                    replace(SALES, hours_id=20, overflow=TO_NIGHT),
                    replace(NIGHT, hours_id=21),
                    hours=(OFFICE, SAME_TIMES),
                )
            ),
            ["queue_closed_too"],
        ),
        (
            facts(
                plan(
                    replace(SALES, hours_id=20, when_closed=TO_NIGHT),
                    replace(NIGHT, hours_id=22),
                    hours=(OFFICE, ALL_DAY),
                )
            ),
            [],
        ),
        (facts(plan(replace(NIGHT, hours_id=20)), NumberPlan(TO_ANA, 20, TO_NIGHT)), ["number_closed_too"]),
        (facts(plan(fallback_number="+13055550100"), NumberPlan(TO_ANA)), ["fallback_is_ours"]),
        (facts(plan(fallback_number="+13055559999"), NumberPlan(TO_ANA)), []),
        (facts(plan(timezone="America/Nowhere")), ["company_zone"]),
        (facts(plan(hours=(replace(OFFICE, timezone="Mars/Base"),))), ["hours_zone"]),
        (facts(plan(hours=(replace(OFFICE, timezone=""),))), ["hours_zone"]),
        (facts(plan(hours=(replace(OFFICE, switch=Switch.CLOSED),))), ["switched_closed"]),
        (facts(plan(hours=(replace(OFFICE, switch=Switch.OPEN),))), ["switched_open"]),
        (
            facts(plan(SALES, NIGHT), members=dict.fromkeys((10, 11), (replace(ANA, has_credential=False),))),
            ["no_credential"],
        ),
        (facts(plan(replace(SALES, overflow=TO_NIGHT), replace(NIGHT, overflow=TO_SALES))), ["circle"]),
        (facts(plan(SALES), found_nobody=(FoundNobody(10, "es", 6, 3),)), ["found_nobody"]),
        (facts(plan(SALES), found_nobody=(FoundNobody(10, "es", 6, 2),)), []),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(given: PlanFacts, found: list[str]) -> None:
    assert [problem.code for problem in problems(given)] == found


def test_every_problem_has_words_that_name_what_it_is_about(acme: Company) -> None:
    codes = set()
    for mark in test_what_is_wrong_is_found_and_nothing_else.pytestmark:  # type: ignore[attr-defined]
        for given, _found in mark.args[1]:
            for problem in problems(given):
                codes.add(problem.code)
                told = described(problem)

                assert "%" not in told.text
                assert told.mend

    assert codes == set(WORDS)


def test_each_problem_is_listed_with_the_way_to_mend_it(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme)
    number = cast.make_number(acme, "+13055550100")
    menu_row = make_menu(acme)
    hours = make_hours(acme, switch="closed")
    page = looking(alice).get("/routing/")

    assert "+1 305-555-0100 leads nowhere" in words(page)
    assert "The queue ventas has no members. Add members" in words(page)
    for address in (
        f"/queues/{queue.pk}/",
        f"/numbers/{number.pk}/",
        f"/menus/{menu_row.pk}/",
        f"/hours/{hours.pk}/",
    ):
        assert f'href="{address}"' in html(page)


def test_a_plan_without_fault_says_so(acme: Company, sam: User) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")])
    cast.make_number(acme, queue=queue)

    assert "Nothing: each number leads somewhere" in words(looking(sam).get("/routing/"))


def test_callers_who_found_nobody_on_saturdays_are_seen_in_what_happened(acme: Company, sam: User) -> None:
    """Of shifts nothing is known; of the Saturdays that were, much."""
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")], match_language=True)
    skill = Skill.objects.create(company=acme, code="es", language="es")
    AgentSkill.objects.create(agent=queue.members.get(), skill=skill)
    saturday = timezone.now().replace(hour=18, minute=0)
    saturday -= timedelta(days=(saturday.weekday() - 5) % 7 or 7)
    for _ in range(3):
        QueueVisit.objects.create(
            company=acme,
            queue=queue,
            call=cast.make_call(acme),
            entered_at=saturday,
            ended_at=saturday,
            outcome="join_empty",
            language="es",
        )
    english, spanish = words(looking(sam).get("/routing/")), words(looking(sam, "es").get("/routing/"))

    assert "In the last 4 weeks 3 callers who speak Spanish came to the queue ventas on a Saturday" in english
    assert "3 llamantes que hablan español llegaron a la cola ventas en día sábado" in spanish


def test_who_is_at_work_and_who_waits_stands_beside_each_queue(acme: Company, sam: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    queue = cast.make_queue(acme, members=[ana, cast.make_agent(acme, "luis")])
    call = cast.make_call(acme, caller_name="María Fernández")
    QueueVisit.objects.create(company=acme, queue=queue, call=call, entered_at=timezone.now() - timedelta(seconds=65))
    page = words(looking(sam).get("/routing/"))

    assert "1 free, 1 at work of 2" in page
    assert f'href="/agents/{ana.pk}/why/"' in html(looking(sam).get("/routing/desks"))
    assert "1 waits longest 1:05 María Fernández (1:05)" in page


def test_who_stopped_responding_is_named_behind_those_at_work_and_before_who_is_away(acme: Company, sam: User) -> None:
    away, silent, free = (cast.make_agent(acme, "ana"), cast.ready_agent(acme, "luis"), cast.ready_agent(acme, "zoe"))
    silent.activity = "NOT_RESPONDING"
    silent.save()
    cast.make_queue(acme, members=[away, silent, free])
    desks = html(looking(sam).get("/routing/desks"))

    assert re.findall(r'href="/agents/(\d+)/why/"', desks) == [str(one.pk) for one in (free, silent, away)]
    assert "1 free, 1 at work of 3" in desks
    assert "Press “I am back” in the phone." in words(looking(sam).get(f"/agents/{silent.pk}/why/"))


def test_only_who_supervises_sees_it(acme: Company, bob: User, mallory: User) -> None:
    cast.make_queue(acme)
    for address in ("/routing/", "/routing/desks"):
        assert looking(bob).get(address).status_code == 403
        assert "ventas" not in words(looking(mallory).get(address))
        assert looking(mallory).post(address).status_code == 405
    assert "/routing/" not in html(looking(bob).get("/"))


def test_who_supervises_finds_it_in_the_header(acme: Company, sam: User) -> None:
    assert 'href="/routing/"' in html(looking(sam).get("/"))
    assert "Enrutamiento" in words(looking(sam, "es").get("/"))


@pytest.mark.parametrize("size", [1, 10])
def test_the_number_of_queries_does_not_grow(
    acme: Company, sam: User, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agents = [cast.ready_agent(acme, f"agent{index}") for index in range(size)]
    for index in range(size):
        queue = cast.make_queue(acme, f"queue{index}", members=agents, overflow=leads_to(acme, voicemail=True))
        menu_row = make_menu(acme, f"menu{index}", options={"1": leads_to(acme, queue=queue)})
        cast.make_number(acme, destination="menu", menu=menu_row)
        QueueVisit.objects.create(company=acme, queue=queue, call=cast.make_call(acme), entered_at=timezone.now())
    browser = looking(sam)

    with django_assert_num_queries(36):
        browser.get("/routing/")
