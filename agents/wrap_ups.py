"""What comes after a call, as whoever ends the call says it: agents know no calls and no queues."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import WRAP_UP_CAP_S, WrapUpMode

#: They end with the clock; the others with the agent, or at the cap.
_TIMED = frozenset({WrapUpMode.TIMED, WrapUpMode.TIMED_LOCKED})


@dataclass(frozen=True, slots=True)
class WrapUp:
    """A policy: how long the work after a call keeps an agent from the next one, and who may end it."""

    mode: WrapUpMode
    #: Of the modes that have a timer.
    seconds: int = 0

    @property
    def lasts_s(self) -> int:
        """For how long at the most, in seconds; 0 if there is none."""
        if self.mode == WrapUpMode.NONE:
            return 0
        return min(self.seconds, WRAP_UP_CAP_S) if self.mode in _TIMED else WRAP_UP_CAP_S
