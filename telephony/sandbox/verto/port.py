"""The two directions of a browser's sound, between the switch's ticks and the peer connection's packets."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from telephony.sandbox.media.frames import SILENCE, Frame

# Packets come in bunches when the machine is busy: start with 40 ms in hand, and never lag more than 160 ms.
PREFILL_FRAMES = 2
MAX_FRAMES = 8


class Mouthpiece(Protocol):
    """Where the port's sound goes: one peer connection, another one after a re-attach."""

    def send(self, frame: Frame) -> None: ...


class BrowserPort:
    """An `AudioPort` that outlives the peer connections behind it."""

    def __init__(self) -> None:
        self._said: deque[Frame] = deque(maxlen=MAX_FRAMES)
        self._is_flowing = False
        self._peer: Mouthpiece | None = None
        self.is_held = False
        self.is_closed = False

    def attach(self, peer: Mouthpiece) -> None:
        """Send to this peer connection from now on."""
        self._peer = peer

    def said(self, frame: Frame) -> None:
        """Take a frame that came from the browser. When the switch is slower, the oldest are dropped."""
        self._said.append(frame)

    def read(self) -> Frame:
        if not self._is_flowing and len(self._said) < PREFILL_FRAMES:
            return SILENCE
        self._is_flowing = bool(self._said)
        if not self._said:
            return SILENCE
        frame = self._said.popleft()
        return SILENCE if self.is_held else frame

    def write(self, frame: Frame) -> None:
        if self._peer is not None and not self.is_closed:
            self._peer.send(SILENCE if self.is_held else frame)

    def close(self) -> None:
        self.is_closed = True
        self._peer = None
        self._said.clear()
