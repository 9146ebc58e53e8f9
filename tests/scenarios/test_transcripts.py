"""What is said, as Telnyx tells it: by form, event and list; doubled, failed, too early, and where nobody wants it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from recordings import deletions, transcripts
from recordings.audit import Who
from recordings.models import Recording, Transcript, TranscriptPolicy
from recordings.queries.transcripts import recordings_saying
from telephony.models import Call, TelnyxEvent
from telephony.queries.spoken import question, saying
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable
from telephony.telnyx.transport import Transport
from tests import cast
from tests.recordings import files
from tests.scenarios.mailbox import REC, left, text_of
from tests.scenarios.story import Letter, Story
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
    calls = Call.objects.filter(company=story.company)
    for words in ("polizas", "LLÁMEME", "marta póliza", '"por la póliza"'):
        assert saying(calls, words, Q()).get() == story.call, words
        assert recordings_saying(story.company.pk, words).count() == 1
    for words in ("siniestro", "marta -póliza", "&|!():*"):
        assert not saying(calls, words, Q()).exists(), words
        assert not recordings_saying(story.company.pk, words).exists(), words
    for nothing in ("", " ", "\x00"):
        assert question(nothing) == ""
        assert not recordings_saying(story.company.pk, nothing).exists()
    assert not recordings_saying(cast.make_company().pk, "marta").exists()


def test_english_words_are_found_by_their_english_stem(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    text_of(story, "I am calling about the policies").send(telnyx)

    assert recordings_saying(story.company.pk, "policy called").exists()


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


@pytest.mark.parametrize(
    "later",
    [
        {"TranscriptionStatus": "failed", "TranscriptionText": ""},
        # Another one of the same recording, in which no word was understood.
        {"TranscriptionSid": "tra-2", "TranscriptionText": ""},
        {"TranscriptionSid": "tra-3", "TranscriptionText": "Soy Marta,  llámeme por la póliza. "},
    ],
)
def test_what_was_understood_is_not_taken_away_by_what_comes_later(telnyx: Telnyx, later: dict[str, str]) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    text_of(story, TranscriptionSegments=SEGMENTS).send(telnyx)

    Letter(text_of(story).path, text_of(story).fields | later).send(telnyx)

    row = Transcript.objects.get()
    assert (row.state, row.text) == (Transcript.State.SAVED, "Soy Marta, llámeme por la póliza.")
    assert len(row.segments) == 2
    assert recordings_saying(story.company.pk, "póliza").exists()


def test_a_text_after_a_failure_is_kept(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    text_of(story, "", TranscriptionStatus="failed").send(telnyx)
    assert Transcript.objects.get().state == Transcript.State.FAILED

    text_of(story, TranscriptionSid="tra-2").send(telnyx)

    assert Transcript.objects.get().state == Transcript.State.SAVED


@pytest.mark.parametrize(
    "segments", ['[{"start": 0, "end": 1, "text": "hola \\ud800"}]', '[{"start": 0, "end": 1, "text": "hola"}]']
)
def test_half_a_character_and_a_text_in_pieces_only_are_kept_and_found(telnyx: Telnyx, segments: str) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)

    text_of(story, "", TranscriptionSegments=segments).send(telnyx)

    assert Transcript.objects.get().state == Transcript.State.SAVED
    assert not TelnyxEvent.objects.filter(processed_at=None).exists()
    assert recordings_saying(story.company.pk, "hola").exists()


def test_a_message_of_five_minutes_is_kept_whole_and_leads_into_its_audio(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    pieces = [{"start": second, "end": second + 2, "text": "y otra cosa más, por favor"} for second in range(0, 300, 2)]

    text_of(story, "y otra cosa más, por favor " * 400, TranscriptionSegments=json.dumps(pieces)).send(telnyx)

    row = Transcript.objects.get()
    assert (len(row.segments), len(row.text)) == (150, 27 * 400 - 1)


def test_the_longest_text_that_telnyx_could_send_is_kept_and_searched(telnyx: Telnyx) -> None:
    """PostgreSQL takes a megabyte of different words at the most."""
    story = Story(telnyx, agents=0)
    story.begin()
    left(story).send(telnyx)
    words = " ".join(f"ñ{number:x}" for number in range(80_000))

    text_of(story, words).send(telnyx)

    assert len(Transcript.objects.get().text) == transcripts.LONGEST_TEXT
    assert recordings_saying(story.company.pk, "ñ1f").exists()


# --- Of a conversation --------------------------------------------------------------------------------------------


def spoken(telnyx: Telnyx, story: Story, words: str, party: str = "pstn") -> None:
    """Telnyx tells what one party of a recorded conversation said."""
    body = {"recording_id": REC, "call_control_id": story.caller_sid, "transcription_text": words}
    payload = {**body, "recording_transcription_id": f"t-{party}-{words}", "calling_party_type": party}
    event = {"event_type": "call.recording.transcription.saved", "id": f"{party}{words}", "payload": payload}
    assert telnyx.json("/webhooks/telnyx/events", {"data": event}).status_code == 200


def test_of_a_conversation_each_party_has_its_text_if_the_company_wants_them(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    story.begin()
    story.recording(recording_id=REC).send(telnyx)

    spoken(telnyx, story, "hola")
    assert not Transcript.objects.exists()
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    spoken(telnyx, story, "buenas")
    spoken(telnyx, story, "dígame", "sip")

    rows = Transcript.objects.order_by("party").values_list("party", "text")
    assert list(rows) == [("agent", "dígame"), ("customer", "buenas")]


@pytest.mark.parametrize("is_asked_for_message", [False, True])
def test_a_text_that_nobody_wants_is_not_kept_though_it_comes_before_its_recording(
    telnyx: Telnyx, is_asked_for_message: bool
) -> None:
    story = Story(telnyx, agents=0 if is_asked_for_message else 2)
    story.begin()
    spoken(telnyx, story, "hola")
    # Of a call that came to a box it may be the message's.
    assert Transcript.objects.exists() is is_asked_for_message

    story.recording(recording_id=REC).send(telnyx)

    assert Recording.objects.get().kind == Recording.Kind.CALL
    assert not Transcript.objects.exists()


def test_a_text_that_is_wanted_waits_for_its_recording(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    story.begin()
    spoken(telnyx, story, "hola")

    story.recording(recording_id=REC).send(telnyx)

    assert Transcript.objects.get().recording == Recording.objects.get()


def test_a_text_whose_recording_never_comes_goes_unless_it_is_held(telnyx: Telnyx) -> None:
    free, held, now = Story(telnyx), Story(telnyx), timezone.now()
    for story in (free, held):
        story.begin()
        Transcript.objects.create(
            company=story.company, call=story.call, telnyx_recording_id=f"rec-{story.call.pk}", text="hola",
            state=Transcript.State.SAVED, created_at=now,
        )  # fmt: skip
    deletions.hold_company(held.company.pk, on=True, who=Who(), now=now, reason="A judge has asked for it.")

    assert transcripts.forget_strays(now + timedelta(days=1)) == 0
    assert transcripts.forget_strays(now + timedelta(days=3)) == 1

    assert Transcript.objects.get().company == held.company


# --- Whose it is --------------------------------------------------------------------------------------------------


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
    assert Client().get(address).status_code == 405
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
