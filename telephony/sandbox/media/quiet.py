"""The switch without media: everything lasts as long as it should, nothing sounds, nothing ticks.

For `--no-media`: fifty calls at once cost a few timers.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from telephony.sandbox.media.frames import AudioPort, AudioSource
from telephony.sandbox.media.parties import VirtualParty
from telephony.sandbox.media.switch import MediaSwitch


class QuietSwitch(MediaSwitch):
    """A `MediaSwitch` to which every port is silent. Sounds end by the clock; recordings are of the right length."""

    async def start(self) -> None:
        """Nothing to start: there is no clockwork."""

    def party(self) -> VirtualParty:
        return QuietParty(self._clock)

    def is_silent(self, port: AudioPort) -> bool:
        return True


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
