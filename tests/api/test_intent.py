from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from agents.models import Activity, Agent, Presence
from agents.operations import claim
from curbe.companies.models import User
from tests import cast
from tests.api.asking import Asker

PATH = "/api/agents/intent"


@pytest.mark.parametrize("intent", ["BREAK", "OFFLINE", "AVAILABLE"])
def test_an_agent_chooses(bob: User, intent: str) -> None:
    cast.beat(bob.agents.get(), now=timezone.now())

    answer = Asker(bob).post(PATH, {"intent": intent})

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "presence": intent, "pending": None}
    assert bob.agents.get().intent == intent


def test_one_who_did_not_respond_is_back_as_soon_as_he_says_so(bob: User) -> None:
    agent, now = bob.agents.get(), timezone.now()
    cast.beat(agent, now=now)
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.NOT_RESPONDING, presence=Presence.NOT_RESPONDING)

    answer = Asker(bob).post(PATH, {"intent": "AVAILABLE"})

    assert answer.json() == {"ok": True, "presence": "AVAILABLE", "pending": None}
    assert claim(agent_ids=[agent.pk], call_id=uuid4(), until=now + timedelta(seconds=30), now=now) == [agent.pk]


@pytest.mark.parametrize("body", [{}, {"intent": "LUNCH"}, {"intent": None}, {"intent": ["BREAK"]}])
def test_what_cannot_be_chosen_is_named(bob: User, body: dict[str, object]) -> None:
    answer = Asker(bob).post(PATH, body)

    assert answer.status_code == 400
    assert answer.json()["field"] == "intent"
    assert bob.agents.get().intent == "AVAILABLE"


def test_mallory_chooses_for_herself_only(bob: User, mallory: User) -> None:
    Asker(mallory).post(PATH, {"intent": "BREAK", "agentId": bob.agents.get().pk})

    assert bob.agents.get().intent == "AVAILABLE"
    assert Agent.objects.get(user=mallory).intent == "BREAK"
