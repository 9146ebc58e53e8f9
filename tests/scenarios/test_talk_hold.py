"""Hold with music: the agent's leg goes into a room first, and the caller's own Dial asks where it is to go."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from agents.models import Activity
from telephony.models import TelnyxEvent
from telephony.operations.rooms import check_rooms
from telephony.telnyx.client import get_client
from tests.scenarios.conversation import Conversation
from tests.scenarios.line import Document
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db


def test_the_agents_leg_goes_first_then_the_caller_finds_the_room_and_hears_music(
    telnyx: Telnyx, board: Switchboard
) -> None:
    talk = Conversation(telnyx, board)

    answer = talk.wishes("hold", {"on": True})

    assert answer.status_code == 202
    assert answer.json()["phase"] == "PROMOTING"
    assert board.of("room") == [talk.ana_sid]
    assert talk.talk.room_name in board.last("room").fields["Texml"]
    document = talk.both_go_into_the_room()
    assert talk.phase == "HELD"
    assert board.of("hold") == [talk.caller.sid]
    assert board.last("hold").fields["HoldUrl"].endswith("/static/sound/hold-20.mp3")
    # The room is recorded from the customer's side, and ends with him.
    assert document.verbs == ["Start", "Dial"]
    (room,) = document.root.iter("Conference")
    assert room.attrib["endConferenceOnExit"] == "true"
    assert room.attrib["beep"] == "false"
    assert room.text == talk.talk.room_name


def test_taking_the_caller_back_needs_no_new_room(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    talk.holds()

    answer = talk.wishes("hold", {"on": False})
    again = talk.wishes("hold", {"on": True})

    assert (answer.json()["phase"], again.json()["phase"]) == ("TALKING", "HELD")
    assert board.names() == ["room", "hold", "free", "hold"]


def test_the_action_comes_before_our_request_has_returned(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    board.meanwhile["room"] = lambda: talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="9")

    assert talk.wishes("hold", {"on": True}).status_code == 202

    assert "Conference" in talk.caller.document.bytes.decode()
    board.inside = {talk.caller.sid, talk.ana_sid}
    talk.joins(talk.caller.sid)
    talk.work()
    assert talk.phase == "HELD"
    assert talk.live_sids() == {talk.caller.sid, talk.ana_sid}


@pytest.mark.parametrize("refusal", [422, 404, 403])
def test_an_update_that_is_refused_leaves_both_talking_as_before(
    telnyx: Telnyx, board: Switchboard, refusal: int
) -> None:
    talk = Conversation(telnyx, board)
    board.refuse["room"] = refusal

    answer = talk.wishes("hold", {"on": True})

    assert answer.json()["phase"] == "TALKING"
    assert answer.json()["message"] == "no_room"
    assert "hang_up" not in board.names()
    assert talk.live_sids() == {talk.caller.sid, talk.ana_sid}
    talk.ana.refresh_from_db()
    assert talk.ana.activity == Activity.ON_CALL
    # The next try is a new room.
    board.refuse.clear()
    assert talk.wishes("hold", {"on": True}).json()["phase"] == "PROMOTING"


def test_an_answer_that_is_lost_is_as_good_as_taken_once_the_caller_asks(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    board.refuse["room"] = requests.ConnectionError("the line broke")

    assert talk.wishes("hold", {"on": True}).json()["phase"] == "PROMOTING"

    talk.both_go_into_the_room()
    assert talk.phase == "HELD"


def test_a_room_that_never_opens_is_given_up_and_listed(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    board.refuse["room"] = requests.ConnectionError("the line broke")
    talk.wishes("hold", {"on": True})

    check_rooms(get_client(), timezone.now() + timedelta(seconds=5))

    assert talk.phase == "TALKING"
    assert talk.live_sids() == {talk.caller.sid, talk.ana_sid}
    repair = TelnyxEvent.objects.get(call=talk.call, kind="reconciler.room_failed")
    assert repair.payload["did"]


def test_an_agent_who_is_lost_on_the_way_leaves_the_caller_with_music_and_is_rung_again(
    telnyx: Telnyx, board: Switchboard
) -> None:
    talk = Conversation(telnyx, board)
    talk.wishes("hold", {"on": True})
    talk.is_lost(talk.ana_sid)

    document = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="9")

    # His browser still beats: he is there, so he is rung at once.
    assert talk.phase == "RESCUING"
    assert document.rung == [talk.line.sip(talk.ana)]
    again = talk.caller.is_answered_by(talk.ana)
    assert talk.phase == "TALKING"
    assert talk.talk.lead_sid == again
    assert talk.live_sids() == {talk.caller.sid, again}


def test_a_room_that_the_agent_never_reaches_is_noticed_and_the_caller_goes_on(
    telnyx: Telnyx, board: Switchboard
) -> None:
    talk = Conversation(telnyx, board)
    talk.wishes("hold", {"on": True})
    talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="9")
    board.inside = {talk.caller.sid}
    talk.joins(talk.caller.sid)
    talk.work()
    assert talk.phase == "HELD"

    check_rooms(get_client(), timezone.now() + timedelta(seconds=5))
    talk.work(in_s=5)

    assert talk.phase == "RESCUING"
    assert board.of("redirect") == [talk.caller.sid]
    assert TelnyxEvent.objects.filter(call=talk.call, kind="reconciler.room_empty").exists()
    assert talk.caller.sid in talk.live_sids()
    # His old leg is nowhere, and is ended.
    assert board.of("hang_up") == [talk.ana_sid]


def test_a_hold_that_telnyx_refuses_is_said_and_nothing_is_cut(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    board.refuse["hold"] = 422
    talk.wishes("hold", {"on": True})

    talk.both_go_into_the_room()

    assert talk.talk.message == "hold_failed"
    assert talk.live_sids() == {talk.caller.sid, talk.ana_sid}


def test_a_hold_waits_for_the_caller_to_be_in_the_room(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    talk.wishes("hold", {"on": True})
    talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="9")
    talk.work()
    assert "hold" not in board.names()

    board.inside = {talk.caller.sid, talk.ana_sid}
    talk.joins(talk.caller.sid)
    talk.work()

    assert board.of("hold") == [talk.caller.sid]


def test_thinking_better_of_it_on_the_way_holds_nobody(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    talk.wishes("hold", {"on": True})

    assert talk.wishes("hold", {"on": False}).json()["phase"] == "TALKING"
    talk.both_go_into_the_room()

    assert talk.phase == "TALKING"
    assert "hold" not in board.names()


def test_the_caller_hangs_up_while_held_and_everything_ends(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    talk.holds()
    board.forget()

    talk.caller.hangs_up()
    talk.work()

    assert talk.phase == "ENDED"
    assert talk.ana_sid in board.of("hang_up")
    talk.says_bye(talk.ana_sid)
    assert talk.live_sids() == set()
    talk.ana.refresh_from_db()
    assert talk.ana.busy_call_id is None


def test_the_server_mutes_the_agent_in_the_room(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    talk.holds()

    on, off = talk.wishes("mute", {"on": True}), talk.wishes("mute", {"on": False})

    assert (on.json()["server_muted"], off.json()["server_muted"]) == (True, False)
    assert board.of("mute") == board.of("unmute") == [talk.ana_sid]
    assert talk.phase == "HELD"


def test_keys_are_sent_for_the_customer_to_hear(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)

    assert talk.wishes("digits", {"digits": "12#w3"}).status_code == 202

    assert board.of("digits") == [talk.caller.sid]
    assert board.last("digits").fields == {"digits": "12#w3"}
    assert talk.wishes("digits", {"digits": "1;2"}).status_code == 400


def test_somebody_else_cannot_hold_it(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)

    assert talk.wishes("hold", {"on": True}, by=talk.luis).status_code in {404, 409}
    assert board.names() == []


def test_a_room_whose_first_answer_was_late_is_given_again_at_the_fallback_address(
    telnyx: Telnyx, board: Switchboard
) -> None:
    talk = Conversation(telnyx, board)
    assert talk.wishes("hold", {"on": True}).status_code == 202
    ended = {"DialCallStatus": "completed", "DialCallSid": talk.ana_sid, "DialCallDuration": "9"}
    in_vain = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="9")

    document = Document(telnyx.form("/webhooks/telnyx/inbound", {**talk._fields(talk.caller.sid), **ended}).content)

    assert document.bytes == in_vain.bytes
    assert talk.phase == "HELD"
    assert talk.ana_sid in talk.live_sids()
