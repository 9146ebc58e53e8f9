"""Rooms as Telnyx tells of them, and as it is asked about them: is everybody there who should be?"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from agents.models import Beat
from curbe.lib.ids import first_id_at
from telephony import signals
from telephony.core import call_state, events
from telephony.core.call_state import Fact, Phase
from telephony.models import Call, CallLeg, Talk, TalkCommand, TelnyxEvent
from telephony.operations import talks
from telephony.operations.effects import CONSULT_RING_S
from telephony.operations.repairs import Turns, alone, note
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused

logger = logging.getLogger(__name__)

#: Each room is looked at so often, one question each.
CHECKED_EVERY: Final = timedelta(seconds=15)
#: Rooms per run.
BATCH: Final = 60

#: A stale heartbeat alone moves a live call only after this.
SILENT_BROWSER: Final = timedelta(seconds=90)
LONGEST_CALL: Final = timedelta(hours=4)

_rooms: Final = Turns[Talk](BATCH)
_silent: Final = Turns[CallLeg](BATCH)


def on_conference(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Learn a room's id, and carry out at once what waited for somebody to be in it."""
    talk = talks.talk_of(call)
    if talk is None or events.text(event.payload.get("FriendlyName")) != talk.room_name:
        return
    sid = events.text(event.payload.get("ConferenceSid"), 64)
    if sid and sid != talk.conference_sid:
        talk.conference_sid = sid
        talk.save(update_fields=["conference_sid"])
    waiting = TalkCommand.objects.filter(call=call, state=TalkCommand.State.WANTED, next_attempt_at__gt=now)
    if event.kind == "conference.participant-join" and waiting.update(next_attempt_at=now):
        transaction.on_commit(partial(signals.commands_wanted.send_robust, None, call_id=call.pk), robust=True)


def check_rooms(client: TelnyxClient, now: datetime) -> None:
    """Look at conversations whose time has come: a room that never opened, or lacks somebody; a target who rang out."""
    due = Talk.objects.filter(check_at__lte=now).select_related("call")
    for talk in _rooms.take(due):
        with alone("look at the room of call", talk.pk):
            _check(talk, client, now)


def rescue_from_silent_browsers(client: TelnyxClient, now: datetime) -> None:
    """Keep customers whose agent's browser has said nothing for 90 s though Telnyx still has his leg.

    Not sooner: a browser may re-attach its call for so long, and its sound goes on meanwhile (webrtc.md section 5).
    """
    silent = Beat.objects.filter(agent=OuterRef("agent"), last_seen_at__gt=now - SILENT_BROWSER)
    legs = (
        CallLeg.objects.filter(agent__isnull=False, answered_at__lt=now - SILENT_BROWSER)
        .exclude(status=CallLeg.Status.ENDED)
        .exclude(call__status=Call.Status.COMPLETED)
        .filter(~Exists(silent), call_id__gte=first_id_at(now - LONGEST_CALL))
    )
    for leg in _silent.take(legs.select_related("agent")):
        with alone("rescue the customer of leg", leg.call_sid):
            _rescue(leg, now)


def _rescue(leg: CallLeg, now: datetime) -> None:
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=leg.call_id)
        if call.hangup_requested_at is not None:
            return
        talk = talks.begin(call, list(CallLeg.objects.filter(call=call)), now)
        if talk.lead_sid != leg.call_sid or not talks.happen(call, talk, Fact.LEAD_LOST, now):
            return
    note(
        "reconciler.browser_silent",
        ("browser", str(call.pk), leg.call_sid),
        call,
        believed={"leg": leg.call_sid, "status": str(leg.status)},
        true={"agent": leg.agent_id, "silent_for_s": int(SILENT_BROWSER.total_seconds())},
        did=_DID["browser_silent"],
        now=now,
    )


def _check(talk: Talk, client: TelnyxClient, now: datetime) -> None:
    missing = _who_is_missing(talk, client)
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=talk.pk)
        current = talks.talk_of(call)
        if current is None or current.check_at is None or current.phase_at != talk.phase_at:
            # Something happened while Telnyx was asked: the answer is about the past.
            return
        current.check_at = now + CHECKED_EVERY
        current.save(update_fields=["check_at"])
        repaired = _repair(call, current, missing, now)
    if repaired:
        note(
            f"reconciler.{repaired}",
            ("room", str(call.pk), str(talk.rooms), talk.phase_at.isoformat()),
            call,
            believed={"phase": talk.phase, "room": talk.room_name},
            true={"missing": missing},
            did=_DID[repaired],
            now=now,
        )


_DID: Final = {
    "room_opened": "took the room as open",
    "room_failed": "gave the room up; both still talk as before",
    "room_empty": "kept the customer with music and rang the agent again",
    "browser_silent": "kept the customer with music and rang the agent wherever he logs in",
    "target_rang_out": "ended the ringing and gave the customer back to the agent",
}


def _who_is_missing(talk: Talk, client: TelnyxClient) -> list[str]:
    """Return who should be in the room and is not: ``lead``, ``customer``. Empty where Telnyx does not say."""
    if not talk.room_is_open or talk.phase not in call_state.LED:
        return []
    call = talk.call
    try:
        sid = talk.conference_sid or client.conference_sid(call.account_sid, talk.room_name)
        inside = {one.call_sid for one in client.participants(call.account_sid, sid)} if sid else set()
    except TelnyxRefused as err:
        logger.warning("Telnyx does not speak of the room of call %s: %s", call.pk, err)
        return []
    wanted = {"lead": talk.lead_sid, "customer": call.customer_sid}
    return [who for who, call_sid in wanted.items() if call_sid and call_sid not in inside]


def _repair(call: Call, talk: Talk, missing: list[str], now: datetime) -> str:
    """Put right what differs; return the code of the repair, empty if nothing did."""
    if talk.phase == Phase.PROMOTING and not talk.customer_in_room:
        talk.check_at = None
        return "room_failed" if talks.happen(call, talk, Fact.ROOM_FAILED, now) else ""
    if talk.phase == Phase.PROMOTING:
        # The caller is in the room, so the agent's leg has left its Dial: if it is up it is on its way.
        talk.lead_in_room = True
        talk.save(update_fields=["lead_in_room"])
        talks.advance(call, talk, list(CallLeg.objects.filter(call=call)), now)
        return "room_opened"
    rang_for = now - talk.target_at if talk.target_at is not None else timedelta()
    if talk.phase == Phase.CONSULT_RINGING and rang_for >= timedelta(seconds=CONSULT_RING_S):
        return "target_rang_out" if talks.happen(call, talk, Fact.TARGET_LEFT, now) else ""
    if missing and talk.phase in {Phase.TALKING, Phase.HELD} and call.hangup_requested_at is None:
        return "room_empty" if talks.happen(call, talk, Fact.LEAD_LOST, now) else ""
    return ""
