"""Notifications of conversations shuffled, doubled and lost: everything ends as if they had come in their order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Activity
from telephony.models import Call, CallLeg, Offer, QueueVisit, TalkCommand, TelnyxEvent
from telephony.operations.ledger import process_due
from telephony.operations.reconcile import reconcile_all
from telephony.telnyx.client import get_client
from tests.scenarios.conversation import Conversation
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db

Letter = Callable[[Conversation, str], None]
BYE = {"HangupCause": "normal_clearing", "HangupSource": "callee"}

#: What is told of a consult that was answered, given up by everybody, and ended by the caller.
LETTERS: tuple[Letter, ...] = (
    lambda talk, sid: talk.leg_tells(sid, "in-progress"),
    lambda talk, sid: talk.leg_tells(sid, "completed", **BYE, AnsweredTime=timezone.now().isoformat()),
    lambda talk, sid: talk.leg_tells(talk.ana_sid, "completed", **BYE),
    lambda talk, sid: talk.caller.hangs_up(),
)


def consulting(telnyx: Telnyx, board: Switchboard) -> tuple[Conversation, str]:
    talk = Conversation(telnyx, board)
    return talk, talk.consults()


def assert_that_all_is_over(talk: Conversation) -> None:
    call = talk.call
    assert (call.status, call.phase) == (Call.Status.COMPLETED, "ENDED")
    assert not CallLeg.objects.filter(call=call).exclude(status="ended").exists()
    assert not Offer.objects.filter(call=call, outcome="pending").exists()
    assert not QueueVisit.objects.filter(call=call, outcome="waiting").exists()
    assert not TelnyxEvent.objects.filter(call=call, processed_at=None).exists()
    for agent in talk.line.agents:
        agent.refresh_from_db()
        assert (agent.activity, agent.busy_call_id) == (Activity.IDLE, None)


#: Every third of the 24, so that each letter comes at each place.
ORDERS = list(itertools.permutations(range(len(LETTERS))))[::3]


@pytest.mark.parametrize("order", ORDERS)
def test_in_any_order_and_doubled(telnyx: Telnyx, board: Switchboard, order: tuple[int, ...]) -> None:
    talk, sid = consulting(telnyx, board)

    for place in order:
        LETTERS[place](talk, sid)
        LETTERS[place](talk, sid)
    talk.work(in_s=5)

    assert_that_all_is_over(talk)


@pytest.mark.parametrize("lost", range(len(LETTERS)))
def test_each_of_them_lost_is_made_good(telnyx: Telnyx, board: Switchboard, lost: int) -> None:
    talk, sid = consulting(telnyx, board)
    kept = [letter for place, letter in enumerate(LETTERS) if place != lost]
    random.Random(lost).shuffle(kept)

    for letter in kept:
        letter(talk, sid)
    # What is true by then, whatever was told.
    board.truth = dict.fromkeys((sid, talk.ana_sid, talk.caller.sid), "completed")
    for later_s in (11, 22, 33):
        now = timezone.now() + timedelta(seconds=later_s)
        reconcile_all(get_client(), now)
        process_due(now)
        talk.work(in_s=later_s)

    assert_that_all_is_over(talk)


def test_a_blind_transfer_whose_every_notification_is_lost(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    long_ago = timezone.now() - timedelta(minutes=5)
    CallLeg.objects.filter(call_sid=talk.ana_sid).update(started_at=long_ago, answered_at=long_ago)
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    url = board.last("redirect").fields["Url"]
    talk.caller.goes_on(url[url.index("/webhooks") :])

    # Only the instruction that follows tells that somebody talked, and that it is over.
    document = talk.caller.dial_ends("completed", DialCallSid="v3:luis", DialCallDuration="30")
    talk.caller.hangs_up()
    board.truth = dict.fromkeys((talk.ana_sid, talk.caller.sid, "v3:luis"), "completed")
    for later_s in (11, 22, 33):
        now = timezone.now() + timedelta(seconds=later_s)
        reconcile_all(get_client(), now)
        process_due(now)
        talk.work(in_s=later_s)

    assert document.verbs[-1] == "Hangup"
    assert talk.call.agent_id == talk.luis.pk
    assert_that_all_is_over(talk)


def test_commands_that_nobody_carried_out_are_found_by_the_beat(telnyx: Telnyx, board: Switchboard) -> None:
    talk, _sid = consulting(telnyx, board)
    TalkCommand.objects.all().delete()

    talk.caller.hangs_up()

    assert set(TalkCommand.objects.values_list("state", flat=True)) == {"wanted"}
    talk.work()
    assert not TalkCommand.objects.filter(state="wanted").exists()
    assert talk.ana_sid in board.of("hang_up")
