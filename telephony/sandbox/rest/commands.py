"""Commands that were seen: the same `command_id` within 60 s is ignored (receiving webhooks for programmable voice)."""

from __future__ import annotations

import time
from collections.abc import Callable

REMEMBERED_S = 60.0


class Commands:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], float] = {}

    def is_new(self, call_control_id: str, command_id: str | None) -> bool:
        """Whether the command to this leg is to be run; a command without an id always is."""
        if command_id is None:
            return True
        at = self._clock()
        self._seen = {known: when for known, when in self._seen.items() if at - when < REMEMBERED_S}
        if (call_control_id, command_id) in self._seen:
            return False
        self._seen[call_control_id, command_id] = at
        return True
