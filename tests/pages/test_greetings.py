"""Recorded greetings: made in a browser or sent as a file, kept or refused, and played to Telnyx."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from pytest_django import Settings

from curbe.companies.models import Company, User
from curbe.lib import uploads
from recordings import greetings
from recordings.greetings import UnusableGreeting, to_mp3
from recordings.loudness import measure
from telephony.core.plan import COMPANY
from telephony.models import VoicemailBox
from telephony.operations.plans import current_plan
from tests import cast
from tests.pages.people import html, looking, words
from tests.recordings import files

URL = "/voicemail/boxes/company/"
FORM = {"say_es": "", "say_en": "", "max_length_s": "60", "transcribe": "on", "emails": ""}


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend, "recordings": backend}
    return tmp_path


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def converted(audio: bytes, container: str, codec: str) -> bytes:
    """Return the audio as a browser would have recorded it."""
    made = io.BytesIO()
    with av.open(io.BytesIO(audio)) as source, av.open(made, "w", format=container) as out:
        stream = out.add_stream(codec, rate=48000, layout="mono")
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=48000, frame_size=960)
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return made.getvalue()


def sent(client: Client, audio: bytes, url: str = f"{URL}greeting", **headers: str) -> Any:
    return client.post(url, {"audio": SimpleUploadedFile("greeting.webm", audio)}, headers=headers)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("webm", "libopus"), ("ogg", "libopus"), ("mp4", "aac"), ("mp3", "libmp3lame"), ("wav", "pcm_s16le")],
)
def test_whatever_a_browser_records_becomes_an_mp3(container: str, codec: str) -> None:
    audio = converted(files.wav(3, channels=1, hz=16000), container, codec)

    mp3, duration_s = to_mp3(io.BytesIO(audio), len(audio))

    assert duration_s == pytest.approx(3, abs=0.2)
    heard = measure(io.BytesIO(mp3))
    assert heard.duration_s == pytest.approx(3, abs=0.3)
    assert not heard.is_silent


@pytest.mark.parametrize(
    ("audio", "code"),
    [
        (b"", "empty"),
        (b"hello", "unknown"),
        # A playlist would have FFmpeg open what it names.
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "unknown"),
        (b"<html></html>", "unknown"),
        (b"\x1a\x45\xdf\xa3" + bytes(50), "unknown"),
        (b"RIFF\x00\x00\x00\x00WAVE", "unknown"),
        (files.wav(0.5), "short"),
        (files.wav(121, channels=1, hz=2000), "long"),
        (files.wav(2)[:44] + bytes(64000), "silent"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_greeting_is_refused_in_words(alice: User, storage: Path, audio: bytes, code: str) -> None:
    with pytest.raises(UnusableGreeting) as refused:
        to_mp3(io.BytesIO(audio), len(audio))
    assert refused.value.code == code

    by_script = sent(looking(alice), audio, Accept="application/json")
    by_form = sent(looking(alice), audio)

    assert (by_script.status_code, by_form.status_code) == (422, 422)
    assert by_script.json()["error"] in words(by_form)
    assert kept(storage) == []


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableGreeting) as refused:
        to_mp3(io.BytesIO(b"RIFF"), greetings.LARGEST_BYTES + 1)

    assert refused.value.code == "large"


def test_a_recording_is_played_from_an_address_that_nobody_can_guess(
    acme: Company, alice: User, storage: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert sent(looking(alice), files.wav(2), Accept="application/json").status_code == 204
    first = current_plan(acme.pk).boxes[COMPANY].play
    assert len(first) > 40
    # Telnyx has no log-in.
    audio = Client().get(first)
    assert (audio.status_code, audio["Content-Type"]) == (200, "audio/mpeg")
    assert audio.content[:3] in {b"ID3", b"\xff\xf3\x48", b"\xff\xf3\x58"}
    assert Client().post(first).status_code == 405

    with django_capture_on_commit_callbacks(execute=True):
        assert sent(looking(alice), files.wav(3)).status_code == 302

    second = current_plan(acme.pk).boxes[COMPANY].play
    assert first != second
    assert (Client().get(first).status_code, len(kept(storage))) == (404, 1)
    assert f'src="{second}"' in html(looking(alice).get(URL))
    with django_capture_on_commit_callbacks(execute=True):
        looking(alice).post(f"{URL}greeting", {"delete": "1"})
    assert Client().get(second).status_code == 404
    assert kept(storage) == []
    assert COMPANY not in current_plan(acme.pk).boxes


def test_a_file_that_is_too_large_is_kept_nowhere_and_said_so(
    alice: User, storage: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    keep = TemporaryFileUploadHandler.receive_data_chunk

    def seen(self: TemporaryFileUploadHandler, data: bytes, start: int) -> None:
        written.append(data)
        keep(self, data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", seen)
    monkeypatch.setattr(uploads, "LARGEST_BYTES", 100_000)
    # Else it would be held in memory.
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1

    by_script = sent(looking(alice), files.wav(20), Accept="application/json")
    by_form = sent(looking(alice), files.wav(20))

    assert (by_script.status_code, by_form.status_code) == (422, 422)
    assert "larger than 10 MB" in by_script.json()["error"]
    assert by_script.json()["error"] in words(by_form)
    assert sum(map(len, written)) <= 2 * 100_000
    assert kept(storage) == []
    assert sent(looking(alice), files.wav(2)).status_code == 302


@pytest.mark.parametrize(
    ("wanted", "status", "begins"),
    [
        ("bytes=0-1", 206, "bytes 0-1/"),
        ("bytes=-10", 206, "bytes "),
        ("bytes=99999999-", 416, "bytes */"),
        ("", 200, ""),
    ],
)
def test_a_recording_is_given_in_parts_which_safari_asks_for(
    alice: User, acme: Company, wanted: str, status: int, begins: str
) -> None:
    sent(looking(alice), files.wav(2))
    address = current_plan(acme.pk).boxes[COMPANY].play

    answer = Client().get(address, headers={"Range": wanted} if wanted else {})

    assert answer.status_code == status
    assert answer["Accept-Ranges"] == "bytes"
    assert answer.get("Content-Range", "").startswith(begins)
    assert len(answer.content) == {"bytes=0-1": 2, "bytes=-10": 10}.get(wanted, len(answer.content))


def test_what_is_edited_while_a_recording_is_converted_is_kept(
    acme: Company, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two minutes of audio take seconds; the box was read before them."""
    convert = greetings.to_mp3

    def slowly(*audio: Any) -> tuple[bytes, float]:
        assert looking(alice).post(URL, {**FORM, "say_es": "Escrito mientras tanto."}).status_code == 302
        return convert(*audio)

    monkeypatch.setattr(greetings, "to_mp3", slowly)

    assert sent(looking(alice), files.wav(2)).status_code == 302

    box = VoicemailBox.objects.get()
    assert box.say_es == "Escrito mientras tanto."
    assert box.greeting_s == 2


def test_of_two_recordings_at_once_one_is_left(
    acme: Company, alice: User, storage: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    convert = greetings.to_mp3

    def slowly(*audio: Any) -> tuple[bytes, float]:
        monkeypatch.setattr(greetings, "to_mp3", convert)
        assert sent(looking(alice), files.wav(3)).status_code == 302
        return convert(*audio)

    monkeypatch.setattr(greetings, "to_mp3", slowly)

    with django_capture_on_commit_callbacks(execute=True):
        assert sent(looking(alice), files.wav(2)).status_code == 302

    assert [path.name for path in kept(storage)] == [f"{VoicemailBox.objects.get().greeting_key}.mp3"]


def test_a_recording_goes_with_its_box(
    acme: Company, alice: User, storage: Path, django_capture_on_commit_callbacks: Any
) -> None:
    queue = cast.make_queue(acme)
    sent(looking(alice), files.wav(2), f"/voicemail/boxes/queue/{queue.pk}/greeting")
    assert len(kept(storage)) == 1

    with django_capture_on_commit_callbacks(execute=True):
        queue.delete()

    assert kept(storage) == []


def test_a_storage_that_takes_nothing_is_said_and_nothing_changes(alice: User, storage: Path) -> None:
    with patch("django.core.files.storage.FileSystemStorage._save", side_effect=OSError(errno.ENOSPC, "full")):
        by_script = sent(looking(alice), files.wav(2), Accept="application/json")
        by_form = sent(looking(alice), files.wav(2))

    assert (by_script.status_code, by_form.status_code) == (503, 503)
    assert by_script.json()["error"] in words(by_form)
    assert not VoicemailBox.objects.exists()


@pytest.mark.parametrize("key", ["x", "a" * 43, "%20"])
def test_an_unknown_greeting_is_not_there(db: None, key: str) -> None:
    VoicemailBox.objects.create(company=cast.make_company())

    assert Client().get(f"/greetings/{key}.mp3").status_code == 404


def test_nobody_records_for_somebody_else(acme: Company, alice: User, bob: User, mallory: User, storage: Path) -> None:
    luis = cast.make_agent(acme, "luis")
    queue = cast.make_queue(acme)

    assert sent(cast.client_for(bob), files.wav(2)).status_code == 403
    assert sent(cast.client_for(bob), files.wav(2), f"/voicemail/boxes/user/{luis.pk}/greeting").status_code == 403
    assert (
        sent(cast.client_for(mallory), files.wav(2), f"/voicemail/boxes/queue/{queue.pk}/greeting").status_code == 404
    )

    assert kept(storage) == []
    assert not VoicemailBox.objects.exists()
