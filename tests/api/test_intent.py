from __future__ import annotations

import pytest
from django.utils import timezone

from agents.models import Agent
from curbe.companies.models import User
from tests import cast
from tests.api.asking import Asker

PATH = "/api/agents/intent"


@pytest.mark.parametrize("intent", ["BREAK", "OFFLINE", "AVAILABLE"])
def test_an_agent_chooses(bob: User, intent: str) -> None:
    cast.beat(bob.agents.get(), now=timezone.now())

    answer = Asker(bob).post(PATH, {"intent": intent})

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "presence": intent}
    assert bob.agents.get().intent == intent


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
