"""Blind transfers and rescues: the customer's leg goes back to the plan with a mission, and comes to somebody."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from agents.models import Activity, Agent, Beat
from telephony.models import CallLeg, RouteTrace, Talk, TelnyxEvent
from telephony.operations import commands
from telephony.operations.rooms import rescue_from_silent_browsers
from telephony.telnyx.client import get_client
from tests import cast
from tests.scenarios.conversation import Conversation
from tests.scenarios.line import Document
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(telnyx: Telnyx, board: Switchboard) -> Conversation:
    return Conversation(telnyx, board)


def activity(agent: Agent) -> str:
    agent.refresh_from_db()
    return agent.activity


def moved(talk: Conversation) -> Document:
    """Telnyx asks for the step to which it was told to move the customer's leg."""
    url = talk.board.last("redirect").fields["Url"]
    return talk.caller.goes_on(url[url.index("/webhooks") :])


def gone_silent(agent: Agent) -> None:
    Beat.objects.filter(agent=agent).update(last_seen_at=timezone.now() - timedelta(seconds=40))


def beats(agent: Agent) -> None:
    Beat.objects.filter(agent=agent).update(last_seen_at=timezone.now())


# --- Blind transfer -----------------------------------------------------------------------------------------------


def test_the_customer_is_moved_to_luis_and_ana_is_free(talk: Conversation, board: Switchboard) -> None:
    answer = talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})

    assert answer.json()["phase"] == "TRANSFERRING"
    assert board.of("redirect") == [talk.caller.sid]
    document = moved(talk)
    assert document.rung == [talk.line.sip(talk.luis)]
    talk.says_bye(talk.ana_sid)
    assert activity(talk.ana) == Activity.IDLE
    sid = talk.caller.is_answered_by(talk.luis)
    assert talk.phase == "TALKING"
    assert (talk.call.agent_id, talk.talk.lead_sid) == (talk.luis.pk, sid)
    assert talk.live_sids() == {talk.caller.sid, sid}


def test_out_of_a_room_ana_is_hung_up_once_the_customer_is_on_his_way(talk: Conversation, board: Switchboard) -> None:
    talk.holds()
    board.forget()

    assert talk.wishes("transfer", {"to": {"agent": talk.luis.pk}}).status_code == 202

    assert board.names() == ["redirect", "hang_up"]
    assert board.of("hang_up") == [talk.ana_sid]
    # The room's recording ends here: the new Dial records itself.
    assert moved(talk).verbs == ["Stop", "Dial"]


def test_luis_does_not_answer_and_ana_has_the_call_again(talk: Conversation, board: Switchboard) -> None:
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    talk.says_bye(talk.ana_sid)

    document = talk.caller.dial_ends("no-answer")

    assert document.rung == [talk.line.sip(talk.ana)]
    talk.caller.is_answered_by(talk.ana)
    assert talk.phase == "TALKING"


def test_nobody_answers_and_the_customer_is_first_in_line_with_his_age(talk: Conversation, board: Switchboard) -> None:
    talk.caller.has_waited(90)
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    talk.says_bye(talk.ana_sid)
    talk.caller.dial_ends("no-answer")

    talk.caller.dial_ends("no-answer")

    assert talk.phase == "ROUTING"
    visit = talk.call.visits.get(outcome="waiting")
    assert visit.priority == 1000
    assert (timezone.now() - visit.entered_at).total_seconds() == pytest.approx(90, abs=5)


def test_ana_has_another_call_by_then_and_the_customer_is_first_in_line(talk: Conversation) -> None:
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    talk.says_bye(talk.ana_sid)
    Agent.objects.filter(pk=talk.ana.pk).update(activity=Activity.ON_CALL)

    talk.caller.dial_ends("no-answer")

    assert talk.phase == "ROUTING"
    assert talk.call.visits.filter(outcome="waiting", priority=1000).exists()


def test_a_transfer_that_telnyx_refuses_leaves_them_talking(talk: Conversation, board: Switchboard) -> None:
    board.refuse["redirect"] = 422

    answer = talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})

    assert (answer.json()["phase"], answer.json()["message"]) == ("TALKING", "no_transfer")
    assert activity(talk.luis) == Activity.IDLE
    assert talk.offers(talk.luis)[-1] == "withdrawn"
    assert talk.talk.lead_sid == talk.ana_sid
    # The caller's own Dial goes on as it would have.
    talk.says_bye(talk.ana_sid)
    assert talk.phase == "ENDED"


def test_a_transfer_whose_answer_was_lost_is_asked_for_until_he_is_there(
    talk: Conversation, board: Switchboard
) -> None:
    board.refuse["redirect"] = requests.ConnectionError("the line broke")
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    board.forget()

    commands.run_due(get_client(), timezone.now() + timedelta(seconds=2))

    # It had been taken: to ask again would ring Luis twice.
    assert board.of("redirect") == []
    assert talk.phase == "TRANSFERRING"


def test_to_a_queue(talk: Conversation) -> None:
    other = cast.make_queue(talk.line.company, "soporte", members=[talk.luis])

    assert talk.wishes("transfer", {"to": {"queue": other.pk}}).status_code == 202

    assert talk.phase == "ROUTING"
    assert moved(talk).rung == [talk.line.sip(talk.luis)]
    assert talk.call.queue_id == other.pk


@pytest.mark.parametrize("how", [422, requests.ConnectionError("the line broke")])
def test_a_queue_that_he_could_not_be_moved_to_never_had_him(
    talk: Conversation, board: Switchboard, how: int | Exception
) -> None:
    other = cast.make_queue(talk.line.company, "soporte", members=[talk.luis])
    board.refuse["redirect"] = how

    talk.wishes("transfer", {"to": {"queue": other.pk}})
    for later_s in (1, 3, 6, 10):
        talk.work(in_s=later_s)

    assert (talk.phase, talk.talk.message, talk.talk.lead_sid) == ("TALKING", "no_transfer", talk.ana_sid)
    assert not talk.call.visits.filter(outcome="waiting").exists()
    assert activity(talk.luis) == Activity.IDLE
    assert talk.wishes("hold", {"on": True}).json()["phase"] == "PROMOTING"


def test_to_a_number_with_ours_shown(talk: Conversation) -> None:
    assert talk.wishes("transfer", {"to": {"number": "+13125550177"}}).status_code == 202

    (dial,) = moved(talk).root.iter("Dial")

    assert dial.attrib["callerId"] == talk.line.number.e164
    assert [number.text for number in dial] == ["+13125550177"]


@pytest.mark.parametrize(
    ("to", "code"),
    [({"queue": 999_999}, "target_gone"), ({"agent": 999_999}, "target_gone"), ({"number": "+19005550100"}, "costly")],
)
def test_what_cannot_be_had_is_refused_before_anything_moves(
    talk: Conversation, board: Switchboard, to: dict[str, object], code: str
) -> None:
    answer = talk.wishes("transfer", {"to": to})

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert board.names() == []
    assert not Talk.objects.filter(phase="TRANSFERRING").exists()


def test_to_somebody_of_another_company(talk: Conversation, board: Switchboard) -> None:
    stranger = cast.ready_agent(cast.make_company())

    assert talk.wishes("transfer", {"to": {"agent": stranger.pk}}).json()["code"] == "target_gone"
    assert board.names() == []


def test_the_customer_leaves_while_luis_rings(talk: Conversation, board: Switchboard) -> None:
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    talk.says_bye(talk.ana_sid)

    talk.caller.hangs_up()
    talk.work()

    assert talk.phase == "ENDED"
    assert activity(talk.luis) == Activity.IDLE


# --- Rescue -------------------------------------------------------------------------------------------------------


def test_a_dead_laptop_parks_the_customer_with_music_and_rings_the_same_agent(
    talk: Conversation, board: Switchboard
) -> None:
    gone_silent(talk.ana)
    talk.is_lost(talk.ana_sid)

    document = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")

    assert talk.phase == "RESCUING"
    assert document.verbs[-2:] == ["Play", "Redirect"]
    assert "momento" in document.said
    beats(talk.ana)
    assert talk.caller.goes_on().rung == [talk.line.sip(talk.ana)]
    sid = talk.caller.is_answered_by(talk.ana)
    assert talk.phase == "TALKING"
    assert talk.live_sids() == {talk.caller.sid, sid}


def test_the_action_comes_before_the_news_that_the_line_was_lost(talk: Conversation) -> None:
    gone_silent(talk.ana)

    document = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    talk.is_lost(talk.ana_sid)

    assert talk.phase == "RESCUING"
    assert document.verbs[-1] == "Redirect"


def test_the_action_comes_first_and_the_browser_still_beats_but_the_line_was_lost(talk: Conversation) -> None:
    asked_too_early = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    assert asked_too_early.verbs == ["Pause", "Redirect"]
    assert talk.caller.goes_on().verbs == ["Pause", "Redirect"]
    talk.is_lost(talk.ana_sid)

    document = talk.caller.goes_on()

    assert talk.phase == "RESCUING"
    assert document.rung == [talk.line.sip(talk.ana)]


def test_the_action_comes_first_and_then_the_word_that_he_hung_up(talk: Conversation) -> None:
    talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    talk.says_bye(talk.ana_sid)

    assert talk.caller.goes_on().verbs == ["Hangup"]
    assert activity(talk.ana) == Activity.IDLE


def test_somebody_who_answered_while_telnyx_was_slow_keeps_his_room(talk: Conversation, board: Switchboard) -> None:
    def meanwhile() -> None:
        moved(talk)
        talk.says_bye(talk.ana_sid)
        talk.caller.is_answered_by(talk.luis)
        Talk.objects.filter(call=talk.call).update(room_is_open=True, customer_in_room=True)

    board.meanwhile["redirect"] = meanwhile

    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})

    assert talk.phase == "TALKING"
    assert talk.talk.room_is_open


def test_a_bye_is_an_end(talk: Conversation) -> None:
    talk.says_bye(talk.ana_sid)

    assert talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31").verbs == ["Hangup"]


def test_an_end_without_a_word_of_who_ended_it_is_a_bye_while_the_browser_beats(talk: Conversation) -> None:
    asked_too_early = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    assert asked_too_early.verbs == ["Pause", "Redirect"]
    # Three seconds; then it is judged by what is known.
    assert [talk.caller.goes_on().verbs for _ in range(2)] == [["Pause", "Redirect"]] * 2
    document = talk.caller.goes_on()

    assert document.verbs == ["Hangup"]


def test_nobody_comes_back_within_30_s_and_the_customer_is_first_in_line(talk: Conversation) -> None:
    gone_silent(talk.ana)
    Agent.objects.filter(pk=talk.luis.pk).update(activity=Activity.ON_CALL)
    talk.is_lost(talk.ana_sid)
    talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    newest = RouteTrace.objects.filter(call=talk.call).order_by("-step").first()
    assert newest is not None and newest.walk is not None
    newest.walk["mission"]["until"] = timezone.now().isoformat()
    newest.save()

    document = talk.caller.goes_on()

    assert talk.phase == "ROUTING"
    assert document.verbs[-2:] == ["Play", "Redirect"]
    assert talk.call.visits.filter(outcome="waiting", priority=1000).exists()


def test_in_a_room_the_customer_is_moved_out_to_the_rescue(talk: Conversation, board: Switchboard) -> None:
    talk.holds()
    gone_silent(talk.ana)
    board.forget()

    talk.is_lost(talk.ana_sid)

    assert board.of("redirect") == [talk.caller.sid]
    assert moved(talk).verbs[-1] == "Redirect"
    assert talk.phase == "RESCUING"
    assert talk.caller.sid in talk.live_sids()


def test_a_browser_that_is_silent_for_90_s_loses_its_call_though_telnyx_has_its_leg(
    talk: Conversation, board: Switchboard
) -> None:
    CallLeg.objects.filter(call_sid=talk.ana_sid).update(answered_at=timezone.now() - timedelta(minutes=5))
    gone_silent(talk.ana)

    # Others beat: it is not we who do not hear.
    Beat.objects.filter(agent=talk.luis).update(last_seen_at=timezone.now() + timedelta(seconds=50))
    rescue_from_silent_browsers(get_client(), timezone.now() + timedelta(seconds=45))
    assert talk.phase == ""
    rescue_from_silent_browsers(get_client(), timezone.now() + timedelta(seconds=55))
    talk.work(in_s=60)

    assert talk.phase == "RESCUING"
    assert board.of("hang_up") == [talk.ana_sid]
    assert board.of("redirect") == [talk.caller.sid]
    assert TelnyxEvent.objects.filter(call=talk.call, kind="reconciler.browser_silent").exists()


def test_a_rescue_that_telnyx_does_not_take_is_asked_for_again_and_again(
    talk: Conversation, board: Switchboard
) -> None:
    talk.holds()
    board.refuse["redirect"] = 500
    talk.is_lost(talk.ana_sid)
    assert talk.phase == "RESCUING"

    for later_s in range(5, 70, 5):
        talk.work(in_s=later_s)
    board.refuse.clear()
    talk.work(in_s=80)

    assert board.of("redirect")[-1] == talk.caller.sid
    assert talk.caller.sid in talk.live_sids()
    assert moved(talk).rung == [talk.line.sip(talk.ana)]


def test_the_room_ends_under_the_customer_and_he_is_kept(talk: Conversation, board: Switchboard) -> None:
    talk.holds()
    board.forget()

    document = talk.caller.goes_on()
    talk.work()

    # Ana's leg was in the room too: it is ended, and then she is rung.
    assert talk.phase == "RESCUING"
    assert document.verbs[-1] == "Redirect"
    assert board.of("hang_up") == [talk.ana_sid]
    talk.says_bye(talk.ana_sid)
    assert talk.caller.goes_on().rung == [talk.line.sip(talk.ana)]


def test_late_news_of_the_line_that_was_lost_frees_nobody_who_is_rung_again(talk: Conversation) -> None:
    talk.is_lost(talk.ana_sid)
    document = talk.caller.dial_ends("completed", DialCallSid=talk.ana_sid, DialCallDuration="31")
    assert document.rung == [talk.line.sip(talk.ana)]

    talk.leg_tells(talk.ana_sid, "completed", HangupCause="timeout", SequenceNumber="1001")

    assert activity(talk.ana) == Activity.RESERVED


def test_somebody_who_is_long_gone_does_not_take_over_though_his_end_was_never_told(talk: Conversation) -> None:
    """Ana transfers to Luis, the news of her end is lost, and Luis transfers on."""
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    talk.caller.is_answered_by(talk.luis)
    assert talk.phase == "TALKING"

    answer = talk.wishes("transfer", {"to": {"queue": talk.line.queue.pk}}, by=talk.luis)

    assert answer.json()["phase"] in {"TRANSFERRING", "ROUTING"}
    assert talk.talk.lead_sid == ""


def test_who_got_the_call_by_a_transfer_out_of_a_room_hangs_up_and_nobody_is_put_into_it(talk: Conversation) -> None:
    talk.holds()
    talk.wishes("transfer", {"to": {"agent": talk.luis.pk}})
    moved(talk)
    talk.says_bye(talk.ana_sid)
    sid = talk.caller.is_answered_by(talk.luis)
    assert talk.phase == "TALKING"

    document = talk.caller.dial_ends("completed", DialCallSid=sid, DialCallDuration="31")

    assert "Conference" not in document.bytes.decode()
