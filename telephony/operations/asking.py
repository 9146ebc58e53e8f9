"""Each command of a conversation: how Telnyx is asked for it, and what is true once it was taken or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from django.conf import settings

from telephony.core import call_state, render
from telephony.core.call_state import Fact, Phase
from telephony.core.leg_state import LegKind
from telephony.core.missions import MissionKind
from telephony.models import (
    Call,
    CallLeg,
    Offer,
    RouteTrace,
    SipEndpoint,
    Talk,
    TalkCommand,
    TelnyxAccount,
)
from telephony.operations import progress, rerouting, talks
from telephony.operations.effects import CONSULT_STEPS, Kind
from telephony.telnyx.client import HangUp, TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable


class Outcome(Enum):
    DONE = auto()
    #: Not yet, or not now: to be asked for once more.
    AGAIN = auto()
    FAILED = auto()
    #: No longer wanted.
    DROPPED = auto()
    #: The leg that it was for is over.
    GONE = auto()


@dataclass(frozen=True, slots=True)
class Asked:
    outcome: Outcome
    error: str = ""
    #: CallSid of a leg that was made.
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    call: Call
    talk: Talk
    command: TalkCommand
    client: TelnyxClient
    now: datetime

    @property
    def params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.command.params
        return params


DROPPED: Final = Asked(Outcome.DROPPED)
DONE_: Final = Asked(Outcome.DONE)


#: Conference has already ended (rest-api.md section 9).
ROOM_OVER: Final = "90019"


# --- Rooms --------------------------------------------------------------------------------------------------------


def _room(scene: Scene) -> Asked:
    call, talk = scene.call, scene.talk
    if talk.phase != Phase.PROMOTING or scene.params["room"] != talk.rooms or not call.account_sid:
        return DROPPED if call.account_sid else Asked(Outcome.FAILED, "The account of the call is not known yet.")
    document = render.agent_room(talk.room_name, facts_of(call), label=f"lead-{talk.rooms}")
    try:
        scene.client.instruct(scene.params["sid"], call.account_sid, document=document)
    except TelnyxUnreachable as err:
        # It may have been taken: whether the caller's leg comes into the room will tell.
        return Asked(Outcome.DONE, str(err)[:500])
    return DONE_


def _room_taken(call: Call, command: TalkCommand, asked: Asked, now: datetime) -> None:
    talk = talks.talk_of(call)
    if talk is not None and talk.rooms == command.params["room"]:
        talk.lead_in_room = True
        talk.save(update_fields=["lead_in_room"])
        talks.advance(call, talk, list(CallLeg.objects.filter(call=call)), now)


def _room_refused(call: Call, command: TalkCommand, now: datetime) -> None:
    talk = talks.talk_of(call)
    if talk is not None and talk.phase == Phase.PROMOTING and talk.rooms == command.params["room"]:
        talk.check_at = None
        talks.happen(call, talk, Fact.ROOM_FAILED, now)


def _participant(fields: Callable[[Call, Talk], Mapping[str, str]], wanted: Callable[[Scene], bool]) -> Ask:
    def ask(scene: Scene) -> Asked:
        call, talk = scene.call, scene.talk
        is_over = scene.params["room"] != talk.rooms or not talk.room_is_open or talk.phase not in call_state.LED
        if is_over or not wanted(scene):
            return DROPPED
        sid = talk.conference_sid or _learn_conference(scene)
        if not sid:
            return Asked(Outcome.AGAIN, "The room is not there yet.")
        try:
            scene.client.update_participant(call.account_sid, sid, scene.params["sid"], fields(call, talk))
        except TelnyxRefused as err:
            if err.status == 404:
                return Asked(Outcome.AGAIN, "He is not in the room yet.")
            if ROOM_OVER in err.codes:
                # The call is ending and its news is on the way; or it is another room of that name by now.
                Talk.objects.filter(pk=call.pk, conference_sid=sid).update(conference_sid="")
                return Asked(Outcome.AGAIN, str(err)[:500])
            raise
        return DONE_

    return ask


def _learn_conference(scene: Scene) -> str:
    sid = scene.client.conference_sid(scene.call.account_sid, scene.talk.room_name)
    if sid:
        Talk.objects.filter(pk=scene.call.pk, rooms=scene.talk.rooms).update(conference_sid=sid)
        scene.talk.conference_sid = sid
    return sid


def _is_held(scene: Scene) -> bool:
    """Say whether the leg should be held as things stand now."""
    phase = Phase(scene.talk.phase)
    if scene.params["sid"] == scene.call.customer_sid:
        return phase in call_state.CUSTOMER_HELD
    return phase is Phase.SWAPPED and scene.params["sid"] == scene.talk.target_sid


def _hold_fields(call: Call, talk: Talk) -> Mapping[str, str]:
    return {"Hold": "true", "HoldUrl": f"{settings.PUBLIC_URL}{render.HOLD_MUSIC}", "HoldMethod": "GET"}


def _message(code: str) -> Failed:
    def failed(call: Call, command: TalkCommand, now: datetime) -> None:
        talk = talks.talk_of(call)
        if talk is not None:
            talk.message = code
            talk.save(update_fields=["message"])

    return failed


# --- New legs -----------------------------------------------------------------------------------------------------


def _dial(scene: Scene) -> Asked:
    """Ring the customer of an outbound call. An answer that was lost is looked for before anybody is rung again."""
    call, talk = scene.call, scene.talk
    if call.called_sid or talk.phase != Phase.DIALLING:
        return DROPPED
    if scene.command.attempts and (sid := _found(scene, call.to_number)):
        return Asked(Outcome.DONE, sid=sid)
    url = render.callback(facts_of(call), "step", "&step=2")
    return _placed(
        scene, to=call.to_number, url=url, status=render.callback(facts_of(call), "status", "&role=customer")
    )


def _dialled(call: Call, command: TalkCommand, asked: Asked, now: datetime) -> None:
    if not call.called_sid:
        call.called_sid = asked.sid
        call.save(update_fields=["called_sid"])
    _meet(call, asked.sid, LegKind.CALLED, None, now)


def _not_dialled(call: Call, command: TalkCommand, now: datetime) -> None:
    talk = talks.talk_of(call)
    if talk is not None and talk.phase == Phase.DIALLING:
        Call.objects.filter(pk=call.pk).update(outcome=Call.Outcome.FAILED)
        call.outcome = Call.Outcome.FAILED
        talks.happen(call, talk, Fact.CUSTOMER_LEFT, now)
        talk.message = "not_dialled"
        talk.save(update_fields=["message"])


def _ring(scene: Scene) -> Asked:
    """Ring whoever is consulted; who answers joins the room."""
    call, talk = scene.call, scene.talk
    number = scene.params["target"]
    if talk.targets != number or talk.phase != Phase.CONSULT_RINGING or talk.target_sid:
        return DROPPED
    to = talk.target_e164
    agent = ""
    if talk.target_agent_id is not None:
        endpoint = SipEndpoint.objects.filter(agent=talk.target_agent_id).first()
        offered = Offer.objects.filter(call=call, step=CONSULT_STEPS + number, outcome=Offer.Outcome.PENDING)
        if endpoint is None or not offered.exists():
            return Asked(Outcome.FAILED, "The agent cannot be rung now.")
        to = f"sip:{endpoint.sip_username}@sip.telnyx.com?X-Curbe-Call={call.pk}"
        agent = f"&agent={talk.target_agent_id}"
    if scene.command.attempts and (sid := _found(scene, to.partition("?")[0])):
        return Asked(Outcome.DONE, sid=sid)
    facts = facts_of(call)
    url = render.callback(facts, "join", f"&target={number}")
    return _placed(
        scene, to=to, url=url, status=render.callback(facts, "status", f"&role=target&target={number}{agent}")
    )


def _rung(call: Call, command: TalkCommand, asked: Asked, now: datetime) -> None:
    talk = talks.talk_of(call)
    if talk is None:
        return
    if talk.targets == command.params["target"] and Phase(talk.phase) in call_state.CONSULTED and not talk.target_sid:
        talk.target_sid = asked.sid
        talk.save(update_fields=["target_sid"])
    agent_id = talk.target_agent_id
    _meet(call, asked.sid, LegKind.AGENT if agent_id else LegKind.FORWARD, agent_id, now)


def _not_rung(call: Call, command: TalkCommand, now: datetime) -> None:
    talk = talks.talk_of(call)
    if talk is not None and talk.targets == command.params["target"] and talk.phase == Phase.CONSULT_RINGING:
        talks.happen(call, talk, Fact.TARGET_LEFT, now)


def _placed(scene: Scene, *, to: str, url: str, status: str) -> Asked:
    application = account_for(scene.call.company_id)
    if application is None:
        return Asked(Outcome.FAILED, "There is no TeXML application: manage.py telnyx_setup makes it.")
    number = scene.call.our_number
    sid = scene.client.place_call(application, to=to, from_=number, url=url, status_callback=status)
    talk = Talk.objects.get(pk=scene.call.pk)
    if talk.phase == Phase.ENDED or (scene.command.kind == Kind.RING and talk.targets != scene.params["target"]):
        # Meanwhile nobody wants it any more; its leg is still ours to end.
        scene.client.hang_up(sid, scene.call.account_sid)
    return Asked(Outcome.DONE, sid=sid)


def _found(scene: Scene, to: str) -> str:
    """Return the CallSid of a call that an earlier try made though its answer was lost; empty if there is none."""
    if not scene.call.account_sid:
        return ""
    known = set(CallLeg.objects.filter(call=scene.call).values_list("call_sid", flat=True))
    rows = scene.client.find_calls(scene.call.account_sid, to=to, from_=scene.call.our_number)
    since = scene.command.created_at.replace(microsecond=0)
    return next(
        (
            row.call_sid
            for row in rows
            if row.call_sid not in known and (row.started_at is None or row.started_at >= since)
        ),
        "",
    )


def _meet(call: Call, sid: str, kind: LegKind, agent_id: int | None, now: datetime) -> None:
    """Write down a leg that we had made, unless its own news was quicker."""
    CallLeg.objects.get_or_create(
        call_sid=sid, defaults={"call": call, "kind": kind, "agent_id": agent_id, "started_at": now}
    )
    progress.learn(call, call_sid=sid)
    progress.settle_call(call, now)


def account_for(company_id: int) -> str | None:
    """Return the id of the TeXML application that a company's calls are made with; None if there is none."""
    rows = {row.company_id: row.texml_application_id for row in TelnyxAccount.objects.all() if row.texml_application_id}
    return rows.get(company_id) or rows.get(None)


# --- Ends, and everything else ------------------------------------------------------------------------------------


def _hang_up(scene: Scene) -> Asked:
    if scene.client.hang_up(scene.params["sid"], scene.call.account_sid) is HangUp.GONE:
        return Asked(Outcome.GONE)
    return DONE_


def _end(scene: Scene) -> Asked:
    """End every leg that is up, the customer's first."""
    legs = CallLeg.objects.filter(call=scene.call).exclude(status=CallLeg.Status.ENDED)
    for leg in sorted(legs, key=lambda leg: leg.call_sid != scene.call.customer_sid):
        scene.client.hang_up(leg.call_sid, scene.call.account_sid)
    return DONE_


def _tone(scene: Scene) -> Asked:
    if not scene.call.account_sid:
        return _end(scene)
    document = render.tone(render.BUSY, settings.PUBLIC_URL)
    scene.client.instruct(scene.params["sid"], scene.call.account_sid, document=document)
    return DONE_


def _digits(scene: Scene) -> Asked:
    if scene.talk.phase == Phase.ENDED:
        return DROPPED
    scene.client.send_digits(scene.params["sid"], scene.params["digits"])
    return DONE_


def _send(scene: Scene) -> Asked:
    """Bring the customer's leg to the step that his mission begins with; then whoever led before is hung up."""
    if Phase(scene.talk.phase) not in call_state.ROUTED:
        return DROPPED
    step = rerouting.written(scene.call.pk, scene.now)
    if step is None:
        return DROPPED
    if not RouteTrace.objects.filter(call=scene.call, step=step, asked_at__isnull=False).exists():
        with rerouting.being_moved(scene.call.pk):
            scene.client.redirect(
                scene.call.customer_sid, scene.call.account_sid, url=rerouting.url_of(scene.call, step)
            )
    is_transfer = scene.params.get("mission") == MissionKind.TRANSFER
    if is_transfer and scene.talk.former_sid and scene.talk.customer_in_room:
        # In a room he does not go with the customer's leg; and only now, for the transfer might have been refused.
        scene.client.hang_up(scene.talk.former_sid, scene.call.account_sid)
    return DONE_


def _sent(call: Call, command: TalkCommand, asked: Asked, now: datetime) -> None:
    talk = talks.talk_of(call)
    # Telnyx may have been slow: somebody who has answered since, and opened a room, keeps it.
    if talk is not None and Phase(talk.phase) in call_state.ROUTED:
        talk.room_is_open = talk.customer_in_room = talk.lead_in_room = False
        talk.check_at = None
        talk.save(update_fields=["room_is_open", "customer_in_room", "lead_in_room", "check_at"])


def _not_sent(call: Call, command: TalkCommand, now: datetime) -> None:
    talk = talks.talk_of(call)
    if talk is None or talk.phase not in {Phase.TRANSFERRING, Phase.ROUTING}:
        return
    former = CallLeg.objects.filter(call_sid=talk.former_sid).exclude(status=CallLeg.Status.ENDED)
    if command.params.get("mission") != MissionKind.TRANSFER or not former.exists():
        return
    rerouting.withdraw(call, now)
    talk.lead_id, talk.lead_sid, talk.mission = talk.former_id, talk.former_sid, None
    talk.former_id, talk.former_sid = None, ""
    talk.save(update_fields=["lead", "lead_sid", "mission", "former", "former_sid"])
    talks.happen(call, talk, Fact.ROOM_FAILED, now)


def facts_of(call: Call) -> render.CallFacts:
    """Return what documents say of the call: an agent's screen shows the customer, whoever called whom."""
    return render.CallFacts(
        call_id=str(call.pk),
        company=call.company.public_id,
        language=call.company.language,
        from_number=call.customer_number,
        to_number=call.our_number,
        caller_name=call.caller_name,
        origin=settings.PUBLIC_URL,
    )


def _nothing(call: Call, command: TalkCommand, asked: Asked, now: datetime) -> None:
    pass


def _never_mind(call: Call, command: TalkCommand, now: datetime) -> None:
    pass


Ask = Callable[[Scene], Asked]
Done = Callable[[Call, TalkCommand, Asked, datetime], None]
Failed = Callable[[Call, TalkCommand, datetime], None]

_HOLD: Final = _participant(_hold_fields, _is_held)
_FREE: Final = _participant(lambda call, talk: {"Hold": "false"}, lambda scene: not _is_held(scene))
_MUTE: Final = _participant(lambda call, talk: {"Muted": "true"}, lambda scene: scene.talk.is_muted)
_UNMUTE: Final = _participant(lambda call, talk: {"Muted": "false"}, lambda scene: not scene.talk.is_muted)

ASK: Final[Mapping[Kind, Ask]] = {
    Kind.ROOM: _room,
    Kind.HOLD: _HOLD,
    Kind.FREE: _FREE,
    Kind.MUTE: _MUTE,
    Kind.UNMUTE: _UNMUTE,
    Kind.DIAL: _dial,
    Kind.RING: _ring,
    Kind.HANG_UP: _hang_up,
    Kind.SEND: _send,
    Kind.TONE: _tone,
    Kind.DIGITS: _digits,
    Kind.END: _end,
}
DONE: Final[Mapping[Kind, Done]] = {
    **dict.fromkeys(Kind, _nothing),
    Kind.ROOM: _room_taken,
    Kind.DIAL: _dialled,
    Kind.RING: _rung,
    Kind.SEND: _sent,
}
FAILED: Final[Mapping[Kind, Failed]] = {
    **dict.fromkeys(Kind, _never_mind),
    Kind.ROOM: _room_refused,
    Kind.HOLD: _message("hold_failed"),
    Kind.FREE: _message("free_failed"),
    Kind.MUTE: _message("mute_failed"),
    Kind.DIAL: _not_dialled,
    Kind.RING: _not_rung,
    Kind.SEND: _not_sent,
    Kind.DIGITS: _message("digits_failed"),
}
