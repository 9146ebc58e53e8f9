"""Warm transfer: Ana asks Luis while the caller hears music, and every way in which that can end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Activity, Agent
from telephony.models import TalkCommand
from telephony.operations.rooms import check_rooms
from telephony.telnyx.client import get_client
from tests.scenarios.conversation import Conversation
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(telnyx: Telnyx, board: Switchboard) -> Conversation:
    return Conversation(telnyx, board)


def activity(agent: Agent) -> str:
    agent.refresh_from_db()
    return agent.activity


def consulting(talk: Conversation) -> str:
    sid = talk.consults()
    document = talk.target_answers(sid)
    assert talk.talk.room_name in document.bytes.decode()
    assert talk.phase == "CONSULTING"
    talk.board.forget()
    return sid


def test_the_caller_is_held_and_luis_rings_as_he_always_does(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()

    placed = board.last("place").fields
    assert placed["To"].startswith(f"sip:{talk.line.sip(talk.luis)}@sip.telnyx.com?X-Curbe-Call={talk.call.pk}")
    assert placed["From"] == talk.line.number.e164
    assert board.of("hold") == [talk.caller.sid]
    assert activity(talk.luis) == Activity.RESERVED
    assert talk.offers(talk.luis)[-1] == "pending"
    assert talk.talk.target_sid == sid


def test_it_is_completed_and_the_caller_talks_with_luis(talk: Conversation, board: Switchboard) -> None:
    sid = consulting(talk)

    answer = talk.wishes("consult/complete")

    assert answer.json()["phase"] == "TALKING"
    assert board.of("free") == [talk.caller.sid]
    assert board.of("hang_up") == [talk.ana_sid]
    talk.says_bye(talk.ana_sid)
    assert talk.phase == "TALKING"
    assert talk.call.agent_id == talk.luis.pk
    assert (activity(talk.ana), activity(talk.luis)) == (Activity.IDLE, Activity.ON_CALL)
    # From here on it is Luis's call.
    assert talk.wishes("hold", {"on": True}).status_code == 409
    assert talk.wishes("hold", {"on": True}, by=talk.luis).json()["phase"] == "HELD"
    assert sid in talk.live_sids()


def test_it_is_cancelled_and_the_caller_is_back_with_ana(talk: Conversation, board: Switchboard) -> None:
    sid = consulting(talk)

    assert talk.wishes("consult/cancel").json()["phase"] == "TALKING"

    assert board.of("hang_up") == [sid]
    assert board.of("free") == [talk.caller.sid]
    talk.says_bye(sid)
    assert activity(talk.luis) == Activity.IDLE
    assert activity(talk.ana) == Activity.ON_CALL


def test_swapped_to_and_fro_and_merged(talk: Conversation, board: Switchboard) -> None:
    sid = consulting(talk)

    assert talk.wishes("consult/swap").json()["phase"] == "SWAPPED"
    assert (board.of("hold"), board.of("free")) == ([sid], [talk.caller.sid])
    board.forget()
    assert talk.wishes("consult/swap").json()["phase"] == "CONSULTING"
    assert (board.of("hold"), board.of("free")) == ([talk.caller.sid], [sid])
    board.forget()

    assert talk.wishes("consult/merge").json()["phase"] == "MERGED"

    assert board.of("free") == [talk.caller.sid]
    assert talk.wishes("leave").json()["phase"] == "TALKING"
    assert board.of("hang_up") == [talk.ana_sid]
    assert talk.talk.lead_sid == sid


def test_luis_declines_and_ana_is_back_with_the_caller(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()

    talk.leg_tells(sid, "busy", HangupCause="user_busy")

    assert talk.phase == "TALKING"
    assert talk.talk.message == "target_failed"
    assert board.of("free") == [talk.caller.sid]
    assert talk.offers(talk.luis)[-1] == "declined"
    assert activity(talk.luis) == Activity.IDLE


def test_luis_presses_decline_and_his_leg_says_so_later(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()

    answer = talk.web[talk.luis.pk].post(f"/api/webrtc/calls/{talk.call.pk}/decline")
    talk.leg_tells(sid, "busy", HangupCause="user_busy")

    assert answer.status_code == 204
    assert talk.phase == "TALKING"
    assert activity(talk.luis) == Activity.IDLE


def test_luis_lets_it_ring_and_it_ends_after_25_s(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()

    check_rooms(get_client(), timezone.now() + timedelta(seconds=26))
    talk.work(in_s=26)

    assert talk.phase == "TALKING"
    assert board.of("hang_up") == [sid]
    assert board.of("free") == [talk.caller.sid]
    assert activity(talk.luis) == Activity.IDLE


def test_the_caller_leaves_and_the_ringing_stops_at_once(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()
    board.forget()

    talk.caller.hangs_up()
    talk.work()

    assert talk.phase == "ENDED"
    assert talk.talk.message == "caller_left"
    assert board.of("hang_up")[0] == sid
    assert activity(talk.luis) == Activity.IDLE
    assert talk.offers(talk.luis)[-1] == "withdrawn"


def test_the_caller_leaves_before_telnyx_said_whom_it_rang(talk: Conversation, board: Switchboard) -> None:
    board.meanwhile["place"] = talk.caller.hangs_up

    talk.consults_until_placed()

    sid = str(board.last("place").fields["sid"])
    assert talk.phase == "ENDED"
    assert sid in board.of("hang_up")


def test_luis_hangs_up_and_ana_is_back(talk: Conversation, board: Switchboard) -> None:
    sid = consulting(talk)

    talk.says_bye(sid)

    assert talk.phase == "TALKING"
    assert talk.talk.message == "target_left"
    assert board.of("free") == [talk.caller.sid]


def test_anas_browser_dies_after_luis_answered_and_the_caller_is_his(talk: Conversation, board: Switchboard) -> None:
    sid = consulting(talk)

    talk.is_lost(talk.ana_sid)

    assert talk.phase == "TALKING"
    assert talk.talk.lead_sid == sid
    assert board.of("free") == [talk.caller.sid]
    assert talk.live_sids() == {talk.caller.sid, sid}


def test_anas_browser_dies_before_luis_answered_and_the_caller_is_first_in_line(
    talk: Conversation, board: Switchboard
) -> None:
    sid = talk.consults()
    board.forget()

    talk.is_lost(talk.ana_sid)

    assert board.of("hang_up")[0] == sid
    assert board.of("redirect") == [talk.caller.sid]
    assert talk.phase in {"ROUTING", "TALKING"}
    visit = talk.call.visits.order_by("-id").first()
    assert visit is not None
    assert (visit.queue_id, visit.priority, visit.outcome) == (talk.line.queue.pk, 1000, "waiting")
    assert talk.caller.sid in talk.live_sids()


def test_nobody_is_rung_who_is_busy(talk: Conversation, board: Switchboard) -> None:
    Agent.objects.filter(pk=talk.luis.pk).update(activity=Activity.ON_CALL)

    answer = talk.wishes("consult", {"to": {"agent": talk.luis.pk}})

    assert answer.status_code == 409
    assert answer.json()["code"] == "target_busy"
    assert board.names() == []


def test_a_number_outside_is_consulted_and_adopted(talk: Conversation, board: Switchboard) -> None:
    assert talk.wishes("consult", {"to": {"number": "(312) 555-0177"}}).status_code == 202
    talk.both_go_into_the_room()
    placed = board.last("place").fields
    assert placed["To"] == "+13125550177"
    talk.target_answers(placed["sid"])
    assert talk.phase == "CONSULTING"

    talk.wishes("consult/complete")

    talk.says_bye(talk.ana_sid)
    assert talk.phase == "TALKING"
    assert talk.live_sids() == {talk.caller.sid, placed["sid"]}
    assert activity(talk.ana) == Activity.IDLE
    talk.says_bye(placed["sid"])
    assert talk.phase == "ENDED"


@pytest.mark.parametrize("number", ["+882345678901", "+19005550100", "12", "+5355512345"])
def test_a_number_that_may_not_be_called_is_refused(talk: Conversation, board: Switchboard, number: str) -> None:
    assert talk.wishes("consult", {"to": {"number": number}}).status_code == 409
    assert board.names() == []


def test_a_queue_is_not_consulted(talk: Conversation, board: Switchboard) -> None:
    answer = talk.wishes("consult", {"to": {"queue": talk.line.queue.pk}})

    assert answer.json()["code"] == "queue_not_consulted"


@pytest.mark.parametrize("what", ["consult/complete", "consult/merge", "consult/swap", "consult/cancel"])
def test_without_a_consult_there_is_nothing_to_do_with_it(talk: Conversation, what: str) -> None:
    assert talk.wishes(what).status_code == 409


def test_news_that_is_doubled_and_out_of_order_ends_in_the_same(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()
    more = {"HangupCause": "normal_clearing", "AnsweredTime": timezone.now().isoformat(), "CallDuration": "3"}

    talk.leg_tells(sid, "completed", **more)
    talk.leg_tells(sid, "completed", **more)
    talk.leg_tells(sid, "in-progress")
    talk.leg_tells(sid, "ringing")

    assert talk.phase == "TALKING"
    assert board.of("free") == [talk.caller.sid]
    assert activity(talk.luis) == Activity.IDLE


def test_the_caller_leaves_in_a_room_and_ana_is_rung_for_nobody_before_her_own_leg_is_over(
    talk: Conversation, board: Switchboard
) -> None:
    talk.holds()

    talk.leg_tells(talk.caller.sid, "completed", HangupCause="normal_clearing", HangupSource="caller")

    assert talk.phase == "ENDED"
    assert activity(talk.ana) == Activity.ON_CALL
    talk.says_bye(talk.ana_sid)
    assert activity(talk.ana) == Activity.IDLE


def test_a_room_that_is_over_before_we_heard_of_it_is_no_failure(talk: Conversation, board: Switchboard) -> None:
    consulting(talk)
    board.refuse["free"] = 422
    board.code = "90019"

    assert talk.wishes("consult/merge").status_code == 202
    talk.leg_tells(talk.caller.sid, "completed", HangupCause="normal_clearing", HangupSource="caller")
    talk.work(in_s=1)

    free = TalkCommand.objects.filter(call=talk.call, kind="free").latest("id")
    assert free.state == TalkCommand.State.DROPPED
    assert talk.talk.message == "caller_left"
