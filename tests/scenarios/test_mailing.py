"""Mail about messages: with the words and the audio, once, and at nobody's cost while its server is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from unittest.mock import patch

import pytest
import responses
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from pytest_django import Settings

from recordings import mailing, messages, operations, tasks
from recordings.models import Message
from telephony.models import VoicemailBox
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests.recordings import files
from tests.scenarios.mailbox import fetched, left, text_of
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
    assert f"/voicemail/?message={message.pk}#message-{message.pk}" in sent.body
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
    message = mailable(telnyx, client)
    now = timezone.now()

    with pytest.raises(mailing.UnableToMail):
        mailing.send(message.pk, now)

    message.refresh_from_db()
    assert (message.mail_due_at, message.mailed_at) == (now + timedelta(seconds=30), None)


def test_of_a_server_that_does_not_answer_only_one_mail_learns(telnyx: Telnyx, client: TelnyxClient) -> None:
    """Each of them would hold a process, which calls need too, for as long as the server is silent."""
    for number in range(3):
        mailable(telnyx, client, recording_id=f"rec-{number}")
    now = timezone.now()

    with patch.object(EmailBackend, "send_messages", side_effect=TimeoutError) as tried:
        assert mailing.send_due(lambda: now) == 0

    assert tried.call_count == 1
    assert mailing.send_due(lambda: now) == 2


def test_of_an_address_that_is_refused_the_others_are_not_told(telnyx: Telnyx, client: TelnyxClient) -> None:
    for number in range(3):
        mailable(telnyx, client, recording_id=f"rec-{number}")
    refused = SMTPRecipientsRefused({"nobody@acme.test": (550, b"no such user")})

    with patch.object(EmailBackend, "send_messages", side_effect=[refused, 1, 1]):
        assert mailing.send_due(timezone.now) == 2


def test_a_server_that_takes_its_time_gets_each_mail_once(telnyx: Telnyx, client: TelnyxClient) -> None:
    """The last of them is taken long after the first: its try is as long as any."""
    messages = [mailable(telnyx, client, recording_id=f"rec-{number}") for number in range(2)]
    now = timezone.now()
    clock = iter([now, now, now + mailing.LEASE * 2])
    taken = []

    def slowly(mails: object) -> int:
        taken.append(Message.objects.get(mail_due_at__gt=now).mail_due_at)
        return 1

    with patch.object(EmailBackend, "send_messages", side_effect=slowly):
        assert mailing.send_due(lambda: next(clock)) == len(messages)

    assert taken == [now + mailing.LEASE, now + mailing.LEASE * 3]


def test_mail_waits_while_every_process_is_needed(telnyx: Telnyx, client: TelnyxClient) -> None:
    message = mailable(telnyx, client)

    @contextmanager
    def none_left() -> Iterator[bool]:
        yield False

    with patch("recordings.tasks.processes.spare", none_left):
        tasks.settle_messages()
        tasks.mail_message(message_id=str(message.pk))
    assert mail.outbox == []

    tasks.settle_messages()
    assert len(mail.outbox) == 1


def test_a_text_that_comes_while_the_mail_is_on_its_way_sends_no_second_one(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx, agents=0)
    VoicemailBox.objects.create(company=story.company, emails=["eva@acme.test"])
    story.begin()
    left(story).send(telnyx)
    message = fetched(client)
    late = timezone.now() + timedelta(minutes=1)

    def text_comes(backend: EmailBackend, mails: list[object]) -> int:
        text_of(story).send(telnyx)
        assert mailing.due(late) == []
        return len(mails)

    with patch.object(EmailBackend, "send_messages", text_comes):
        assert mailing.send(message.pk, late)

    assert mailing.due(late + timedelta(days=1)) == []


def mailable(telnyx: Telnyx, client: TelnyxClient, *, recording_id: str = "rec-of-message") -> Message:
    """Return a new message whose mail is due at once."""
    story = Story(telnyx, agents=0)
    VoicemailBox.objects.create(company=story.company, emails=["eva@acme.test"], transcribe=False)
    story.begin()
    left(story, RecordingSid=recording_id).send(telnyx)
    message = Message.objects.get(call=story.call)
    operations.fetch(message.recording_id, client, timezone.now())
    messages.judge(message.pk, timezone.now())
    message.refresh_from_db()
    return message
