"""What follows a Dial, whatever was dialled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.sandbox.calls.legs import LegGone
from telephony.sandbox.texml.document import Node, Refused
from telephony.sandbox.webhooks import InstructionFailed

if TYPE_CHECKING:
    from telephony.sandbox.texml.run import Next, Runner


async def go_on(runner: Runner, node: Node, facts: dict[str, str]) -> Next:
    """Ask `action`, or go on with the next verb. Raises LegGone, after telling, when the caller has left."""
    from telephony.sandbox.texml.run import Fetch

    action = node.get("action")
    step = Fetch(action, node.get("method", "POST"), tuple(facts.items())) if action else None
    if not runner.leg.ended.is_set():
        return step
    if step is not None:
        # The caller is gone: the address is told how it went all the same, and its document is not run (S-13).
        try:
            await runner.fetch(step)
        except (Refused, InstructionFailed) as error:
            runner.leg.call.fail(str(error))
    raise LegGone
