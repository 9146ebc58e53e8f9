"""Sound as a test hears it: tones written and measured."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

RATE_HZ = 48_000


def write_beeps(path: Path, *, hz: int, seconds: float = 2.0) -> None:
    """Write a WAV that beeps: 0.3 s of tone, 0.2 s of silence. Chromium plays it as the microphone, in a loop."""
    t = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    on = (t % 0.5) < 0.3
    samples = (np.sin(2 * np.pi * hz * t) * on * 0.5 * 32767).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())


def channels(audio: bytes) -> tuple[list[np.ndarray], int]:
    """Return the channels of a WAV or MP3 as arrays, and the sample rate."""
    if audio[:4] == b"RIFF":
        with wave.open(io.BytesIO(audio)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            count = file.getnchannels()
            return [data[index::count].astype(float) for index in range(count)], file.getframerate()
    import av

    with av.open(io.BytesIO(audio)) as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray() for frame in container.decode(stream)]
    joined = np.concatenate(frames, axis=1).astype(float)
    return list(joined), int(stream.rate or 0)


def loudest_hz(samples: np.ndarray, rate_hz: int) -> float:
    """Return the strongest frequency of the loud parts; 0 where nothing is heard."""
    window = 4096
    found = []
    for at in range(0, len(samples) - window, window):
        part = samples[at : at + window]
        if np.sqrt((part * part).mean()) < 0.01 * max(1.0, np.abs(samples).max()):
            continue
        spectrum = np.abs(np.fft.rfft(part * np.hanning(window)))
        spectrum[: int(60 * window / rate_hz)] = 0
        found.append(spectrum.argmax() * rate_hz / window)
    return float(np.median(found)) if found else 0.0
