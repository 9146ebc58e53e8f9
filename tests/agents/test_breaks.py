"""Breaks: why, since when, and what happens at their limit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from agents.breaks import DEFAULTS
from agents.models import Activity, Agent, Beat, BreakReason, Intent, PresenceChange
from agents.operations import UnknownBreak, choose_intent, heartbeat, release, sweep
from agents.queries import break_of, breaks_of
from curbe.companies.models import Company
from tests.agents.people import agent_in

HOUR = timedelta(hours=1)


def reason_in(company: Company, code: str = "comida", **limits: Any) -> BreakReason:
    return BreakReason.objects.create(company=company, code=code, name=code.title(), **limits)


def is_seen(agent: Agent, at: datetime) -> None:
    """Let the agent's browser have beaten at that moment."""
    Beat.objects.filter(agent=agent).update(last_seen_at=at)


def notes_of(agent: Agent) -> list[tuple[str, str, str, str]]:
    rows = PresenceChange.objects.filter(agent=agent).order_by("id")
    return [(row.before, row.after, row.reason, row.break_code) for row in rows]


@pytest.mark.parametrize(
    ("language", "names"),
    [("es", ["Almuerzo", "Descanso", "Formación", "Baño"]), ("en", ["Lunch", "Break", "Training", "Restroom"])],
)
def test_a_new_company_has_reasons_in_its_language(db: None, language: str, names: list[str]) -> None:
    company = Company.objects.create(slug="new", name="New", language=language)

    assert [one.name for one in breaks_of(company.pk)] == names
    assert list(BreakReason.objects.filter(company=company).order_by("position").values_list("code", flat=True)) == [
        *DEFAULTS
    ]


def test_a_break_has_its_reason_from_its_first_moment(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    reason = reason_in(company, soft_limit_s=600, hard_limit_s=900)

    assert choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now) == "BREAK"

    agent = Agent.objects.select_related("break_reason").get(id=agent.id)
    assert (agent.break_reason, agent.break_since) == (reason, now)
    assert agent.break_until == now + timedelta(seconds=900)
    assert notes_of(agent) == [("AVAILABLE", "BREAK", "intent", "comida")]
    assert break_of(agent, now) == {
        "code": "comida",
        "name": "Comida",
        "since": now,
        "soft_limit_s": 600,
        "hard_limit_s": 900,
    }


def test_a_break_needs_no_reason(company: Company, now: datetime) -> None:
    BreakReason.objects.filter(company=company).delete()
    agent = agent_in(company, now=now)

    assert choose_intent(agent_id=agent.id, intent=Intent.BREAK, now=now) == "BREAK"

    agent.refresh_from_db()
    assert (agent.break_reason, agent.break_since, agent.break_until) == (None, now, None)
    assert break_of(agent, now) is not None


def test_from_one_break_to_another_is_one_change(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    reason_in(company, "comida", hard_limit_s=900)
    reason_in(company, "curso")
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)

    is_seen(agent, now + HOUR)
    for _ in range(2):
        choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="curso", now=now + HOUR)

    agent.refresh_from_db()
    assert (agent.break_since, agent.break_until) == (now + HOUR, None)
    assert notes_of(agent)[1:] == [("BREAK", "BREAK", "intent", "curso")]


def test_the_same_break_chosen_twice_is_one_and_goes_on(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    reason_in(company)
    for minutes in (0, 10):
        at = now + timedelta(minutes=minutes)
        is_seen(agent, at)
        choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=at)

    agent.refresh_from_db()
    assert agent.break_since == now
    assert len(notes_of(agent)) == 1


def test_a_reload_in_the_middle_of_it_changes_nothing(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    reason_in(company)
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)
    sweep(now + timedelta(seconds=40))

    back = now + timedelta(seconds=60)
    assert heartbeat(agent_id=agent.id, phone_id="new", ready=True, microphone=True, now=back).presence == "BREAK"

    agent.refresh_from_db()
    assert agent.break_since == now
    assert notes_of(agent)[-1] == ("OFFLINE", "BREAK", "heartbeat", "comida")


@pytest.mark.parametrize("code", ["nothing", "switched-off", "of-another"])
def test_a_reason_that_cannot_be_chosen_changes_nothing(
    company: Company, elsewhere: Company, now: datetime, code: str
) -> None:
    agent = agent_in(company, now=now)
    reason_in(company, "switched-off", is_active=False)
    reason_in(elsewhere, "of-another")

    with pytest.raises(UnknownBreak):
        choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason=code, now=now)

    assert Agent.objects.get(id=agent.id).intent == Intent.AVAILABLE


def test_one_chosen_during_a_call_begins_with_its_limit_when_the_call_ends(company: Company, now: datetime) -> None:
    call_id = uuid4()
    agent = agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=call_id)
    reason_in(company, hard_limit_s=900)
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)
    agent.refresh_from_db()
    assert (agent.break_since, break_of(agent, now)) == (None, None)

    is_seen(agent, now + HOUR)
    release(call_id=call_id, reason="ended", now=now + HOUR)

    agent.refresh_from_db()
    assert agent.break_since == now + HOUR
    assert agent.break_until == now + HOUR + timedelta(seconds=900)
    assert notes_of(agent) == [("ON_CALL", "BREAK", "ended", "comida")]


def test_one_that_was_pending_is_taken_back(company: Company, now: datetime) -> None:
    call_id = uuid4()
    agent = agent_in(company, now=now, activity=Activity.ON_CALL, busy_call_id=call_id)
    reason_in(company)
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)

    choose_intent(agent_id=agent.id, intent=Intent.AVAILABLE, now=now)
    release(call_id=call_id, reason="ended", now=now)

    agent.refresh_from_db()
    assert (agent.presence, agent.break_reason) == ("AVAILABLE", None)


@pytest.mark.parametrize(
    ("at_limit", "word", "note"),
    [
        ("auto_return", "AVAILABLE", ("BREAK", "AVAILABLE", "break_limit", "")),
        ("set_offline", "OFFLINE", ("BREAK", "OFFLINE", "break_limit", "")),
        ("warn", "BREAK", ("BREAK", "BREAK", "break_limit", "comida")),
    ],
)
def test_at_the_limit_happens_what_its_reason_says_once(
    company: Company,
    now: datetime,
    pushes: list[tuple[str, str]],
    at_limit: str,
    word: str,
    note: tuple[str, str, str, str],
) -> None:
    agent = agent_in(company, now=now)
    reason_in(company, hard_limit_s=900, at_limit=at_limit)
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)
    limit = now + timedelta(seconds=900)
    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=limit - timedelta(seconds=5))
    assert sweep(limit - timedelta(seconds=1)) == 0
    pushes.clear()

    assert sweep(limit) == 1
    assert sweep(limit) == 0

    agent.refresh_from_db()
    assert (agent.presence, agent.break_until) == (word, None)
    assert notes_of(agent)[-1] == note
    assert ("agent.presence", word) in pushes
    assert ("agent.intent" in {kind for kind, _ in pushes}) is (at_limit != "warn")


def test_the_limit_is_kept_with_the_browser_closed(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    reason_in(company, hard_limit_s=900, at_limit="auto_return")
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)

    sweep(now + HOUR)

    agent.refresh_from_db()
    assert (agent.intent, agent.presence) == (Intent.AVAILABLE, "OFFLINE")


def test_a_reason_that_is_deleted_leaves_the_break(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    reason = reason_in(company, hard_limit_s=900, at_limit="auto_return")
    choose_intent(agent_id=agent.id, intent=Intent.BREAK, reason="comida", now=now)

    reason.delete()
    heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=now + HOUR)
    sweep(now + HOUR)

    agent.refresh_from_db()
    assert (agent.intent, agent.break_reason, agent.break_since) == (Intent.BREAK, None, now)
