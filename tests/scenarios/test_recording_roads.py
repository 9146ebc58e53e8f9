"""Whatever tells of a recording, and whosever it is: one row, the right call, or kept and listed all the same."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import pytest
import responses
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks as CaptureOnCommit
from pytest_django import Settings

from curbe.companies.models import Role
from recordings import arrivals, operations, pausing, search
from recordings.models import PollMark, Recording, RecordingGap, RemoteDeletion, Transcript, TranscriptPolicy
from telephony.models import RecordingRule, TelnyxAccount
from telephony.operations import ledger
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.recordings import files
from tests.scenarios.conversation import Conversation, browser_of
from tests.scenarios.story import ACCOUNT_SID, CONNECTION_ID, Story
from tests.scenarios.switchboard import Switchboard
from tests.scenarios.test_recording import end_of, listed, remote, saved, talk
from tests.scenarios.test_talk_outbound import Outgoing
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
LIST = "https://api.test/v2/recordings"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url="https://api.test/v2", sleep=lambda seconds: None))


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    settings.DEBUG = True


def nobodys(**more: str) -> dict[str, str]:
    return {
        "CallSid": "v3:not-ours",
        "ConnectionId": CONNECTION_ID,
        "RecordingSid": "rec-x",
        "RecordingStatus": "completed",
        "RecordingUrl": files.URL,
        "RecordingDuration": "3",
        **more,
    }


def later(seconds: float) -> None:
    """The worker looks for what waits."""
    ledger.process_due(timezone.now() + timedelta(seconds=seconds))


# --- Whose is it? -------------------------------------------------------------------------------------------------


@responses.activate
def test_one_that_matches_no_call_is_kept_for_the_company_of_its_number_and_listed(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx)
    responses.get(files.URL, body=files.wav(3))
    telnyx.form("/webhooks/telnyx/recording", nobodys(To=story.number.e164, From="+13125550100"))
    later(10)
    assert not Recording.objects.exists()

    later(130)
    operations.fetch(Recording.objects.get().pk, client, timezone.now() + timedelta(seconds=130))

    stray = Recording.objects.get()
    assert (stray.company, stray.call, stray.state) == (story.company, None, "stored")
    assert str(stray.audio.name).startswith(story.company.public_id)
    owner = cast.make_user(story.company, "olga", role=Role.OWNER)
    page = cast.client_for(owner).get("/recordings/settings/").content.decode()
    assert f"/api/recordings/{stray.pk}/audio" in page
    agent = cast.client_for(story.agents[0].user)
    assert agent.get(f"/api/recordings/{stray.pk}/audio").status_code == 403


def test_one_of_a_connection_of_a_companys_own_is_that_companys(telnyx: Telnyx) -> None:
    company = cast.make_company()
    TelnyxAccount.objects.create(company=company, texml_application_id=CONNECTION_ID)
    telnyx.form("/webhooks/telnyx/recording", nobodys())

    later(130)

    assert Recording.objects.get().company == company


def test_between_two_companies_or_of_none_it_is_the_operators(telnyx: Telnyx) -> None:
    one, other = Story(telnyx), Story(telnyx)
    telnyx.form("/webhooks/telnyx/recording", nobodys(From=one.number.e164, To=other.number.e164))

    later(130)

    stray = Recording.objects.get()
    assert stray.company is None
    assert (stray.from_number, stray.to_number) == (one.number.e164, other.number.e164)


@responses.activate
def test_one_that_was_kept_as_nobodys_goes_to_its_call_when_that_comes(
    telnyx: Telnyx, client: TelnyxClient, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    telnyx.form("/webhooks/telnyx/recording", nobodys(CallSid=story.caller_sid, RecordingSource="DialVerb"))
    later(130)
    assert Recording.objects.get().call is None

    story.begin()

    assert (Recording.objects.get().call, Recording.objects.get().company) == (story.call, story.company)


# --- Nobody told us: the list is read -----------------------------------------------------------------------------


@responses.activate
def test_the_poll_finds_what_no_webhook_announced_also_of_a_call_that_has_another(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    story = Story(telnyx)
    talk(story)
    story.recording(recording_id="told").send(telnyx)
    began = (end_of(story) + MINUTE).isoformat()
    responses.get(
        LIST,
        json=listed(
            remote(story, "told"),
            remote(story, "second", initiated_by="StartCallRecordingAPI", recording_started_at=began),
        ),
    )

    assert search.poll(client, timezone.now() + MINUTE) == 1
    assert search.poll(client, timezone.now() + 2 * MINUTE) == 0

    ids = Recording.objects.order_by("started_at").values_list("telnyx_recording_id", flat=True)
    assert list(ids) == ["told", "second"]
    assert set(Recording.objects.values_list("call", flat=True)) == {story.call.pk}
    asked = str(responses.calls[1].request.url)
    assert f"filter%5Bconnection_id%5D={CONNECTION_ID}" in asked
    mark = PollMark.objects.get()
    assert (mark.pk, mark.polled_until > timezone.now()) == (CONNECTION_ID, True)


@responses.activate
def test_what_the_poll_finds_of_nobody_waits_and_is_kept(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    row = remote(story, "lost", call_control_id="v3:other", call_session_id="other", to=story.number.e164)
    responses.get(LIST, json=listed(row))

    search.poll(client, timezone.now())
    later(130)

    assert (Recording.objects.get().company, Recording.objects.get().call) == (story.company, None)


# --- The net ------------------------------------------------------------------------------------------------------


def test_the_net_is_kept_where_a_segment_was_lost_and_dropped_where_none_was(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)
    began = story.now + timedelta(seconds=4)
    whole = {"recording_started_at": began.isoformat(), "recording_ended_at": end_of(story).isoformat()}
    half = (began + timedelta(seconds=30)).isoformat()
    story.recording(recording_id="second half", RecordingStartTime=half, RecordingDuration="26").send(telnyx)

    telnyx.json("/webhooks/telnyx/events", saved("net", call_session_id=story.session_id, **whole))
    assert Recording.objects.get(telnyx_recording_id="net").is_net

    first = began.isoformat()
    story.recording(recording_id="first half", RecordingStartTime=first, RecordingDuration="29").send(telnyx)
    assert not Recording.objects.filter(is_net=True).exists()


@responses.activate
def test_the_net_comes_back_when_texmls_own_is_given_up(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    talk(story)
    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)
    telnyx.json("/webhooks/telnyx/events", saved("net", call_session_id=story.session_id))
    assert Recording.objects.count() == 1
    own = Recording.objects.get()
    Recording.objects.filter(pk=own.pk).update(attempts=len(operations.BACK_OFF_S), source_url="")
    responses.get(f"{LIST}/own", status=404, json={"errors": []})

    tried = operations.fetch(own.pk, client, timezone.now() + MINUTE)
    assert tried is not None and tried.state == Recording.State.FAILED
    arrivals.fall_back_on_the_net(tried, timezone.now())

    net = Recording.objects.get(is_net=True)
    assert net.call == story.call
    # What is said in it is wanted as it would have been of the other.
    assert Transcript.objects.filter(recording=net, state=Transcript.State.AWAITED).exists()


# --- Card data ----------------------------------------------------------------------------------------------------


@pytest.fixture
def conversation(telnyx: Telnyx, board: Switchboard) -> Conversation:
    return Conversation(telnyx, board, agents=2)


class Recorder:
    """What Telnyx records of the caller's leg, and how it was asked to switch."""

    def __init__(self, conversation: Conversation, settings: Settings) -> None:
        self.running = [{"sid": "rec-1", "status": "in-progress"}]
        self.switched: list[str] = []
        api, base = conversation.board.api, settings.TELNYX_API_URL
        legs = f"{base}/texml/Accounts/{ACCOUNT_SID}/Calls"
        any_leg = re.compile(rf"{re.escape(legs)}/[^/]+/Recordings\.json(\?.*)?$")
        one = re.compile(rf"{re.escape(legs)}/[^/]+/Recordings/rec-\d\.json$")
        self.mine = conversation.caller.sid
        api.add_callback("GET", any_leg, callback=self._list)
        api.add_callback("POST", one, callback=self._switch)
        self.status = 200

    def _list(self, request: Any) -> tuple[int, dict[str, str], str]:
        rows = self.running if self.mine in unquote(request.url) else []
        return self.status, {}, json.dumps({"recordings": rows})

    def _switch(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.switched.append(str(request.body))
        return 200, {}, "{}"


@pytest.fixture
def recorder(conversation: Conversation, settings: Settings) -> Recorder:
    return Recorder(conversation, settings)


def test_the_agent_pauses_and_goes_on_and_the_gap_is_marked(conversation: Conversation, recorder: Recorder) -> None:
    answer = conversation.wishes("recording/pause")
    assert (answer.status_code, answer.json()["paused"]) == (200, True)
    assert conversation.wishes("recording/pause").status_code == 200
    answer = conversation.wishes("recording/resume")
    assert (answer.status_code, answer.json()["paused"]) == (200, False)

    assert recorder.switched == ["Status=paused", "Status=in-progress"]
    gap = RecordingGap.objects.get()
    assert (gap.call, gap.agent) == (conversation.call, conversation.ana)
    assert gap.began_at is not None and gap.ended_at is not None
    began = gap.began_at - timedelta(seconds=30)
    heard = Recording(call=conversation.call, started_at=began, duration_s=60)
    assert [(cut.at_s, cut.missing_s > 0) for cut in pausing.cuts_of([heard])[heard.pk]] == [(30, True)]
    answer = conversation.wishes("recording/resume")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_paused")


def test_whose_call_it_is_not_may_not_and_a_stranger_does_not_know_it(
    conversation: Conversation, recorder: Recorder
) -> None:
    assert conversation.wishes("recording/pause", by=conversation.luis).status_code == 403
    stranger = cast.make_agent(cast.make_company())
    path = f"/api/calls/{conversation.call.pk}/recording/pause"
    assert browser_of(stranger).post(path, {}, content_type="application/json").status_code == 404
    assert recorder.switched == []


def test_nothing_recorded_is_409_and_a_telnyx_that_refuses_502_and_no_gap_stays_open(
    conversation: Conversation, recorder: Recorder
) -> None:
    recorder.running = []
    assert conversation.wishes("recording/pause").json()["code"] == "nothing_recorded"
    recorder.status = 422
    assert conversation.wishes("recording/pause").status_code == 502

    assert not RecordingGap.objects.filter(ended_at=None).exists()
    assert not RecordingGap.objects.filter(began_at__isnull=False).exists()


def test_a_recording_that_begins_in_the_gap_is_paused_at_once(
    conversation: Conversation, recorder: Recorder, telnyx: Telnyx, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    """The agent pauses, then holds: the call goes into a room, where a recording of its own begins."""
    conversation.wishes("recording/pause")
    recorder.running = [{"sid": "rec-2", "status": "in-progress"}]
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
    client = TelnyxClient.from_settings()
    pausing.pause_what_began(conversation.call.pk, client, timezone.now())

    assert recorder.switched == ["Status=paused", "Status=paused"]


def test_what_the_net_has_of_a_call_with_a_gap_is_never_kept_and_goes_at_telnyx(
    conversation: Conversation, recorder: Recorder, telnyx: Telnyx
) -> None:
    conversation.wishes("recording/pause")
    conversation.wishes("recording/resume")

    telnyx.json("/webhooks/telnyx/events", saved("net", call_control_id=conversation.caller.sid))

    assert not Recording.objects.exists()
    assert RemoteDeletion.objects.get().telnyx_recording_id == "net"


# --- What is said before ------------------------------------------------------------------------------------------


def test_a_caller_is_told_before_the_phones_ring_and_they_are_held_for_longer(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=1)
    RecordingRule.objects.create(company=story.company, say_es="Grabamos esta llamada para cuidar el servicio.")

    document = story.begin()

    assert document.index("Grabamos esta llamada") < document.index("<Dial")
    offer = story.call.offers.get()
    assert (offer.expires_at - offer.offered_at).total_seconds() >= 25 + 5 + 4
    # Once: the next step says nothing.
    assert "Grabamos" not in story.dial_ended("no-answer")


def test_a_number_of_its_own_says_nothing(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    RecordingRule.objects.create(company=story.company)
    RecordingRule.objects.create(company=story.company, number=story.number, announces=False)

    assert "<Say" not in story.begin()


def test_who_is_called_is_told_when_he_comes_into_the_room_before_it_is_recorded(
    telnyx: Telnyx, board: Switchboard
) -> None:
    out = Outgoing(telnyx, board)
    RecordingRule.objects.create(company=out.line.company, direction="outbound")
    sid = out.rings()

    document = out.customer_answers(sid)

    assert document.verbs == ["Say", "Start", "Dial"]
    assert "Esta llamada puede ser grabada." in document.bytes.decode()
    assert 'recordingStatusCallbackEvent="in-progress completed"' in document.bytes.decode()
