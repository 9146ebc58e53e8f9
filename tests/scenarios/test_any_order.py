"""One call, told in every wrong way: doubled, shuffled, with pieces lost, and all at once. It ends as it should."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from agents.models import Activity, Agent
from recordings.models import Recording
from telephony.models import Call, CallLeg, Offer, TelnyxEvent
from telephony.operations import ledger
from tests.scenarios.story import Letter, Story
from tests.telnyx_post import Telnyx

#: What may be lost: the rest of the story must be able to do without it.
DISPENSABLE = {"initiated", "ringing", "in-progress"}


def a_minute_ago() -> datetime:
    """The call is over: what is heard of it now may have happened at any time of it."""
    return timezone.now() - timedelta(seconds=65)


def told(story: Story) -> tuple[list[Letter], Any]:
    """Ana answers, Luis loses the race, they talk for a minute, the recording comes."""
    ana, luis = story.agents
    hers, his = story.leg_of(ana), story.leg_of(luis)
    letters = [
        *story.caller.letters_before_the_end(),
        *hers.rings(),
        *his.rings(),
        *hers.answers(4),
        *his.ends("canceled", 4.1, cause="originator_cancel"),
        *hers.ends("completed", 60, answered_at_s=4),
        *story.caller.ends("completed", 60.5, answered_at_s=4),
        story.recording(recording_id=f"rec-{story.caller_sid}"),
    ]
    return letters, hers


def the_end_of(story: Story) -> dict[str, Any]:
    call = story.call
    ana, luis = story.agents
    return {
        "call": (call.status, call.outcome, call.agent_id == ana.pk, call.hangup_cause),
        "answered_after_s": (call.answered_at - story.now).total_seconds() if call.answered_at else None,
        "ended_after_s": (call.ended_at - story.now).total_seconds() if call.ended_at else None,
        "legs": sorted(CallLeg.objects.filter(call=call).values_list("kind", "status", "end_status")),
        "offers": [Offer.objects.get(call=call, agent=agent).outcome for agent in (ana, luis)],
        "agents": [Agent.objects.get(pk=agent.pk).activity for agent in (ana, luis)],
        "recordings": Recording.objects.filter(call=call).count(),
        "left": TelnyxEvent.objects.filter(call=call, processed_at=None).count(),
    }


EXPECTED = {
    "call": (Call.Status.COMPLETED, "answered", True, "normal_clearing"),
    "answered_after_s": 4.5,
    "ended_after_s": 60.5,
    "legs": [("agent", "ended", "canceled"), ("agent", "ended", "completed"), ("caller", "ended", "completed")],
    "offers": ["answered", "withdrawn"],
    "agents": [Activity.IDLE, Activity.IDLE],
    "recordings": 1,
    "left": 0,
}


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_doubled_shuffled_and_with_pieces_lost_it_ends_the_same(telnyx: Telnyx, seed: int) -> None:
    chance = random.Random(seed)
    story = Story(telnyx, now=a_minute_ago())
    story.begin()
    letters, hers = told(story)
    heard = [one for one in letters if one.fields.get("CallStatus") not in DISPENSABLE or chance.random() > 0.3]
    heard += chance.sample(heard, k=len(heard) // 2)
    chance.shuffle(heard)
    # The instruction is never lost; when it comes among the notifications is up to the network.
    place = chance.randrange(len(heard))

    story.send(heard[:place])
    story.dial_ended("completed", child=hers, duration_s=56)
    story.send(heard[place:])

    assert the_end_of(story) == EXPECTED


@pytest.mark.django_db
def test_only_the_instructions_came_and_the_callers_end(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    hers = story.leg_of(story.agents[0])

    story.dial_ended("completed", child=hers, duration_s=56)
    story.send(story.caller.ends("completed", 60.5, answered_at_s=4))

    end = the_end_of(story)
    # Who of the two it was, nobody said; that somebody answered is sure, and both are free.
    assert end["call"][:2] == (Call.Status.COMPLETED, "answered")
    assert end["agents"] == [Activity.IDLE, Activity.IDLE]
    assert "pending" not in end["offers"]


@pytest.mark.django_db
def test_of_one_who_was_rung_alone_the_end_of_the_dial_tells_all(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=1)
    story.begin()
    hers = story.leg_of(story.agents[0])

    story.dial_ended("completed", child=hers, duration_s=56)

    assert story.call.agent_id == story.agents[0].pk
    assert Offer.objects.get().outcome == Offer.Outcome.ANSWERED
    assert Agent.objects.get().activity == Activity.IDLE


@pytest.mark.django_db(transaction=True)
def test_everything_at_the_same_moment_deadlocks_nobody(telnyx: Telnyx) -> None:
    story = Story(telnyx, now=a_minute_ago())
    story.begin()
    letters, hers = told(story)
    barrier = threading.Barrier(5)
    failures: list[Exception] = []

    def deliver(share: list[Letter], instruct: bool) -> None:
        try:
            barrier.wait(20)
            for letter in share:
                letter.send(telnyx)
            if instruct:
                story.dial_ended("completed", child=hers, duration_s=56)
        except Exception as err:
            failures.append(err)
        finally:
            connections.close_all()

    shares = [letters[place::4] for place in range(4)] + [[]]
    threads = [threading.Thread(target=deliver, args=(share, not share)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []

    # What could not get its lock within 200 ms is the worker's.
    ledger.process_due(timezone.now() + timedelta(seconds=10))

    assert the_end_of(story) == EXPECTED
