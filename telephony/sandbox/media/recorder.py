"""What was said, written to a file: left one party, right the other."""

from __future__ import annotations

import logging
import os
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

import av
import numpy as np

from telephony.sandbox.media.frames import FRAME_S, FRAME_SAMPLES, RATE_HZ, SILENCE, AudioPort, Frame, Samples

logger = logging.getLogger(__name__)

RecordingFormat = Literal["wav", "mp3"]

# One write a second: a disk that stutters costs at most one late tick, and a kill loses at most one second.
_FRAMES_PER_WRITE = 50
_SILENT_SECOND: Samples = np.zeros(RATE_HZ, np.int16)


class SoundFile(Protocol):
    def write(self, samples: Samples) -> None:
        """Append samples, channels interleaved."""
        ...

    def close(self) -> None:
        """Complete the file: headers and lengths are right afterwards."""
        ...


class WavFile:
    """16-bit PCM in RIFF; the header is corrected on close."""

    def __init__(self, path: Path, channels: int) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115  # closed by close(), seconds or hours later
        self._file.setnchannels(channels)
        self._file.setsampwidth(2)
        self._file.setframerate(RATE_HZ)

    def write(self, samples: Samples) -> None:
        self._file.writeframesraw(samples.tobytes())

    def close(self) -> None:
        self._file.close()


class Mp3File:
    """MP3 by libmp3lame, encoded as it arrives, so that stopping a long recording is quick."""

    def __init__(self, path: Path, channels: int) -> None:
        self._layout = "stereo" if channels == 2 else "mono"
        self._channels = channels
        self._container = av.open(str(path), mode="w", format="mp3")
        self._stream = self._container.add_stream("libmp3lame", rate=RATE_HZ, layout=self._layout)
        self._stream.bit_rate = 32_000 * channels
        self._written = 0

    def write(self, samples: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = RATE_HZ
        frame.pts, frame.time_base = self._written, Fraction(1, RATE_HZ)
        self._written += samples.size // self._channels
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


_FILES: dict[RecordingFormat, Callable[[Path, int], SoundFile]] = {"wav": WavFile, "mp3": Mp3File}


class Recorder:
    """One recording. The switch feeds it once a tick; `stop` completes the file and puts it at `path`."""

    def __init__(
        self,
        path: Path,
        *,
        left: AudioPort,
        right: AudioPort | None,
        fmt: RecordingFormat,
        on_stop: Callable[[Recorder], None],
        mixed: bool = False,
    ) -> None:
        """`mixed`: both parties in one channel."""
        self.path = path
        self.left, self.right = left, right
        self.channels = 1 if mixed or right is None else 2
        self.started_at = datetime.now(UTC)
        self._on_stop = on_stop
        # Under another name until it is complete: nobody serves half a recording.
        self._part = path.with_name(path.name + ".part")
        self._file: SoundFile | None = _FILES[fmt](self._part, self.channels)
        self._waiting: list[Samples] = []
        self.is_paused = False
        self._frames = 0

    @property
    def duration_s(self) -> float:
        return self._frames * FRAME_S

    @property
    def is_running(self) -> bool:
        return self._file is not None

    def pause(self) -> None:
        """Record nothing until `resume`: the pause is not in the file."""
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def feed(self, left: Frame, right: Frame | None) -> None:
        """Append one tick."""
        self._waiting.append(self._joined(left, right))
        self._frames += 1
        if len(self._waiting) >= _FRAMES_PER_WRITE:
            self._flush()

    def _joined(self, left: Frame, right: Frame | None) -> Samples:
        if right is None:
            return left
        return interleave(left, right) if self.channels == 2 else mean(left, right)

    def feed_silence(self, duration_s: float) -> None:
        """Append silence of that length at once (a switch without media knows only how long it lasted)."""
        frames = round(duration_s / FRAME_S)
        self._frames += frames
        samples = frames * FRAME_SAMPLES * self.channels
        for start in range(0, samples, _SILENT_SECOND.size):
            self._write(_SILENT_SECOND[: samples - start])

    def stop(self) -> None:
        """Write the file completely; a second call does nothing.

        If the disk fails there is no file at `path` afterwards, and the log says why: a call's end must go on.
        """
        if self._file is None:
            return
        self._on_stop(self)
        try:
            self._complete(self._file)
        except (OSError, av.FFmpegError):
            logger.exception("Recording %s could not be completed", self.path.name)
        self._file = None

    def _complete(self, file: SoundFile) -> None:
        if not self._frames:
            # A file without one sample has no length that a player could show.
            self.feed(SILENCE, None if self.right is None else SILENCE)
        self._flush()
        file.close()
        os.replace(self._part, self.path)

    def _flush(self) -> None:
        if self._waiting:
            self._write(np.concatenate(self._waiting))
            self._waiting.clear()

    def _write(self, samples: Samples) -> None:
        if self._file is not None:
            self._file.write(samples)


class QuietRecorder(Recorder):
    """A recording of nobody: on `stop` it writes as much silence as time has passed."""

    def __init__(
        self,
        path: Path,
        *,
        left: AudioPort,
        right: AudioPort | None,
        fmt: RecordingFormat,
        on_stop: Callable[[Recorder], None],
        clock: Callable[[], float],
        mixed: bool = False,
    ) -> None:
        super().__init__(path, left=left, right=right, fmt=fmt, on_stop=on_stop, mixed=mixed)
        self._clock = clock
        self._since_s: float | None = clock()  # None while it is paused
        self._before_s = 0.0

    @property
    def duration_s(self) -> float:
        if not self.is_running:
            return super().duration_s
        return self._before_s + (0.0 if self._since_s is None else self._clock() - self._since_s)

    def pause(self) -> None:
        self._before_s, self._since_s = self.duration_s, None
        super().pause()

    def resume(self) -> None:
        if self._since_s is None:
            self._since_s = self._clock()
        super().resume()

    def stop(self) -> None:
        if self.is_running:
            self.feed_silence(self.duration_s)
        super().stop()


def interleave(left: Frame, right: Frame) -> Samples:
    """Return left and right samples by turns, as WAV and packed stereo want them."""
    both = np.empty(2 * left.size, np.int16)
    both[0::2] = left
    both[1::2] = right
    return both


def mean(left: Frame, right: Frame) -> Samples:
    """Return both in one channel, each half as loud: nothing is clipped."""
    return ((left.astype(np.int32) + right) // 2).astype(np.int16)
