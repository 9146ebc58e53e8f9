"""Conversations that are more than one plain ``<Dial>``: what happened, what is wished, and what follows from both.

Every function here works on a call whose row the caller has locked, inside his transaction. Nothing is asked of
Telnyx: what it is to be asked for becomes rows of ``TalkCommand``, which ``telephony.operations.commands`` carries out
after the commit. A happening is an event of the ledger, so that the call's story tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from agents.models import Beat
from curbe.lib import push
from curbe.lib.ids import uuid7
from telephony.core import call_state, leg_state
from telephony.core.call_state import Fact, Happening, Phase, Standing, Wish
from telephony.core.events import LegProgress
from telephony.core.leg_state import HowEnded, LegKind, LegStatus
from telephony.models import Call, CallLeg, Talk, TelnyxEvent
from telephony.operations import effects, ledger

#: A lead who is gone without a word and whose browser has been silent for this long has not hung up.
SILENT: Final = timedelta(seconds=15)
#: More moves in a row than the table is deep: it goes in circles.
MOST_MOVES: Final = 8


class NotNow(Exception):
    """The wish cannot be had as things stand. ``code`` says why; see ``telephony.core.talk_words``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def settle(call: Call, legs: Sequence[CallLeg], now: datetime) -> None:
    """Bring a call's conversation in line with its legs. Costs nothing for a call that is one plain ``<Dial>``."""
    talk = talk_of(call)
    if talk is None:
        talk = _begun_by_a_loss(call, legs, now)
    if talk is not None:
        advance(call, talk, legs, now)


def talk_of(call: Call) -> Talk | None:
    """Return the conversation of a locked call; None while it has none. No query for those."""
    if not call.phase:
        return None
    return Talk.objects.select_related("lead", "target_agent", "former").get(pk=call.pk)


def meet(call: Call, news: LegProgress) -> LegKind:
    """Return what an unknown leg of this news is; one that we had made is recognised, also before its answer came.

    The address of the callback says which it is. Nobody signs an address: it only helps while the place is empty.
    """
    if news.role == "customer" and call.direction == Call.Direction.OUTBOUND:
        if not call.called_sid and news.call_sid != call.root_call_sid:
            call.called_sid = news.call_sid
            call.save(update_fields=["called_sid"])
        return LegKind.CALLED if news.call_sid == call.called_sid else LegKind.AGENT
    if news.role == "target":
        talk = talk_of(call)
        is_awaited = talk is not None and talk.phase in call_state.CONSULTED and talk.targets == news.target
        if talk is not None and is_awaited and not talk.target_sid:
            talk.target_sid = news.call_sid
            talk.save(update_fields=["target_sid"])
        return LegKind.FORWARD if news.agent_id is None else LegKind.AGENT
    return LegKind.AGENT


def begin(call: Call, legs: Sequence[CallLeg], now: datetime) -> Talk:
    """Return the conversation of a locked call, made of its legs if it has none yet."""
    talk = talk_of(call)
    if talk is not None:
        return talk
    talk = Talk(call=call, phase=_phase_of(call, legs), phase_at=call.answered_at or now)
    lead = _somebody(legs, ())
    if lead is not None:
        talk.lead_id, talk.lead_sid = lead.agent_id, lead.call_sid
    talk.save(force_insert=True)
    _note_phase(call, talk)
    return talk


def wish(
    call: Call,
    wanted: Wish,
    *,
    by_agent_id: int | None,
    now: datetime,
    target: effects.Target | None = None,
) -> Talk:
    """Do to a locked call what somebody wishes; return its conversation. Raises NotNow, and then changes nothing.

    ``by_agent_id`` is the lead, or None for somebody who supervises.
    """
    legs = list(CallLeg.objects.filter(call=call))
    talk = begin(call, legs, now)
    if by_agent_id is not None and talk.lead_id != by_agent_id:
        raise NotNow("not_yours")
    if target is not None:
        effects.aim(talk, target)
    if not _happen(call, talk, legs, wanted, now):
        raise NotNow("not_now")
    advance(call, talk, legs, now)
    return talk


def happen(call: Call, talk: Talk, fact: Fact, now: datetime) -> bool:
    """Apply a fact that no leg tells (a refused request, a plan that took the call back); say whether it counted."""
    legs = list(CallLeg.objects.filter(call=call))
    if not _happen(call, talk, legs, fact, now):
        return False
    advance(call, talk, legs, now)
    return True


def advance(call: Call, talk: Talk, legs: Sequence[CallLeg], now: datetime) -> None:
    """Apply every fact that the legs tell and the phase does not know yet."""
    for _ in range(MOST_MOVES):
        fact = call_state.due(standing_of(call, talk, legs, now))
        if fact is None or not _happen(call, talk, legs, fact, now):
            return


def standing_of(call: Call, talk: Talk, legs: Iterable[CallLeg], now: datetime) -> Standing:
    by_sid = {leg.call_sid: leg for leg in legs}
    lead = by_sid.get(talk.lead_sid)
    target = by_sid.get(talk.target_sid)
    customer = by_sid.get(call.customer_sid)
    joined = _somebody(by_sid.values(), (talk.former_sid, call.customer_sid))
    return Standing(
        phase=Phase(talk.phase),
        wish=Wish(talk.wish) if talk.wish else None,
        in_room=talk.room_is_open,
        customer_in_room=talk.customer_in_room,
        lead_in_room=talk.lead_in_room,
        customer=_facts(customer),
        lead=_facts(lead),
        target=_facts(target),
        lead_was_lost=lead is not None and was_lost(lead, call, now),
        somebody_joined=joined is not None,
    )


def room_awaits(talk: Talk | None, call: Call) -> bool:
    """Say whether the customer's next document puts him into the room that was asked for.

    Also when the agent thought better of it, or the request was refused after it had been taken: his ``<Dial>`` is
    over, and whoever he talked with is in the room, or on the way.
    """
    if talk is None or not talk.rooms or talk.customer_in_room or Phase(talk.phase) not in call_state.LED:
        return False
    lead = CallLeg.objects.filter(call=call, call_sid=talk.lead_sid).exclude(status=LegStatus.ENDED)
    return lead.exists()


def enter_room(call: Call, talk: Talk, now: datetime) -> None:
    """The customer's leg was just told to enter the room."""
    talk.customer_in_room = True
    if talk.phase != Phase.PROMOTING:
        # Nobody waits for the room any more, or the call began in it.
        talk.room_is_open = True
    talk.check_at = now + effects.ROOM_OPENS_WITHIN
    talk.save(update_fields=["customer_in_room", "room_is_open", "check_at"])
    advance(call, talk, list(CallLeg.objects.filter(call=call)), now)


def room_ended(call: Call, talk: Talk | None, now: datetime) -> None:
    """The room ended under the customer, whose leg asks how it goes on. Nobody of ours ended the call: he is kept."""
    if talk is None or Phase(talk.phase) not in call_state.LED or call.hangup_requested_at is not None:
        return
    happen(call, talk, Fact.LEAD_LOST, now)


def routed(call: Call, has_mission: bool, now: datetime) -> None:
    """A step of the plan was written for the customer; without a mission the plan has him again."""
    if call.phase not in {Phase.TRANSFERRING, Phase.RESCUING}:
        return
    talk = talk_of(call)
    if talk is None:
        return
    if talk.mission is not None:
        talk.mission = None
        talk.save(update_fields=["mission"])
    if not has_mission:
        happen(call, talk, Fact.ROUTED_ON, now)


def was_lost(leg: CallLeg, call: Call, now: datetime) -> bool:
    """Say whether an agent's leg ended without his hanging up.

    A leg whose end came without a cause (its callback was lost, the reconciler found it gone) is judged by the agent's
    browser: one that still beats has hung up, one that has fallen silent is where the call was lost.
    """
    if call.hangup_requested_at is not None or leg.agent_id is None or leg.status != LegStatus.ENDED:
        return False
    how = leg_state.how_ended(_facts_of(leg))
    if how is not HowEnded.UNKNOWN:
        return how is HowEnded.LOST
    return not Beat.objects.filter(agent=leg.agent_id, last_seen_at__gt=now - SILENT).exists()


# --- Means --------------------------------------------------------------------------------------------------------


def _begun_by_a_loss(call: Call, legs: Sequence[CallLeg], now: datetime) -> Talk | None:
    """Make a conversation of a plain call whose agent's line was lost; None for every other."""
    if call.status == Call.Status.COMPLETED or _somebody(legs, (call.customer_sid,)) is not None:
        return None
    ended = [leg for leg in legs if leg.agent_id is not None and leg.answered_at and leg.status == LegStatus.ENDED]
    last = max(ended, key=lambda leg: leg.ended_at or now, default=None)
    if last is None or not was_lost(last, call, now):
        return None
    talk = Talk(call=call, phase=Phase.TALKING, phase_at=last.answered_at or now)
    talk.lead_id, talk.lead_sid = last.agent_id, last.call_sid
    talk.save(force_insert=True)
    _note_phase(call, talk)
    return talk


def _phase_of(call: Call, legs: Iterable[CallLeg]) -> Phase:
    if call.status == Call.Status.COMPLETED:
        return Phase.ENDED
    return Phase.TALKING if _somebody(legs, (call.customer_sid,)) is not None else Phase.ROUTING


def _somebody(legs: Iterable[CallLeg], but: Sequence[str]) -> CallLeg | None:
    """Return the leg of whoever answered last and is still there, the customer aside."""
    there = [
        leg
        for leg in legs
        if leg.answered_at is not None
        and leg.status != LegStatus.ENDED
        and leg.kind not in {LegKind.CALLER, LegKind.CALLED}
        and leg.call_sid not in but
    ]
    return max(there, key=lambda leg: (leg.answered_at or leg.started_at, leg.call_sid), default=None)


def _happen(call: Call, talk: Talk, legs: Sequence[CallLeg], happening: Happening, now: datetime) -> bool:
    before = standing_of(call, talk, legs, now)
    after = call_state.after(before, happening)
    if after is None:
        return False
    if happening is Fact.AGENT_JOINED:
        joined = _somebody(legs, (talk.former_sid, call.customer_sid))
        if joined is not None:
            talk.lead_id, talk.lead_sid = joined.agent_id, joined.call_sid
            call.agent_id = joined.agent_id or call.agent_id
        talk.mission = None
        # He was rung by the plan, so the customer has left whatever room there was.
        talk.room_is_open = talk.customer_in_room = talk.lead_in_room = False
    if happening is Fact.ROOM_OPENED:
        talk.room_is_open = True
    phase = Phase(talk.phase)
    # As it was before the effects: they forget whom it was for.
    about = {
        "agent": talk.lead_id,
        "target_agent": talk.target_agent_id,
        "target_queue": talk.target_queue_id,
        "target_number": talk.target_e164,
    }
    talk.phase, talk.wish = after.phase, str(after.wish or "")
    if phase is not after.phase:
        talk.phase_at = now
    talk.message = after.message
    for effect in after.effects:
        effects.apply(effect, call, talk, legs, was=phase, now=now)
    talk.save()
    _note_phase(call, talk)
    moved = {"from": str(phase), "to": str(after.phase), "message": after.message}
    note(call, f"talk.{happening}", {**moved, **{name: value for name, value in about.items() if value}}, now)
    push.send("call.updated", groups=[push.company_group(call.company_id)], call_id=str(call.pk))
    return True


def _note_phase(call: Call, talk: Talk) -> None:
    if call.phase != talk.phase:
        call.phase = talk.phase
        call.save(update_fields=["phase", "agent_id"])


def note(call: Call, kind: str, payload: Mapping[str, object], now: datetime) -> None:
    """Put what happened into the call's story; it is part of the transaction that did it."""
    ledger.note(
        kind=kind,
        dedupe_key=f"curbe:{kind}:{uuid7()}",
        payload=dict(payload),
        call=call,
        source=TelnyxEvent.Source.CURBE,
        now=now,
    )


def _facts(leg: CallLeg | None) -> leg_state.Leg | None:
    return None if leg is None else _facts_of(leg)


def _facts_of(row: CallLeg) -> leg_state.Leg:
    return leg_state.Leg(
        call_sid=row.call_sid,
        kind=LegKind(row.kind),
        started_at=row.started_at,
        agent_id=row.agent_id,
        parent_call_sid=row.parent_call_sid,
        status=LegStatus(row.status),
        end_status=row.end_status,
        hangup_cause=row.hangup_cause,
        hangup_source=row.hangup_source,
        sip_code=row.sip_code,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
    )
