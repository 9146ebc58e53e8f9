"""`<Start>` and `<Stop>`: what runs beside the other verbs, here a recording of the leg through whatever it does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from telephony.sandbox.media.parties import Ear
from telephony.sandbox.recordings import Running, Wishes

if TYPE_CHECKING:
    from telephony.sandbox.calls.legs import Leg
    from telephony.sandbox.texml.document import Node
    from telephony.sandbox.texml.run import Next, Runner

# None of the documented sources names this verb (assumption S-67).
SOURCE = "StartCallRecordingAPI"


async def start(runner: Runner, node: Node) -> Next:
    """Begin to record, once the leg is answered: the verb itself answers nothing (assumption S-68)."""
    leg = runner.leg
    for noun in node.children:
        wishes = _wishes(runner, noun)
        if leg.answered_at is not None:
            record_leg(leg, wishes, is_by_verb=True)
        else:
            leg.when_answered.append(partial(record_leg, leg, wishes, is_by_verb=True))
    return None


async def stop(runner: Runner, node: Node) -> Next:
    """End what `<Start>` began on this leg; nothing to end is no error."""
    leg = runner.leg
    leg.when_answered.clear()
    for running in leg.recordings:
        if running.is_by_verb:
            leg.world.recordings.stop(running)
    return None


def record_leg(leg: Leg, wishes: Wishes, *, is_by_verb: bool = False) -> Running:
    """Record until it is stopped or the leg ends: left what the leg says, right what it hears, music too (S-69)."""
    running = leg.world.recordings.start(leg, left=leg.port, right=Ear(leg.port), wishes=wishes)
    running.is_by_verb = is_by_verb
    leg.recordings.append(running)
    return running


def _wishes(runner: Runner, noun: Node) -> Wishes:
    return Wishes(
        source=SOURCE,
        channels="dual" if noun.get("channels", "dual") == "dual" else "single",
        fmt="wav" if noun.get("format") == "wav" else "mp3",
        callback_url=runner.absolute(noun.get("recordingStatusCallback")),
        callback_method=noun.get("recordingStatusCallbackMethod", "POST"),
        callback_events=tuple(noun.get("recordingStatusCallbackEvent", "completed").split()),
    )
