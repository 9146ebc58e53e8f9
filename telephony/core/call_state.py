"""The life of a conversation: where it stands, what may happen to it, and what has to be done then.

Pure. One table has every happening in every phase. A happening is a *wish* of a person or a *fact* about a leg. Facts
are read off the legs as they are (``due``), never off the order in which their news came: a webhook that is doubled,
late or lost leads to the same phase. A wish that the table does not have is refused; a fact that it does not have
changes nothing.

The customer is the caller of an inbound call and the called party of an outbound one. The *lead* is whoever talks with
the customer; the *target* is whoever the lead consults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from telephony.core.leg_state import Leg


class Phase(StrEnum):
    #: An agent's call out: he hears the ring-back, the customer's telephone rings.
    DIALLING = "DIALLING"
    #: The plan has the customer: somebody rings, music, a menu, voicemail.
    ROUTING = "ROUTING"
    TALKING = "TALKING"
    #: A wish needs a room, and both legs are on their way into it.
    PROMOTING = "PROMOTING"
    HELD = "HELD"
    CONSULT_RINGING = "CONSULT_RINGING"
    #: The lead talks with the target, the customer hears music.
    CONSULTING = "CONSULTING"
    #: The lead talks with the customer, the target hears music.
    SWAPPED = "SWAPPED"
    #: All three hear each other.
    MERGED = "MERGED"
    #: The customer is on his way to somebody else; the lead has left, or is about to.
    TRANSFERRING = "TRANSFERRING"
    #: The lead's line was lost: the customer hears music until he is back, or somebody else takes the call.
    RESCUING = "RESCUING"
    ENDED = "ENDED"


class Wish(StrEnum):
    HOLD = "hold"
    UNHOLD = "unhold"
    CONSULT = "consult"
    COMPLETE = "complete"
    CANCEL = "cancel"
    MERGE = "merge"
    SWAP = "swap"
    #: A blind transfer.
    TRANSFER = "transfer"
    #: The lead is heard by nobody, told by the server; his own microphone button needs no server.
    MUTE = "mute"
    UNMUTE = "unmute"
    LEAVE = "leave"
    END = "end"


class Fact(StrEnum):
    CUSTOMER_ANSWERED = "customer_answered"
    CUSTOMER_LEFT = "customer_left"
    #: Somebody whom the plan, a transfer or a rescue rang has answered.
    AGENT_JOINED = "agent_joined"
    #: The lead hung up.
    LEAD_LEFT = "lead_left"
    #: The lead's line is gone without a bye.
    LEAD_LOST = "lead_lost"
    TARGET_ANSWERED = "target_answered"
    TARGET_LEFT = "target_left"
    #: Both legs are in the room.
    ROOM_OPENED = "room_opened"
    #: The room could not be had; nobody was moved.
    ROOM_FAILED = "room_failed"
    #: A transfer could not be begun, or what it led to gave the call back to the plan.
    ROUTED_ON = "routed_on"


class Effect(StrEnum):
    """What has to be done; each is a command to Telnyx that may be asked for twice."""

    OPEN_ROOM = "open_room"
    HOLD_CUSTOMER = "hold_customer"
    FREE_CUSTOMER = "free_customer"
    HOLD_TARGET = "hold_target"
    FREE_TARGET = "free_target"
    MUTE_LEAD = "mute_lead"
    UNMUTE_LEAD = "unmute_lead"
    RING_TARGET = "ring_target"
    DROP_TARGET = "drop_target"
    DROP_LEAD = "drop_lead"
    #: The target is the lead from now on.
    ADOPT_TARGET = "adopt_target"
    #: The customer's leg goes back to the plan, with a mission: to whom it is transferred, whom it waits for.
    SEND_TRANSFER = "send_transfer"
    SEND_RESCUE = "send_rescue"
    SEND_BACK = "send_back"
    END_ALL = "end_all"


Happening = Wish | Fact


@dataclass(frozen=True, slots=True)
class Move:
    phase: Phase
    effects: tuple[Effect, ...] = ()
    #: A plain ``<Dial>`` cannot do it: the legs go into a room first.
    needs_room: bool = False
    #: Code of what the agent is told besides the phase; empty: nothing.
    message: str = ""


_E = Effect
_ENDED: Final = Move(Phase.ENDED, (_E.END_ALL,))
_LOST: Final = Move(Phase.RESCUING, (_E.SEND_RESCUE,))
_TRANSFER: Final = Move(Phase.TRANSFERRING, (_E.SEND_TRANSFER,))
#: The lead is gone before anybody took over: the customer waits first in line, with the age that he had.
_BACK: Final = Move(Phase.ROUTING, (_E.DROP_TARGET, _E.SEND_BACK))


def _mutable(phase: Phase, *, needs_room: bool = False) -> dict[Happening, Move]:
    return {
        Wish.MUTE: Move(phase, (_E.MUTE_LEAD,), needs_room=needs_room),
        Wish.UNMUTE: Move(phase, (_E.UNMUTE_LEAD,), needs_room=needs_room),
    }


#: Everything that can happen in every phase. What is not here cannot: a wish is refused, a fact changes nothing.
TABLE: Final[Mapping[Phase, Mapping[Happening, Move]]] = MappingProxyType(
    {
        Phase.DIALLING: {
            Fact.CUSTOMER_ANSWERED: Move(Phase.TALKING),
            Fact.CUSTOMER_LEFT: _ENDED,
            Fact.LEAD_LEFT: _ENDED,
            # Nobody is there to hear whoever answers.
            Fact.LEAD_LOST: _ENDED,
            Wish.LEAVE: _ENDED,
            Wish.END: _ENDED,
        },
        Phase.ROUTING: {
            Fact.AGENT_JOINED: Move(Phase.TALKING),
            # A transfer to a queue is the plan's at once, and may yet be refused.
            Fact.ROOM_FAILED: Move(Phase.TALKING, (_E.FREE_CUSTOMER,), message="no_transfer"),
            Fact.CUSTOMER_LEFT: _ENDED,
            Wish.END: _ENDED,
        },
        Phase.TALKING: {
            **_mutable(Phase.TALKING, needs_room=True),
            Wish.HOLD: Move(Phase.HELD, (_E.HOLD_CUSTOMER,), needs_room=True),
            Wish.CONSULT: Move(Phase.CONSULT_RINGING, (_E.HOLD_CUSTOMER, _E.RING_TARGET), needs_room=True),
            Wish.TRANSFER: _TRANSFER,
            Wish.LEAVE: _ENDED,
            Wish.END: _ENDED,
            Fact.CUSTOMER_LEFT: _ENDED,
            Fact.LEAD_LEFT: _ENDED,
            Fact.LEAD_LOST: _LOST,
        },
        Phase.PROMOTING: {
            # The wish that asked for the room is taken up again by ``after``.
            Fact.ROOM_OPENED: Move(Phase.TALKING),
            Fact.ROOM_FAILED: Move(Phase.TALKING, message="no_room"),
            # Thought better of it: the room opens all the same, and nothing happens in it.
            Wish.UNHOLD: Move(Phase.TALKING),
            Wish.CANCEL: Move(Phase.TALKING),
            Wish.LEAVE: _ENDED,
            Wish.END: _ENDED,
            Fact.CUSTOMER_LEFT: _ENDED,
            Fact.LEAD_LEFT: _ENDED,
            Fact.LEAD_LOST: _LOST,
        },
        Phase.HELD: {
            **_mutable(Phase.HELD),
            Wish.UNHOLD: Move(Phase.TALKING, (_E.FREE_CUSTOMER,)),
            Wish.CONSULT: Move(Phase.CONSULT_RINGING, (_E.RING_TARGET,)),
            Wish.TRANSFER: _TRANSFER,
            Wish.LEAVE: _ENDED,
            Wish.END: _ENDED,
            Fact.CUSTOMER_LEFT: _ENDED,
            Fact.LEAD_LEFT: _ENDED,
            Fact.LEAD_LOST: _LOST,
        },
        Phase.CONSULT_RINGING: {
            Fact.TARGET_ANSWERED: Move(Phase.CONSULTING),
            Fact.TARGET_LEFT: Move(Phase.TALKING, (_E.DROP_TARGET, _E.FREE_CUSTOMER), message="target_failed"),
            Wish.CANCEL: Move(Phase.TALKING, (_E.DROP_TARGET, _E.FREE_CUSTOMER)),
            Wish.LEAVE: Move(Phase.ROUTING, (_E.DROP_TARGET, _E.SEND_BACK)),
            Wish.END: _ENDED,
            Fact.CUSTOMER_LEFT: Move(Phase.ENDED, (_E.DROP_TARGET, _E.END_ALL), message="caller_left"),
            Fact.LEAD_LEFT: _BACK,
            Fact.LEAD_LOST: _BACK,
        },
        Phase.CONSULTING: {
            **_mutable(Phase.CONSULTING),
            Wish.COMPLETE: Move(Phase.TALKING, (_E.FREE_CUSTOMER, _E.DROP_LEAD, _E.ADOPT_TARGET)),
            Wish.LEAVE: Move(Phase.TALKING, (_E.FREE_CUSTOMER, _E.DROP_LEAD, _E.ADOPT_TARGET)),
            Wish.CANCEL: Move(Phase.TALKING, (_E.DROP_TARGET, _E.FREE_CUSTOMER)),
            Wish.MERGE: Move(Phase.MERGED, (_E.FREE_CUSTOMER,)),
            Wish.SWAP: Move(Phase.SWAPPED, (_E.HOLD_TARGET, _E.FREE_CUSTOMER)),
            Wish.END: _ENDED,
            Fact.TARGET_LEFT: Move(Phase.TALKING, (_E.DROP_TARGET, _E.FREE_CUSTOMER), message="target_left"),
            Fact.CUSTOMER_LEFT: Move(Phase.ENDED, (_E.DROP_TARGET, _E.END_ALL), message="caller_left"),
            Fact.LEAD_LEFT: Move(Phase.TALKING, (_E.FREE_CUSTOMER, _E.ADOPT_TARGET)),
            Fact.LEAD_LOST: Move(Phase.TALKING, (_E.FREE_CUSTOMER, _E.ADOPT_TARGET)),
        },
        Phase.SWAPPED: {
            **_mutable(Phase.SWAPPED),
            Wish.SWAP: Move(Phase.CONSULTING, (_E.HOLD_CUSTOMER, _E.FREE_TARGET)),
            Wish.COMPLETE: Move(Phase.TALKING, (_E.FREE_TARGET, _E.DROP_LEAD, _E.ADOPT_TARGET)),
            Wish.LEAVE: Move(Phase.TALKING, (_E.FREE_TARGET, _E.DROP_LEAD, _E.ADOPT_TARGET)),
            Wish.CANCEL: Move(Phase.TALKING, (_E.DROP_TARGET,)),
            Wish.MERGE: Move(Phase.MERGED, (_E.FREE_TARGET,)),
            Wish.END: _ENDED,
            Fact.TARGET_LEFT: Move(Phase.TALKING, (_E.DROP_TARGET,), message="target_left"),
            Fact.CUSTOMER_LEFT: Move(Phase.ENDED, (_E.DROP_TARGET, _E.END_ALL), message="caller_left"),
            Fact.LEAD_LEFT: Move(Phase.TALKING, (_E.FREE_TARGET, _E.ADOPT_TARGET)),
            Fact.LEAD_LOST: Move(Phase.TALKING, (_E.FREE_TARGET, _E.ADOPT_TARGET)),
        },
        Phase.MERGED: {
            **_mutable(Phase.MERGED),
            Wish.COMPLETE: Move(Phase.TALKING, (_E.DROP_LEAD, _E.ADOPT_TARGET)),
            Wish.LEAVE: Move(Phase.TALKING, (_E.DROP_LEAD, _E.ADOPT_TARGET)),
            Wish.CANCEL: Move(Phase.TALKING, (_E.DROP_TARGET,)),
            Wish.END: _ENDED,
            Fact.TARGET_LEFT: Move(Phase.TALKING, (_E.DROP_TARGET,), message="target_left"),
            Fact.CUSTOMER_LEFT: Move(Phase.ENDED, (_E.DROP_TARGET, _E.END_ALL), message="caller_left"),
            Fact.LEAD_LEFT: Move(Phase.TALKING, (_E.ADOPT_TARGET,)),
            Fact.LEAD_LOST: Move(Phase.TALKING, (_E.ADOPT_TARGET,)),
        },
        Phase.TRANSFERRING: {
            Fact.AGENT_JOINED: Move(Phase.TALKING),
            Fact.ROUTED_ON: Move(Phase.ROUTING),
            # Telnyx did not take the customer's leg: nothing was moved, and the two still talk.
            Fact.ROOM_FAILED: Move(Phase.TALKING, (_E.FREE_CUSTOMER,), message="no_transfer"),
            Fact.CUSTOMER_LEFT: _ENDED,
            Wish.END: _ENDED,
        },
        Phase.RESCUING: {
            Fact.AGENT_JOINED: Move(Phase.TALKING),
            Fact.ROUTED_ON: Move(Phase.ROUTING),
            Fact.CUSTOMER_LEFT: _ENDED,
            Wish.END: _ENDED,
        },
        Phase.ENDED: {},
    }
)

#: In these somebody of ours talks, or could at once; his leg's end means something.
LED: Final = frozenset(
    {
        Phase.DIALLING,
        Phase.TALKING,
        Phase.PROMOTING,
        Phase.HELD,
        Phase.CONSULT_RINGING,
        Phase.CONSULTING,
        Phase.SWAPPED,
        Phase.MERGED,
    }
)
#: In these the plan has the customer.
ROUTED: Final = frozenset({Phase.ROUTING, Phase.TRANSFERRING, Phase.RESCUING})
#: In these there is a target.
CONSULTED: Final = frozenset({Phase.CONSULT_RINGING, Phase.CONSULTING, Phase.SWAPPED, Phase.MERGED})
#: In these the customer hears music.
CUSTOMER_HELD: Final = frozenset({Phase.HELD, Phase.CONSULT_RINGING, Phase.CONSULTING})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a conversation stands, with everything that ``due`` looks at. A leg that is not there yet is None."""

    phase: Phase
    #: What the room was asked for; only while PROMOTING.
    wish: Wish | None = None
    #: Both legs are in a room already.
    in_room: bool = False
    customer_in_room: bool = False
    lead_in_room: bool = False
    customer: Leg | None = None
    lead: Leg | None = None
    target: Leg | None = None
    #: The lead's line is gone and nobody said bye: judged where clocks and heartbeats are known.
    lead_was_lost: bool = False
    #: Somebody who was rung by the plan has answered and is still there.
    somebody_joined: bool = False


@dataclass(frozen=True, slots=True)
class After:
    """What follows a happening."""

    phase: Phase
    effects: tuple[Effect, ...]
    wish: Wish | None = None
    message: str = ""


def may(standing: Standing) -> frozenset[Wish]:
    """Return what may be wished now."""
    return frozenset(one for one in TABLE[standing.phase] if isinstance(one, Wish))


def after(standing: Standing, happening: Happening) -> After | None:
    """Return what follows; None where the table has nothing: a wish is then refused, a fact changes nothing."""
    move = TABLE[standing.phase].get(happening)
    if move is None:
        return None
    if standing.phase is Phase.PROMOTING and happening is Fact.ROOM_OPENED and standing.wish is not None:
        # In the room the wish is what it would have been there from the beginning.
        move = TABLE[Phase.TALKING].get(standing.wish, move)
        return After(move.phase, move.effects, message=move.message)
    if move.needs_room and not standing.in_room:
        return After(Phase.PROMOTING, (Effect.OPEN_ROOM,), wish=Wish(happening))
    return After(move.phase, move.effects, message=move.message)


def due(standing: Standing) -> Fact | None:
    """Return the fact that the legs tell and the phase does not know yet; None when the two agree.

    Level-triggered: asked again after each move, until nothing is left. The customer counts first: what happens to the
    others after he left is the end of the call, and no transfer.
    """
    phase = standing.phase
    if phase is Phase.ENDED:
        return None
    if standing.customer is not None and not standing.customer.is_live:
        return Fact.CUSTOMER_LEFT
    if phase in ROUTED:
        return Fact.AGENT_JOINED if standing.somebody_joined else None
    if standing.lead is not None and not standing.lead.is_live:
        return Fact.LEAD_LOST if standing.lead_was_lost else Fact.LEAD_LEFT
    if phase is Phase.DIALLING:
        answered = standing.customer is not None and standing.customer.was_answered
        return Fact.CUSTOMER_ANSWERED if answered else None
    if phase is Phase.PROMOTING:
        return Fact.ROOM_OPENED if standing.customer_in_room and standing.lead_in_room else None
    if phase in CONSULTED and standing.target is not None:
        if not standing.target.is_live:
            return Fact.TARGET_LEFT
        if phase is Phase.CONSULT_RINGING and standing.target.was_answered:
            return Fact.TARGET_ANSWERED
    return None
