"""Messages as Telnyx tells them: left, hung up on, silent, written down, doubled, too early, lost."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from recordings import deletions, mailing, messages, operations, transcripts
from recordings.audit import Who
from recordings.loudness import Loudness
from recordings.models import Message, Recording, RecordingPolicy, Transcript, TranscriptPolicy
from recordings.queries.transcripts import calls_saying, recordings_saying
from telephony.models import PhoneNumber, TelnyxEvent, VoicemailBox
from telephony.operations import ledger
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable
from telephony.telnyx.transport import Transport
from tests import cast
from tests.recordings import files
from tests.scenarios.story import ACCOUNT_SID, CALLER, Letter, Story
from tests.telnyx_post import Telnyx

REC = "rec-of-message"


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


def left(story: Story, **more: str) -> Letter:
    """A message of 12 s, as the callback of <Record> tells it."""
    told = {"RecordingSource": "RecordVerb", "RecordingChannels": "1", **more}
    return story.recording(recording_id=REC, url=files.URL, kind="voicemail", **told)


def text_of(story: Story, words: str = "Soy Marta, llámeme por la póliza.", **more: str) -> Letter:
    return Letter(
        f"/webhooks/telnyx/transcription/{story.company.public_id}?call={story.call.pk}",
        {
            "AccountSid": ACCOUNT_SID,
            "CallSid": story.caller_sid,
            "CallStatus": "completed",
            "From": CALLER,
            "To": story.number.e164,
            "RecordingSid": REC,
            "TranscriptionSid": "tra-1",
            "TranscriptionStatus": "completed",
            "TranscriptionText": words,
            **more,
        },
    )


def fetched(client: TelnyxClient) -> Message:
    """The worker brings the audio in, and listens to it."""
    message = Message.objects.get()
    operations.fetch(message.recording_id, client, timezone.now())
    messages.judge(message.pk, timezone.now())
    message.refresh_from_db()
    return message


def noise(amplitude: int, seconds: float = 4) -> bytes:
    """Return a line on which nobody speaks."""
    samples = (int(amplitude * math.sin(frame * 1.7)) for frame in range(int(8000 * seconds)))
    data = b"".join(struct.pack("<h", sample) for sample in samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


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
    recording = Recording.objects.get()
    with responses.RequestsMock() as mock:
        mock.get(files.URL, body=audio)
        operations.fetch(recording.pk, client, timezone.now())

    messages.judge(Message.objects.get().pk, timezone.now())

    message = Message.objects.get()
    assert (message.state, message.dropped_why) == (Message.State.DROPPED, why)
    assert message.recording.state == Recording.State.STORED


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


# --- What was said ------------------------------------------------------------------------------------------------


SEGMENTS = json.dumps([{"start": 0.4, "end": 2.0, "text": "Soy Marta,"}, {"start": 2.1, "end": 4, "text": "llámeme."}])


def test_what_was_said_is_kept_shown_and_found(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    assert Transcript.objects.get().state == Transcript.State.AWAITED

    text_of(story, TranscriptionSegments=SEGMENTS).send(telnyx)

    row = Transcript.objects.get()
    assert (row.state, row.recording, row.next_look_at) == ("saved", Recording.objects.get(), None)
    assert row.segments == [[0.4, 2.0, "", "Soy Marta,"], [2.1, 4.0, "", "llámeme."]]
    for words in ("polizas", "LLÁMEME", "marta póliza", '"por la póliza"'):
        assert list(calls_saying(story.company.pk, words)) == [{"call_id": story.call.pk}], words
        assert recordings_saying(story.company.pk, words).count() == 1
    for words in ("siniestro", "marta -póliza", "", " ", "\x00", "&|!():*"):
        assert not calls_saying(story.company.pk, words).exists(), words
    assert not calls_saying(cast.make_company().pk, "marta").exists()


def test_english_words_are_found_by_their_english_stem(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    text_of(story, "I am calling about the policies").send(telnyx)

    assert calls_saying(story.company.pk, "policy called").exists()


def test_that_no_word_was_understood_is_an_answer_too(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)

    text_of(story, "", TranscriptionSid="", TranscriptionStatus="in-progress").send(telnyx)
    assert Transcript.objects.get().state == Transcript.State.AWAITED
    text_of(story, "").send(telnyx)

    row = Transcript.objects.get()
    assert (row.state, row.text, row.next_look_at) == (Transcript.State.SAVED, "", None)


@pytest.mark.parametrize("times", [1, 2])
def test_a_text_that_comes_before_its_recording_waits_for_it(telnyx: Telnyx, times: int) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    story.send([text_of(story)] * times)
    assert Transcript.objects.get().recording is None

    left(story).send(telnyx)

    row = Transcript.objects.get()
    assert (row.recording, row.state) == (Recording.objects.get(), Transcript.State.SAVED)


def test_doubled_by_form_event_and_look_up_it_is_one(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    story.send([text_of(story), text_of(story)])
    body = {"recording_id": REC, "recording_transcription_id": "tra-1", "calling_party_type": "pstn"}
    words = "Soy Marta, llámeme por la póliza."
    payload = {**body, "transcription_text": words}
    data = {"event_type": "call.recording.transcription.saved", "id": "e", "payload": payload}

    assert telnyx.json("/webhooks/telnyx/events", {"data": data}).status_code == 200

    assert Transcript.objects.get().text == words
    assert not TelnyxEvent.objects.filter(processed_at=None).exists()


def test_of_a_conversation_each_party_has_its_text_if_the_company_wants_them(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    story.recording(recording_id=REC).send(telnyx)

    def told(party: str, words: str) -> None:
        body = {"recording_id": REC, "call_control_id": story.caller_sid, "transcription_text": words}
        payload = {**body, "recording_transcription_id": f"t-{party}-{words}", "calling_party_type": party}
        event = {"event_type": "call.recording.transcription.saved", "id": f"{party}{words}", "payload": payload}
        assert telnyx.json("/webhooks/telnyx/events", {"data": event}).status_code == 200

    told("pstn", "hola")
    assert not Transcript.objects.exists()
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    told("pstn", "buenas")
    told("sip", "dígame")

    rows = Transcript.objects.order_by("party").values_list("party", "text")
    assert list(rows) == [("agent", "dígame"), ("customer", "buenas")]


def test_a_text_of_no_call_of_ours_is_kept_and_answered_200(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    fields = {"CallSid": "v3:nobody", "RecordingSid": "r", "TranscriptionSid": "t", "TranscriptionText": "x"}

    answer = telnyx.form(f"/webhooks/telnyx/transcription/{story.company.public_id}", fields)

    assert answer.status_code == 200
    assert TelnyxEvent.objects.get(kind="transcription.unknown").call is None
    assert not Transcript.objects.exists()


def test_an_unsigned_text_is_refused_and_a_get_too(telnyx: Telnyx) -> None:
    address = "/webhooks/telnyx/transcription/00000000"

    assert telnyx.unsigned(address, b"CallSid=x").status_code == 403
    assert not TelnyxEvent.objects.exists()


def test_a_text_cannot_be_put_under_another_companys_call(telnyx: Telnyx) -> None:
    """The address is not signed; the ids in the body decide."""
    story, other = Story(telnyx, agents=0), Story(telnyx, agents=0)
    story.begin()
    other.begin()

    address = f"/webhooks/telnyx/transcription/{other.company.public_id}?call={other.call.pk}"
    Letter(address, text_of(story).fields).send(telnyx)

    assert Transcript.objects.get().call == story.call


def resource(**more: Any) -> dict[str, Any]:
    row = {"id": "tra-1", "recording_id": REC, "status": "completed", "transcription_text": "Soy Marta.", **more}
    return {"data": [row], "meta": {"page_number": 1, "total_pages": 1}}


NONE = {"data": [], "meta": {"page_number": 1, "total_pages": 1}}
LIST = "https://api.test/v2/recording_transcriptions"


def test_a_text_that_no_callback_brought_is_asked_for(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    now = timezone.now()

    with responses.RequestsMock() as mock:
        asked = responses.matchers.query_param_matcher({"filter[recording_id]": REC}, strict_match=False)
        mock.get(LIST, json=NONE, match=[asked])
        assert transcripts.look_up_due(client, now) == 0
        assert len(mock.calls) == 0
        assert transcripts.look_up_due(client, now + timedelta(seconds=40)) == 0
    with responses.RequestsMock() as mock:
        mock.get(LIST, json=resource())
        assert transcripts.look_up_due(client, now + timedelta(seconds=100)) == 1

    assert Transcript.objects.get().text == "Soy Marta."


def test_while_telnyx_is_away_no_look_is_lost_and_the_last_one_gives_up(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    now = timezone.now()

    with responses.RequestsMock() as mock:
        mock.get(LIST, status=500)
        with pytest.raises(TelnyxUnreachable):
            transcripts.look_up_due(client, now + timedelta(seconds=40))
    assert Transcript.objects.get().looks == 0
    with responses.RequestsMock() as mock:
        mock.get(LIST, json=NONE)
        for _ in transcripts.ASKED_AT_S:
            transcripts.look_up_due(client, now + timedelta(days=3))

    row = Transcript.objects.get()
    assert (row.state, row.next_look_at) == (Transcript.State.FAILED, None)
    text_of(story).send(telnyx)
    assert Transcript.objects.get().state == Transcript.State.SAVED


# --- Mail ---------------------------------------------------------------------------------------------------------


def test_a_new_message_is_mailed_with_its_words_and_audio(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx, agents=0)
    VoicemailBox.objects.create(company=story.company, emails=["eva@acme.test", "luis@acme.test"], attach_audio=True)
    story.begin()
    left(story).send(telnyx)
    message = fetched(client)
    # It waits for the text, and goes as soon as that is there.
    assert message.mail_due_at is not None
    assert mailing.due(timezone.now()) == []
    text_of(story).send(telnyx)
    now = timezone.now()
    assert mailing.due(now) == [message.pk]

    assert mailing.send(message.pk, now)
    assert not mailing.send(message.pk, now)

    [sent] = mail.outbox
    assert sent.to == ["eva@acme.test", "luis@acme.test"]
    assert "Soy Marta, llámeme por la póliza." in sent.body
    assert f"/voicemail/?message={message.pk}" in sent.body
    [(name, audio, kind)] = sent.attachments
    assert (name[-4:], audio[:4], kind) == (".wav", b"RIFF", "audio/wav")
    message.refresh_from_db()
    assert message.mailed_at == now


def test_a_dropped_message_is_not_mailed(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    VoicemailBox.objects.create(company=story.company, emails=["eva@acme.test"])
    story.begin()

    left(story, RecordingDuration="1").send(telnyx)

    assert Message.objects.get().mail_due_at is None
    assert mailing.due(timezone.now() + timedelta(days=1)) == []


def test_a_server_of_mail_that_is_away_is_tried_again(telnyx: Telnyx, client: TelnyxClient, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    story = Story(telnyx, agents=0)
    VoicemailBox.objects.create(company=story.company, emails=["eva@acme.test"], transcribe=False)
    story.begin()
    left(story).send(telnyx)
    message = fetched(client)
    now = timezone.now()

    assert not mailing.send(message.pk, now)

    message.refresh_from_db()
    assert (message.mail_due_at, message.mailed_at) == (now + timedelta(seconds=30), None)
