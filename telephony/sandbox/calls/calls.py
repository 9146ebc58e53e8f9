"""A call: the legs that belong together, what was said about them, and the table of all calls since the start."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from telephony.sandbox import clock, ids
from telephony.sandbox.journal import Exchange

if TYPE_CHECKING:
    from telephony.sandbox.calls.legs import Leg
    from telephony.sandbox.world import World


class Call:
    """A group of related legs, one `call_session_id`. `id` is the sandbox's own, for its page and scripts."""

    def __init__(self, world: World, *, what: str) -> None:
        self.id = ids.new_uuid()[:8]
        self.what = what
        self.session_id = ids.new_uuid()
        self.created_at = clock.now()
        self.legs: list[Leg] = []
        self.exchanges: list[Exchange] = []
        self.errors: list[str] = []
        self._world = world

    @property
    def root(self) -> Leg:
        return self.legs[0]

    @property
    def is_live(self) -> bool:
        return any(leg.is_live for leg in self.legs)

    def add(self, leg: Leg) -> None:
        self.legs.append(leg)
        self._world.calls.by_control_id[leg.call_control_id] = leg
        self._world.journal.touch()

    def leg_ended(self, leg: Leg) -> None:
        if not self.is_live:
            self._world.journal.info(f"The call ended: {leg.final_status}", call_id=self.id)

    def fail(self, reason: str) -> None:
        """Note an error of the application, where everybody looks: the call, the log, the page."""
        self.errors.append(reason)
        self._world.journal.error(reason, call_id=self.id)


class Calls:
    """All calls since the start, newest last. Not kept over a restart."""

    KEPT = 1000

    def __init__(self) -> None:
        self.by_id: dict[str, Call] = {}
        self.by_control_id: dict[str, Leg] = {}

    def new(self, world: World, *, what: str) -> Call:
        call = Call(world, what=what)
        self.by_id[call.id] = call
        self._forget_oldest()
        return call

    def leg(self, call_control_id: str) -> Leg | None:
        return self.by_control_id.get(unquote(call_control_id))

    def live_legs(self) -> Iterable[Leg]:
        return [leg for leg in self.by_control_id.values() if leg.is_live]

    def call_named_in(self, path: str) -> Call | None:
        """The call of which a leg's id stands in a path."""
        legs = (self.by_control_id.get(part) for part in path.split("/"))
        return next((leg.call for leg in legs if leg), None)

    def _forget_oldest(self) -> None:
        too_many = len(self.by_id) - self.KEPT
        if too_many <= 0:
            return
        ended = (call for call in self.by_id.values() if call.legs and not call.is_live)
        for call in list(islice(ended, too_many)):
            del self.by_id[call.id]
            for leg in call.legs:
                del self.by_control_id[leg.call_control_id]
