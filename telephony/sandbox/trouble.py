"""The switches for trouble: what a bad day at the provider looks like, on demand and repeatable by its seed."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Refusal = Literal["no", "429", "500", "disconnect"]
REFUSALS: tuple[Refusal, ...] = ("no", "429", "500", "disconnect")
DROP_ONE_IN = 10


class UnknownSwitch(ValueError):
    """The request names a switch that does not exist, or a value that the switch cannot have."""


@dataclass(frozen=True)
class Switches:
    duplicate: bool = False  # every webhook is sent twice, instructions too
    shuffle: bool = False  # notifications wait a random while, so they overtake each other
    drop: bool = False  # one notification in ten is never sent (an instruction never is)
    lose_recording_callback: bool = False
    lose_transcription_callback: bool = False
    slow_api_ms: int = 0
    refuse_api: Refusal = "no"
    # Only the updates that put another document in a live leg's place (`Url`, `Texml`); hang-ups pass.
    slow_updates_ms: int = 0  # the effect at once, the answer so much later: what it sets off overtakes it
    late_updates_ms: int = 0  # the answer at once, the effect so much later
    lose_agent_leg_on_update: bool = False  # a browser's leg that is to be moved is lost instead; the answer is 200
    empty_room: bool = False  # … or neither joins nor leaves for some seconds, and then ends
    refuse_updates: Refusal = "no"
    refuse_conference_api: Refusal = "no"  # only what is asked of rooms and their participants
    lose_conference_callbacks: bool = False
    # Orders of numbers. The first takes the order, and its answer never comes.
    orders_time_out: bool = False
    orders_fail: bool = False
    orders_stay_pending_ms: int = 0
    orders_need_documents: bool = False  # they wait until this is off again
    seed: int = 1


class Trouble:
    """The switches as they stand, and the dice that belong to them."""

    def __init__(self) -> None:
        self.switches = Switches()
        self._dice = random.Random(self.switches.seed)
        self._bag: list[bool] = []

    def update(self, wanted: dict[str, Any]) -> Switches:
        """Set the named switches; `{"all_off": true}` first resets the rest. Raises UnknownSwitch, changing nothing."""
        wanted = dict(wanted)
        switches = Switches() if wanted.pop("all_off", False) else self.switches
        switches = replace(switches, **{name: _checked(name, value) for name, value in wanted.items()})
        if switches.seed != self.switches.seed or "seed" in wanted:
            self._dice, self._bag = random.Random(switches.seed), []
        self.switches = switches
        return switches

    def as_dict(self) -> dict[str, Any]:
        return asdict(self.switches)

    def drops_next_notification(self) -> bool:
        """Exactly one of each ten is dropped, at a place that the dice choose: a short test meets it too."""
        if not self.switches.drop:
            return False
        if not self._bag:
            self._bag = [True] + [False] * (DROP_ONE_IN - 1)
            self._dice.shuffle(self._bag)
        return self._bag.pop()

    def notification_delay_s(self, most_s: float) -> float:
        return self._dice.uniform(0, most_s) if self.switches.shuffle else 0.0


def _checked(name: str, value: Any) -> Any:
    kinds = {name: type(value) for name, value in asdict(Switches()).items()}
    if name not in kinds:
        raise UnknownSwitch(f"There is no switch {name!r}. Switches: {', '.join(kinds)}, all_off.")
    if name.startswith("refuse_"):
        if str(value) not in REFUSALS:
            raise UnknownSwitch(f"{name} is one of {', '.join(REFUSALS)}, not {value!r}.")
        return str(value)
    if type(value) is not kinds[name] or (type(value) is int and value < 0):
        wanted = "whole number from 0" if kinds[name] is int else "boolean"
        raise UnknownSwitch(f"{name} wants a {wanted}, not {value!r}.")
    return value
