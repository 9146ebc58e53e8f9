"""Sound files as sources, decoded a little at a time, so that a long file never holds the event loop."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import av
import numpy as np

from telephony.sandbox.media.frames import FRAME_SAMPLES, RATE_HZ, Frame, framed


class UnreadableSound(Exception):
    """What was given is no sound file that can be decoded; the message says why."""


def file(path_or_bytes: Path | bytes) -> FileSource:
    """Return a source over a WAV, MP3 or other audio file.

    Raises UnreadableSound at once if it cannot be opened. A file that breaks off later simply ends there.
    """
    return FileSource(path_or_bytes)


class FileSource:
    """A sound file being decoded; it closes its file when it ends or is forgotten."""

    def __init__(self, path_or_bytes: Path | bytes) -> None:
        # Opened by us, never by name: FFmpeg would also fetch "http:" or follow a playlist.
        try:
            self._raw: IO[bytes] = (
                io.BytesIO(path_or_bytes) if isinstance(path_or_bytes, bytes) else path_or_bytes.open("rb")
            )
        except OSError as err:
            raise UnreadableSound(f"cannot open the sound: {err}") from err
        try:
            self._container = av.open(self._raw, mode="r")
            stream = self._container.streams.audio[0]
        except (av.FFmpegError, IndexError, ValueError) as err:
            self._raw.close()
            raise UnreadableSound(f"not a sound file: {err}") from err
        self.duration_s: float | None = self._duration_s()
        self._frames = self._decoded(stream.index)

    def next(self) -> Frame | None:
        return next(self._frames, None)

    def _duration_s(self) -> float:
        if self._container.duration:
            return float(self._container.duration / av.time_base)
        # Not said by the file: guessed as 128 kbit/s, since whoever waits for its end must wait for something.
        return self._container.size / 16_000

    def _decoded(self, stream_index: int) -> Iterator[Frame]:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ, frame_size=FRAME_SAMPLES)
        try:
            for decoded in self._container.decode(audio=stream_index):
                for piece in resampler.resample(decoded):
                    yield _frame(piece)
            for piece in resampler.resample(None):
                yield _frame(piece)
        except av.FFmpegError:
            return
        finally:
            self._container.close()
            self._raw.close()


def _frame(piece: av.AudioFrame) -> Frame:
    return framed(piece.to_ndarray().reshape(-1).astype(np.int16, copy=False)[:FRAME_SAMPLES])
