"""Two agents ring together: who answers has the call, the others are free, and the caller's end ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Activity
from telephony.models import Call, CallIdentifier, Offer, TelnyxEvent
from tests.scenarios.story import Story
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db


def outcomes(story: Story) -> dict[int, str]:
    return dict(Offer.objects.filter(call=story.call).values_list("agent_id", "outcome"))


def activities(story: Story) -> list[str]:
    for agent in story.agents:
        agent.refresh_from_db()
    return [agent.activity for agent in story.agents]


def test_the_first_to_answer_has_the_call_and_the_other_is_free(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    document = story.begin()
    ana, luis = story.agents
    hers, his = story.leg_of(ana), story.leg_of(luis)
    assert document.count("<Sip") == 2
    assert activities(story) == [Activity.RESERVED, Activity.RESERVED]

    story.send([*hers.rings(), *his.rings(), *hers.answers(4)])

    assert activities(story) == [Activity.ON_CALL, Activity.IDLE]
    assert outcomes(story) == {ana.pk: "answered", luis.pk: "withdrawn"}
    call = story.call
    assert (call.status, call.agent_id, call.outcome) == (Call.Status.IN_PROGRESS, ana.pk, "answered")
    assert call.answered_at == hers.began_at + timedelta(seconds=4)


def test_the_callers_end_closes_everything(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    ana, luis = story.agents
    hers, his = story.leg_of(ana), story.leg_of(luis)

    story.send([*hers.rings(), *his.rings(), *hers.answers(4), *his.ends("canceled", 4.1)])
    story.send(hers.ends("completed", 60, answered_at_s=4))
    story.dial_ended("completed", child=hers, duration_s=56)
    story.send(story.caller.ends("completed", 60.2, answered_at_s=4))

    call = story.call
    assert (call.status, call.outcome, call.agent_id) == (Call.Status.COMPLETED, "answered", ana.pk)
    assert activities(story) == [Activity.IDLE, Activity.IDLE]
    assert {leg.status for leg in call.legs.all()} == {"ended"}
    assert not TelnyxEvent.objects.filter(processed_at=None).exists()
    registered = set(CallIdentifier.objects.filter(call=call).values_list("value", flat=True))
    assert {hers.sid, his.sid, hers.leg_id, story.session_id} <= registered
    assert call.root_call_sid == story.caller_sid not in registered


def test_one_declines_and_the_other_rings_on(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    ana, luis = story.agents
    hers, his = story.leg_of(ana), story.leg_of(luis)

    story.send([*hers.rings(), *his.rings(), *hers.ends("busy", 3)])

    assert outcomes(story) == {ana.pk: "declined", luis.pk: "pending"}
    assert activities(story) == [Activity.IDLE, Activity.RESERVED]
    assert story.call.status == Call.Status.RINGING


def test_nobody_answers_and_all_of_them_missed_it(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    legs = [story.leg_of(agent) for agent in story.agents]

    # Telnyx cancels the children of a Dial that timed out; the Dial's own word says that nobody came.
    story.send([letter for leg in legs for letter in [*leg.rings(), *leg.ends("canceled", 25)]])
    document = story.dial_ended("no-answer")

    assert "<Record" in document
    assert set(outcomes(story).values()) == {"missed"}
    assert activities(story) == [Activity.IDLE, Activity.IDLE]
    story.send(story.caller.ends("completed", 30, answered_at_s=25))
    assert story.call.outcome == "missed"


def test_a_caller_who_goes_while_it_rings_has_abandoned(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    legs = [story.leg_of(agent) for agent in story.agents]
    story.send([letter for leg in legs for letter in leg.rings()])

    story.send(story.caller.ends("canceled", 6))

    assert story.call.outcome == "abandoned"
    assert story.call.status == Call.Status.COMPLETED
    assert set(outcomes(story).values()) == {"withdrawn"}
    assert activities(story) == [Activity.IDLE, Activity.IDLE]


def test_a_callback_costs_few_queries_however_many_ring(telnyx: Telnyx, django_assert_max_num_queries: Any) -> None:
    story = Story(telnyx, agents=6)
    story.begin()
    legs = [story.leg_of(agent) for agent in story.agents]
    story.send([letter for leg in legs for letter in leg.rings()])
    (answer,) = legs[0].answers(4)

    # Five others stop ringing: one statement for their offers, one for them.
    with django_assert_max_num_queries(27):
        answer.send(telnyx)
