"""The one shape of sound inside the sandbox: mono, signed 16 bit, 16 kHz, in frames of 20 ms.

Wideband is what WebRTC legs carry; a PSTN leg would be 8 kHz, and nobody here would hear the difference.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
FRAME_MS = 20
FRAME_S = FRAME_MS / 1000
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
FULL_SCALE = 32_767

Frame = npt.NDArray[np.int16]
"""`FRAME_SAMPLES` samples. Frames are shared between listeners: never write into one."""
Samples = npt.NDArray[np.int16]
"""Any number of samples at `RATE_HZ`."""


def _silence() -> Frame:
    frame = np.zeros(FRAME_SAMPLES, np.int16)
    frame.flags.writeable = False
    return frame


SILENCE: Frame = _silence()

# Loudness below this is line noise: no dominant frequency is looked for.
NOISE_FLOOR = 0.002


class AudioPort(Protocol):
    """One party's two directions, moved by the switch once every `FRAME_MS`."""

    def read(self) -> Frame:
        """Return what the party says during this tick, `SILENCE` if nothing."""
        ...

    def write(self, frame: Frame) -> None:
        """Let the party hear this frame."""
        ...

    def close(self) -> None: ...

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called: the switch then forgets the port by itself."""
        ...


class AudioSource(Protocol):
    """Something to be heard: a tone, speech, music, a file."""

    duration_s: float | None
    """How long it sounds; None for ever, or not known before the end."""

    def next(self) -> Frame | None:
        """Return the next frame, None once it has ended (and for ever after)."""
        ...


def rms(samples: Samples) -> float:
    """Return the loudness as a fraction of full scale, 0.0 to 1.0; a sine of amplitude 0.4 is 0.28."""
    if not samples.size:
        return 0.0
    return float(math.sqrt(np.mean(np.square(samples, dtype=np.float64)))) / FULL_SCALE


def peak_hz(samples: Samples) -> float:
    """Return the strongest frequency above 60 Hz, 0.0 for silence; as exact as one over the length in seconds."""
    if rms(samples) < NOISE_FLOOR:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    spectrum[: int(60 * samples.size / RATE_HZ) + 1] = 0
    return float(spectrum.argmax()) * RATE_HZ / samples.size


def frames_for(duration_s: float) -> int:
    """Return how many frames cover this time: at least one, the last is padded."""
    return max(1, math.ceil(duration_s / FRAME_S - 1e-9))


def framed(samples: Samples) -> Frame:
    """Return at most one frame of samples as a whole frame, padded with silence."""
    if samples.size == FRAME_SAMPLES:
        return samples
    frame = np.zeros(FRAME_SAMPLES, np.int16)
    frame[: samples.size] = samples
    return frame
