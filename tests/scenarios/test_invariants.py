"""Each invariant is broken; within 30 s of the clock it is whole again, and who supervises finds what was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
import responses
from django.utils import timezone

from agents.models import Activity, Agent
from curbe.companies.models import Role
from telephony.models import Call, CallLeg
from telephony.operations.reconcile import reconcile_all
from telephony.queries import invariants, repairs
from telephony.telnyx.client import TelnyxClient
from tests import cast
from tests.pages.people import looking, words
from tests.scenarios.story import ACCOUNT_SID, Leg, Story
from tests.scenarios.test_reconcile import API, active, api, client, talking, truth
from tests.telnyx_post import Telnyx

__all__ = ["api", "client"]
pytestmark = pytest.mark.django_db
EVERY: Final = 5
WITHIN: Final = 30


def broken(story: Story, code: str, now: datetime) -> int:
    return next(len(one.rows) for one in invariants.all_of(story.company.pk, now) if one.code == code)


def reconcile_for(client: TelnyxClient, now: datetime, seconds: int = WITHIN) -> datetime:
    for passed in range(0, seconds + 1, EVERY):
        reconcile_all(client, now + timedelta(seconds=passed))
    return now + timedelta(seconds=seconds)


def listed(story: Story) -> list[str]:
    page = repairs.page(story.company.pk, kind=None, older_than=None, language="en")
    return [shown.event.kind for shown in page.repairs]


def seen(story: Story) -> str:
    return words(looking(cast.make_user(story.company, role=Role.SUPERVISOR)).get("/repairs/"))


def forgotten_by_the_end(story: Story, leg: Leg) -> None:
    """The call and all its legs are over, and the agent was never freed."""
    story.send([*leg.ends("completed", 20, answered_at_s=4), *story.caller.ends("completed", 20)])
    on_the_call(story)


def never_had_a_leg(story: Story, leg: Leg) -> None:
    """The call goes on, and the agent is on it without a leg of his."""
    CallLeg.objects.filter(call_sid=leg.sid).delete()
    story.call.offers.update(outcome="withdrawn", ended_at=timezone.now())
    on_the_call(story)


def left_alone(story: Story, leg: Leg) -> None:
    """His leg is over, the call goes on."""
    CallLeg.objects.filter(call_sid=leg.sid).update(status="ended", ended_at=timezone.now())
    story.call.offers.update(outcome="answered", ended_at=timezone.now())
    on_the_call(story)


def on_the_call(story: Story) -> None:
    Agent.objects.filter(pk=story.agents[0].pk).update(activity=Activity.ON_CALL, busy_call_id=story.call.pk)


@pytest.mark.parametrize("breaks", [forgotten_by_the_end, never_had_a_leg, left_alone])
def test_no_agent_is_on_a_call_without_a_live_leg(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock, breaks: Callable[[Story, Leg], None]
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    active(api, story.caller)
    breaks(story, leg)
    now = timezone.now()
    assert broken(story, "agent_without_leg", now) == 1
    assert "On a call without a live line" in seen(story)

    after = reconcile_for(client, now)

    assert broken(story, "agent_without_leg", after) == 0
    assert Agent.objects.get(pk=story.agents[0].pk).activity == Activity.IDLE
    assert listed(story) == ["reconciler.agent_freed"]
    assert "Agent 0 was on this call" in seen(story)


@pytest.mark.parametrize("is_up", [True, False])
def test_no_leg_outlives_its_call(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock, is_up: bool
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    story.send(story.caller.ends("completed", 20))
    now = timezone.now()
    Call.objects.update(ended_at=now - timedelta(seconds=1))
    CallLeg.objects.filter(call_sid=leg.sid).update(status="in_progress", ended_at=None)
    truth(api, leg, "in-progress" if is_up else "completed")
    sid = leg.sid.replace(":", "%3A")
    api.post(f"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/{sid}", json={"sid": leg.sid, "status": "completed"})
    assert broken(story, "leg_without_call", now + timedelta(seconds=31)) == 1

    after = reconcile_for(client, now)
    if is_up:
        # Telnyx confirms the hang-up with the callback that it always sends.
        story.send(leg.ends("completed", 25, answered_at_s=4))

    assert broken(story, "leg_without_call", after + timedelta(seconds=31)) == 0
    assert listed(story) == ["reconciler.leg_ended" if is_up else "status.completed"]


def test_of_no_open_call_nothing_is_heard_for_30_s_unasked(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    now = timezone.now()
    Call.objects.update(last_news_at=now - timedelta(seconds=40))
    assert broken(story, "call_without_news", now) == 1
    assert "Nothing heard, and not asked" in seen(story)
    active(api, story.caller, leg)

    after = reconcile_for(client, now)

    assert broken(story, "call_without_news", after) == 0
    # It is up, and was asked about: nothing had to be repaired.
    assert listed(story) == []


def test_a_silent_call_that_is_over_is_closed_and_listed(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    now = timezone.now()
    Call.objects.update(last_news_at=now - timedelta(seconds=40), started_at=now - timedelta(seconds=60))
    active(api)
    for one in (story.caller, leg):
        truth(api, one, "completed")

    after = reconcile_for(client, now)

    assert story.call.status == Call.Status.COMPLETED
    assert [broken(story, code, after + timedelta(seconds=31)) for code in invariants.CHECKS] == [0, 0, 0]
    assert listed(story) == ["status.completed", "status.completed"]
    assert "End that nobody told" in seen(story)


def test_a_hang_up_that_is_asked_for_again_is_listed_once(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    now = timezone.now()
    Call.objects.update(hangup_requested_at=now - timedelta(seconds=15))
    active(api, story.caller, leg)
    for one in (story.caller, leg):
        sid = one.sid.replace(":", "%3A")
        api.post(f"{API}/texml/Accounts/{ACCOUNT_SID}/Calls/{sid}", json={"sid": one.sid, "status": "completed"})

    reconcile_for(client, now, 15)

    assert listed(story) == ["reconciler.hangup_repeated"] * 2


def test_who_wraps_up_is_not_freed_by_it(telnyx: Telnyx, client: TelnyxClient, api: Any) -> None:
    story = Story(telnyx, agents=1)
    leg = talking(story)
    story.send([*leg.ends("completed", 20, answered_at_s=4), *story.caller.ends("completed", 20)])
    until = timezone.now() + timedelta(minutes=5)
    Agent.objects.update(activity=Activity.WRAP_UP, busy_call_id=story.call.pk, wrap_up_until=until)

    reconcile_for(client, timezone.now(), 10)

    assert Agent.objects.get().activity == Activity.WRAP_UP
    assert listed(story) == []
