from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.models import Beat, Presence
from agents.operations import claim_phone, heartbeat
from curbe.companies.models import Company
from tests.agents.people import agent_in, changes_of


def test_the_first_phone_has_the_agent_and_is_not_ready_before_its_first_beat(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(company, now=now, beat_age_s=None)

    assert claim_phone(agent_id=agent.id, phone_id="the-desk", take_over=False, now=now)

    row = Beat.objects.get(agent=agent)
    assert (row.phone_id, row.last_seen_at, row.ready, row.microphone) == ("the-desk", now, False, False)
    agent.refresh_from_db()
    assert agent.presence == "NO_DEVICE"
    assert pushes == [("agent.presence", "NO_DEVICE"), ("phone.claimed", "the-desk")]


def test_a_second_phone_is_refused_while_the_first_is_alive(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(company, now=now, beat_age_s=29, phone_id="the-desk")

    assert not claim_phone(agent_id=agent.id, phone_id="the-laptop", take_over=False, now=now)

    assert Beat.objects.get(agent=agent).phone_id == "the-desk"
    assert pushes == []


def test_a_phone_that_fell_silent_is_replaced_without_asking(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, beat_age_s=30, phone_id="the-desk")

    assert claim_phone(agent_id=agent.id, phone_id="the-laptop", take_over=False, now=now)

    assert Beat.objects.get(agent=agent).phone_id == "the-laptop"


def test_taking_over_tells_the_other_phone(company: Company, now: datetime, pushes: list[tuple[str, str]]) -> None:
    agent = agent_in(company, now=now, phone_id="the-desk")

    assert claim_phone(agent_id=agent.id, phone_id="the-laptop", take_over=True, now=now)

    assert ("phone.claimed", "the-laptop") in pushes
    later = now + timedelta(seconds=1)
    old = heartbeat(agent_id=agent.id, phone_id="the-desk", ready=True, microphone=True, now=later)
    assert (old.presence, old.phone) == ("NO_DEVICE", "elsewhere")
    new = heartbeat(agent_id=agent.id, phone_id="the-laptop", ready=True, microphone=True, now=later)
    assert (new.presence, new.phone) == ("AVAILABLE", "here")


def test_the_later_of_two_claims_has_the_later_moment_whatever_their_clocks_say(
    company: Company, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = agent_in(company, now=now, phone_id="the-desk")
    told: dict[str, int] = {}

    def send(type: str, *, groups: list[str], **fields: Any) -> None:
        if type == "phone.claimed":
            told[fields["phone_id"]] = fields["claimed_us"]

    monkeypatch.setattr("curbe.lib.push.send", send)

    first = claim_phone(agent_id=agent.id, phone_id="the-laptop", take_over=True, now=now + timedelta(seconds=1))
    second = claim_phone(agent_id=agent.id, phone_id="the-desk", take_over=True, now=now)

    assert first is not None and second is not None
    assert first < second
    assert told == {"the-laptop": first, "the-desk": second}


def test_claiming_ones_own_phone_again_changes_nobodys_word(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    agent = agent_in(company, now=now, phone_id="the-desk")

    assert claim_phone(agent_id=agent.id, phone_id="the-desk", take_over=True, now=now)

    row = Beat.objects.get(agent=agent)
    assert (row.ready, row.microphone, row.last_seen_at) == (True, True, now - timedelta(seconds=1))
    assert pushes == []


def test_a_page_that_comes_back_after_silence_is_not_ready_because_it_once_was(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, beat_age_s=30, phone_id="the-desk", presence=Presence.AVAILABLE)

    assert claim_phone(agent_id=agent.id, phone_id="the-desk", take_over=False, now=now)

    row = Beat.objects.get(agent=agent)
    assert (row.ready, row.microphone, row.last_seen_at) == (False, False, now)
    assert changes_of(agent) == [("AVAILABLE", "NO_DEVICE", "phone")]
