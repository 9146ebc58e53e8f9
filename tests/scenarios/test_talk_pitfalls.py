"""Where a reader with fresh eyes saw customers lost and agents rung twice: each told once, so that it stays mended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Activity, Agent, Beat
from curbe.companies.models import Role
from telephony.models import Call, CallLeg, Offer, OutboundIntent
from telephony.operations.reconcile import close_expired_offers
from telephony.operations.rooms import rescue_from_silent_browsers
from telephony.telnyx.client import get_client
from tests import cast
from tests.scenarios.conversation import Conversation, browser_of
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(telnyx: Telnyx, board: Switchboard) -> Conversation:
    return Conversation(telnyx, board)


def activity(agent: Agent) -> str:
    agent.refresh_from_db()
    return agent.activity


def hang_up(talk: Conversation, agent: Agent) -> int:
    body = {"webrtcCallId": str(talk.call.pk), "companyId": talk.line.company.public_id}
    answer = talk.web[agent.pk].post("/api/webrtc/server-hangup", body, content_type="application/json")
    return int(answer.status_code)


def rescued(talk: Conversation) -> None:
    """Ana's line is lost, and the customer's own Dial asks at once."""
    talk.is_lost(talk.ana_sid)
    document = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    assert document.rung == [talk.line.sip(talk.ana)]


def test_who_is_rung_again_stays_reserved_while_her_phone_rings(talk: Conversation) -> None:
    rescued(talk)

    talk.caller._leg(talk.ana, "v3:ana-again", "initiated", "1")
    talk.caller._leg(talk.ana, "v3:ana-again", "ringing", "2")

    assert activity(talk.ana) == Activity.RESERVED


def test_a_ringing_by_the_plan_is_not_taken_for_an_older_consult(talk: Conversation) -> None:
    sid = talk.consults()
    talk.target_answers(sid)
    talk.wishes("consult/cancel")
    talk.says_bye(sid)

    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    talk.caller.is_answered_by(talk.luis)

    by_plan = Offer.objects.filter(call=talk.call, agent=talk.luis, step__lt=20_000).order_by("-offered_at").first()
    assert by_plan is not None and by_plan.outcome == "answered"
    Offer.objects.filter(pk=by_plan.pk).update(outcome="pending", ended_at=None)
    close_expired_offers(get_client(), timezone.now() + timedelta(minutes=2))
    assert activity(talk.luis) == Activity.ON_CALL


def test_a_leg_that_was_dropped_does_not_join_the_transfer(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()
    talk.target_answers(sid)
    talk.wishes("consult/cancel")
    # The news that Luis's leg is over has not come yet.
    third = cast.ready_agent(talk.line.company)

    answer = talk.wishes("transfer", {"to": {"agent": third.pk}})

    assert answer.json()["phase"] == "TRANSFERRING"
    assert board.of("redirect") == [talk.caller.sid]
    talk.says_bye(sid)
    assert talk.phase == "TRANSFERRING"


def test_who_gave_the_call_away_ends_only_her_own_leg(talk: Conversation, board: Switchboard) -> None:
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    board.forget()

    assert hang_up(talk, talk.ana) == 200

    assert board.of("hang_up") == [talk.ana_sid]


def test_who_was_only_asked_ends_only_his_own_leg(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()
    talk.target_answers(sid)
    board.forget()

    assert hang_up(talk, talk.luis) == 200

    assert board.of("hang_up") == [sid]
    assert talk.call.hangup_requested_at is None


def test_who_asked_and_hangs_up_leaves_the_customer_to_whom_she_asked(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()
    talk.target_answers(sid)
    board.forget()

    assert hang_up(talk, talk.ana) == 200

    assert (talk.phase, talk.talk.lead_sid) == ("TALKING", sid)
    assert board.of("hang_up") == [talk.ana_sid]


def test_a_lost_lead_who_is_up_all_the_same_is_not_left_in_the_room(talk: Conversation, board: Switchboard) -> None:
    sid = talk.consults()
    talk.target_answers(sid)
    long_ago = timezone.now() - timedelta(minutes=5)
    CallLeg.objects.filter(call_sid=talk.ana_sid).update(answered_at=long_ago)
    Beat.objects.filter(agent=talk.ana).update(last_seen_at=timezone.now() - timedelta(seconds=100))
    board.forget()

    rescue_from_silent_browsers(get_client(), timezone.now())
    talk.work()

    assert talk.talk.lead_sid == sid
    assert talk.ana_sid in board.of("hang_up")


def test_a_database_that_forgot_every_beat_tears_nobody_apart(talk: Conversation, board: Switchboard) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    CallLeg.objects.filter(call_sid=talk.ana_sid).update(answered_at=long_ago)
    Beat.objects.all().delete()

    rescue_from_silent_browsers(get_client(), timezone.now())

    assert (talk.phase, board.names()) == ("", [])


def test_a_hang_up_that_fails_after_a_transfer_does_not_take_the_transfer_back(
    talk: Conversation, board: Switchboard
) -> None:
    talk.holds()
    board.refuse["hang_up"] = 500
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    url = board.last("redirect").fields["Url"]
    talk.caller.goes_on(url[url.index("/webhooks") :])
    for later_s in range(1, 30, 3):
        talk.work(in_s=later_s)

    assert talk.phase == "TRANSFERRING"
    talk.caller.is_answered_by(talk.luis)
    assert talk.phase == "TALKING"


def test_an_end_that_telnyx_does_not_take_is_asked_for_again_and_by_a_supervisor(
    talk: Conversation, board: Switchboard
) -> None:
    talk.holds()
    board.refuse["hang_up"] = 500
    talk.wishes("leave")
    for later_s in range(0, 40, 4):
        talk.work(in_s=later_s)
    assert talk.phase == "ENDED"
    assert talk.call.hangup_requested_at is not None
    board.refuse.clear()
    board.forget()

    sam = cast.make_user(talk.line.company, role=Role.SUPERVISOR)
    answer = cast.client_for(sam).post(
        f"/api/calls/{talk.call.pk}/end", {"reason": "He is still there"}, content_type="application/json"
    )

    assert answer.status_code == 202
    assert board.of("hang_up")[0] == talk.caller.sid


def test_an_announcement_that_became_no_call_is_replaced_by_the_next(talk: Conversation) -> None:
    web = browser_of(talk.luis)
    wish = {"to": "+13125550177"}
    first = web.post("/api/webrtc/calls", wish, content_type="application/json")

    second = web.post("/api/webrtc/calls", wish, content_type="application/json")

    assert (first.status_code, second.status_code) == (200, 200)
    states = dict(OutboundIntent.objects.values_list("pk", "state"))
    assert sorted(states.values()) == ["expired", "open"]
    assert str(talk.luis.pk) and Call.objects.filter(direction="outbound").count() == 0


def test_an_emergency_is_called_out_of_any_wrap_up_and_without_a_checked_device(talk: Conversation) -> None:
    Beat.objects.filter(agent=talk.luis).update(ready=False)
    later = timezone.now() + timedelta(minutes=5)
    Agent.objects.filter(pk=talk.luis.pk).update(
        activity=Activity.WRAP_UP, wrap_up_mode="timed_locked", wrap_up_until=later, wrap_up_since=timezone.now()
    )
    web = browser_of(talk.luis)

    assert web.post("/api/webrtc/calls", {"to": "+13125550177"}, content_type="application/json").status_code == 409
    assert web.post("/api/webrtc/calls", {"to": "911"}, content_type="application/json").status_code == 200


def test_a_tab_that_slept_missed_nothing(telnyx: Telnyx, board: Switchboard) -> None:
    talk = Conversation(telnyx, board)
    sid = talk.consults()
    Beat.objects.filter(agent=talk.luis).update(last_seen_at=timezone.now() - timedelta(seconds=20))

    talk.leg_tells(sid, "no-answer", HangupCause="timeout")

    assert talk.offers(talk.luis)[-1] == "device_lost"
    talk.luis.refresh_from_db()
    assert talk.luis.missed_in_a_row == 0
