"""What Telnyx tells of a transcription, in every shape that we have seen or must expect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from telephony.core.events import leg_ids
from telephony.core.transcription import Said, Segment, said_in, said_of_resource, transcription_notice

FORM = {
    "AccountSid": "a",
    "CallSid": "v3:leg",
    "RecordingSid": "rec-1",
    "TranscriptionSid": "tra-1",
    "TranscriptionStatus": "completed",
    "TranscriptionText": " Buenos días. ",
}


def event(**payload: Any) -> dict[str, Any]:
    return {"data": {"event_type": "call.recording.transcription.saved", "id": "e-1", "payload": payload}}


def test_a_form_is_read() -> None:
    notice = transcription_notice(FORM)

    assert (notice.kind, notice.dedupe_key) == ("transcription.completed", "transcription|tra-1|rec-1|completed")
    assert said_in(FORM) == Said("rec-1", "Buenos días.", is_done=True)


def test_an_event_is_read_with_who_speaks() -> None:
    told = event(
        recording_id="rec-1", recording_transcription_id="t", transcription_text="Hi", calling_party_type="sip"
    )

    assert said_in(told) == Said("rec-1", "Hi", "agent")
    # It may name no leg: the recording's id is an id of the call too.
    assert leg_ids(told) == ("rec-1",)


def test_a_failed_one_says_so() -> None:
    assert said_in({**FORM, "TranscriptionStatus": "failed", "TranscriptionText": ""}).is_failed
    assert said_of_resource({"recording_id": "r", "status": "failed"}).is_failed


SEGMENTS = [{"start": 2, "end": 3.5, "text": "dos", "speaker": "pstn"}, {"start": "0.0", "end": "1.5", "text": "uno"}]
READ = (Segment(0.0, 1.5, "", "uno"), Segment(2.0, 3.5, "customer", "dos"))


@pytest.mark.parametrize(
    ("segments", "read"),
    [
        (json.dumps(SEGMENTS), READ),
        (SEGMENTS, READ),
        # Anything strange: the whole text is there, and nobody is led to the wrong second.
        ("[", ()),
        ("", ()),
        (None, ()),
        (7, ()),
        ({"start": 1}, ()),
        (["x"], ()),
        ([{"start": 1, "end": 0, "text": "x"}], ()),
        ([{"start": "nan", "end": 2, "text": "x"}], ()),
        ([{"start": True, "end": 2, "text": "x"}], ()),
        ([{"start": 1, "end": 2, "text": " "}], ()),
        ([{"start": 1, "end": 2, "text": "x"}] * 5001, ()),
    ],
    ids=lambda value: str(value)[:30],
)
def test_segments_are_read_whole_or_not_at_all(segments: object, read: tuple[Segment, ...]) -> None:
    assert said_in({**FORM, "TranscriptionSegments": segments}).segments == read


def test_a_text_that_comes_in_pieces_only_is_joined_and_half_a_character_is_none() -> None:
    pieces = json.dumps([{"start": 0, "end": 1, "text": "uno"}, {"start": 1, "end": 2, "text": "dos \ud800"}])

    said = said_in({**FORM, "TranscriptionText": "", "TranscriptionSegments": pieces})

    assert said.text == "uno dos ?"


@pytest.mark.parametrize("payload", [{}, {"TranscriptionText": None}, {"data": None}, {"data": {"payload": []}}])
def test_nonsense_is_read_as_nothing(payload: dict[str, Any]) -> None:
    assert said_in(payload) == Said("", "")
    assert transcription_notice(payload).kind == "transcription.unknown"
