"""What a port can hear: a source, another party, or a room. Each gives one frame per tick."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np

from telephony.sandbox.media.frames import SILENCE, AudioPort, AudioSource, Frame

logger = logging.getLogger(__name__)

Said = Mapping[AudioPort, Frame]
"""What each port that is read said during this tick."""


class Hearing(Protocol):
    def frame(self, listener: AudioPort, said: Said) -> Frame | None:
        """Return what the listener hears now, None once there is nothing more to come."""
        ...

    def speakers(self) -> Iterable[AudioPort]:
        """Return the ports that must be read for it."""
        ...


class Playing:
    """A source being played to one port."""

    def __init__(self, source: AudioSource, *, loop: bool = False) -> None:
        self._next_frame: Callable[[], Frame | None] = source.next
        self._repeated: list[Frame] | None = [] if loop else None
        self._done = asyncio.get_running_loop().create_future()

    @property
    def done(self) -> asyncio.Future[None]:
        """Done when the source has ended, was stopped, or something else took its place; never fails."""
        return self._done

    def stop(self) -> None:
        """End it now: the port hears nothing until it is given something else."""
        self._next_frame, self._repeated = _nothing_more, None
        if not self._done.done():
            self._done.set_result(None)

    def frame(self, listener: AudioPort, said: Said) -> Frame | None:
        frame = self._next()
        if frame is None:
            self.stop()
        return frame

    def speakers(self) -> Iterable[AudioPort]:
        return ()

    def _next(self) -> Frame | None:
        try:
            frame = self._next_frame()
        except Exception:
            # One bad source must not silence every other call.
            logger.exception("A sound broke off")
            return None
        if self._repeated is None:
            return frame
        if frame is not None:
            self._repeated.append(frame)
            return frame
        if not self._repeated:
            return None
        # It ended for the first time: from now on it is its own frames, round and round.
        self._next_frame, self._repeated = itertools.cycle(self._repeated).__next__, None
        return self._next_frame()


def _nothing_more() -> None:
    return None


class Nothing:
    """Silence: what a port hears whose sound has ended or whose other party has left."""

    def frame(self, listener: AudioPort, said: Said) -> Frame | None:
        return SILENCE

    def speakers(self) -> Iterable[AudioPort]:
        return ()


NOTHING = Nothing()


class Opposite:
    """The other party of a two-party conversation."""

    def __init__(self, speaker: AudioPort) -> None:
        self._speaker = speaker

    def frame(self, listener: AudioPort, said: Said) -> Frame | None:
        return said.get(self._speaker, SILENCE)

    def speakers(self) -> Iterable[AudioPort]:
        return (self._speaker,)


class Room:
    """A conference: everybody hears everybody else, but for those who are muted."""

    def __init__(self) -> None:
        self.members: list[AudioPort] = []
        self.muted: set[AudioPort] = set()  # read all the same, so that nothing old is heard afterwards

    def frame(self, listener: AudioPort, said: Said) -> Frame | None:
        others = [
            frame for member in self.members if member is not listener and member not in self.muted
            if (frame := said.get(member, SILENCE)) is not SILENCE
        ]  # fmt: skip
        if not others:
            return SILENCE
        return others[0] if len(others) == 1 else mixed(others)

    def speakers(self) -> Iterable[AudioPort]:
        return self.members


def mixed(frames: list[Frame]) -> Frame:
    """Return the sum, clipped: two loud voices distort, as they do on a telephone."""
    total = np.sum(frames, axis=0, dtype=np.int32)
    return np.clip(total, -32_768, 32_767).astype(np.int16)
