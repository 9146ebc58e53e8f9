"""When the next tick is due. Pure: the clock is an argument."""

from __future__ import annotations

from telephony.sandbox.media.frames import FRAME_S

# A laptop that slept is not owed an hour of ticks; a busy second is caught up whole, so recordings keep their length.
MAX_LATE_S = 5.0


class Pace:
    """Counts 20 ms ticks from a start on a monotonic clock: tick n is due at start + n * 20 ms, so nothing drifts."""

    def __init__(self, started_at_s: float) -> None:
        self._started_at_s = started_at_s
        self._taken = 0

    def take(self, now_s: float) -> int:
        """Return how many ticks are due and have not been taken yet, and take them."""
        if now_s - self._next_at_s() > MAX_LATE_S:
            self._started_at_s, self._taken = now_s, 0
        # The tiny addend: 0.06 / 0.02 is 2.999… in binary.
        due = int((now_s - self._started_at_s) / FRAME_S + 1e-6) - self._taken
        self._taken += max(0, due)
        return max(0, due)

    def wait_s(self, now_s: float) -> float:
        """Return how long to sleep until the next tick is due."""
        return max(0.0, self._next_at_s() - now_s)

    def _next_at_s(self) -> float:
        return self._started_at_s + (self._taken + 1) * FRAME_S
