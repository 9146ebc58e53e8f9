"""A recording comes: after its call, before it, twice, from two sides; a voicemail; or nobody tells us of it."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import responses
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import DjangoAssertNumQueries as AssertNumQueries
from pytest_django import DjangoCaptureOnCommitCallbacks as CaptureOnCommit
from pytest_django import Settings

from recordings import operations, search
from recordings.models import Recording
from telephony.models import Call, CallIdentifier, TelnyxEvent
from telephony.operations import ledger
from telephony.operations.reconcile import reconcile_all
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests.recordings import files
from tests.scenarios.story import CONNECTION_ID, Story
from tests.telnyx_post import Telnyx
from tests.test_broker import MOST_S, an_app

pytestmark = pytest.mark.django_db
QUEUED = "recordings.operations.current_app.send_task"


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url="https://api.test/v2", sleep=lambda seconds: None))


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    settings.DEBUG = True


def talk(story: Story) -> None:
    """Ana answers, and the call ends after a minute."""
    story.begin()
    ana = story.leg_of(story.agents[0])
    story.send([*ana.rings(), *ana.answers(4), *ana.ends("completed", 60, answered_at_s=4)])
    story.dial_ended("completed", child=ana, duration_s=56)
    story.send(story.caller.ends("completed", 60.5, answered_at_s=4))


def test_a_recording_is_pending_as_soon_as_telnyx_says_so_and_its_fetch_is_queued(
    telnyx: Telnyx, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    talk(story)
    letter = story.recording(recording_id="rec-1", url=files.URL)

    with patch(QUEUED) as queued, django_capture_on_commit_callbacks(execute=True):
        letter.send(telnyx)

    recording = Recording.objects.get()
    assert (recording.state, recording.kind, recording.call) == (Recording.State.PENDING, "call", story.call)
    assert (recording.duration_s, recording.channels, recording.source_url) == (12, 2, files.URL)
    assert queued.call_args.args == ("recordings.tasks.fetch_recording",)
    assert queued.call_args.kwargs["kwargs"] == {"recording_id": str(recording.pk)}
    assert CallIdentifier.objects.filter(call=story.call, value="rec-1", kind="recording_id").exists()


def test_its_webhook_takes_few_statements(
    telnyx: Telnyx, django_assert_num_queries: AssertNumQueries, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    talk(story)
    letter = story.recording(recording_id="rec-1", url=files.URL)

    with patch(QUEUED), django_capture_on_commit_callbacks(execute=True), django_assert_num_queries(14):
        letter.send(telnyx)


def test_without_a_broker_the_webhook_succeeds_and_the_beat_finds_the_recording(
    telnyx: Telnyx, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    talk(story)

    with patch(QUEUED, side_effect=OperationalError("no broker")), django_capture_on_commit_callbacks(execute=True):
        story.recording().send(telnyx)

    due = Recording.objects.filter(state=Recording.State.PENDING, next_attempt_at__lte=timezone.now())
    assert due.count() == 1


def test_while_redis_is_away_it_is_taken_in_at_once_and_fetched_by_the_beat(
    telnyx: Telnyx, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    """Celery's own way to a broker that is not there."""
    story = Story(telnyx)
    talk(story)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    away = patch("recordings.operations.current_app", an_app(f"redis://127.0.0.1:{port}/0"))

    started = time.perf_counter()
    with away, django_capture_on_commit_callbacks(execute=True):
        story.recording().send(telnyx)
        assert operations.queue_due(timezone.now()) == 1
    assert time.perf_counter() - started < 2 * MOST_S

    with patch(QUEUED) as queued, django_capture_on_commit_callbacks(execute=True):
        assert operations.queue_due(timezone.now() + operations.QUEUED_FOR) == 1
    assert queued.call_args.kwargs["kwargs"] == {"recording_id": str(Recording.objects.get().pk)}


def test_doubled_and_told_by_json_as_well_it_is_one_recording(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)
    letter = story.recording(recording_id="rec-1")

    story.send([letter, letter])
    telnyx.json("/webhooks/telnyx/events", saved("rec-1", call_session_id=story.session_id))

    assert Recording.objects.count() == 1
    assert not TelnyxEvent.objects.filter(processed_at=None).exists()


def saved(recording_id: str, **payload: Any) -> dict[str, Any]:
    return {
        "data": {
            "event_type": "call.recording.saved",
            "id": f"event-of-{recording_id}",
            "payload": {
                "recording_id": recording_id,
                "channels": "dual",
                "recording_urls": {"mp3": files.URL},
                **payload,
            },
        }
    }


def test_a_recording_that_comes_before_its_call_waits_for_it(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    early = {
        "CallSid": story.caller_sid,
        "RecordingSid": "rec-1",
        "RecordingStatus": "completed",
        "RecordingUrl": files.URL,
        "RecordingDuration": "3",
    }

    telnyx.form("/webhooks/telnyx/recording", early)
    assert not Recording.objects.exists()

    story.begin()
    assert Recording.objects.get().call == story.call


def test_a_recording_that_only_began_or_has_nothing_in_it_makes_no_row(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)

    story.send([story.recording(RecordingStatus="in-progress"), story.recording(RecordingStatus="absent")])

    assert not Recording.objects.exists()
    assert TelnyxEvent.objects.filter(kind__startswith="recording.", processed_at__isnull=False).count() == 2


@pytest.mark.parametrize("after_the_end", [True, False])
def test_a_message_makes_the_call_a_voicemail(telnyx: Telnyx, after_the_end: bool) -> None:
    story = Story(telnyx, agents=0)
    assert "<Record" in story.begin()
    end = story.caller.ends("completed", 20, answered_at_s=1)
    message = [story.recording(kind="voicemail", RecordingSource="RecordVerb")]

    story.send([*end, *message] if after_the_end else [*message, *end])

    assert (story.call.status, story.call.outcome) == (Call.Status.COMPLETED, "voicemail")
    assert Recording.objects.get().kind == Recording.Kind.VOICEMAIL


def test_an_answered_call_stays_answered_whatever_is_recorded(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)

    story.recording(kind="voicemail").send(telnyx)

    assert story.call.outcome == "answered"


@responses.activate
def test_from_the_callback_to_the_stored_audio(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get(files.URL, body=files.wav(3))
    story.recording(url=files.URL).send(telnyx)

    operations.fetch(Recording.objects.get().pk, client, timezone.now())

    recording = Recording.objects.get()
    assert (recording.state, recording.duration_s, recording.content_type) == ("stored", 3, "audio/wav")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"body": b"<!DOCTYPE html><html>Log in</html>", "content_type": "audio/mpeg"}, "web page"),
        ({"body": b"", "content_type": "audio/mpeg"}, "empty"),
        ({"body": files.wav(3)[:9000], "content_type": "audio/wav"}, "cut short"),
    ],
)
@responses.activate
def test_what_comes_instead_of_the_audio_is_said_and_the_audio_is_asked_for_again(
    telnyx: Telnyx, client: TelnyxClient, answer: dict[str, Any], why: str
) -> None:
    story = Story(telnyx)
    talk(story)
    story.recording(url=files.URL).send(telnyx)
    responses.get(files.URL, **answer)
    recording = Recording.objects.get()

    operations.fetch(recording.pk, client, timezone.now())
    recording.refresh_from_db()
    assert (recording.state, why in recording.error) == ("pending", True)
    responses.replace(responses.GET, files.URL, body=files.wav(3))
    operations.fetch(recording.pk, client, timezone.now() + timedelta(seconds=3))

    recording.refresh_from_db()
    assert (recording.state, recording.duration_s, recording.error) == ("stored", 3, "")


@pytest.mark.parametrize("late", ["the fetch", "the callback"])
@responses.activate
def test_after_the_link_died_a_fresh_one_is_asked_for(telnyx: Telnyx, client: TelnyxClient, late: str) -> None:
    story = Story(telnyx)
    talk(story)
    fresh = {"id": "rec-1", "status": "completed", "download_urls": {"mp3": files.URL}}
    responses.get("https://api.test/v2/recordings/rec-1", json={"data": fresh})
    responses.get(files.URL, body=files.wav(3))
    letter = story.recording(recording_id="rec-1", url="http://127.0.0.1:9/dead.mp3")
    now = timezone.now()
    if late == "the callback":
        # It was kept, and could not be acted on for a quarter of an hour.
        with patch("recordings.arrivals.expect", side_effect=RuntimeError("no room")):
            letter.send(telnyx)
        ledger.process_again(TelnyxEvent.objects.get(kind="recording.completed").pk, now + timedelta(minutes=15))
    else:
        letter.send(telnyx)

    operations.fetch(Recording.objects.get().pk, client, now + timedelta(minutes=15))

    assert Recording.objects.get().state == "stored"
    # The dead one was not even tried.
    assert [str(call.request.url) for call in responses.calls][1:] == [files.URL]


# --- Nobody told us -----------------------------------------------------------------------------------------------


def remote(story: Story, recording_id: str = "rec-9", **more: Any) -> dict[str, Any]:
    return {
        "id": recording_id,
        "call_control_id": story.caller_sid,
        "call_session_id": story.session_id,
        "channels": "dual",
        "duration_millis": 56_000,
        "status": "completed",
        "initiated_by": "DialVerb",
        "created_at": timezone.now().isoformat(),
        "download_urls": {"mp3": files.URL},
        **more,
    }


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(rows), "meta": {"page_number": 1, "total_pages": 1}}


def end_of(story: Story) -> Any:
    ended_at = story.call.ended_at
    assert ended_at is not None
    return ended_at


@responses.activate
def test_a_recording_that_nobody_told_us_of_is_found_by_its_session(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get("https://api.test/v2/recordings", json=listed(remote(story)))

    assert search.find_missing(client, end_of(story) + timedelta(seconds=61)) == 1

    recording = Recording.objects.get()
    assert (recording.telnyx_recording_id, recording.call) == ("rec-9", story.call)
    assert f"filter%5Bcall_session_id%5D={story.session_id}" in str(responses.calls[0].request.url)
    repair = TelnyxEvent.objects.get(kind="recording.completed")
    assert repair.source == TelnyxEvent.Source.RECONCILER
    assert repair.payload["did"] == "took the recording in"


@responses.activate
def test_without_a_session_the_connections_list_is_searched_for_our_legs(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    CallIdentifier.objects.filter(kind="session_id").delete()
    strangers = remote(story, "rec-8", call_control_id="v3:stranger", call_session_id="another")
    responses.get("https://api.test/v2/recordings", json=listed(strangers, remote(story)))

    search.find_missing(client, end_of(story) + timedelta(seconds=61))

    assert list(Recording.objects.values_list("telnyx_recording_id", flat=True)) == ["rec-9"]
    assert f"filter%5Bconnection_id%5D={CONNECTION_ID}" in str(responses.calls[0].request.url)


@responses.activate
def test_it_is_looked_for_less_and_less_often_and_not_for_ever(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get("https://api.test/v2/recordings", json=listed())
    ended_at = end_of(story)

    for age_s in [*range(0, 120, 5), *range(120, 3600, 30), *range(3600, 30 * 3600, 900)]:
        search.find_fresh(client, ended_at + timedelta(seconds=age_s))
        search.find_missing(client, ended_at + timedelta(seconds=age_s))

    assert len(responses.calls) == len(search.ASKED_AT_S)


@responses.activate
def test_while_the_end_is_fresh_the_reconciler_looks_for_it(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get("https://api.test/v2/recordings", json=listed(remote(story)))

    reconcile_all(client, end_of(story) + timedelta(seconds=3))
    assert not Recording.objects.exists()

    reconcile_all(client, end_of(story) + timedelta(seconds=4))
    assert Recording.objects.get().telnyx_recording_id == "rec-9"


@responses.activate
def test_many_that_ended_together_are_found_by_one_list(telnyx: Telnyx, client: TelnyxClient) -> None:
    stories = [Story(telnyx) for _ in range(search.FEW + 1)]
    for story in stories:
        talk(story)
    strangers = remote(stories[0], "rec-x", call_control_id="v3:stranger", call_session_id="another")
    found = [remote(story, f"rec-{place}") for place, story in enumerate(stories)]
    responses.get("https://api.test/v2/recordings", json=listed(strangers, *found))

    search.find_fresh(client, end_of(stories[-1]) + timedelta(seconds=5))

    assert len(responses.calls) == 1
    assert f"filter%5Bconnection_id%5D={CONNECTION_ID}" in str(responses.calls[0].request.url)
    kept = Recording.objects.order_by("telnyx_recording_id").values_list("telnyx_recording_id", "call_id")
    assert list(kept) == [(f"rec-{place}", story.call.pk) for place, story in enumerate(stories)]


@responses.activate
def test_a_talk_of_half_a_second_of_which_only_the_end_of_its_dial_was_heard_is_looked_for(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx)
    story.begin()
    story.dial_ended("completed", child=story.leg_of(story.agents[0]), duration_s=0)
    story.send(story.caller.ends("completed", 5))
    assert story.call.answered_at is None
    responses.get("https://api.test/v2/recordings", json=listed(remote(story)))

    search.find_fresh(client, end_of(story) + timedelta(seconds=5))

    assert Recording.objects.get().call == story.call


@responses.activate
def test_the_recording_of_a_session_that_only_a_browser_claims_is_not_taken_in(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    victim, story = Story(telnyx), Story(telnyx)
    talk(victim)
    talk(story)
    CallIdentifier.objects.filter(call=story.call, kind="session_id").delete()
    CallIdentifier.objects.create(call=story.call, kind="session_id", value=victim.session_id, agent=story.agents[0])
    responses.get("https://api.test/v2/recordings", json=listed(remote(victim)))

    search.find_fresh(client, end_of(story) + timedelta(seconds=5))

    assert not Recording.objects.filter(call=story.call).exists()


@responses.activate
def test_a_call_that_has_its_recording_or_can_have_none_is_not_looked_for(telnyx: Telnyx, client: TelnyxClient) -> None:
    recorded, abandoned = Story(telnyx), Story(telnyx)
    talk(recorded)
    recorded.recording().send(telnyx)
    abandoned.begin()
    abandoned.send(abandoned.caller.ends("canceled", 5))

    assert search.find_missing(client, timezone.now() + timedelta(minutes=30)) == 0
    assert len(responses.calls) == 0


@responses.activate
def test_a_callback_that_comes_after_all_finds_the_recording_there(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get("https://api.test/v2/recordings", json=listed(remote(story)))
    search.find_missing(client, end_of(story) + timedelta(seconds=61))

    story.recording(recording_id="rec-9").send(telnyx)

    assert Recording.objects.count() == 1


# --- The net: what the outbound profile records by itself ---------------------------------------------------------


@responses.activate
@pytest.mark.parametrize("first", ["net", "texml"])
@pytest.mark.parametrize("told_by", ["event", "form"])
def test_a_leg_that_texml_records_and_the_profile_too_is_one_row(
    telnyx: Telnyx, client: TelnyxClient, first: str, told_by: str
) -> None:
    story = Story(telnyx)
    talk(story)
    own = story.recording(recording_id="own")

    if first == "texml":
        own.send(telnyx)
    if told_by == "event":
        telnyx.json("/webhooks/telnyx/events", saved("net", call_session_id=story.session_id))
    else:
        story.recording(recording_id="net", RecordingSource="Trunking").send(telnyx)
    if first == "net":
        own.send(telnyx)

    assert list(Recording.objects.values_list("telnyx_recording_id", flat=True)) == ["own"]
    assert not TelnyxEvent.objects.filter(processed_at=None).exists()
    search.find_fresh(client, end_of(story) + timedelta(seconds=30))
    assert len(responses.calls) == 0


@responses.activate
@pytest.mark.parametrize("told_by", ["event", "form", "nobody"])
def test_what_texml_did_not_record_is_kept_from_the_net(telnyx: Telnyx, client: TelnyxClient, told_by: str) -> None:
    story = Story(telnyx)
    talk(story)
    if told_by == "event":
        telnyx.json("/webhooks/telnyx/events", saved("net", call_session_id=story.session_id))
    elif told_by == "form":
        story.recording(recording_id="net", url=files.URL, RecordingSource="Trunking").send(telnyx)
    responses.get("https://api.test/v2/recordings", json=listed(remote(story, "net", initiated_by="Trunking")))

    responses.get(files.URL, body=files.wav(seconds=1), content_type="audio/wav")
    search.find_fresh(client, end_of(story) + timedelta(seconds=5))
    net = Recording.objects.get(is_net=True)
    # TeXML's own may still come.
    assert net.next_attempt_at is not None
    assert operations.fetch(net.pk, client, net.next_attempt_at - timedelta(seconds=1)) is None

    operations.fetch(net.pk, client, net.next_attempt_at)
    net.refresh_from_db()
    assert (net.telnyx_recording_id, net.state) == ("net", Recording.State.STORED)


@responses.activate
def test_a_look_up_that_finds_both_takes_texmls_own(telnyx: Telnyx, client: TelnyxClient) -> None:
    stories = [Story(telnyx) for _ in range(search.FEW + 1)]
    for story in stories:
        talk(story)
    both = [
        remote(story, f"{who}-{place}", initiated_by=source)
        for place, story in enumerate(stories)
        for who, source in (("net", "Trunking"), ("own", "DialVerb"))
    ]
    responses.get("https://api.test/v2/recordings", json=listed(*both))

    search.find_fresh(client, end_of(stories[-1]) + timedelta(seconds=13))

    kept = Recording.objects.order_by("telnyx_recording_id").values_list("telnyx_recording_id", flat=True)
    assert list(kept) == [f"own-{place}" for place in range(len(stories))]


@responses.activate
def test_the_net_is_let_go_when_texmls_own_comes_after_all(
    telnyx: Telnyx, client: TelnyxClient, tmp_path: Path, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    talk(story)
    responses.get("https://api.test/v2/recordings", json=listed(remote(story, "net", initiated_by="Trunking")))
    responses.get(files.URL, body=files.wav(seconds=1), content_type="audio/wav")
    search.find_fresh(client, end_of(story) + timedelta(seconds=13))
    operations.fetch(Recording.objects.get().pk, client, end_of(story) + timedelta(seconds=30))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1

    with django_capture_on_commit_callbacks(execute=True):
        story.recording(recording_id="own", RecordingDuration="56").send(telnyx)

    assert Recording.objects.get().telnyx_recording_id == "own"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
