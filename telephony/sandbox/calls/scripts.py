"""What a pretend person does on the telephone: says, waits, sends digits, hangs up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telephony.sandbox import clock
from telephony.sandbox.media import sources

if TYPE_CHECKING:
    from telephony.sandbox.calls.legs import Leg
    from telephony.sandbox.calls.parties import PretendPerson


class BadScript(ValueError):
    """A step that nobody can do; the text says which."""


@dataclass(frozen=True)
class Step:
    verb: str
    value: Any
    language: str = "es"


# The verb of a step → what its value must be.
VERBS: dict[str, tuple[type, ...]] = {
    "say": (str,),
    "tone": (int, float),
    "wait_s": (int, float),
    "until_hears": (str,),
    "digits": (str,),
    "hangup": (bool,),
}
TONE_S = 3600.0
BETWEEN_DIGITS_S = 0.2


def read_script(steps: Any) -> tuple[Step, ...]:
    """Return the steps, checked. Raises BadScript.

    `[{"say": text, "language"?}, {"tone": hz}, {"wait_s": n}, {"until_hears": words},
    {"digits": "1#"}, {"hangup": true}]`
    """
    if not isinstance(steps, list):
        raise BadScript("script is a list of steps")
    return tuple(_step(place, step) for place, step in enumerate(steps))


def _step(place: int, step: Any) -> Step:
    if not isinstance(step, dict):
        raise BadScript(f"step {place} is not an object")
    verbs = [name for name in step if name in VERBS]
    unknown = [name for name in step if name not in VERBS and name not in ("language", "duration_s")]
    if len(verbs) != 1 or unknown:
        raise BadScript(
            f"step {place} must have one of {', '.join(VERBS)} (and may have language), not {', '.join(step)}"
        )
    value = step[verbs[0]]
    if not isinstance(value, VERBS[verbs[0]]) or (isinstance(value, bool) and verbs[0] != "hangup"):
        raise BadScript(f"step {place}: {verbs[0]} cannot be {value!r}")
    return Step(verbs[0], value, str(step.get("language", "es")))


async def perform(person: PretendPerson, leg: Leg, steps: tuple[Step, ...]) -> None:
    """Do the steps one after another while the leg lives. Speech is waited for; a tone goes on under the next steps."""
    for step in steps:
        if not leg.is_live:
            return
        match step.verb:
            case "say":
                utterance = leg.begins_to_say(step.value)
                await person.say_text(step.value, step.language)
                utterance.ended_at = clock.now()
            case "tone":
                person.say(sources.tone(float(step.value), TONE_S))
            case "wait_s":
                await asyncio.sleep(float(step.value))
            case "until_hears":
                await leg.until_hears(step.value)
            case "digits":
                for digit in step.value:
                    leg.press(digit)
                    # By the document's clock: its time-out between two keys counts so too.
                    await asyncio.sleep(BETWEEN_DIGITS_S * leg.world.second_s)
            case _:
                person.hang_up(leg)
