"""What follows from a happening: changes of the conversation's row, and commands that Telnyx is to be asked for.

Part of ``talks``, whose transaction and locks hold here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final

from django.db import transaction

from agents.operations import claim, release
from telephony import signals
from telephony.core import leg_state
from telephony.core.call_state import Effect, Phase
from telephony.core.leg_state import LegStatus
from telephony.core.missions import RESCUE_FOR, Mission, MissionKind
from telephony.core.plan import NOWHERE, Destination, DestinationKind
from telephony.core.types import walk_from_json
from telephony.models import Call, CallLeg, Offer, RouteTrace, Talk, TalkCommand
from telephony.operations.moving import HELD_FOR_NEWS, OFFER_MARGIN_S

#: How long somebody who is consulted rings.
CONSULT_RING_S: Final = 25
#: Both legs are in a room within a second or two; past this the room is looked at.
ROOM_OPENS_WITHIN: Final = timedelta(seconds=4)
#: Offers of consults stand in a row of their own, far above the steps of any call.
CONSULT_STEPS: Final = 20_000
#: The caller's own Dial asks how he goes on; only if it never does is he moved.
ASKS_BY_HIMSELF: Final = timedelta(seconds=2)


class Kind(StrEnum):
    """What a command asks of Telnyx."""

    #: Move the lead's leg into the room.
    ROOM = "room"
    HOLD = "hold"
    FREE = "free"
    MUTE = "mute"
    UNMUTE = "unmute"
    #: Ring the customer of an outbound call.
    DIAL = "dial"
    #: Ring whoever is consulted.
    RING = "ring"
    HANG_UP = "hang_up"
    #: Bring the customer's leg to the step that his mission begins with.
    SEND = "send"
    #: Have a leg hear one sound, and end.
    TONE = "tone"
    DIGITS = "digits"
    END = "end"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a consult or a transfer is for: exactly one is set."""

    agent_id: int | None = None
    queue_id: int | None = None
    e164: str = ""


def aim(talk: Talk, target: Target) -> None:
    """Note whom the next effects are for."""
    talk.target_agent_id, talk.target_queue_id, talk.target_e164 = target.agent_id, target.queue_id, target.e164


def command(
    call: Call, kind: Kind, params: Mapping[str, Any], now: datetime, *, after: timedelta = timedelta()
) -> None:
    """Write down what Telnyx is to be asked for, and have it asked once this transaction is committed."""
    TalkCommand.objects.create(call=call, kind=kind, params=dict(params), created_at=now, next_attempt_at=now + after)
    if not _carries_out.get():
        transaction.on_commit(partial(signals.commands_wanted.send_robust, None, call_id=call.pk), robust=True)


_carries_out: Final = ContextVar("carries_out", default=False)


@contextmanager
def carried_out_here() -> Iterator[None]:
    """Queue nothing for the commands of this block: whoever writes them carries them out himself, a person waits.

    Should he die before that, the beat finds them.
    """
    token = _carries_out.set(True)
    try:
        yield
    finally:
        _carries_out.reset(token)


def apply(effect: Effect, call: Call, talk: Talk, legs: Sequence[CallLeg], *, was: Phase, now: datetime) -> None:
    _APPLY[effect](_Scene(call, talk, legs, was, now))


@dataclass(frozen=True, slots=True)
class _Scene:
    call: Call
    talk: Talk
    legs: Sequence[CallLeg]
    #: The phase before.
    was: Phase
    now: datetime

    def command(self, kind: Kind, **params: Any) -> None:
        command(self.call, kind, params, self.now)

    def is_live(self, sid: str) -> bool:
        return any(leg.call_sid == sid and leg.status != LegStatus.ENDED for leg in self.legs)


def _open_room(scene: _Scene) -> None:
    talk = scene.talk
    talk.rooms += 1
    talk.room_is_open = talk.customer_in_room = talk.lead_in_room = talk.is_muted = False
    talk.conference_sid = ""
    talk.check_at = scene.now + ROOM_OPENS_WITHIN
    scene.command(Kind.ROOM, sid=talk.lead_sid, room=talk.rooms)


def _hold(kind: Kind, who: str) -> Callable[[_Scene], None]:
    def apply_hold(scene: _Scene) -> None:
        # A transfer of a plain call that was refused frees somebody whom nobody holds.
        if scene.talk.room_is_open:
            sid = scene.call.customer_sid if who == "customer" else scene.talk.target_sid
            scene.command(kind, sid=sid, room=scene.talk.rooms)

    return apply_hold


def _mute(kind: Kind) -> Callable[[_Scene], None]:
    def apply_mute(scene: _Scene) -> None:
        scene.talk.is_muted = kind is Kind.MUTE
        scene.command(kind, sid=scene.talk.lead_sid, room=scene.talk.rooms)

    return apply_mute


def _ring_target(scene: _Scene) -> None:
    """Reserve the agent and write his offer, so that his phone, his decline and his misses are what they always are."""
    talk, now = scene.talk, scene.now
    talk.targets += 1
    talk.target_sid, talk.target_at = "", now
    if talk.target_agent_id is not None:
        until = now + timedelta(seconds=CONSULT_RING_S + OFFER_MARGIN_S)
        if not claim(agent_ids=[talk.target_agent_id], call_id=scene.call.pk, until=until + HELD_FOR_NEWS, now=now):
            # Somebody was quicker: the command finds no offer, and says so.
            scene.command(Kind.RING, target=talk.targets)
            return
        Offer.objects.create(
            call=scene.call,
            agent_id=talk.target_agent_id,
            step=CONSULT_STEPS + talk.targets,
            offered_at=now,
            expires_at=until,
        )
    talk.check_at = now + timedelta(seconds=CONSULT_RING_S)
    scene.command(Kind.RING, target=talk.targets)


def _drop_target(scene: _Scene) -> None:
    talk = scene.talk
    rung = Offer.objects.filter(call=scene.call, step=CONSULT_STEPS + talk.targets, outcome=Offer.Outcome.PENDING)
    agent_id = rung.values_list("agent_id", flat=True).first()
    if rung.update(outcome=leg_state.OfferOutcome.WITHDRAWN, ended_at=scene.now) and agent_id is not None:
        release(call_id=scene.call.pk, agent_ids=[agent_id], reason="withdrawn", now=scene.now)
    if talk.target_sid and scene.is_live(talk.target_sid):
        scene.command(Kind.HANG_UP, sid=talk.target_sid)
    _forget_target(talk)


def _forget_target(talk: Talk) -> None:
    talk.target_agent_id = talk.target_queue_id = None
    talk.target_e164 = talk.target_sid = ""
    talk.target_at = None


def _drop_lead(scene: _Scene) -> None:
    scene.command(Kind.HANG_UP, sid=scene.talk.lead_sid)


def _adopt_target(scene: _Scene) -> None:
    talk = scene.talk
    talk.former_id, talk.former_sid = talk.lead_id, talk.lead_sid
    talk.lead_id, talk.lead_sid = talk.target_agent_id, talk.target_sid
    talk.is_muted = False
    scene.call.agent_id = talk.lead_id or scene.call.agent_id
    scene.call.save(update_fields=["agent_id"])
    _forget_target(talk)


def _send(kind: MissionKind) -> Callable[[_Scene], None]:
    def apply_send(scene: _Scene) -> None:
        call, talk, now = scene.call, scene.talk, scene.now
        talk.mission = _mission(kind, scene).as_json()
        talk.former_id, talk.former_sid = talk.lead_id, talk.lead_sid
        talk.lead_id, talk.lead_sid = None, ""
        if kind is not MissionKind.TRANSFER:
            _forget_target(talk)
            if scene.is_live(talk.former_sid):
                # He is up, but nowhere (or leaves on purpose): he could not be rung while it is.
                scene.command(Kind.HANG_UP, sid=talk.former_sid)
        # The caller's own <Dial> is over with his agent's leg and asks at once how he goes on.
        patience = ASKS_BY_HIMSELF if kind is MissionKind.RESCUE and not talk.customer_in_room else timedelta()
        command(call, Kind.SEND, {"mission": str(kind)}, now, after=patience)

    return apply_send


def _mission(kind: MissionKind, scene: _Scene) -> Mission:
    call, talk, now = scene.call, scene.talk, scene.now
    lead_id = talk.lead_id or 0
    to = Destination(DestinationKind.USER, lead_id)
    if kind is MissionKind.TRANSFER:
        to = _destination(talk)
    return Mission(
        kind=kind,
        origin=_origin(call, lead_id),
        to=to,
        from_agent_id=lead_id,
        until=now + RESCUE_FOR if kind is MissionKind.RESCUE else None,
        waited_s=_waited_s(call),
    )


def _destination(talk: Talk) -> Destination:
    if talk.target_agent_id is not None:
        return Destination(DestinationKind.USER, talk.target_agent_id)
    if talk.target_queue_id is not None:
        return Destination(DestinationKind.QUEUE, talk.target_queue_id)
    return Destination(DestinationKind.NUMBER, text=talk.target_e164)


def _origin(call: Call, lead_id: int) -> Destination:
    """Return where the call stood in its plan when it was answered; of a call that an agent placed, he himself."""
    walk = (
        RouteTrace.objects.filter(call=call, walk__isnull=False)
        .order_by("-step")
        .values_list("walk", flat=True)
        .first()
    )
    if walk is not None:
        return walk_from_json(walk).place
    return Destination(DestinationKind.USER, lead_id) if lead_id else NOWHERE


def _waited_s(call: Call) -> int:
    visit = call.visits.filter(ended_at__isnull=False).order_by("-ended_at").first()
    return 0 if visit is None or visit.ended_at is None else round((visit.ended_at - visit.entered_at).total_seconds())


def _end_all(scene: _Scene) -> None:
    talk = scene.talk
    talk.check_at = None
    talk.mission = None
    if scene.was is Phase.DIALLING and scene.is_live(talk.lead_sid) and not scene.is_live(scene.call.customer_sid):
        # Nobody answered: the agent hears so, and his leg ends by itself.
        scene.command(Kind.TONE, sid=talk.lead_sid)
        return
    scene.command(Kind.END)


_APPLY: Final[Mapping[Effect, Callable[[_Scene], None]]] = {
    Effect.OPEN_ROOM: _open_room,
    Effect.HOLD_CUSTOMER: _hold(Kind.HOLD, "customer"),
    Effect.FREE_CUSTOMER: _hold(Kind.FREE, "customer"),
    Effect.HOLD_TARGET: _hold(Kind.HOLD, "target"),
    Effect.FREE_TARGET: _hold(Kind.FREE, "target"),
    Effect.MUTE_LEAD: _mute(Kind.MUTE),
    Effect.UNMUTE_LEAD: _mute(Kind.UNMUTE),
    Effect.RING_TARGET: _ring_target,
    Effect.DROP_TARGET: _drop_target,
    Effect.DROP_LEAD: _drop_lead,
    Effect.ADOPT_TARGET: _adopt_target,
    Effect.SEND_TRANSFER: _send(MissionKind.TRANSFER),
    Effect.SEND_RESCUE: _send(MissionKind.RESCUE),
    Effect.SEND_BACK: _send(MissionKind.HEAD),
    Effect.END_ALL: _end_all,
}
