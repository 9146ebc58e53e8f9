"""A call that an agent places: announced, parked, put into a room, and the customer rung into it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from agents.models import Activity, Agent, Beat, Intent
from telephony.models import Call, CallLeg, OutboundIntent, TelnyxEvent
from telephony.operations.reconcile import free_forgotten_agents
from telephony.telnyx.client import get_client
from tests.scenarios.conversation import browser_of
from tests.scenarios.line import Document
from tests.scenarios.outgoing import CUSTOMER, Outgoing
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db


@pytest.fixture
def out(telnyx: Telnyx, board: Switchboard) -> Outgoing:
    return Outgoing(telnyx, board)


def test_the_room_first_with_ring_back_then_the_customer_is_rung_into_it(out: Outgoing, board: Switchboard) -> None:
    call_id = out.announces().json()["callId"]
    assert out.activity() == Activity.RESERVED

    document = out.parks()
    out.work()

    assert str(out.call.pk) == call_id
    (room,) = document.root.iter("Conference")
    assert room.attrib["waitUrl"].endswith("/static/sound/ringback.mp3")
    assert room.attrib["endConferenceOnExit"] == "false"
    placed = board.last("place").fields
    assert (placed["To"], placed["From"]) == (CUSTOMER, out.line.number.e164)
    assert out.activity() == Activity.ON_CALL
    assert (out.call.direction, out.call.status, out.call.phase) == ("outbound", "ringing", "DIALLING")


def test_the_customer_answers_and_both_are_in_the_room(out: Outgoing) -> None:
    sid = out.rings()

    document = out.customer_answers(sid)

    (room,) = document.root.iter("Conference")
    assert room.attrib["endConferenceOnExit"] == "true"
    assert document.verbs == ["Start", "Dial"]
    assert (out.call.status, out.call.phase, out.call.agent_id) == ("in_progress", "TALKING", out.ana.pk)
    assert out.call.called_sid == sid
    talk = out.web.get(f"/api/calls/{out.call.pk}/talk").json()
    assert talk["party"]["number"] == CUSTOMER
    # The room is there already: a hold needs nobody moved.
    answer = out.web.post(f"/api/calls/{out.call.pk}/hold", {"on": True}, content_type="application/json")
    assert answer.json()["phase"] == "HELD"
    assert out.board.of("hold") == [sid]


def test_he_answers_before_telnyx_has_said_that_it_rings_him(out: Outgoing, board: Switchboard) -> None:
    out.announces()
    out.parks()
    answered: list[Document] = []
    board.meanwhile["place"] = lambda: answered.append(out.customer_answers("v3:quick"))

    out.work()

    assert "Conference" in answered[0].bytes.decode()
    assert out.call.called_sid == "v3:quick"
    assert out.call.phase == "TALKING"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("busy", "busy"), ("no-answer", "no_answer"), ("failed", "failed"), ("canceled", "canceled")],
)
def test_nobody_answers_and_the_agent_hears_so(out: Outgoing, board: Switchboard, status: str, outcome: str) -> None:
    sid = out.rings()

    out.tells(sid, status, HangupCause="user_busy", SipHangupCause="486")

    assert board.of("tone") == [out.ana_sid]
    heard = "busy.mp3" if status == "busy" else "<Say"
    assert heard in board.last("tone").fields["Texml"]
    assert (out.call.status, out.call.outcome, out.call.phase) == ("completed", outcome, "ENDED")
    out.tells(out.ana_sid, "completed", HangupCause="normal_clearing")
    assert out.activity() == Activity.IDLE


def test_the_agent_gives_up_while_it_rings_and_nobody_is_called_any_more(out: Outgoing, board: Switchboard) -> None:
    sid = out.rings()

    out.tells(out.ana_sid, "completed", HangupCause="normal_clearing")

    assert sid in board.of("hang_up")
    out.tells(sid, "canceled", HangupCause="originator_cancel")
    assert (out.call.status, out.call.outcome) == ("completed", "canceled")
    assert out.activity() == Activity.IDLE


def test_the_agents_line_is_lost_while_it_rings_and_nobody_answers_into_nothing(
    out: Outgoing, board: Switchboard
) -> None:
    sid = out.rings()

    out.tells(out.ana_sid, "completed", HangupCause="timeout")

    assert sid in board.of("hang_up")


def test_he_gave_up_before_anybody_was_rung(out: Outgoing, board: Switchboard) -> None:
    out.announces()
    out.parks()

    out.tells(out.ana_sid, "completed", HangupCause="normal_clearing")

    assert board.of("place") == []
    assert (out.call.status, out.call.outcome) == ("completed", "canceled")


def test_he_gave_up_while_telnyx_was_asked_to_ring(out: Outgoing, board: Switchboard) -> None:
    out.announces()
    out.parks()
    board.meanwhile["place"] = lambda: out.tells(out.ana_sid, "completed", HangupCause="normal_clearing")

    out.work()

    assert board.last("place").fields["sid"] in board.of("hang_up")


def test_the_agents_laptop_dies_in_the_talk_and_the_customer_is_kept(out: Outgoing, board: Switchboard) -> None:
    sid = out.rings()
    out.customer_answers(sid)
    Beat.objects.filter(agent=out.ana).update(last_seen_at=timezone.now() - timedelta(seconds=40))

    out.tells(out.ana_sid, "completed", HangupCause="timeout")

    assert out.call.phase == "RESCUING"
    assert board.of("redirect") == [sid]
    url = board.last("redirect").fields["Url"]
    document = Document(out.telnyx.form(url[url.index("/webhooks") :], out._fields(sid)).content)
    assert document.verbs[-1] == "Redirect"
    Beat.objects.filter(agent=out.ana).update(last_seen_at=timezone.now())
    document = Document(out.telnyx.form(document.next, out._fields(sid)).content)
    assert document.rung == [out.line.sip(out.ana)]
    (dial,) = document.root.iter("Dial")
    # Her screen shows whom she called.
    assert dial.attrib["callerId"] == CUSTOMER
    assert out.call.status == "in_progress"


def test_telnyx_refuses_to_ring_him(out: Outgoing, board: Switchboard) -> None:
    out.announces()
    out.parks()
    board.refuse["place"] = 422

    out.work()

    assert (out.call.outcome, out.call.phase) == ("failed", "ENDED")
    assert board.of("tone") == [out.ana_sid]


def test_an_answer_that_was_lost_never_rings_him_twice(out: Outgoing, board: Switchboard) -> None:
    out.announces()
    out.parks()
    board.refuse["place"] = requests.ConnectionError("the line broke")
    out.work()
    out.tells("v3:rung-all-the-same", "ringing")
    board.refuse.clear()
    found = {"sid": "v3:rung-all-the-same", "status": "ringing", "start_time": timezone.now().isoformat()}
    board.found = [found]
    board.forget()

    out.work(in_s=1)

    assert board.of("place") == []
    assert out.call.called_sid == "v3:rung-all-the-same"
    assert CallLeg.objects.get(call_sid="v3:rung-all-the-same").kind == "called"


# --- Nobody calls who did not say so ------------------------------------------------------------------------------


def test_a_call_that_nobody_announced_is_refused_and_shown(out: Outgoing, board: Switchboard) -> None:
    document = out.parks()
    out.work()

    assert document.verbs == ["Reject"]
    assert board.names() == []
    event = TelnyxEvent.objects.get(kind="instruction.outbound.refused")
    assert event.company_id == out.line.company.pk
    assert not Call.objects.filter(direction="outbound").exists()


def test_another_number_than_the_announced_one_is_refused(out: Outgoing) -> None:
    out.announces()

    assert out.parks(to="+13125550178").verbs == ["Reject"]


def test_an_announcement_serves_one_call(out: Outgoing) -> None:
    out.announces()
    out.parks()

    assert out.parks(sid="v3:again").verbs == ["Reject"]


def test_an_announcement_of_half_a_minute_ago_is_over(out: Outgoing) -> None:
    out.announces()
    OutboundIntent.objects.update(created_at=timezone.now() - timedelta(seconds=31))

    assert out.parks().verbs == ["Reject"]


def test_somebody_elses_announcement_is_not_his(out: Outgoing) -> None:
    browser_of(out.luis).post("/api/webrtc/calls", {"to": CUSTOMER}, content_type="application/json")

    assert out.parks().verbs == ["Reject"]


def test_without_the_credential_the_numbers_must_point_at_one_announcement(out: Outgoing) -> None:
    out.announces()
    assert "Conference" in out.parks(FromSipUri="").bytes.decode()


def test_two_that_could_be_meant_are_none(out: Outgoing) -> None:
    out.announces()
    browser_of(out.luis).post("/api/webrtc/calls", {"to": CUSTOMER}, content_type="application/json")

    assert out.parks(FromSipUri="").verbs == ["Reject"]


def test_the_same_request_twice_gets_the_same_document(out: Outgoing) -> None:
    out.announces()

    assert out.parks().bytes == out.parks().bytes
    assert Call.objects.filter(direction="outbound").count() == 1


def test_the_news_of_its_legs_may_come_to_the_same_address(out: Outgoing) -> None:
    out.announces()
    out.parks()

    answer = out.telnyx.form(
        "/webhooks/telnyx/outbound",
        {
            **out._fields(out.ana_sid),
            "CallbackSource": "call-progress-events",
            "CallStatus": "completed",
            "HangupCause": "normal_clearing",
            "Timestamp": timezone.now().isoformat(),
        },
    )

    assert (answer.status_code, answer.content) == (200, b"")
    assert out.call.status == "completed"


# --- Who may announce what ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "status", "field"),
    [
        ("+5355512345", 422, "to"),
        ("+19005550100", 422, "to"),
        ("+882345678901", 422, "to"),
        ("hello", 400, "to"),
        ("", 400, "to"),
        ("312 555 0177", 200, None),
        ("911", 200, None),
    ],
)
def test_destinations(out: Outgoing, to: str, status: int, field: str | None) -> None:
    answer = out.announces(to)

    assert answer.status_code == status, answer.json()
    if field:
        assert answer.json()["field"] == field


def test_only_numbers_of_the_company_are_shown(out: Outgoing) -> None:
    answer = out.announces(**{"from": "+13055559999"})

    assert (answer.status_code, answer.json()["field"]) == (400, "from")


def test_the_numbers_that_may_be_shown(out: Outgoing) -> None:
    rows = out.web.get("/api/webrtc/caller-ids").json()["results"]

    assert rows == [{"e164": out.line.number.e164, "label": "", "default": True}]


def test_who_is_on_a_call_places_no_other(out: Outgoing) -> None:
    out.rings()

    assert out.announces().status_code == 409


def test_who_is_on_a_break_may_call_and_stays_on_his_break(out: Outgoing, board: Switchboard) -> None:
    Agent.objects.filter(pk=out.ana.pk).update(intent=Intent.BREAK)
    sid = out.rings()

    out.tells(sid, "busy")
    out.tells(out.ana_sid, "completed", HangupCause="normal_clearing")

    out.ana.refresh_from_db()
    assert (out.ana.intent, out.ana.activity) == (Intent.BREAK, Activity.IDLE)


def test_without_a_phone_nobody_calls(out: Outgoing) -> None:
    Beat.objects.filter(agent=out.ana).update(ready=False)

    assert out.announces().status_code == 409


def test_who_hears_the_busy_tone_is_rung_for_nobody(out: Outgoing, board: Switchboard) -> None:
    sid = out.rings()

    out.tells(sid, "busy")

    assert out.call.status == "completed"
    assert out.activity() == Activity.ON_CALL
    out.tells(out.ana_sid, "completed", HangupCause="normal_clearing", HangupSource="callee")
    assert out.activity() == Activity.IDLE


def test_who_heard_the_busy_tone_is_freed_though_the_news_of_his_end_was_lost(
    out: Outgoing, board: Switchboard
) -> None:
    sid = out.rings()
    out.tells(sid, "busy")
    a_moment_later = timezone.now() + timedelta(seconds=5)
    free_forgotten_agents(get_client(), a_moment_later)
    assert out.activity() == Activity.ON_CALL

    free_forgotten_agents(get_client(), timezone.now() + timedelta(seconds=31))

    assert out.activity() == Activity.IDLE
