"""How loud audio is, ten times a second: read as a stream, so that four hours cost no more memory than a minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import av
import numpy as np

from recordings.loudness import format_of

PER_S: Final = 10
#: Of more channels than two nobody says whose they are.
MOST_CHANNELS: Final = 2
#: Eight hours; a longer file is drawn as far as that.
MOST_PEAKS: Final = 8 * 3600 * PER_S


class NotReadable(ValueError):
    """The audio cannot be decoded; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Peaks:
    channels: int
    #: One byte per moment and channel, interleaved: 255 × √(peak), so that a quiet voice is still seen.
    data: bytes


def peaks_of(file: BinaryIO) -> Peaks:
    """Return the peaks of the first audio stream. What breaks off counts as far as it goes. Raises NotReadable."""
    try:
        with av.open(file, mode="r", format=format_of(file), metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise NotReadable("there is no sound in it")
            channels = min(stream.channels, MOST_CHANNELS)
            window = max(1, int(stream.rate or 8_000) // PER_S)
            data = b"".join(_loudest(_blocks(container, stream, channels), channels, window))
    except (av.error.FFmpegError, ValueError) as err:
        raise NotReadable(str(err)) from err
    if not data:
        raise NotReadable("there is no sound in it")
    return Peaks(channels, data[: MOST_PEAKS * channels])


def _blocks(container: Any, stream: Any, channels: int) -> Iterator[np.ndarray]:
    """Yield samples as (moments, channels), absolute, between 0 and 1."""
    resampler = av.AudioResampler(format="s16", layout="stereo" if channels == 2 else "mono")
    try:
        for frame in container.decode(stream):
            for plain in resampler.resample(frame):
                samples = plain.to_ndarray().reshape(-1, channels)
                yield np.abs(samples.astype(np.int32))
    except av.error.FFmpegError:
        # A file that was cut short: what was read is drawn. If that is nothing, the caller says so.
        return


def _loudest(blocks: Iterator[np.ndarray], channels: int, window: int) -> Iterator[bytes]:
    """Yield the bytes of each whole window, and of the rest at the end."""
    rest = np.empty((0, channels), np.int32)
    made = 0
    for block in blocks:
        rest = np.concatenate((rest, block))
        whole = len(rest) // window
        if not whole:
            continue
        yield _as_bytes(rest[: whole * window].reshape(whole, window, channels).max(axis=1))
        rest, made = rest[whole * window :], made + whole
        if made >= MOST_PEAKS:
            return
    if len(rest):
        yield _as_bytes(rest.max(axis=0, keepdims=True))


def _as_bytes(peaks: np.ndarray) -> bytes:
    return bytes(np.minimum(255, np.rint(255 * np.sqrt(peaks / 32768))).astype(np.uint8).tobytes())
