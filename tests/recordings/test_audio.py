"""Bytes are judged by what they are."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.audio import Audio, NotAudio, judge
from tests.recordings import files


def judged(content: bytes) -> Audio:
    return judge(io.BytesIO(content), len(content))


@pytest.mark.parametrize(
    ("content", "audio"),
    [
        (files.wav(2), Audio("audio/wav", "wav", 2, 2)),
        (files.wav(3, channels=1, hz=16000), Audio("audio/wav", "wav", 3, 1)),
        (files.wav(0.2), Audio("audio/wav", "wav", 1, 2)),
        (files.mp3(100), Audio("audio/mpeg", "mp3", 4, 2)),
        (files.mp3(1000, id3=False), Audio("audio/mpeg", "mp3", 36, 2)),
        (files.mp3(100) + b"TAG" + bytes(125), Audio("audio/mpeg", "mp3", 4, 2)),
    ],
)
def test_a_recording_is_known_with_its_length_and_channels(content: bytes, audio: Audio) -> None:
    assert judged(content) == audio


def test_a_wav_of_a_stream_that_did_not_know_its_length_is_measured() -> None:
    content = bytearray(files.wav(2))
    content[40:44] = b"\xff\xff\xff\xff"

    assert judged(bytes(content)).duration_s == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b'\xef\xbb\xbf\n<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML document"),
        (b'{"errors": []}', "JSON"),
        (b"OggS" + bytes(100), "neither WAV nor MP3"),
        (files.wav(2)[:9000], "cut short: 8956 of 64000 bytes"),
        (files.wav(0), "no sound"),
        (files.wav(2)[:30], "no sound"),
        (files.mp3(0), "no sound"),
        (b"\xff\xfb\x18\x00", "no sound"),
        (b"RIFF\x24\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd", "does not say"),
    ],
)
def test_what_is_no_recording_is_said_in_words(content: bytes, words: str) -> None:
    with pytest.raises(NotAudio, match=words):
        judged(content)


@given(st.binary(max_size=400), st.sampled_from([b"", b"ID3", b"RIFF\x00\x00\x00\x00WAVE", b"\xff\xfb\x18\x00"]))
def test_no_bytes_whatever_break_the_judge(tail: bytes, head: bytes) -> None:
    try:
        audio = judged(head + tail)
    except NotAudio as err:
        assert str(err)
    else:
        assert audio.channels in {1, 2}
