"""A mission: what a customer's leg is to do before its plan goes on as it always does. Pure.

A blind transfer rings its target, then whoever sent it, then goes back to the plan. A rescue waits for the agent whose
line was lost. Both end in the place where the call was answered; in a queue that is the head of the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from telephony.core.plan import Destination

#: How long the target of a blind transfer rings (contact-centre-semantics.md, section 10).
TRANSFER_RING_S: Final = 20
#: How long a customer waits for the agent whose line was lost (section 11).
RESCUE_FOR: Final = timedelta(seconds=30)
#: More points than any queue gives: who was already being served goes first.
HEAD_PRIORITY: Final = 1_000


class MissionKind(StrEnum):
    TRANSFER = "transfer"
    #: The target did not answer: whoever sent the customer is rung, if he is free.
    RETURN = "return"
    RESCUE = "rescue"
    #: Straight to the place where the call was answered, before all others there.
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Mission:
    kind: MissionKind
    #: Where the call stood in its plan when it was answered.
    origin: Destination
    #: Whom a transfer is for; of a rescue the agent whose line was lost.
    to: Destination
    #: Who sent it; 0 if nobody did.
    from_agent_id: int = 0
    #: Until when a rescue waits.
    until: datetime | None = None
    #: For how long the customer had waited when he was answered: his age in the queue to which he comes back.
    waited_s: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": str(self.kind),
            "origin": self.origin.as_json(),
            "to": self.to.as_json(),
            "from_agent_id": self.from_agent_id,
            "until": self.until.isoformat() if self.until else None,
            "waited_s": self.waited_s,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            kind=MissionKind(data["kind"]),
            origin=Destination.from_json(data["origin"]),
            to=Destination.from_json(data["to"]),
            from_agent_id=data["from_agent_id"],
            until=datetime.fromisoformat(data["until"]) if data["until"] else None,
            waited_s=data["waited_s"],
        )
