"""``/repairs/``: what was put right, what must hold, and what a supervisor may end."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent
from curbe.companies.models import Company, User
from telephony.core.repair_words import RepairKind, event_kinds, in_words, kind_of
from telephony.models import Call, CallLeg, TelnyxEvent
from telephony.queries import repairs
from tests import cast
from tests.api.test_story import note
from tests.pages.people import html, looking, words


def repaired(call: Call, kind: str, **believed: object) -> TelnyxEvent:
    return note(call, kind, "reconciler", believed=believed, true={}, did="did it")


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    return cast.make_call(acme, caller_name="María", agent=bob.agents.get())


@pytest.mark.parametrize(("role", "status"), [("alice", 200), ("sam", 200), ("bob", 403), ("mallory", 200)])
def test_only_who_supervises_sees_it(call: Call, role: str, status: int, request: pytest.FixtureRequest) -> None:
    repaired(call, "reconciler.agent_freed", agent=call.agent_id)
    browser = looking(request.getfixturevalue(role))
    for address in ("/repairs/", "/repairs/now"):
        response = browser.get(address)

        assert response.status_code == status
        assert ("María" in html(response)) is (role in {"alice", "sam"})
        assert browser.post(address).status_code in {403, 405}


def test_nobody_is_sent_to_the_log_in() -> None:
    assert Client().get("/repairs/")["Location"] == "/login/?next=/repairs/"


def test_the_navigation_leads_there_for_who_supervises(bob: User, sam: User) -> None:
    assert 'href="/repairs/"' in html(looking(sam).get("/"))
    assert 'href="/repairs/"' not in html(looking(bob).get("/"))


def test_without_repairs_it_says_so(sam: User) -> None:
    seen = words(looking(sam).get("/repairs/"))

    assert "Nothing had to be put right" in seen
    assert seen.count("Holds now") == 3
    assert "No call is open." in seen
    assert "Nobody is busy." in seen
    assert "Refused calls out" not in seen


def test_a_repair_says_what_was_believed_what_is_true_and_what_was_done(call: Call, sam: User) -> None:
    repaired(call, "reconciler.agent_freed", agent=call.agent_id)

    seen = words(looking(sam, "es").get("/repairs/"))

    assert "Bob estaba en esta llamada" in seen
    assert "Ya no tenía ninguna línea en ella" in seen
    assert "Se liberó al agente" in seen


def test_a_lost_end_names_whose_line_it_was(call: Call, sam: User) -> None:
    CallLeg.objects.create(call=call, call_sid="v3:x", kind="caller", started_at=call.started_at)
    repaired(call, "status.completed", leg="v3:x")

    assert "The line of María was still up" in words(looking(sam).get("/repairs/"))


def test_questions_that_repaired_nothing_are_not_repairs(call: Call, sam: User) -> None:
    note(call, "reconciler.recording_asked", "reconciler", turn=1)

    assert "Nothing had to be put right" in words(looking(sam).get("/repairs/"))


@pytest.mark.parametrize("kind", RepairKind)
def test_each_kind_can_be_looked_for(call: Call, sam: User, kind: RepairKind) -> None:
    every = {one for other in RepairKind for one in event_kinds(other)[0]} | {"status.busy", "recording.completed"}
    for one in every:
        repaired(call, one)

    found = repairs.page(call.company_id, kind=kind, older_than=None, language="en").repairs

    assert {shown.event.kind for shown in found} == {one for one in every if kind_of(one) is kind} != set()
    page = html(looking(sam).get("/repairs/", {"kind": str(kind)}))
    assert page.count('class="repairs__one"') == len(found)


@pytest.mark.parametrize("query", [{"kind": "fax"}, {"older": "yesterday"}])
def test_an_address_that_means_nothing_is_a_400(sam: User, query: dict[str, str]) -> None:
    assert looking(sam).get("/repairs/", query).status_code == 400


def test_a_kind_of_which_there_is_none_offers_the_way_back(sam: User) -> None:
    assert "Show all repairs" in words(looking(sam).get("/repairs/", {"kind": "room"}))


def test_older_repairs_are_a_link_away(call: Call, sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairs.page, "__kwdefaults__", {"size": 2})
    made = [repaired(call, "status.completed", leg=str(place)) for place in range(5)]
    browser, address, sizes = looking(sam), "/repairs/?kind=end", []
    while address:
        page = html(browser.get(address))
        sizes.append(page.count('class="repairs__one"'))
        older = re.search(r'href="(/repairs/\?[^"]*older=[^"]*)"', page)
        address = older.group(1).replace("&amp;", "&") if older else ""

    assert sizes == [2, 2, 1]
    assert len(made) == 5


def test_counters_count_today_and_seven_days_in_the_companys_zone(call: Call, sam: User) -> None:
    now = timezone.now()
    for age in (0, 0, 3, 6, 30):
        event = repaired(call, "status.completed", leg=str(age))
        # The key carries the time: one that was made long ago has an older id.
        at = now - timedelta(days=age)
        TelnyxEvent.objects.filter(pk=event.pk).update(received_at=at)

    zone = timezone.get_fixed_timezone(0)
    counters = repairs.counters(call.company_id, now=now, zone=zone)

    assert (counters.today, counters.week) == (2, 4)
    assert [day.count for day in counters.days] == [1, 0, 0, 1, 0, 0, 2]
    assert counters.days[-1].height == 100
    assert [(one.kind, one.today, one.week, one.width) for one in counters.kinds] == [(RepairKind.END, 2, 4, 100)]


def test_refused_calls_out_are_shown_with_whom_they_wanted(acme: Company, sam: User, mallory: User) -> None:
    TelnyxEvent.objects.create(
        dedupe_key="x",
        kind="instruction.outbound.refused",
        occurred_at=timezone.now(),
        payload={"To": "+882123456", "From": "+13055550100", "FromSipUri": "gencredbob@sip.telnyx.com"},
        company=acme,
    )

    assert "+882123456" in words(looking(sam).get("/repairs/"))
    assert "gencredbob" in words(looking(sam).get("/repairs/"))
    assert "+882123456" not in words(looking(mallory).get("/repairs/"))


def test_an_open_call_can_be_ended_and_a_held_agent_released(call: Call, bob: User, sam: User) -> None:
    agent = bob.agents.get()
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.ON_CALL, busy_call_id=call.pk)

    seen = html(looking(sam).get("/repairs/now"))

    assert f'data-reason-for="/api/calls/{call.pk}/end"' in seen
    assert f'data-reason-for="/api/agents/{agent.pk}/release"' in seen
    assert 'data-reason-title="Release Bob"' in seen


def test_who_talks_is_not_offered_to_be_released(call: Call, bob: User, sam: User) -> None:
    agent, now = bob.agents.get(), timezone.now()
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.ON_CALL, busy_call_id=call.pk)
    CallLeg.objects.create(
        call=call, call_sid="v3:b", kind="agent", agent=agent, status="in_progress", started_at=now, answered_at=now
    )

    seen = looking(sam).get("/repairs/now")

    assert "data-reason-for=" + f'"/api/agents/{agent.pk}' not in html(seen)
    assert "In a conversation" in words(seen)


def test_names_from_outside_are_text(acme: Company, sam: User) -> None:
    call = cast.make_call(acme, caller_name='"><script>alert(1)</script>')
    repaired(call, "status.completed", leg="x")

    assert "<script>alert" not in html(looking(sam).get("/repairs/"))


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_does_not_grow(
    acme: Company, bob: User, sam: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agent = bob.agents.get()
    for _ in range(rows):
        call = cast.make_call(acme, agent=agent, last_news_at=timezone.now() - timedelta(minutes=5))
        CallLeg.objects.create(call=call, call_sid=f"v3:{uuid.uuid4()}", kind="caller", started_at=call.started_at)
        repaired(call, "reconciler.agent_freed", agent=agent.pk)
    browser = looking(sam)

    with django_assert_num_queries(13):
        browser.get("/repairs/")
    with django_assert_num_queries(8):
        browser.get("/repairs/now")


@pytest.mark.parametrize("kind", RepairKind)
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kind_has_words(kind: RepairKind, language: str) -> None:
    exact, prefix = event_kinds(kind)
    for event_kind in (*exact, *((f"{prefix}completed",) if prefix else ())):
        said = in_words(event_kind, "Ana", language)

        assert said.kind is kind
        assert all(text and "{" not in text for text in (said.title, said.believed, said.true, said.did))
