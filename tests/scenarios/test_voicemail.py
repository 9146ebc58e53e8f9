"""Messages as Telnyx tells them: left, hung up on, silent, written down, doubled, too early, lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import responses
from django.utils import timezone
from pytest_django import Settings

from recordings import deletions, messages, operations, tasks
from recordings.audit import Who
from recordings.loudness import Loudness
from recordings.models import Message, Recording, RecordingPolicy, Transcript
from telephony.models import PhoneNumber, TelnyxEvent, VoicemailBox
from telephony.operations import ledger
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.recordings import files
from tests.scenarios.mailbox import fetched, left, noise, text_of
from tests.scenarios.story import Story
from tests.telnyx_post import Telnyx


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Iterator[None]:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    settings.DEBUG = True
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(files.URL, body=files.wav(4, channels=1))
        yield


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url="https://api.test/v2", sleep=lambda seconds: None))


# --- Which box ----------------------------------------------------------------------------------------------------


def test_a_message_lies_in_the_box_of_who_was_called(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    queue = cast.make_queue(story.company, "ventas")
    PhoneNumber.objects.filter(pk=story.number.pk).update(destination=PhoneNumber.Destination.QUEUE, queue=queue)
    VoicemailBox.objects.create(company=story.company, queue=queue, say_es="Ventas está cerrado.", max_length_s=90)

    document = story.begin()
    left(story).send(telnyx)

    assert "Ventas está cerrado." in document
    assert 'maxLength="90"' in document
    assert f"/webhooks/telnyx/transcription/{story.company.public_id}?call={story.call.pk}" in document
    message = Message.objects.get()
    assert message.box is not None
    assert (message.box.queue, message.state) == (queue, Message.State.ARRIVING)


def test_without_a_box_of_its_own_one_is_made_and_no_plan_changes(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()

    left(story).send(telnyx)

    box = Message.objects.get().box
    assert box is not None
    assert (box.company, box.queue, box.agent) == (story.company, None, None)
    assert VoicemailBox.objects.count() == 1


def test_a_greeting_that_is_saved_holds_for_the_next_caller(telnyx: Telnyx) -> None:
    story, later = Story(telnyx, agents=0), Story(telnyx, agents=0)
    VoicemailBox.objects.create(company=story.company, say_es="Estamos de fiesta.", transcribe=False)

    assert "Estamos de fiesta." in story.begin()
    assert "transcription" not in story.begin()
    assert "Estamos de fiesta." not in later.begin()


def test_the_message_of_an_apology_is_the_companys(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()

    left(story).send(telnyx)

    box = Message.objects.get().box
    assert box is not None
    assert (box.queue, box.agent) == (None, None)
    # Nobody asked for its text, and none is looked for.
    assert not Transcript.objects.exists()


def test_a_message_of_a_queue_that_is_gone_is_the_companys(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    queue = cast.make_queue(story.company, "ventas")
    PhoneNumber.objects.filter(pk=story.number.pk).update(destination=PhoneNumber.Destination.QUEUE, queue=queue)
    story.begin()
    PhoneNumber.objects.filter(pk=story.number.pk).update(destination=PhoneNumber.Destination.NONE, queue=None)
    queue.delete()

    left(story).send(telnyx)

    box = Message.objects.get().box
    assert box is not None
    assert box.queue is None


@pytest.mark.parametrize("what", ["queue", "user"])
def test_the_messages_of_a_queue_or_a_user_that_goes_are_the_companys(
    telnyx: Telnyx, client: TelnyxClient, what: str
) -> None:
    story = Story(telnyx, agents=0)
    if what == "queue":
        owner: Any = cast.make_queue(story.company, "ventas")
        destination = {"destination": PhoneNumber.Destination.QUEUE, "queue": owner}
    else:
        owner = cast.make_agent(story.company, "luis")
        destination = {"destination": PhoneNumber.Destination.USER, "agent": owner}
    PhoneNumber.objects.filter(pk=story.number.pk).update(**destination)
    ours = VoicemailBox.objects.create(company=story.company, emails=["eva@acme.test"])
    story.begin()
    left(story).send(telnyx)
    message = fetched(client)
    assert message.box is not None
    assert message.box != ours

    PhoneNumber.objects.filter(pk=story.number.pk).update(destination="none", queue=None, agent=None)
    (owner if what == "queue" else owner.user).delete()

    message.refresh_from_db()
    assert (message.box, message.state) == (ours, Message.State.NEW)


def test_a_company_goes_with_its_boxes_and_their_messages(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    queue = cast.make_queue(story.company, "ventas")
    PhoneNumber.objects.filter(pk=story.number.pk).update(destination=PhoneNumber.Destination.QUEUE, queue=queue)
    story.begin()
    left(story).send(telnyx)
    fetched(client)

    story.company.delete()

    assert not Message.objects.exists()
    assert not VoicemailBox.objects.exists()


# --- Kept, and dropped --------------------------------------------------------------------------------------------


def test_a_message_is_new_once_somebody_is_heard_in_it(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)

    message = fetched(client)

    assert (message.state, message.dropped_why) == (Message.State.NEW, "")
    assert message.judged_at is not None
    assert story.call.outcome == "voicemail"


def test_doubled_it_is_one_message(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    fetched(client)

    left(story).send(telnyx)
    left(story, RecordingUrl=files.URL + "?other").send(telnyx)

    assert Message.objects.get().state == Message.State.NEW


def test_what_was_deleted_stays_deleted_whatever_telnyx_repeats(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    message, person = fetched(client), cast.make_user(story.company)
    messages.delete(message, who=Who(person), now=timezone.now())

    left(story, RecordingStatus="completed", RecordingUrl="").send(telnyx)
    event = TelnyxEvent.objects.get(kind="recording.completed")
    ledger.process_again(event.pk, timezone.now())
    text_of(story).send(telnyx)

    assert not Message.objects.exists()
    assert not Transcript.objects.exists()
    assert Recording.objects.get().state == Recording.State.DELETED


def test_a_message_under_a_legal_hold_is_kept(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    message, now = fetched(client), timezone.now()
    who = Who(cast.make_user(story.company))
    deletions.hold_company(story.company.pk, on=True, who=who, now=now, reason="A judge has asked for it.")

    with pytest.raises(messages.UnableToDelete):
        messages.delete(message, who=who, now=now)

    assert Message.objects.get().recording.state == Recording.State.STORED


def test_retention_takes_the_message_and_its_text_along(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    text_of(story).send(telnyx)
    fetched(client)
    RecordingPolicy.objects.create(company=story.company, kind=Recording.Kind.VOICEMAIL, keep_days=30)

    gone = deletions.sweep(timezone.now() + timedelta(days=31))

    assert gone == 1
    assert not Message.objects.exists()
    assert not Transcript.objects.exists()
    assert Recording.objects.get().state == Recording.State.DELETED


@pytest.mark.parametrize("duration_s", ["0", "1"])
def test_who_hung_up_within_two_seconds_left_nothing(telnyx: Telnyx, duration_s: str) -> None:
    story = Story(telnyx, agents=0)
    story.begin()

    left(story, RecordingDuration=duration_s).send(telnyx)
    story.send(story.caller.ends("completed", 6, answered_at_s=1))

    message = Message.objects.get()
    assert (message.state, message.dropped_why) == (Message.State.DROPPED, Message.Dropped.SHORT)
    assert story.call.outcome != "voicemail"


@pytest.mark.parametrize(
    ("audio", "why"), [(noise(0), "silent"), (noise(60), "silent"), (files.wav(1.2, channels=1), "short")]
)
def test_silence_is_kept_as_dropped_and_never_new(
    telnyx: Telnyx, client: TelnyxClient, settings: Settings, audio: bytes, why: str
) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    story.send(story.caller.ends("completed", 20, answered_at_s=1))
    assert story.call.outcome == "voicemail"
    recording = Recording.objects.get()
    with responses.RequestsMock() as mock:
        mock.get(files.URL, body=audio)
        operations.fetch(recording.pk, client, timezone.now())

    messages.judge(Message.objects.get().pk, timezone.now())

    message = Message.objects.get()
    assert (message.state, message.dropped_why) == (Message.State.DROPPED, why)
    assert message.recording.state == Recording.State.STORED
    # Who said nothing has left no message: somebody should call back all the same.
    assert story.call.outcome == "missed"
    messages.mark(message, heard=False, by=cast.make_user(story.company), now=timezone.now())
    assert story.call.outcome == "voicemail"


@pytest.mark.parametrize(
    ("measured", "short", "silent"),
    [
        (Loudness(1.9, 1.0), True, False),
        (Loudness(2.0, 0.3), False, False),
        (Loudness(30.0, 0.29), False, True),
    ],
)
def test_two_seconds_and_three_tenths_of_sound_are_a_message(measured: Loudness, short: bool, silent: bool) -> None:
    assert (measured.is_short, measured.is_silent) == (short, silent)


def test_audio_that_nobody_can_decode_is_shown_all_the_same(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    recording = Recording.objects.get()
    operations.fetch(recording.pk, client, timezone.now())
    recording.refresh_from_db()
    with recording.audio.storage.open(recording.audio.name, "wb") as file:
        file.write(b"RIFF____WAVEnothing")

    messages.judge(Message.objects.get().pk, timezone.now())

    assert Message.objects.get().state == Message.State.NEW


def test_a_message_whose_audio_does_not_come_is_shown_after_two_minutes(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    now = timezone.now()

    assert messages.show_late(now) == 0
    assert messages.show_late(now + timedelta(minutes=3)) == 1

    assert Message.objects.get().state == Message.State.NEW


def test_the_beat_finds_a_message_that_nobody_listened_to(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    assert messages.due_for_judging() == []
    operations.fetch(Recording.objects.get().pk, client, timezone.now())

    assert messages.due_for_judging() == [Message.objects.get().pk]
    fetched(client)
    assert messages.due_for_judging() == []


def test_audio_that_the_storage_does_not_give_keeps_no_other_message_waiting(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    """A bucket refuses in words of its own, which are no OSError."""
    stories = [Story(telnyx, agents=0) for _ in range(3)]
    for number, story in enumerate(stories):
        story.begin()
        left(story, RecordingSid=f"rec-{number}").send(telnyx)
    for recording in Recording.objects.all():
        operations.fetch(recording.pk, client, timezone.now())
    broken = Message.objects.get(call=stories[1].call)

    class Refused(Exception):
        pass

    listened = messages._listened

    def refuses(recording: Recording) -> Loudness:
        if recording.pk == broken.recording_id:
            raise Refused("AccessDenied")
        return listened(recording)

    with patch("recordings.messages._listened", refuses):
        tasks.settle_messages()

    states = set(Message.objects.exclude(pk=broken.pk).values_list("state", flat=True))
    assert states == {Message.State.NEW}
    # It is shown when its time is over, though nobody could listen to it.
    assert messages.show_late(timezone.now() + timedelta(minutes=3)) == 1
