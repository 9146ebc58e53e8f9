"""Is anything said in this audio? Measured on the decoded sound, in pieces, so that its length costs nothing."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

RATE_HZ: Final = 8_000
#: 20 ms, as long as a sound of speech lasts at least.
BLOCK: Final = RATE_HZ // 50
#: Of 32767. The noise of a line stays below, whispered speech on a bad one does not (-45 dBFS).
AUDIBLE_RMS: Final = 180
#: Less sound than this is a click, a breath or a receiver that is put down.
LEAST_SOUND_S: Final = 0.3
SHORTEST_S: Final = 2.0


class Unreadable(ValueError):
    """The audio cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Loudness:
    duration_s: float
    #: How much of it can be heard.
    sound_s: float

    @property
    def is_short(self) -> bool:
        return self.duration_s < SHORTEST_S

    @property
    def is_silent(self) -> bool:
        return self.sound_s < LEAST_SOUND_S


def measure(file: BinaryIO) -> Loudness:
    """Return how long the audio is, and how much of it is sound. Raises Unreadable."""
    samples, audible, rest = 0, 0, array("h")
    for piece in decoded(file):
        samples += len(piece)
        rest.extend(piece)
        whole = len(rest) - len(rest) % BLOCK
        audible += sum(_is_audible(rest[at : at + BLOCK]) for at in range(0, whole, BLOCK))
        rest = rest[whole:]
    return Loudness(samples / RATE_HZ, audible * BLOCK / RATE_HZ)


def _is_audible(block: array[int]) -> bool:
    return sum(sample * sample for sample in block) > AUDIBLE_RMS * AUDIBLE_RMS * len(block)


def decoded(file: BinaryIO) -> Iterator[array[int]]:
    """Yield the sound in pieces: one channel, 16 bits, 8 kHz. Raises Unreadable."""
    # Brings FFmpeg along, which a web process needs only once somebody records a greeting.
    import av

    try:
        with av.open(file, "r", format=format_of(file)) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    yield _samples(piece)
            for piece in resampler.resample(None):
                yield _samples(piece)
    except (av.FFmpegError, IndexError, ValueError) as err:
        raise Unreadable(str(err)) from err


def _samples(frame: object) -> array[int]:
    plane, count = frame.planes[0], frame.samples  # type: ignore[attr-defined]
    # The plane may be longer than what is in it.
    return array("h", bytes(plane)[: count * 2])


def format_of(file: BinaryIO) -> str:
    """Return FFmpeg's name of the format, told by the bytes: it is never left to guess, for playlists name files."""
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    for name, is_it in _FORMATS.items():
        if is_it(head):
            return name
    raise ValueError("not a format of audio that we know")


_FORMATS: Final[dict[str, Callable[[bytes], bool]]] = {
    "wav": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE",
    "mp3": lambda head: head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0),
    # What browsers record: Chromium and Firefox WebM or Ogg, Safari MP4.
    "matroska": lambda head: head[:4] == b"\x1a\x45\xdf\xa3",
    "ogg": lambda head: head[:4] == b"OggS",
    "mov": lambda head: head[4:8] == b"ftyp",
}
