"""Recordings: whose voice is in which channel, and that the file is whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest

from telephony.sandbox.media.frames import RATE_HZ, Samples, peak_hz, rms
from telephony.sandbox.media.parties import Ear
from telephony.sandbox.media.quiet import QuietSwitch
from telephony.sandbox.media.recorder import Recorder, RecordingFormat, mean
from telephony.sandbox.media.sources import file, tone
from telephony.sandbox.media.switch import MediaSwitch
from tests.sandbox_media.support import collected, level, until, wav_channels


async def recorded(
    path: Path, *, seconds: float, fmt: RecordingFormat = "wav", mono: bool = False, mixed: bool = False
) -> Recorder:
    """Record a caller of 440 Hz and an agent of 1000 Hz who hear each other."""
    switch = MediaSwitch()
    caller, agent = switch.party(), switch.party()
    caller.say(tone(440))
    agent.say(tone(1000))
    switch.bridge(caller, agent)
    recorder = switch.record(path, left=caller, right=None if mono else agent, fmt=fmt, mixed=mixed)
    for _ in range(round(seconds * 50)):
        switch.tick()
    recorder.stop()
    return recorder


def decoded(path: Path) -> list[Samples]:
    """Return each channel of a file of any format, at its own rate."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        channels = container.streams.audio[0].channels
        assert container.streams.audio[0].rate == RATE_HZ
    planes = np.concatenate(frames, axis=1)
    return [(plane * 32_767).astype(np.int16) for plane in planes[:channels]]


def test_left_is_the_one_and_right_the_other_and_neither_leaks(tmp_path: Path) -> None:
    recorder = asyncio.run(recorded(tmp_path / "call.wav", seconds=3.7))

    left, right = wav_channels(recorder.path)
    assert [peak_hz(left), peak_hz(right)] == pytest.approx([440, 1000], abs=1)
    for channel, other_hz in ((left, 1000), (right, 440)):
        spectrum = np.abs(np.fft.rfft(channel * np.hanning(channel.size)))
        assert spectrum[round(other_hz * channel.size / RATE_HZ)] < spectrum.max() / 1000
    assert left.size == right.size == round(3.7 * RATE_HZ)
    assert recorder.duration_s == pytest.approx(3.7)


def test_one_party_alone_is_recorded_in_mono(tmp_path: Path) -> None:
    recorder = asyncio.run(recorded(tmp_path / "message.wav", seconds=1, mono=True))

    (only,) = wav_channels(recorder.path)
    assert peak_hz(only) == pytest.approx(440, abs=1)


def test_an_ear_is_recorded_as_what_the_party_hears_and_a_pause_is_left_out(tmp_path: Path) -> None:
    async def story() -> Recorder:
        switch = MediaSwitch()
        caller = switch.party()
        caller.say(tone(440))
        recorder = switch.record(tmp_path / "call.wav", left=caller, right=Ear(caller))
        for hz, is_paused in ((700, False), (1500, True), (700, False)):
            (recorder.pause if is_paused else recorder.resume)()
            switch.play(caller, tone(hz))
            for _ in range(25):
                switch.tick()
        recorder.stop()
        return recorder

    recorder = asyncio.run(story())

    left, right = wav_channels(recorder.path)
    assert left.size == right.size == RATE_HZ
    assert [peak_hz(left[: RATE_HZ // 2]), peak_hz(right[: RATE_HZ // 2])] == pytest.approx([440, 700], abs=3)
    spectrum = np.abs(np.fft.rfft(right * np.hanning(right.size)))
    assert spectrum[1500] < spectrum.max() / 1000


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_a_paused_recording_without_media_does_not_grow(tmp_path: Path, seconds: float) -> None:
    now_s = 10.0
    switch = QuietSwitch(clock=lambda: now_s)
    recorder = switch.record(tmp_path / "call.wav", left=switch.party())
    now_s += seconds
    recorder.pause()
    now_s += 60
    recorder.resume()
    recorder.resume()
    now_s += 1
    recorder.stop()

    assert recorder.duration_s == pytest.approx(seconds + 1)


def test_an_mp3_has_the_same_channels_and_about_the_same_length(tmp_path: Path) -> None:
    recorder = asyncio.run(recorded(tmp_path / "call.mp3", seconds=2, fmt="mp3"))

    left, right = decoded(recorder.path)
    assert [peak_hz(left), peak_hz(right)] == pytest.approx([440, 1000], abs=2)
    assert left.size / RATE_HZ == pytest.approx(2, abs=0.15)
    assert peak_hz(collected(file(recorder.path), frames=20)) in (pytest.approx(440, abs=5), pytest.approx(1000, abs=5))


@pytest.mark.parametrize(("fmt", "suffix"), [("wav", ".wav"), ("mp3", ".mp3")])
def test_both_parties_fit_in_one_channel(fmt: RecordingFormat, suffix: str, tmp_path: Path) -> None:
    recorder = asyncio.run(recorded(tmp_path / f"call{suffix}", seconds=2, fmt=fmt, mixed=True))

    channels = wav_channels(recorder.path) if fmt == "wav" else decoded(recorder.path)
    assert len(channels) == 1
    spectrum = np.abs(np.fft.rfft(channels[0] * np.hanning(channels[0].size)))
    for hz in (440, 1000):
        place = round(hz * channels[0].size / RATE_HZ)
        assert spectrum[place - 5 : place + 6].max() > spectrum.max() / 2


def test_the_mean_of_two_loud_voices_neither_clips_nor_wraps_round() -> None:
    assert set(mean(level(32_000), level(32_000))) == {32_000}
    assert set(mean(level(-32_768), level(32_767))) == {-1}


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        switch = MediaSwitch()
        recorder = switch.record(tmp_path / "call.wav", left=switch.party())
        for _ in range(60):
            switch.tick()
        seen = [(recorder.is_running, recorder.path.exists())]
        recorder.stop()
        recorder.stop()
        seen.append((recorder.is_running, recorder.path.exists()))

        assert seen == [(True, False), (False, True)]
        assert [path.name for path in tmp_path.iterdir()] == ["call.wav"]
        assert wav_channels(recorder.path)[0].size == 60 * 320

    asyncio.run(scenario())


def test_what_a_silenced_or_vanished_party_says_is_recorded_as_it_is(tmp_path: Path) -> None:
    """A voicemail's caller hears nothing and is heard by nobody, and is still recorded until he hangs up."""

    async def scenario() -> None:
        switch = MediaSwitch()
        caller = switch.party()
        caller.say(tone(440))
        switch.silence(caller)
        recorder = switch.record(tmp_path / "message.wav", left=caller)
        for tick in range(100):
            if tick == 50:
                caller.close()
            switch.tick()
        recorder.stop()

        (said,) = wav_channels(recorder.path)
        assert rms(said[:16_000]) > 0.2
        assert rms(said[16_000:]) == 0

    asyncio.run(scenario())


def test_a_recording_stopped_at_once_is_still_a_file_with_a_length(tmp_path: Path) -> None:
    recorder = asyncio.run(recorded(tmp_path / "call.wav", seconds=0))

    assert [channel.size for channel in wav_channels(recorder.path)] == [320, 320]


def test_stopping_the_switch_completes_every_recording(tmp_path: Path) -> None:
    async def scenario() -> None:
        for switch in (MediaSwitch(), QuietSwitch()):
            await switch.start()
            path = tmp_path / f"{type(switch).__name__}.wav"
            recorder = switch.record(path, left=switch.party(), right=switch.party())
            await until(lambda recorder=recorder: recorder.duration_s > 0.06, what="something recorded")  # type: ignore[misc]
            await switch.stop()

            assert not recorder.is_running
            assert [channel.size > 0 for channel in wav_channels(path)] == [True, True]

    asyncio.run(scenario())


def test_a_disk_that_fails_ends_only_that_recording(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        switch = MediaSwitch()
        caller = switch.party()
        failing = switch.record(tmp_path / "failing.wav", left=caller)
        healthy = switch.record(tmp_path / "healthy.wav", left=caller)

        def full(samples: Samples) -> None:
            raise OSError("No space left on device")

        failing._write = full  # type: ignore[method-assign]
        for _ in range(120):
            switch.tick()
        failing.stop()
        healthy.stop()

        assert wav_channels(tmp_path / "healthy.wav")[0].size == 120 * 320
        assert not (tmp_path / "failing.wav").exists()

    asyncio.run(scenario())
    assert caplog.messages == [
        "Recording failing.wav cannot be written; it ends here",
        "Recording failing.wav could not be completed",
    ]


@pytest.mark.parametrize(("fmt", "suffix"), [("wav", ".wav"), ("mp3", ".mp3")])
def test_without_media_a_recording_is_silent_and_as_long_as_the_call(
    fmt: RecordingFormat, suffix: str, tmp_path: Path
) -> None:
    now_s = 50.0
    switch = QuietSwitch(clock=lambda: now_s)
    recorder = switch.record(tmp_path / f"call{suffix}", left=switch.party(), right=switch.party(), fmt=fmt)
    now_s += 12.34
    assert recorder.duration_s == pytest.approx(12.34)
    recorder.stop()

    assert recorder.duration_s == pytest.approx(12.34)
    channels = wav_channels(recorder.path) if fmt == "wav" else decoded(recorder.path)
    assert len(channels) == 2
    for channel in channels:
        assert channel.size / RATE_HZ == pytest.approx(12.34, abs=0.15)
        assert rms(channel) < 0.001
