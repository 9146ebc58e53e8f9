"""Notifications of conversations shuffled, doubled and lost: everything ends as if they had come in their order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest
from django.utils import timezone

from agents.models import Activity
from telephony.models import Call, CallLeg, CallQueue, CallWrapUp, Offer, QueueVisit, TalkCommand, TelnyxEvent
from telephony.operations.ledger import process_due
from telephony.operations.reconcile import reconcile_all
from telephony.telnyx.client import get_client
from tests.scenarios.conversation import Conversation
from tests.scenarios.line import Line
from tests.scenarios.outgoing import Outgoing
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db

BYE = {"HangupCause": "normal_clearing", "HangupSource": "callee"}
LOST = {"HangupCause": "timeout", "HangupSource": "unknown", "SipHangupCause": "408"}
LUIS_SID = "v3:luis"


class Told(Protocol):
    """A call and what its people do with it: Conversation, or Outgoing."""

    line: Line

    @property
    def call(self) -> Call: ...
    def work(self, in_s: float = 0) -> None: ...


@dataclass(frozen=True)
class Story:
    """A call up to a moment, and what is told from there to its end, in the order in which it happens."""

    told: Told
    letters: tuple[Callable[[], object], ...]
    #: Legs that are over by then, whatever was told.
    sids: tuple[str, ...]
    #: What Ana does in the end.
    ana: Activity = Activity.IDLE


def consult(telnyx: Telnyx, board: Switchboard) -> Story:
    """A consult that was answered, given up by everybody, and ended by the caller."""
    talk = Conversation(telnyx, board)
    sid = talk.consults()
    answered_at = timezone.now().isoformat()
    letters = (
        lambda: talk.leg_tells(sid, "in-progress"),
        lambda: talk.leg_tells(sid, "completed", **BYE, AnsweredTime=answered_at),
        lambda: talk.leg_tells(talk.ana_sid, "completed", **BYE),
        talk.caller.hangs_up,
    )
    return Story(talk, letters, (sid, talk.ana_sid, talk.caller.sid))


def hold(telnyx: Telnyx, board: Switchboard) -> Story:
    """A caller who is held, and whose agent ends the call."""
    talk = Conversation(telnyx, board)
    talk.holds()
    letters = (
        lambda: talk.joins(talk.ana_sid),
        lambda: talk.leg_tells(talk.ana_sid, "completed", **BYE),
        lambda: talk.leg_tells(talk.caller.sid, "completed", **BYE),
    )
    return Story(talk, letters, (talk.ana_sid, talk.caller.sid))


def rescue(telnyx: Telnyx, board: Switchboard) -> Story:
    """An agent whose line is lost while the caller is held, and a caller who does not wait for him."""
    talk = Conversation(telnyx, board)
    talk.holds()
    letters = (lambda: talk.leg_tells(talk.ana_sid, "completed", **LOST), talk.caller.hangs_up)
    return Story(talk, letters, (talk.ana_sid, talk.caller.sid))


def transfer(telnyx: Telnyx, board: Switchboard) -> Story:
    """A caller who was given to Luis, talked with him, and went."""
    talk = Conversation(telnyx, board)
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    url = board.last("redirect").fields["Url"]
    talk.caller.goes_on(url[url.index("/webhooks") :])
    letters = (
        lambda: talk.leg_tells(talk.ana_sid, "completed", **BYE),
        lambda: talk.caller._leg(talk.luis, LUIS_SID, "in-progress", "2"),
        lambda: talk.caller.agent_leg_ends(talk.luis, LUIS_SID, CallDuration="5", **BYE),
        talk.caller.hangs_up,
    )
    return Story(talk, letters, (talk.ana_sid, LUIS_SID, talk.caller.sid))


def wrap_up(telnyx: Telnyx, board: Switchboard) -> Story:
    """A talk of a queue whose agents write down how it went."""
    talk = Conversation(telnyx, board)
    CallQueue.objects.filter(pk=talk.line.queue.pk).update(wrap_up_mode="timed", wrap_up_s=300)
    letters = (lambda: talk.caller.agent_leg_ends(talk.ana, talk.ana_sid, CallDuration="5"), talk.caller.hangs_up)
    return Story(talk, letters, (talk.ana_sid, talk.caller.sid), ana=Activity.WRAP_UP)


def outbound(telnyx: Telnyx, board: Switchboard) -> Story:
    """A customer who was called, answered, and hung up."""
    out = Outgoing(telnyx, board)
    sid = out.rings()
    out.customer_answers(sid)
    letters = (
        lambda: out.tells(sid, "in-progress"),
        lambda: out.tells(sid, "completed", CallDuration="5", **BYE),
        lambda: out.tells(out.ana_sid, "completed", CallDuration="7", **BYE),
    )
    return Story(out, letters, (sid, out.ana_sid))


Begin = Callable[[Telnyx, Switchboard], Story]
#: Each move with the number of its letters.
MOVES: tuple[tuple[Begin, int], ...] = (
    (consult, 4), (hold, 3), (rescue, 2), (transfer, 4), (wrap_up, 2), (outbound, 3),
)  # fmt: skip
#: Every third of the 24 orders of four letters, so that each letter comes at each place; else every order.
ORDERS = [
    pytest.param(begin, order, id=f"{begin.__name__}-{''.join(map(str, order))}")
    for begin, count in MOVES
    for order in list(itertools.permutations(range(count)))[:: 3 if count == 4 else 1]
]
LOSSES = [pytest.param(begin, lost, id=f"{begin.__name__}-{lost}") for begin, count in MOVES for lost in range(count)]


def assert_that_all_is_over(told: Told, ana: Activity = Activity.IDLE) -> None:
    call = told.call
    assert (call.status, call.phase or "ENDED") == (Call.Status.COMPLETED, "ENDED")
    assert not CallLeg.objects.filter(call=call).exclude(status="ended").exists()
    assert not Offer.objects.filter(call=call, outcome="pending").exists()
    assert not QueueVisit.objects.filter(call=call, outcome="waiting").exists()
    assert not TelnyxEvent.objects.filter(call=call, processed_at=None).exists()
    assert CallWrapUp.objects.filter(call=call).count() == (ana == Activity.WRAP_UP)
    *others, last = told.line.agents
    for agent, activity in (*((one, Activity.IDLE) for one in others), (last, ana)):
        agent.refresh_from_db()
        assert (agent.activity, agent.busy_call_id) == (activity, None)


def reconcile(told: Told) -> None:
    for later_s in (11, 22, 33):
        now = timezone.now() + timedelta(seconds=later_s)
        reconcile_all(get_client(), now)
        process_due(now)
        told.work(in_s=later_s)


@pytest.mark.parametrize(("begin", "order"), ORDERS)
def test_in_any_order_and_doubled(telnyx: Telnyx, board: Switchboard, begin: Begin, order: tuple[int, ...]) -> None:
    story = begin(telnyx, board)

    for place in order:
        story.letters[place]()
        story.letters[place]()
    story.told.work(in_s=5)

    assert_that_all_is_over(story.told, story.ana)


@pytest.mark.parametrize(("begin", "lost"), LOSSES)
def test_each_of_them_lost_is_made_good(telnyx: Telnyx, board: Switchboard, begin: Begin, lost: int) -> None:
    story = begin(telnyx, board)
    kept = [letter for place, letter in enumerate(story.letters) if place != lost]
    random.Random(lost).shuffle(kept)

    for letter in kept:
        letter()
    board.truth = dict.fromkeys(story.sids, "completed")
    reconcile(story.told)

    assert_that_all_is_over(story.told, story.ana)


def test_a_blind_transfer_whose_every_notification_is_lost(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    long_ago = timezone.now() - timedelta(minutes=5)
    CallLeg.objects.filter(call_sid=talk.ana_sid).update(started_at=long_ago, answered_at=long_ago)
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    url = board.last("redirect").fields["Url"]
    talk.caller.goes_on(url[url.index("/webhooks") :])

    # Only the instruction that follows tells that somebody talked, and that it is over.
    document = talk.caller.dial_ends("completed", DialCallSid=LUIS_SID, DialCallDuration="30")
    talk.caller.hangs_up()
    board.truth = dict.fromkeys((talk.ana_sid, talk.caller.sid, LUIS_SID), "completed")
    reconcile(talk)

    assert document.verbs[-1] == "Hangup"
    assert talk.call.agent_id == talk.luis.pk
    assert_that_all_is_over(talk)


def test_commands_that_nobody_carried_out_are_found_by_the_beat(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    talk.consults()
    TalkCommand.objects.all().delete()

    talk.caller.hangs_up()

    assert set(TalkCommand.objects.values_list("state", flat=True)) == {"wanted"}
    talk.work()
    assert not TalkCommand.objects.filter(state="wanted").exists()
    assert talk.ana_sid in board.of("hang_up")
