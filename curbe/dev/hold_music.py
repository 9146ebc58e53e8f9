"""Compose what callers and agents hear: `python -m curbe.dev.hold_music` writes static/sound/*.mp3.

Our own, so nobody is owed anything for it: broken chords of a quiet electric piano, which a telephone's narrow band
carries well. The pieces are as long as telephony.core.queueing.MUSIC_S says, and each ends where it began.
"""

from __future__ import annotations

from typing import Any, Final

import av
import numpy as np

from curbe.dev.config import ROOT

LENGTHS_S: Final = (20, 10, 5)
RATE_HZ: Final = 16_000
BIT_RATE: Final = 32_000
NOTE_S: Final = 5 / 16
LEVEL: Final = 0.22
#: Semitones above A3 of each chord's broken notes: A major seven, F sharp minor seven, D major seven, E seven.
CHORDS: Final = ((0, 7, 11, 16), (-3, 4, 9, 12), (-7, 0, 5, 9), (-5, 2, 7, 11))
A3_HZ: Final = 220.0


def piece(length_s: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return mono samples from -1 to 1."""
    notes = round(length_s / NOTE_S)
    samples = np.zeros(int((length_s + 2) * RATE_HZ))
    for index in range(notes):
        chord = CHORDS[(index // 8) % len(CHORDS) if length_s >= 10 else (index // 4) % len(CHORDS)]
        pitch = chord[(0, 1, 2, 3, 2, 1, 2, 3)[index % 8]]
        note = _note(A3_HZ * 2 ** (pitch / 12))
        start = int(index * NOTE_S * RATE_HZ)
        samples[start : start + len(note)] += note
    whole = int(length_s * RATE_HZ)
    # What still sounds at the end sounds at the beginning of the next piece: here it fades instead of being cut.
    fade = int(0.4 * RATE_HZ)
    samples[whole - fade : whole] *= np.linspace(1, 0, fade)
    return samples[:whole]


def _note(hz: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    at_s = np.arange(int(1.6 * RATE_HZ)) / RATE_HZ
    tone = np.sin(2 * np.pi * hz * at_s) + 0.25 * np.sin(4 * np.pi * hz * at_s) * np.exp(-6 * at_s)
    attack = np.minimum(1.0, at_s / 0.012)
    sounding: np.ndarray[Any, np.dtype[np.float64]] = LEVEL * tone * attack * np.exp(-2.6 * at_s)
    return sounding


def tones(hertz: tuple[int, int], *, on_s: float, off_s: float, times: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a call-progress tone of North America (two sines), as often as wanted."""
    at_s = np.arange(int(on_s * RATE_HZ)) / RATE_HZ
    tone = LEVEL * (np.sin(2 * np.pi * hertz[0] * at_s) + np.sin(2 * np.pi * hertz[1] * at_s))
    edge = int(0.01 * RATE_HZ)
    tone[:edge] *= np.linspace(0, 1, edge)
    tone[-edge:] *= np.linspace(1, 0, edge)
    return np.tile(np.concatenate([tone, np.zeros(int(off_s * RATE_HZ))]), times)


def write(path: str, samples: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("mp3", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def main() -> int:
    folder = ROOT / "static" / "sound"
    folder.mkdir(exist_ok=True)
    for length_s in LENGTHS_S:
        write(str(folder / f"hold-{length_s}.mp3"), piece(length_s))
    write(str(folder / "ringback.mp3"), tones((440, 480), on_s=2, off_s=4, times=1))
    write(str(folder / "busy.mp3"), tones((480, 620), on_s=0.5, off_s=0.5, times=4))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
