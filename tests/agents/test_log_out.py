"""Logging out: nobody is rung in a tab that was left open; who comes back has his phone at once."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from agents.models import Agent, Beat, Presence
from agents.operations import claim, claim_phone, heartbeat
from curbe.companies.models import Company
from curbe.lib.ids import uuid7
from tests import cast


def agent_with_phone(acme: Company) -> Agent:
    agent = cast.ready_agent(acme, "nora")
    heartbeat(agent_id=agent.pk, phone_id="phone", ready=True, microphone=True, now=timezone.now())
    return agent


def test_who_logs_out_is_rung_no_more_though_a_tab_goes_on_beating(acme: Company) -> None:
    agent = agent_with_phone(acme)
    now = timezone.now()

    cast.client_for(agent.user).post("/logout/")
    answer = heartbeat(agent_id=agent.pk, phone_id="phone", ready=True, microphone=True, now=now)

    assert answer.phone == "elsewhere"
    assert claim(agent_ids=[agent.pk], call_id=uuid7(), until=now + timedelta(seconds=30), now=now) == []
    agent.refresh_from_db()
    assert agent.presence == Presence.NO_DEVICE


def test_who_comes_back_has_his_phone_at_once(acme: Company) -> None:
    agent = agent_with_phone(acme)
    browser = cast.client_for(agent.user)
    browser.post("/logout/")

    browser.force_login(agent.user)

    assert claim_phone(agent_id=agent.pk, phone_id="phone", take_over=False, now=timezone.now())


def test_logging_out_without_a_phone_makes_none(acme: Company) -> None:
    agent = cast.make_agent(acme, "nora")

    cast.client_for(agent.user).post("/logout/")

    assert not Beat.objects.exists()
