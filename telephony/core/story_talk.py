"""The story of a call, told by its conversation: holds, transfers, rooms, what somebody wished, who ended it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from telephony.core import talk_words
from telephony.core.call_state import Phase
from telephony.core.ended import By, How, ended_by
from telephony.core.story_entry import ENDS, SAME_MOMENT, Entry, Part, ids_of, of_talk, whole
from telephony.core.story_words import WORDS, say
from telephony.core.told import EventTold, Told

#: Facts that a leg's own entry tells already.
_TOLD_BY_LEGS: Final = frozenset({"talk.customer_answered", "talk.target_answered"})
_PARTS: Final = {
    **dict.fromkeys(("talk.hold", "talk.unhold"), Part.HOLD),
    **dict.fromkeys(
        ("talk.transfer", "talk.consult", "talk.complete", "talk.cancel", "talk.merge", "talk.swap"), Part.TRANSFER
    ),
    **dict.fromkeys(("talk.room_opened", "talk.room_failed"), Part.ROOM),
}


def talk(told: Told, language: str) -> Iterator[Entry]:
    for event in of_talk(told):
        if "error" in event.payload and event.kind.endswith("_failed"):
            yield _refused(event, language)
        elif event.kind in WORDS and event.kind not in _TOLD_BY_LEGS and event.payload.get("to") != Phase.ENDED:
            yield _happened(event, told, language)


def _refused(event: EventTold, language: str) -> Entry:
    wish = f"wish.{event.kind.removeprefix('talk.').removesuffix('_failed')}"
    words = say(wish, language) if wish in WORDS else event.kind
    error = str(event.payload.get("error", ""))
    return Entry(
        event.at, Part.TALK, say("who.telnyx", language), say("refused", language, wish=words), error, ids=(event.id,)
    )


def _happened(event: EventTold, told: Told, language: str) -> Entry:
    payload = event.payload
    message = payload.get("message")
    return Entry(
        event.at,
        _PARTS.get(event.kind, Part.TALK),
        _who(event, told, language),
        say(event.kind, language, target=_target(event, told, language)),
        talk_words.text(message, language) if isinstance(message, str) and message else "",
        ids=(event.id,),
    )


def _who(event: EventTold, told: Told, language: str) -> str:
    """Return who did it, or to whom it happened."""
    if event.kind in {"talk.customer_left", "talk.customer_answered"}:
        return told.call.customer
    if event.kind in {"talk.target_left", "talk.target_answered"}:
        return _target(event, told, language)
    if event.kind in {"talk.room_opened", "talk.room_failed", "talk.routed_on"}:
        return say("who.we", language)
    named = told.agents.get(whole(event.payload.get("agent")))
    return named or _on_the_call(told, event.at) or say("who.agent", language)


def _target(event: EventTold, told: Told, language: str) -> str:
    payload = event.payload
    agent, queue = whole(payload.get("target_agent")), whole(payload.get("target_queue"))
    number = payload.get("target_number")
    return (
        told.agents.get(agent)
        or told.queues.get(queue)
        or (number if isinstance(number, str) else "")
        or say("somebody", language)
    )


def _on_the_call(told: Told, at: datetime) -> str:
    """Return which agent talked at that moment; the one who had been there for longest."""
    there = [
        leg
        for leg in told.legs
        if leg.agent_id is not None
        and leg.answered_at is not None
        and leg.answered_at <= at
        and (leg.ended_at is None or at <= leg.ended_at + SAME_MOMENT)
    ]
    return min(there, key=lambda leg: (leg.answered_at, leg.call_sid)).who if there else ""


_ROOM: Final = {"conference.participant-join": "room.join", "conference.participant-leave": "room.leave"}


def rooms(told: Told, language: str) -> Iterator[Entry]:
    who = {leg.call_sid: leg.who for leg in told.legs}
    for event in told.events:
        code = _ROOM.get(event.kind)
        name = who.get(str(event.payload.get("CallSid", "")))
        if code and name:
            yield Entry(event.at, Part.ROOM, name, say(code, language), ids=(event.id,))


# --- Wishes, and the end ------------------------------------------------------------------------------------------


#: Kind of event → the code of its words.
_WISHES: Final = {
    "hangup.requested": "hangup.requested",
    "hangup.failed": "hangup.failed",
    "call.end_requested": "call.end_requested",
    "agent.released": "agent.released",
    "voicemail.deleted": "voicemail.deletes",
}


def wishes(told: Told, language: str) -> Iterator[Entry]:
    for event in told.events:
        code = _WISHES.get(event.kind)
        if code is None:
            continue
        person = told.people.get(whole(event.payload.get("by")))
        who = person.name if person else say("who.we", language)
        agent = told.agents.get(whole(event.payload.get("agent")), say("somebody", language))
        errors = event.payload.get("errors")
        why = " ".join(map(str, errors)) if isinstance(errors, list) else str(event.payload.get("reason", ""))
        yield Entry(event.at, Part.WISH, who, say(code, language, agent=agent), why, ids=(event.id,))


def end(told: Told, language: str) -> Iterator[Entry]:
    ended = ended_by(told)
    if ended is None:
        return
    leg = told.customer_leg
    news = [
        event for event in told.events if event.kind in ENDS and leg and event.payload.get("CallSid") == leg.call_sid
    ]
    facts = [event for event in of_talk(told) if event.payload.get("to") == Phase.ENDED]
    ids = (*((leg.id,) if leg else ()), *ids_of(news), *ids_of(facts), *ended.verdict.events)
    yield Entry(
        ended.at,
        Part.ENDED,
        _ender(told, ended.verdict.by, ended.verdict.who, language),
        ended.in_words(language),
        "" if ended.verdict.how in _SAID_ALL else ended.why_in_words(language),
        ended.codes(language),
        tuple(dict.fromkeys(ids)),
    )


#: Ends whose cause would only say the same once more.
_SAID_ALL: Final = frozenset({How.BUSY, How.NO_ANSWER, How.REJECTED, How.TIME_LIMIT, How.NO_SUCH_NUMBER})


def _ender(told: Told, by: By, who: str, language: str) -> str:
    if by is By.CUSTOMER:
        return told.call.customer
    code = {By.TELNYX: "who.telnyx", By.PLAN: "who.plan", By.UNKNOWN: "who.telnyx", By.WE: "who.reconciler"}.get(by)
    return say(code, language) if code else who or say("who.agent", language)
