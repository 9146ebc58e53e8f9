"""What the profile records by itself: told first, told twice, let go, taken after all; and gone when all is to go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zlib import crc32

import pytest
import responses
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks as CaptureOnCommit
from pytest_django import Settings

from curbe.lib import locks
from recordings import audit, deletions, operations, search
from recordings.models import Message, Recording, RecordingPolicy, RemoteDeletion, Transcript, TranscriptPolicy
from recordings.remote import delete_due
from telephony.core.channels import Layout
from telephony.models import TelnyxAccount, TelnyxEvent
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests.recordings import files
from tests.scenarios.outgoing import Outgoing
from tests.scenarios.story import CALLER, CONNECTION_ID, Letter, Story
from tests.scenarios.switchboard import Switchboard
from tests.scenarios.test_recording import end_of, listed, remote, saved, talk
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
LIST = "https://api.test/v2/recordings"
EVENTS = "/webhooks/telnyx/events"
DISK = "django.core.files.storage.FileSystemStorage"


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url="https://api.test/v2", sleep=lambda seconds: None))


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    settings.DEBUG = True


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def net_of(story: Story, telnyx: Telnyx, recording_id: str = "net", **more: Any) -> None:
    telnyx.json(EVENTS, saved(recording_id, call_session_id=story.session_id, **more))


def at_telnyx() -> list[str]:
    return sorted(RemoteDeletion.objects.values_list("telnyx_recording_id", flat=True))


def by_company(story: Story) -> None:
    RecordingPolicy.objects.create(company=story.company, kind="call", delete_at_telnyx=True)


def fetch(client: TelnyxClient, recording_id: str, in_s: float = 0) -> Recording:
    row = Recording.objects.get(telnyx_recording_id=recording_id)
    operations.fetch(row.pk, client, timezone.now() + timedelta(seconds=in_s))
    row.refresh_from_db()
    return row


# --- Told as the net's first --------------------------------------------------------------------------------------


def test_a_message_that_is_told_by_an_event_before_its_form_is_a_message_all_the_same(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    story.send(story.caller.ends("completed", 20, answered_at_s=1))
    net_of(story, telnyx, "message", channels="single")
    assert not Message.objects.exists()

    story.recording(recording_id="message", kind="voicemail", RecordingSource="RecordVerb").send(telnyx)

    recording = Recording.objects.get()
    assert (recording.kind, recording.layout, recording.is_net) == ("voicemail", "message", False)
    assert recording.next_attempt_at is not None and recording.next_attempt_at <= timezone.now()
    assert Message.objects.get().recording == recording
    assert story.call.outcome == "voicemail"


def test_one_that_was_let_go_as_the_nets_and_is_the_calls_own_is_kept_at_telnyx(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    by_company(story)
    talk(story)
    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)
    Recording.objects.update(state=Recording.State.STORED)
    net_of(story, telnyx, "second")
    assert at_telnyx() == ["second"]

    story.recording(recording_id="second", RecordingStartTime=(end_of(story) + timedelta(hours=1)).isoformat()).send(
        telnyx
    )

    assert Recording.objects.filter(telnyx_recording_id="second", is_net=False).exists()
    assert at_telnyx() == []


@responses.activate
def test_an_event_without_the_recordings_id_and_the_list_that_has_it_are_one_row(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    story = Story(telnyx)
    talk(story)
    began = (end_of(story) - timedelta(seconds=56)).isoformat()
    times = {"recording_started_at": began, "recording_ended_at": end_of(story).isoformat()}
    nameless = saved("x", call_session_id=story.session_id, call_control_id=story.caller_sid, **times)
    del nameless["data"]["payload"]["recording_id"]
    telnyx.json(EVENTS, nameless)
    assert Recording.objects.get().telnyx_recording_id == "event-of-x"

    row = remote(story, "true-id", initiated_by="Trunking", recording_started_at=began)
    responses.get(LIST, json=listed(row))
    search.poll(client, timezone.now() + timedelta(minutes=1))

    assert list(Recording.objects.values_list("telnyx_recording_id", flat=True)) == ["event-of-x"]


# --- Covered, or not ----------------------------------------------------------------------------------------------


def test_of_a_call_that_nobody_answered_the_message_is_all_that_is_kept(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    story.send(story.caller.ends("completed", 40, answered_at_s=1))
    story.recording(recording_id="message", kind="voicemail", RecordingSource="RecordVerb").send(telnyx)

    began = story.now
    net_of(
        story,
        telnyx,
        recording_started_at=began.isoformat(),
        recording_ended_at=(began + timedelta(seconds=40)).isoformat(),
    )

    assert list(Recording.objects.values_list("telnyx_recording_id", flat=True)) == ["message"]


@responses.activate
def test_an_own_one_of_unknown_length_takes_the_nets_place_when_it_is_here(
    telnyx: Telnyx, client: TelnyxClient, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    talk(story)
    began = story.now + timedelta(seconds=4)
    times = {"recording_started_at": began.isoformat(), "recording_ended_at": end_of(story).isoformat()}
    net_of(story, telnyx, **times)
    story.recording(recording_id="own", url=files.URL, RecordingDuration="", RecordingStartTime=began.isoformat()).send(
        telnyx
    )
    assert Recording.objects.count() == 2
    responses.get(files.URL, body=files.wav(56, hz=100))

    with patch("recordings.operations.current_app.send_task"), django_capture_on_commit_callbacks(execute=True):
        assert fetch(client, "own").state == Recording.State.STORED

    assert list(Recording.objects.values_list("telnyx_recording_id", flat=True)) == ["own"]


def test_one_that_is_held_is_not_let_go_when_its_call_comes(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)
    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)
    net = Recording.objects.create(telnyx_recording_id="net", is_net=True, is_held=True, company=story.company)

    net_of(story, telnyx)

    net.refresh_from_db()
    assert (net.call, net.state) == (story.call, Recording.State.PENDING)


def test_what_was_stored_before_its_call_goes_at_telnyx_as_the_company_wants(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    by_company(story)
    talk(story)
    Recording.objects.create(telnyx_recording_id="own", state=Recording.State.STORED, channels=1)

    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)

    own = Recording.objects.get()
    assert (own.call, own.company) == (story.call, story.company)
    assert own.layout == Layout.MONO, "its audio has one channel, whatever is told"
    assert at_telnyx() == ["own"]


@responses.activate
def test_what_is_told_of_the_channels_while_it_comes_is_what_they_are(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    net_of(story, telnyx)
    Recording.objects.update(source_url=files.URL)
    responses.get(files.URL, body=files.wav(1))

    def told(*_: object, **__: object) -> None:
        Recording.objects.update(layout=Layout.MESSAGE)

    with patch("recordings.storage.keep", side_effect=told):
        fetch(client, "net", in_s=20)

    assert Recording.objects.get().layout == Layout.MESSAGE


def test_a_net_of_a_leg_that_was_made_for_the_call_does_not_say_who_is_where(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)
    story.leg_of(story.agents[0])
    forward = story.leg_of(story.agents[1])
    story.send(forward.rings(2))

    net_of(story, telnyx, "mine", call_control_id=story.caller_sid)
    net_of(story, telnyx, "others", call_control_id=forward.sid)

    layouts = dict(Recording.objects.values_list("telnyx_recording_id", "layout"))
    assert layouts["mine"] == "dial"
    assert layouts.get("others", "") == ""


# --- Gone, when it is to go ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("net_first", [True, False])
def test_deleting_a_recording_deletes_what_the_net_has_of_it_at_telnyx_too(telnyx: Telnyx, net_first: bool) -> None:
    story = Story(telnyx)
    talk(story)
    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)
    if net_first:
        net_of(story, telnyx)

    deletions.delete(Recording.objects.get().pk, who=audit.CLOCK, now=timezone.now())
    if not net_first:
        assert at_telnyx() == ["own"]
        net_of(story, telnyx)

    assert at_telnyx() == ["net", "own"]
    assert Recording.objects.get().state == Recording.State.DELETED


def test_while_a_part_of_the_call_is_held_the_second_copy_stays(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)
    half = (end_of(story) - timedelta(seconds=26)).isoformat()
    first = (end_of(story) - timedelta(seconds=56)).isoformat()
    story.recording(recording_id="one", RecordingDuration="29", RecordingStartTime=first).send(telnyx)
    story.recording(recording_id="two", RecordingDuration="26", RecordingStartTime=half).send(telnyx)
    net_of(story, telnyx)
    Recording.objects.filter(telnyx_recording_id="two").update(is_held=True)

    deletions.delete(Recording.objects.get(telnyx_recording_id="one").pk, who=audit.CLOCK, now=timezone.now())

    assert at_telnyx() == ["one"]


@responses.activate
@pytest.mark.parametrize("net_first", [True, False])
def test_whose_company_wants_no_copy_at_telnyx_has_none_whenever_the_net_is_told(
    telnyx: Telnyx, client: TelnyxClient, net_first: bool
) -> None:
    story = Story(telnyx)
    by_company(story)
    talk(story)
    responses.get(files.URL, body=files.wav(56, hz=100))
    story.recording(recording_id="own", url=files.URL, RecordingDuration="56").send(telnyx)
    if net_first:
        net_of(story, telnyx)
        assert at_telnyx() == []

    fetch(client, "own")
    if not net_first:
        net_of(story, telnyx)

    assert at_telnyx() == ["net", "own"]


@responses.activate
def test_the_net_stays_at_telnyx_while_another_part_of_the_call_is_on_its_way(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx)
    by_company(story)
    talk(story)
    half = (end_of(story) - timedelta(seconds=26)).isoformat()
    first = (end_of(story) - timedelta(seconds=56)).isoformat()
    responses.get(files.URL, body=files.wav(29, hz=100))
    story.recording(recording_id="one", url=files.URL, RecordingDuration="29", RecordingStartTime=first).send(telnyx)
    story.recording(recording_id="two", url=files.URL, RecordingDuration="26", RecordingStartTime=half).send(telnyx)
    net_of(story, telnyx)

    fetch(client, "one")
    assert at_telnyx() == ["one"]
    fetch(client, "two")

    assert at_telnyx() == ["net", "one", "two"]


@responses.activate
def test_a_storage_that_is_away_when_the_net_is_let_go_is_asked_again_and_nothing_is_left(
    telnyx: Telnyx, client: TelnyxClient, tmp_path: Path, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    talk(story)
    net_of(story, telnyx)
    responses.get(files.URL, body=files.wav(1))
    fetch(client, "net", in_s=20)
    assert len(kept(tmp_path)) == 1

    with (
        patch(f"{DISK}.delete", side_effect=OSError(5, "Input/output error")),
        patch("recordings.operations.current_app.send_task"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        story.recording(recording_id="own", RecordingDuration="56").send(telnyx)
    assert story.call.recordings.get().telnyx_recording_id == "own"
    assert len(kept(tmp_path)) == 1

    deletions.finish(client, timezone.now())

    assert kept(tmp_path) == []
    assert Recording.objects.get().telnyx_recording_id == "own"


# --- Words --------------------------------------------------------------------------------------------------------


def text_of(story: Story, recording_id: str) -> Letter:
    return Letter(
        f"/webhooks/telnyx/transcription/{story.company.public_id}?call={story.call.pk}",
        {
            "CallSid": story.caller_sid,
            "From": CALLER,
            "RecordingSid": recording_id,
            "TranscriptionSid": f"text of {recording_id}",
            "TranscriptionStatus": "completed",
            "TranscriptionText": "la clave es cinco",
        },
    )


def words_in_the_ledger() -> int:
    return sum("cinco" in str(payload) for payload in TelnyxEvent.objects.values_list("payload", flat=True))


@pytest.mark.parametrize("text_first", [True, False])
def test_the_text_of_a_net_that_is_let_go_goes_with_it(telnyx: Telnyx, text_first: bool) -> None:
    story = Story(telnyx)
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    talk(story)
    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)

    if text_first:
        text_of(story, "net").send(telnyx)
        assert Transcript.objects.filter(telnyx_recording_id="net").exists()
    net_of(story, telnyx)
    if not text_first:
        text_of(story, "net").send(telnyx)

    assert not Transcript.objects.filter(telnyx_recording_id="net").exists()
    assert words_in_the_ledger() == 0


@pytest.mark.parametrize("text_first", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_the_text_of_a_conversation_is_kept_only_where_it_is_wanted_whichever_comes_first(
    telnyx: Telnyx, text_first: bool, wanted: bool
) -> None:
    story = Story(telnyx)
    if wanted:
        TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    talk(story)
    own, text = story.recording(recording_id="own"), text_of(story, "own")

    story.send([text, own] if text_first else [own, text])

    assert Transcript.objects.filter(state=Transcript.State.SAVED).count() == wanted
    assert words_in_the_ledger() == wanted


def test_what_was_said_goes_with_the_recording_from_the_ledger_and_at_telnyx_too(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx)
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    talk(story)
    story.send([story.recording(recording_id="own"), text_of(story, "own"), text_of(story, "another")])
    body = {
        "recording_id": "own",
        "recording_transcription_id": "t",
        "transcription_text": "cinco",
        "status": "completed",
    }
    said = {"event_type": "call.recording.transcription.saved", "id": "e", "payload": body}
    telnyx.json(EVENTS, {"data": said})
    assert words_in_the_ledger() == 3

    deletions.delete(Recording.objects.get().pk, who=audit.CLOCK, now=timezone.now())

    assert words_in_the_ledger() == 1
    assert at_telnyx() == ["own", "t", "text of own"]
    asked = []
    with responses.RequestsMock() as api:
        for path in ("recordings/own", "recording_transcriptions/t", "recording_transcriptions/text%20of%20own"):
            asked.append(api.delete(f"https://api.test/v2/{path}", json={}))
        delete_due(client, timezone.now() + timedelta(seconds=31))
    assert [one.call_count for one in asked] == [1, 1, 1]
    assert not Transcript.objects.filter(telnyx_recording_id="own").exists()


# --- Looked up ----------------------------------------------------------------------------------------------------


@responses.activate
def test_what_still_runs_is_not_taken_for_a_recording(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get(LIST, json=listed(remote(story, status="in-progress")))

    assert search.find_missing(client, end_of(story) + timedelta(seconds=61)) == 0

    assert not Recording.objects.exists()


def test_while_one_reads_the_list_nobody_else_does(telnyx: Telnyx, client: TelnyxClient) -> None:
    """A reading may last longer than the clock waits; two would take every process that can be spared."""
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    again = []

    def read(**_: object) -> list[object]:
        with ThreadPoolExecutor(1) as other:
            again.append(other.submit(elsewhere).result(20))
        return []

    def elsewhere() -> bool:
        try:
            with locks.if_free(search.LOCK << 32 | crc32(CONNECTION_ID.encode())) as is_free:
                return is_free
        finally:
            connection.close()

    with patch.object(client, "each_recording", side_effect=read):
        search.poll(client, timezone.now())

    with ThreadPoolExecutor(1) as other:
        again.append(other.submit(elsewhere).result(20))
    assert again == [False, True], "it was given back"


@responses.activate
def test_the_list_is_read_far_back_once_an_hour(telnyx: Telnyx, client: TelnyxClient) -> None:
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    responses.get(LIST, json=listed())
    now = timezone.now()
    read: dict[int, list[tuple[int, int]]] = {}

    for minute in range(0, 125, 5):
        responses.calls.reset()
        at = now + timedelta(minutes=minute)
        search.poll(client, at)
        read[minute] = [(back(call, "gte", at), back(call, "lte", at)) for call in responses.calls]

    assert read[0] == [(24 * 60, 0)]
    far = (search.READ_BACK.total_seconds() / 60 + 5, 15)
    assert {minute for minute, ranges in read.items() if ranges == [(15, 0), far]} == {60, 120}
    assert all(ranges == [(15, 0)] for minute, ranges in read.items() if minute not in {0, 60, 120})


def back(call: Any, end: str, at: datetime) -> int:
    """Return how many minutes before that moment the list was to begin, or end."""
    moment = datetime.fromisoformat(call.request.params[f"filter[created_at][{end}]"])
    return round((at - moment).total_seconds() / 60)


@pytest.fixture
def ended_call_out(telnyx: Telnyx, board: Switchboard) -> Outgoing:
    """A call out that is over, and of whose recording nothing was told."""
    out = Outgoing(telnyx, board)
    sid = out.rings()
    out.customer_answers(sid)
    for one in (sid, out.ana_sid):
        out.tells(one, "completed", EndTime=timezone.now().isoformat())
    assert out.call.status == "completed"
    return out


@pytest.mark.parametrize("alone", [True, False])
def test_the_lost_recording_of_a_call_out_is_found_by_its_customers_leg(
    ended_call_out: Outgoing, telnyx: Telnyx, client: TelnyxClient, alone: bool
) -> None:
    """It is a session of its own, on another connection than the leg that was parked."""
    out = ended_call_out
    customer = {"call_control_id": out.call.called_sid, "call_session_id": "a session of its own"}
    row = {
        "id": "rec-out",
        "channels": "dual",
        "status": "completed",
        "initiated_by": "StartCallRecordingAPI",
        "created_at": timezone.now().isoformat(),
        "download_urls": {"mp3": files.URL},
        **customer,
    }

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        import json

        params = request.params
        is_asked = (
            params.get("filter[call_control_id]") == out.call.called_sid
            or params.get("filter[connection_id]") == CONNECTION_ID
        )
        return 200, {}, json.dumps(listed(row) if is_asked else listed())

    with responses.RequestsMock() as api:
        api.add_callback("GET", LIST, callback=answer)
        now = end_of_call(out) + timedelta(seconds=5)
        if alone:
            search.find_fresh(client, now)
        else:
            with patch("recordings.search.FEW", 0):
                search.find_fresh(client, now)

    recording = Recording.objects.get()
    assert (recording.call, recording.layout) == (out.call, "room")


def end_of_call(out: Outgoing) -> Any:
    ended_at = out.call.ended_at
    assert ended_at is not None
    return ended_at


def test_a_finished_recording_of_an_open_call_has_telnyx_asked_whether_it_is_over(telnyx: Telnyx) -> None:
    """Every word on its end was lost: the reconciler's next run asks, and does not wait for the silence."""
    story = Story(telnyx)
    story.begin()
    ana = story.leg_of(story.agents[0])
    story.send([*ana.rings(), *ana.answers(4)])
    story.recording().send(telnyx)

    assert story.call.status == "in_progress"
    assert timezone.now() - story.call.last_news_at >= timedelta(seconds=15)
