"""The switch without media: everything lasts as long as it should, nothing sounds, nothing ticks.

For `--no-media`: fifty calls at once cost a few timers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from telephony.sandbox.media.frames import AudioPort, AudioSource
from telephony.sandbox.media.hearing import Playing
from telephony.sandbox.media.parties import VirtualParty
from telephony.sandbox.media.recorder import Recorder, RecordingFormat
from telephony.sandbox.media.switch import MediaSwitch


class QuietSwitch(MediaSwitch):
    """A `MediaSwitch` that moves no frames. Sounds end by the clock; recordings are silent and of the right length."""

    async def start(self) -> None:
        """Nothing to start: there is no clockwork."""

    def party(self) -> VirtualParty:
        return QuietParty(self._clock)

    def play(self, port: AudioPort, source: AudioSource, *, loop: bool = False) -> Playing:
        playing = super().play(port, source, loop=loop)
        if source.duration_s is not None and not loop:
            timer = asyncio.get_running_loop().call_later(source.duration_s, playing.stop)
            playing.done.add_done_callback(lambda _: timer.cancel())
        return playing

    def record(
        self, path: Path, *, left: AudioPort, right: AudioPort | None = None, fmt: RecordingFormat = "wav"
    ) -> Recorder:
        recorder = QuietRecorder(
            path, left=left, right=right, fmt=fmt, on_stop=self._forget_recorder, clock=self._clock
        )
        self._recorders.append(recorder)
        return recorder


class QuietParty(VirtualParty):
    """A pretend caller whose words take their time without a sound."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said_at_s = 0.0

    def say(self, source: AudioSource | None) -> None:
        super().say(source)
        self._said_at_s = self._clock()

    @property
    def is_saying(self) -> bool:
        if self._saying is None:
            return False
        duration_s = self._saying.duration_s
        return duration_s is None or self._clock() - self._said_at_s < duration_s


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
    ) -> None:
        super().__init__(path, left=left, right=right, fmt=fmt, on_stop=on_stop)
        self._clock = clock
        self._started_at_s = clock()

    @property
    def duration_s(self) -> float:
        return self._clock() - self._started_at_s if self.is_running else super().duration_s

    def stop(self) -> None:
        if self.is_running:
            self.feed_silence(self._clock() - self._started_at_s)
        super().stop()
