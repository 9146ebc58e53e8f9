"""Whoever locks several agents locks them in the order of their ids: a call that ends and one that begins only wait."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, connections

from agents.models import Activity, Agent
from telephony.core.types import DialStatus
from telephony.models import Call
from telephony.operations import offers
from tests.scenarios.story import Story
from tests.telnyx_post import Telnyx

WAIT_S = 20


def _wait_for_a_waiting_lock(waiter: threading.Thread) -> None:
    until = time.monotonic() + WAIT_S
    while waiter.is_alive() and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("Nobody waited for the agent who is locked.")


def _is_locked(agent: Agent) -> bool:
    with psycopg.connect(**connection.get_connection_params()) as other:
        row = other.execute("SELECT id FROM agents_agent WHERE id = %s FOR UPDATE SKIP LOCKED", [agent.pk]).fetchone()
        return row is None


@pytest.mark.django_db(transaction=True)
def test_agents_who_stop_for_different_reasons_are_locked_in_the_order_of_their_ids(telnyx: Telnyx) -> None:
    """The second agent talked and his ``answered`` was lost; the first one's ringing is withdrawn by the same news."""
    story = Story(telnyx)
    story.begin()
    first, second = story.agents
    leg = story.leg_of(second)
    story.send(leg.rings())
    payload = {"DialCallStatus": "completed", "DialCallSid": leg.sid, "DialCallDuration": "5"}
    ends_at = story.now + timedelta(seconds=10)

    def end() -> None:
        try:
            offers.dial_ended(story.call.pk, step=1, dial_status=DialStatus.COMPLETED, payload=payload, now=ends_at)
        finally:
            connections.close_all()

    with psycopg.connect(**connection.get_connection_params()) as claim:
        claim.execute("SELECT id FROM agents_agent WHERE id = %s FOR NO KEY UPDATE", [first.pk])
        ending = threading.Thread(target=end)
        ending.start()
        _wait_for_a_waiting_lock(ending)

        was_locked = _is_locked(second)
    ending.join(WAIT_S)

    assert not was_locked
    assert set(Agent.objects.values_list("activity", flat=True)) == {Activity.IDLE}
    assert Call.objects.get().agent_id == second.pk
