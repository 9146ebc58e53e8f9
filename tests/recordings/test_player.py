"""What the player is told of a recording, and the waveform that it draws."""

from __future__ import annotations

import base64
import io
import math
import struct
import threading
import tracemalloc
import wave
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import connections
from django.utils import timezone

from curbe.companies.models import Company, User
from recordings import audit, deletions, waveforms
from recordings.models import Recording, RecordingGap, Waveform
from recordings.peaks import PER_S, NotReadable, peaks_of
from telephony.models import Call, CallLeg
from tests import cast
from tests.api.asking import Asker
from tests.recordings import files


def stored(call: Call, content: bytes = b"", **fields: Any) -> Recording:
    fields = {"content_type": "audio/wav", "channels": 2, "state": Recording.State.STORED, **fields}
    count = Recording.objects.count()
    recording = Recording.objects.create(company=call.company, call=call, telnyx_recording_id=f"r{count}", **fields)
    if content:
        recording.audio.save("audio.wav", ContentFile(content))
    return recording


def segments_of(call: Call) -> tuple[Recording, Recording, Recording]:
    """Make three segments, the last told first, and one on its way."""
    start = call.started_at
    third = stored(call, started_at=start + timedelta(seconds=90), duration_s=10, layout="room")
    first = stored(call, started_at=start, duration_s=60, layout="dial")
    second = stored(call, started_at=start + timedelta(seconds=60), duration_s=25, layout="room")
    stored(call, started_at=start + timedelta(seconds=100), state=Recording.State.PENDING)
    return first, second, third


def talked(company: Company, agent: Any) -> Call:
    call = cast.make_call(company, caller_name="María", agent=agent)
    at = call.started_at
    CallLeg.objects.create(
        call=call, call_sid=call.root_call_sid, kind="caller", started_at=at, answered_at=at, status="ended"
    )
    CallLeg.objects.create(
        call=call, call_sid="v3:a", kind="agent", agent=agent, started_at=at, answered_at=at, status="ended"
    )
    return call


def test_segments_are_heard_as_one_in_their_order(acme: Company, bob: User) -> None:
    call = talked(acme, bob.agents.get())
    first, second, third = segments_of(call)
    message = stored(call, kind=Recording.Kind.VOICEMAIL, duration_s=7, layout="message")
    told = Asker(bob).get(f"/api/recordings/{second.pk}/player").json()

    assert [(one["id"], one["at_s"]) for one in told["segments"]] == [
        (str(first.pk), 0),
        (str(second.pk), 60),
        (str(third.pk), 85),
    ]
    assert (told["at_s"], told["duration_s"], told["pending"]) == (60, 95, 1)
    assert told["link"] == f"/calls/{call.pk}/"
    assert told["segments"][0]["channels"] == ["María", "Bob"]
    assert str(message.pk) not in str(told)
    alone = Asker(bob).get(f"/api/recordings/{message.pk}/player").json()
    assert [one["channels"] for one in alone["segments"]] == [None]


def test_only_who_supervises_is_offered_the_file(acme: Company, bob: User, sam: User) -> None:
    first, *_ = segments_of(talked(acme, bob.agents.get()))
    address = f"/api/recordings/{first.pk}/player"

    assert Asker(bob).get(address).json()["segments"][0]["download"] is None
    assert Asker(sam).get(address).json()["segments"][0]["download"] == f"/api/recordings/{first.pk}/audio?download=1"


@pytest.mark.parametrize("what", ["player", "waveform"])
def test_strangers_agents_of_other_calls_and_what_is_not_there_yet(
    acme: Company, bob: User, sam: User, mallory: User, what: str
) -> None:
    call = cast.make_call(acme)
    first = stored(call, duration_s=1)
    pending = stored(call, state=Recording.State.PENDING)

    assert Asker(mallory).get(f"/api/recordings/{first.pk}/{what}").status_code == 404
    assert Asker(sam).get(f"/api/recordings/{pending.pk}/{what}").status_code == 404
    assert Asker(bob).get(f"/api/recordings/{first.pk}/{what}").status_code == 403
    assert Asker(None).get(f"/api/recordings/{first.pk}/{what}").status_code == 401


def test_a_waveform_is_made_once_and_then_told(acme: Company, bob: User) -> None:
    recording = stored(talked(acme, bob.agents.get()), files.wav(2))
    asker, address = Asker(bob), f"/api/recordings/{recording.pk}/waveform"
    assert asker.get(address).status_code == 202

    made = waveforms.make(recording.pk, timezone.now())

    assert made is not None
    told = asker.get(address).json()
    peaks = base64.b64decode(told["peaks"])
    assert (told["channels"], told["per_s"], len(peaks)) == (2, PER_S, 2 * 2 * PER_S)
    # 9000 of 32768, of which the root is kept.
    assert all(abs(peak - 255 * math.sqrt(9000 / 32768)) < 4 for peak in peaks)
    assert waveforms.make(recording.pk, timezone.now()) is None


def test_what_an_agent_kept_out_is_marked(acme: Company, bob: User) -> None:
    agent = bob.agents.get()
    call = talked(acme, agent)
    first, second, third = segments_of(call)
    began = call.started_at + timedelta(seconds=70)
    RecordingGap.objects.create(
        company=acme, call=call, agent=agent, asked_at=began, began_at=began, ended_at=began + timedelta(seconds=8)
    )

    told = Asker(bob).get(f"/api/recordings/{first.pk}/player").json()

    assert [one["gaps"] for one in told["segments"]] == [[], [{"at_s": 10.0, "missing_s": 8.0}], []]


def test_a_recording_of_no_call_is_heard_alone(acme: Company, sam: User) -> None:
    recording = Recording.objects.create(
        company=acme, telnyx_recording_id="stray", state=Recording.State.STORED, duration_s=3
    )

    told = Asker(sam).get(f"/api/recordings/{recording.pk}/player").json()

    assert (told["call_id"], told["link"]) == (None, "")
    assert [one["id"] for one in told["segments"]] == [str(recording.pk)]


def test_a_waveform_goes_with_its_audio(acme: Company) -> None:
    recording = stored(cast.make_call(acme), files.wav(1))
    waveforms.make(recording.pk, timezone.now())

    deletions.delete(recording.pk, who=audit.CLOCK, now=timezone.now())

    assert not Waveform.objects.exists()
    assert waveforms.make(recording.pk, timezone.now()) is None


def test_audio_that_cannot_be_read_is_not_tried_for_ever(acme: Company) -> None:
    recording = stored(cast.make_call(acme), b"<html>not audio</html>")

    waveforms.make(recording.pk, timezone.now())

    assert bytes(Waveform.objects.get().peaks) == b""
    assert waveforms.missing(timezone.now()) == []


def test_a_file_that_is_away_is_looked_for_again(acme: Company) -> None:
    recording = stored(cast.make_call(acme), files.wav(1))
    recording.audio.storage.delete(str(recording.audio.name))

    assert waveforms.make(recording.pk, timezone.now()) is None
    assert waveforms.missing(timezone.now()) == [recording.pk]


def test_a_storage_that_is_away_is_waited_for(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = stored(cast.make_call(acme), files.wav(1))

    def away(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://bucket")

    monkeypatch.setattr(FileSystemStorage, "open", away)

    assert waveforms.make(recording.pk, timezone.now()) is None
    assert waveforms.missing(timezone.now()) == [recording.pk]


def test_what_takes_longer_than_a_task_may_is_not_begun_anew_each_minute(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = stored(cast.make_call(acme), files.wav(1))

    def for_ever(_: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("recordings.peaks.peaks_of", for_ever)
    waveforms.make(recording.pk, timezone.now())

    assert bytes(Waveform.objects.get().peaks) == b""
    assert waveforms.missing(timezone.now()) == []


@pytest.mark.django_db(transaction=True)
def test_a_long_one_is_drawn_by_one_worker_however_often_a_player_asks(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = stored(cast.make_call(acme), files.wav(1))
    asked = []

    def slow(file: Any) -> Any:
        def second_worker() -> None:
            asked.append(waveforms.make(recording.pk, timezone.now()))
            connections.close_all()

        thread = threading.Thread(target=second_worker)
        thread.start()
        thread.join()
        return peaks_of(file)

    monkeypatch.setattr("recordings.peaks.peaks_of", slow)
    made = waveforms.make(recording.pk, timezone.now())

    assert made is not None
    assert asked == [None]


def two_voices(seconds: int) -> bytes:
    """Return a WAV: the left one speaks in the even seconds, the right one never."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        loud, quiet = struct.pack("<hh", 16000, 0) * 8000, struct.pack("<hh", 0, 0) * 8000
        for second in range(seconds):
            file.writeframes(quiet if second % 2 else loud)
    return buffer.getvalue()


def test_channels_and_moments_are_told_apart() -> None:
    peaks = peaks_of(io.BytesIO(two_voices(4)))
    left, right = peaks.data[0::2], peaks.data[1::2]

    assert left[2] > 150
    assert left[PER_S + 2] == 0
    assert left[2 * PER_S + 2] > 150
    assert max(right) == 0


def test_mp3_is_read_too_and_a_web_page_is_not() -> None:
    assert len(peaks_of(io.BytesIO(files.mp3(200))).data) > 2 * 6 * PER_S
    with pytest.raises(NotReadable):
        peaks_of(io.BytesIO(b"<html></html>"))


def test_an_hour_costs_no_more_memory_than_a_minute() -> None:
    hour = two_voices(3600)
    peaks_of(io.BytesIO(two_voices(1)))
    file = io.BytesIO(hour)
    tracemalloc.start()

    peaks = peaks_of(file)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(peaks.data) == 2 * 3600 * PER_S
    assert most < 5_000_000
