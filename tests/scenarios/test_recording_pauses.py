"""Card data: the agent pauses what is recorded, and whatever happens then, nobody believes what is not so."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks as CaptureOnCommit
from pytest_django import Settings

from recordings import pausing
from recordings.models import CompanyHold, Recording, RecordingGap, RemoteDeletion
from telephony.models import Call
from telephony.operations.reconcile import reconcile_all
from telephony.telnyx.client import TelnyxClient, get_client
from tests import cast
from tests.scenarios.conversation import Conversation, browser_of
from tests.scenarios.recorder import Recorder
from tests.scenarios.switchboard import Switchboard
from tests.scenarios.test_recording import saved
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
PAUSE, RESUME = "recording/pause", "recording/resume"


@pytest.fixture
def conversation(telnyx: Telnyx, board: Switchboard) -> Conversation:
    return Conversation(telnyx, board, agents=2)


@pytest.fixture
def recorder(conversation: Conversation, settings: Settings) -> Recorder:
    return Recorder(conversation, settings)


def mind(in_s: float = 0) -> None:
    """The reconciler's run looks at the open gaps."""
    pausing.mind_gaps(TelnyxClient.from_settings(), timezone.now() + timedelta(seconds=in_s))


def recording_of(conversation: Conversation) -> str:
    """How the agent's phone is told that the recording stands."""
    web = conversation.web[conversation.ana.pk]
    return str(web.get(f"/api/calls/{conversation.call.pk}/talk").json()["recording"])


def test_the_agent_pauses_and_goes_on_and_the_gap_is_marked(conversation: Conversation, recorder: Recorder) -> None:
    assert recording_of(conversation) == "on"
    answer = conversation.wishes(PAUSE)
    assert (answer.status_code, answer.json()["paused"]) == (200, True)
    assert recording_of(conversation) == "paused"
    assert conversation.wishes(PAUSE).status_code == 200
    answer = conversation.wishes(RESUME)
    assert (answer.status_code, answer.json()["paused"]) == (200, False)
    assert recording_of(conversation) == "on"

    assert recorder.switched == [("rec-1", "paused"), ("rec-1", "in-progress")]
    gap = RecordingGap.objects.get()
    assert (gap.call, gap.agent) == (conversation.call, conversation.ana)
    assert gap.began_at is not None and gap.ended_at is not None
    began = gap.began_at - timedelta(seconds=30)
    heard = Recording(call=conversation.call, started_at=began, duration_s=60)
    assert [(cut.at_s, cut.missing_s > 0) for cut in pausing.cuts_of([heard])[heard.pk]] == [(30, True)]
    answer = conversation.wishes(RESUME)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_paused")


def test_whose_call_it_is_not_may_not_and_a_stranger_does_not_know_it(
    conversation: Conversation, recorder: Recorder
) -> None:
    assert conversation.wishes(PAUSE, by=conversation.luis).status_code == 403
    stranger = cast.make_agent(cast.make_company())
    path = f"/api/calls/{conversation.call.pk}/{PAUSE}"
    assert browser_of(stranger).post(path, {}, content_type="application/json").status_code == 404
    assert recorder.switched == []


def test_who_has_left_the_call_has_no_say_in_it_any_more(conversation: Conversation, recorder: Recorder) -> None:
    conversation.leg_tells(conversation.ana_sid, "completed")
    Call.objects.filter(pk=conversation.call.pk).update(agent=conversation.luis, status="in_progress")

    assert conversation.wishes(PAUSE).status_code == 403
    assert conversation.wishes(PAUSE, by=conversation.luis).status_code == 200


# --- Telnyx does not do it ----------------------------------------------------------------------------------------


def test_nothing_recorded_is_409_and_a_telnyx_that_refuses_502_and_no_gap_stays_open(
    conversation: Conversation, recorder: Recorder
) -> None:
    recorder.running = {}
    assert conversation.wishes(PAUSE).json()["code"] == "nothing_recorded"
    recorder.running = {"rec-1": "in-progress"}
    recorder.refuses = {"rec-1": 422}
    assert conversation.wishes(PAUSE).status_code == 502

    assert not RecordingGap.objects.filter(began_at__isnull=False).exists()


def test_what_was_paused_before_another_refused_is_recorded_again(
    conversation: Conversation, recorder: Recorder
) -> None:
    recorder.running = {"rec-1": "in-progress", "rec-2": "in-progress"}
    recorder.refuses = {"rec-2": 422}

    assert conversation.wishes(PAUSE).status_code == 502

    assert recorder.switched == [("rec-1", "paused"), ("rec-1", "in-progress")]
    assert RecordingGap.objects.get().ended_at is not None
    assert recording_of(conversation) == "on"


def test_what_cannot_be_taken_back_is_said_and_asked_for_again(conversation: Conversation, recorder: Recorder) -> None:
    recorder.running = {"rec-1": "in-progress", "rec-2": "in-progress"}
    recorder.refuses, recorder.then_refuses = {"rec-2": 422}, {"rec-1": 422}

    assert conversation.wishes(PAUSE).status_code == 502
    assert recorder.running["rec-1"] == "paused"
    # The agent was told that it is recorded, or will be in seconds: nobody is left to wait for a pause.
    assert recording_of(conversation) == "on"
    mind()
    assert RecordingGap.objects.get().ended_at is None
    recorder.refuses, recorder.then_refuses = {}, {}
    mind()

    assert recorder.running == {"rec-1": "in-progress", "rec-2": "in-progress"}
    gap = RecordingGap.objects.get()
    assert (gap.began_at, gap.ended_at is not None, "10027" in gap.error) == (None, True, True)
    assert recording_of(conversation) == "on"


def test_a_pause_whose_answer_was_lost_is_taken_back(conversation: Conversation, recorder: Recorder) -> None:
    """The web process died between the request and its answer: nobody was told that it is paused."""
    recorder.running = {"rec-1": "paused"}
    RecordingGap.objects.create(
        company=conversation.call.company, call=conversation.call, agent=conversation.ana, asked_at=timezone.now()
    )

    mind(in_s=5)
    assert recorder.running == {"rec-1": "paused"}
    mind(in_s=40)
    assert recorder.running == {"rec-1": "in-progress"}
    assert RecordingGap.objects.get().ended_at is not None


def test_a_recording_that_ends_while_it_is_paused_is_no_refusal(conversation: Conversation, recorder: Recorder) -> None:
    recorder.running = {"rec-1": "in-progress", "rec-2": "in-progress"}
    recorder.refuses = {"rec-1": 404}

    assert conversation.wishes(PAUSE).status_code == 200
    assert recorder.running["rec-2"] == "paused"


# --- The call goes on elsewhere while it is paused ----------------------------------------------------------------


def test_a_recording_that_begins_in_the_gap_is_paused_at_once(
    conversation: Conversation, recorder: Recorder, telnyx: Telnyx, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    """The agent pauses, then holds: the call goes into a room, where a recording of its own begins."""
    conversation.wishes(PAUSE)
    recorder.running = {"rec-2": "in-progress"}
    began = {
        "CallSid": conversation.caller.sid,
        "RecordingSid": "rec-2",
        "RecordingStatus": "in-progress",
        "RecordingSource": "StartCallRecordingAPI",
    }

    with (
        patch("recordings.pausing.current_app.send_task") as queued,
        django_capture_on_commit_callbacks(execute=True),
    ):
        telnyx.form("/webhooks/telnyx/recording", began)
    assert queued.call_args.kwargs["kwargs"] == {"call_id": str(conversation.call.pk)}
    pausing.pause_what_began(conversation.call.pk, TelnyxClient.from_settings(), timezone.now())

    assert recorder.running == {"rec-2": "paused"}


def test_whoever_gets_the_call_finds_it_paused_and_his_dial_is_paused_too(
    conversation: Conversation, recorder: Recorder, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    """The agent pauses, and her browser dies or she transfers: another <Dial> records from his answer on."""
    conversation.wishes(PAUSE)
    recorder.running = {"rec-1": "paused", "rec-2": "in-progress"}

    with (
        patch("recordings.pausing.current_app.send_task") as queued,
        django_capture_on_commit_callbacks(execute=True),
    ):
        conversation.leg_tells("v3:luis", "in-progress", ParentCallSid=conversation.caller.sid)
    assert [call.args[0] for call in queued.call_args_list] == ["recordings.tasks.pause_what_began"]

    # Also without it: the reconciler's run minds the gap, and asks only for what runs.
    recorder.switched.clear()
    reconcile_all(get_client(), timezone.now())
    assert recorder.switched == [("rec-2", "paused")]
    Call.objects.filter(pk=conversation.call.pk).update(agent=conversation.luis)
    assert conversation.wishes(RESUME, by=conversation.luis).status_code == 200
    assert set(recorder.running.values()) == {"in-progress"}


def test_what_cannot_be_paused_in_the_gap_is_said_until_it_is(conversation: Conversation, recorder: Recorder) -> None:
    conversation.wishes(PAUSE)
    recorder.running["rec-2"] = "in-progress"
    recorder.refuses = {"rec-2": 422}
    mind()
    assert recording_of(conversation) == "stuck"
    assert conversation.wishes(PAUSE).status_code == 502, "it is not paused yet"

    recorder.refuses = {}
    mind()
    assert recording_of(conversation) == "paused"
    assert recorder.running["rec-2"] == "paused"


def test_the_gap_of_a_call_that_ended_paused_ends_with_it(conversation: Conversation, recorder: Recorder) -> None:
    conversation.wishes(PAUSE)
    gap = RecordingGap.objects.get()
    assert gap.began_at is not None
    ended_at = gap.began_at + timedelta(seconds=30)
    Call.objects.filter(pk=conversation.call.pk).update(status="completed", ended_at=ended_at)

    answer = conversation.wishes(RESUME)
    assert (answer.status_code, answer.json()["code"]) == (409, "over")
    mind(in_s=3600)

    gap.refresh_from_db()
    assert gap.ended_at == ended_at
    assert recorder.switched == [("rec-1", "paused")]


@pytest.mark.parametrize("held", [True, False])
def test_what_the_net_has_of_a_call_with_a_gap_is_never_kept_and_goes_at_telnyx_unless_all_is_held(
    conversation: Conversation, recorder: Recorder, telnyx: Telnyx, held: bool
) -> None:
    if held:
        CompanyHold.objects.create(company=conversation.call.company, reason="case 7", since=timezone.now())
    conversation.wishes(PAUSE)
    conversation.wishes(RESUME)

    telnyx.json("/webhooks/telnyx/events", saved("net", call_control_id=conversation.caller.sid))

    assert not Recording.objects.exists()
    asked = RemoteDeletion.objects.values_list("telnyx_recording_id", flat=True)
    assert list(asked) == ([] if held else ["net"])
