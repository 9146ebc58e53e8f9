from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent
from curbe.companies.models import Company, User
from telephony.models import Call
from tests import cast
from tests.api.asking import Asker

PATH = "/api/agents/me"


def hold(agent: Agent, call: Call, activity: Activity) -> None:
    until = timezone.now() + timedelta(seconds=20)
    Agent.objects.filter(pk=agent.pk).update(activity=activity, busy_call_id=call.pk, reserved_until=until)


def test_a_page_learns_who_it_is(acme: Company, bob: User) -> None:
    agent = bob.agents.get()
    cast.beat(agent, now=timezone.now())

    answer = Asker(bob).get(PATH)

    assert answer.json() == {
        "agentId": agent.pk,
        "companyId": acme.public_id,
        "presence": "AVAILABLE",
        "intent": "AVAILABLE",
        "pending": None,
        "reach": "registered",
        "break": None,
        "breaks": [
            {"code": "lunch", "name": "Almuerzo"},
            {"code": "rest", "name": "Descanso"},
            {"code": "training", "name": "Formación"},
            {"code": "restroom", "name": "Baño"},
        ],
        "wrap_up": None,
        "call": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_presence_is_what_is_true_now_whatever_the_cache_says(bob: User) -> None:
    agent = bob.agents.get()
    cast.beat(agent, now=timezone.now() - timedelta(seconds=31))
    Agent.objects.filter(pk=agent.pk).update(presence="AVAILABLE")

    assert Asker(bob).get(PATH).json()["presence"] == "OFFLINE"


def test_a_page_loaded_in_the_middle_of_a_call_finds_it(acme: Company, bob: User) -> None:
    agent, now = bob.agents.get(), timezone.now()
    call = cast.make_call(acme, status="in_progress", answered_at=now, agent=agent, caller_name="Ana & Cía")
    hold(agent, call, Activity.ON_CALL)

    found = Asker(bob).get(PATH).json()

    assert found["presence"] == "ON_CALL"
    assert found["call"]["id"] == str(call.pk)
    assert (found["call"]["stage"], found["call"]["caller_name"]) == ("active", "Ana & Cía")
    assert found["call"]["answered_at"] is not None


def test_a_ringing_call_is_offered(acme: Company, bob: User) -> None:
    agent = bob.agents.get()
    cast.beat(agent, now=timezone.now())
    call = cast.make_call(acme)
    hold(agent, call, Activity.RESERVED)

    found = Asker(bob).get(PATH).json()

    assert (found["presence"], found["call"]["id"], found["call"]["stage"]) == ("RINGING", str(call.pk), "offered")


def test_a_call_that_is_over_is_nobodys(acme: Company, bob: User) -> None:
    call = cast.make_call(acme, status="completed", ended_at=timezone.now())
    hold(bob.agents.get(), call, Activity.ON_CALL)

    assert Asker(bob).get(PATH).json()["call"] is None


def test_a_call_of_another_company_is_never_shown(elsewhere: Company, bob: User) -> None:
    hold(bob.agents.get(), cast.make_call(elsewhere), Activity.ON_CALL)

    assert Asker(bob).get(PATH).json()["call"] is None


def test_it_costs_few_statements(acme: Company, bob: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    hold(bob.agents.get(), cast.make_call(acme), Activity.ON_CALL)
    asker = Asker(bob)
    asker.get(PATH)

    # The session, who asks, his membership, his agent; the reasons for breaks; the call, its recordings.
    with django_assert_num_queries(7):
        asker.get(PATH)
