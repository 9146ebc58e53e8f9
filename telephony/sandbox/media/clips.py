"""Sources over samples that are there, and over frames that are made on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from telephony.sandbox.media.frames import FRAME_SAMPLES, RATE_HZ, AudioSource, Frame, Samples, framed


class Frames:
    """A source over any iterator of frames."""

    def __init__(self, frames: Iterator[Frame], *, duration_s: float | None) -> None:
        self._frames = frames
        self.duration_s = duration_s

    def next(self) -> Frame | None:
        return next(self._frames, None)


class Clip:
    """A source over samples in memory."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._position = 0
        self.duration_s: float | None = samples.size / RATE_HZ

    def next(self) -> Frame | None:
        start, self._position = self._position, self._position + FRAME_SAMPLES
        if start >= self._samples.size:
            return None
        return framed(self._samples[start : self._position])


class Later:
    """A source that is opened for its first frame: whoever only waits for its end never pays for it."""

    def __init__(self, opened: Callable[[], AudioSource], *, duration_s: float | None) -> None:
        self._opened = opened
        self._source: AudioSource | None = None
        self.duration_s = duration_s

    def next(self) -> Frame | None:
        if self._source is None:
            self._source = self._opened()
        return self._source.next()
