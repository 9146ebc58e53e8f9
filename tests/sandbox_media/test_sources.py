"""What each source sounds like, by FFT."""

from __future__ import annotations

import asyncio
import io
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from telephony.sandbox.media import speech as speech_module
from telephony.sandbox.media.frames import FRAME_SAMPLES, RATE_HZ, AudioSource, Samples, framed, peak_hz, rms
from telephony.sandbox.media.sources import (
    RINGBACK,
    UnreadableSound,
    beep,
    file,
    music,
    pause,
    ringback,
    speech,
    tone,
)
from telephony.sandbox.media.speech import SPEECH_TONE_HZ, voice_of
from tests.sandbox_media.support import collected

SECOND = 50
"""Frames in a second."""


def strongest_hz(samples: Samples, count: int) -> list[int]:
    """Return the strongest frequencies, lowest first, one per 10 Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    found: list[int] = []
    while len(found) < count:
        hz = int(spectrum.argmax() * RATE_HZ / samples.size)
        found.append(hz)
        spectrum[max(0, int((hz - 10) * samples.size / RATE_HZ)) : int((hz + 10) * samples.size / RATE_HZ) + 1] = 0
    return sorted(found)


@pytest.mark.parametrize("hz", [200, 440, 1000, 3400])
def test_a_tone_is_its_frequency_at_its_loudness_and_never_ends(hz: float) -> None:
    source = tone(hz, amplitude=0.4)
    samples = collected(source, frames=SECOND)

    assert peak_hz(samples) == pytest.approx(hz, abs=1)
    assert rms(samples) == pytest.approx(0.4 / 2**0.5, rel=0.01)
    assert source.duration_s is None


@pytest.mark.parametrize(
    ("source", "seconds"), [(tone(300, 0.5), 0.5), (beep(), 0.5), (pause(0.1), 0.1), (music(duration_s=0.25), 0.26)]
)
def test_a_source_with_a_duration_ends_after_it_and_stays_ended(source: AudioSource, seconds: float) -> None:
    samples = collected(source, frames=10 * SECOND)

    assert samples.size / RATE_HZ == pytest.approx(seconds)
    assert source.next() is None
    assert source.next() is None


def test_a_tone_joins_its_frames_without_a_click() -> None:
    steps = np.abs(np.diff(collected(tone(441), frames=10).astype(np.int32)))

    assert steps.max() <= 2 * np.pi * 441 / RATE_HZ * 0.4 * 32_767 + 2


def test_american_ringback_is_two_tones_for_two_seconds_and_four_of_silence() -> None:
    sound = collected(ringback("us"), frames=12 * SECOND)
    by_second = sound.reshape(12, RATE_HZ)

    assert strongest_hz(sound[: 2 * RATE_HZ], 2) == pytest.approx([440, 480], abs=2)
    assert [rms(second) > 0.1 for second in by_second] == [True, True, False, False, False, False] * 2


@pytest.mark.parametrize("country", [*RINGBACK, "at"])
def test_every_country_rings_and_pauses(country: str) -> None:
    loudness = [rms(piece) for piece in collected(ringback(country), frames=6 * SECOND).reshape(-1, FRAME_SAMPLES)]

    assert max(loudness) > 0.1
    assert min(loudness) == 0


def test_music_is_the_same_for_a_seed_differs_between_seeds_and_never_clips() -> None:
    one, again, other = (collected(music(seed), frames=6 * SECOND) for seed in (1, 1, 2))

    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert 0.02 < rms(one) < 0.3
    assert np.abs(one.astype(np.int32)).max() < 0.5 * 32_767


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not on this machine; tones are tried below")
def test_speech_is_real_differs_by_language_and_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def said() -> list[Samples]:
        sources = [await speech("All our agents are busy.", language) for language in ("en-US", "es-MX")]
        monkeypatch.setattr(speech_module, "_synthesise", None)
        sources.append(await speech("All our agents are busy.", "en-US"))
        return [collected(source, frames=10 * SECOND) for source in sources]

    english, spanish, again = asyncio.run(said())

    assert 1 < english.size / RATE_HZ < 4
    assert rms(english) > 0.02
    assert not np.array_equal(english[: spanish.size], spanish[: english.size])
    assert np.array_equal(english, again)


@pytest.mark.parametrize(
    "text", ["-v evil --path=/etc/passwd", "<speak>&amp;</speak>", "¿Qué tal? 你好 \x00", "a" * 9000]
)
def test_any_text_is_spoken_without_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_module, "MAX_CHARACTERS", 60)

    source = asyncio.run(speech(text, "es-ES"))

    assert source.next() is not None


@pytest.mark.parametrize(
    ("language", "key"), [("es-MX", "es"), ("en", "en"), ("EN-gb", "en"), ("tlh", None), ("", None)]
)
def test_without_espeak_each_language_has_its_pitch_and_its_length(language: str, key: str | None) -> None:
    source = asyncio.run(speech("one two three four", language, real=False))
    samples = collected(source, frames=10 * SECOND)

    assert peak_hz(samples) == pytest.approx(SPEECH_TONE_HZ[key], abs=2)
    assert samples.size / RATE_HZ == pytest.approx(4 * 60 / 165, abs=0.05)


def test_a_broken_espeak_falls_back_to_tones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "espeak-ng"
    broken.write_text("#!/bin/sh\necho no sound\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))

    source = asyncio.run(speech("unheard of", "es-MX"))

    assert peak_hz(collected(source, frames=SECOND)) == pytest.approx(SPEECH_TONE_HZ["es"], abs=5)


@pytest.mark.parametrize(
    ("tag", "voice"), [("es-MX", "es-419"), ("es-ES", "es"), ("en-GB", "en-gb"), ("xx-YY", "en-us"), ("-q", "en-us")]
)
def test_a_language_tag_names_a_voice_of_the_table_and_nothing_else(tag: str, voice: str) -> None:
    assert voice_of(tag) == voice


def wav(samples: Samples, *, rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(np.repeat(samples, channels).tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (16_000, 1), (44_100, 2)])
def test_a_file_of_any_rate_plays_at_its_pitch_and_length(rate_hz: int, channels: int, tmp_path: Path) -> None:
    at_s = np.arange(rate_hz) / rate_hz
    path = tmp_path / "sound.wav"
    path.write_bytes(wav((np.sin(2 * np.pi * 660 * at_s) * 9_000).astype(np.int16), rate_hz=rate_hz, channels=channels))

    for source in (file(path), file(path.read_bytes())):
        samples = collected(source, frames=2 * SECOND)

        assert peak_hz(samples[:RATE_HZ]) == pytest.approx(660, abs=2)
        assert samples.size / RATE_HZ == pytest.approx(1, abs=0.03)
        assert source.duration_s == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"RIFF\0\0\0\0WAVEfmt ", b"\xff\xfb" + b"\0" * 40])
def test_what_is_no_sound_file_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(UnreadableSound, match="not a sound file"):
        file(content)


def test_a_missing_file_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSound, match="cannot open"):
        file(tmp_path / "http:" / "nothing.mp3")


def test_a_file_that_breaks_off_ends_there() -> None:
    whole = wav((np.sin(np.arange(RATE_HZ) / 5) * 9_000).astype(np.int16))

    samples = collected(file(whole[: len(whole) // 2]), frames=2 * SECOND)

    assert samples.size / RATE_HZ == pytest.approx(0.5, abs=0.05)


def test_a_short_last_piece_is_padded_to_a_whole_frame() -> None:
    frame = framed(np.ones(7, np.int16))

    assert frame.size == FRAME_SAMPLES
    assert frame.sum() == 7
