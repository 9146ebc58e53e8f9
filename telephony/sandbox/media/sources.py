"""Everything that can be heard, made from arithmetic: tones, ring-back, beep, music, and files.

Speech is in `speech.py`; it is offered here too, so that callers need one import.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from telephony.sandbox.media.clips import Clip, Frames
from telephony.sandbox.media.files import UnreadableSound, file
from telephony.sandbox.media.frames import (
    FRAME_SAMPLES,
    FULL_SCALE,
    RATE_HZ,
    AudioSource,
    Frame,
    Samples,
    frames_for,
)
from telephony.sandbox.media.speech import speech

__all__ = [
    "Clip", "Frames", "UnreadableSound", "beep", "cadenced", "file", "music", "pause", "ringback", "speech", "tone",
]  # fmt: skip


def tone(hz: float, duration_s: float | None = None, amplitude: float = 0.4) -> AudioSource:
    """Return a sine; without a duration it never ends."""
    return cadenced((hz,), on_off_s=(), duration_s=duration_s, amplitude=amplitude)


def beep() -> AudioSource:
    """Return the half second of 1000 Hz that invites a caller to speak."""
    return tone(1000, 0.5)


def pause(duration_s: float) -> AudioSource:
    """Return silence of that length."""
    return tone(0, duration_s, amplitude=0)


@dataclass(frozen=True)
class Cadence:
    """What one country's ring-back sounds like: tones added together, on and off by turns."""

    hz: tuple[float, ...]
    on_off_s: tuple[float, ...]


_EUROPE = Cadence((425,), (1, 4))
_US = Cadence((440, 480), (2, 4))
_UK = Cadence((400, 450), (0.4, 0.2, 0.4, 2))
# Near enough to the national tones (ITU-T E.180) to be told apart; TeXML's other countries sound European here.
RINGBACK: dict[str, Cadence] = {
    "us": _US,
    "us-old": Cadence((420, 460), (2, 4)),
    "uk": _UK,
    "au": _UK,
    "in": _UK,
    "nz": _UK,
    "es": Cadence((425,), (1.5, 3)),
    "fr": Cadence((440,), (1.5, 3.5)),
    "jp": Cadence((400,), (1, 2)),
}


def ringback(country: str = "us") -> AudioSource:
    """Return the endless ring-back of a country; one that is not in the table sounds European."""
    cadence = RINGBACK.get(country, _EUROPE)
    return cadenced(cadence.hz, on_off_s=cadence.on_off_s, amplitude=0.25)


def cadenced(
    hz: tuple[float, ...], *, on_off_s: tuple[float, ...], duration_s: float | None = None, amplitude: float
) -> AudioSource:
    """Return tones added together, by turns on and off (always on if empty); `amplitude` is that of their sum."""
    limit = None if duration_s is None else frames_for(duration_s)
    frames = itertools.islice(_cadenced_frames(hz, on_off_s, amplitude), limit)
    return Frames(frames, duration_s=duration_s)


def _cadenced_frames(hz: tuple[float, ...], on_off_s: tuple[float, ...], amplitude: float) -> Iterator[Frame]:
    off = np.zeros(FRAME_SAMPLES, np.int16)
    pattern = [frames_for(s) for s in on_off_s]
    angles = 2 * np.pi * np.asarray(hz, np.float64)[:, None] / RATE_HZ
    scale = amplitude * FULL_SCALE / len(hz)
    is_on = [True] if not pattern else [i % 2 == 0 for i, n in enumerate(pattern) for _ in range(n)]
    for n, on in enumerate(itertools.cycle(is_on)):
        if not on:
            yield off
            continue
        # The phase counts from the first sample of all, so frames join without a click.
        at = np.arange(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES)
        yield (np.sin(angles * at).sum(axis=0) * scale).astype(np.int16)


# --- music on hold -----------------------------------------------------------------------------------------------

_BAR_S = 2.4
_ROOTS_HZ = (130.81, 146.83, 164.81, 174.61)
# I, vi, IV, V and friends, as semitones above the root: whatever follows whatever, it resolves.
_CHORDS = ((0, 4, 7, 12), (-3, 0, 4, 9), (5, 9, 12, 17), (7, 11, 14, 19), (2, 5, 9, 14), (4, 7, 11, 16))
_BARS = 16


def music(seed: int = 7, duration_s: float | None = None) -> AudioSource:
    """Return calm plucked chords, the same for the same seed, ours and free of royalties."""
    limit = None if duration_s is None else frames_for(duration_s)
    return Frames(itertools.islice(_music_frames(seed), limit), duration_s=duration_s)


def _music_frames(seed: int) -> Iterator[Frame]:
    for bar in itertools.cycle(range(_BARS)):
        samples = _bar(seed, bar)
        for start in range(0, samples.size, FRAME_SAMPLES):
            yield samples[start : start + FRAME_SAMPLES]


@functools.lru_cache(maxsize=2 * _BARS)
def _bar(seed: int, bar: int) -> Samples:
    """Return one bar, faded in at its start and dying away at its end: bars are made when they are needed."""
    dice = np.random.default_rng((seed, bar))
    root_hz = _ROOTS_HZ[seed % len(_ROOTS_HZ)]
    # Every fourth bar comes home to the tonic.
    chord = _CHORDS[0] if bar % 4 == 0 else _CHORDS[int(dice.integers(1, len(_CHORDS)))]
    samples = frames_for(_BAR_S) * FRAME_SAMPLES
    at_s = np.arange(samples) / RATE_HZ
    sound = 0.5 * _pluck(at_s, root_hz * 2 ** (chord[0] / 12) / 2, start_s=0, decay_s=1.4)
    steps = (*chord, *reversed(chord[1:3]), *chord[1:3])
    for i, semitones in enumerate(steps):
        pitch_hz = root_hz * 2 ** (semitones / 12) * (2 if dice.random() < 0.3 else 1)
        sound += 0.35 * _pluck(at_s, pitch_hz, start_s=i * _BAR_S / len(steps), decay_s=0.5)
    sound *= np.minimum(1, (at_s[-1] - at_s) / 0.15)
    return (np.tanh(sound * 0.55) * 0.45 * FULL_SCALE).astype(np.int16)


def _pluck(at_s: npt.NDArray[np.float64], hz: float, *, start_s: float, decay_s: float) -> npt.NDArray[np.float64]:
    since_s = at_s - start_s
    envelope = np.where(since_s > 0, np.minimum(1, since_s / 0.01) * np.exp(-np.maximum(since_s, 0) / decay_s), 0)
    phase = 2 * np.pi * hz * since_s
    body: npt.NDArray[np.float64] = envelope * (np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.1 * np.sin(3 * phase))
    return body
