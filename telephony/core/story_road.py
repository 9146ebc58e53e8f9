"""The story of a call, told by its road: its beginning, where the plan sends it, who is offered it, its legs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from telephony.core import hangup_words
from telephony.core.story_entry import ENDS, SAME_MOMENT, Entry, Part, ids_of, of_talk
from telephony.core.story_words import WORDS, say
from telephony.core.told import EventTold, LegTold, Told


def beginning(told: Told, language: str) -> Iterator[Entry]:
    call = told.call
    kinds = ("instruction.outbound",) if call.is_outbound else ("instruction.voice",)
    events = [event for event in told.events if event.kind.startswith(kinds)]
    who = call.customer
    if call.is_outbound:
        who = next((leg.who for leg in told.legs if leg.agent_id is not None), say("who.agent", language))
    what = say("placed" if call.is_outbound else "arrived", language, ours=call.our_number, theirs=call.customer_number)
    yield Entry(call.started_at, Part.ARRIVED, who, what, ids=ids_of(events))


def decisions(told: Told, language: str) -> Iterator[Entry]:
    version = 0
    for step in told.steps:
        ended_at = told.call.ended_at
        # A call that is over is told to hang up, should Telnyx still ask: that decides nothing.
        if not step.sentences or (step.verb == "hangup" and ended_at is not None and step.at >= ended_at):
            continue
        first, *others = step.sentences
        asked = [event for event in told.events if _asked_for(event, step.at)]
        # Named once, and again only when the plan was changed in the middle of the call.
        plan = say("plan", language, version=step.plan_version) if step.plan_version not in {0, version} else ""
        version = step.plan_version or version
        who, ids = say("who.plan", language), (step.id, *ids_of(asked))
        yield Entry(step.at, Part.DECISION, who, first, " ".join(others), plan, ids)


def _asked_for(event: EventTold, at: datetime) -> bool:
    return event.kind in CONTINUATIONS and abs(event.at - at) < SAME_MOMENT


#: Telnyx asks how the call goes on: what it is told is the decision.
CONTINUATIONS: Final = frozenset({"instruction.step", "instruction.dial_complete", "instruction.voicemail"})


def visits(told: Told, language: str) -> Iterator[Entry]:
    for visit in told.visits:
        came = say("queued", language, queue=visit.queue)
        yield Entry(visit.entered_at, Part.QUEUE, told.call.customer, came, ids=(visit.id,))
        code = f"visit.{visit.outcome}"
        if visit.ended_at is not None and code in WORDS:
            went = say(code, language, queue=visit.queue)
            yield Entry(visit.ended_at, Part.QUEUE, told.call.customer, went, ids=(visit.id,))


def offers(told: Told, language: str) -> Iterator[Entry]:
    for offer in told.offers:
        what = say("offered", language)
        yield Entry(offer.offered_at, Part.OFFER, offer.who, what, detail=offer.queue, ids=(offer.id,))
        code = f"offer.{offer.outcome}"
        if offer.ended_at is not None and code in WORDS:
            said = [one for one in told.events if one.kind == code and one.payload.get("agent") == offer.agent_id]
            what = say(code, language)
            yield Entry(offer.ended_at, Part.OFFER, offer.who, what, ids=(offer.id, *ids_of(said)))


# --- Legs ---------------------------------------------------------------------------------------------------------


def legs(told: Told, language: str) -> Iterator[Entry]:
    for leg in told.legs:
        news = [event for event in told.events if event.payload.get("CallSid") == leg.call_sid]
        if leg.call_sid != told.call.customer_sid or told.call.is_outbound:
            yield from _leg_begins(leg, news, told, language)
        if leg.ended_at is not None and leg.call_sid != told.call.customer_sid:
            yield from _leg_ends(leg, news, told, language)


def _leg_begins(leg: LegTold, news: Sequence[EventTold], told: Told, language: str) -> Iterator[Entry]:
    # The leg of who places a call is up before anybody rings.
    placed = told.call.is_outbound and leg.answered_at is not None and leg.answered_at <= told.call.started_at
    ringing = [event for event in news if event.kind == "status.ringing"]
    if ringing:
        yield Entry(
            min(event.at for event in ringing),
            Part.RANG,
            leg.who,
            say("rang", language),
            ids=(leg.id, *ids_of(ringing)),
        )
    if leg.answered_at is not None and not placed:
        answers = [event for event in news if event.kind == "status.in-progress"]
        facts = of_talk(told, "talk.customer_answered", "talk.target_answered", "talk.agent_joined")
        same = [event for event in facts if abs(event.at - leg.answered_at) < SAME_MOMENT]
        yield Entry(
            leg.answered_at,
            Part.ANSWERED,
            leg.who,
            say("answered", language),
            ids=(leg.id, *ids_of(answers), *ids_of(same)),
        )


def _leg_ends(leg: LegTold, news: Sequence[EventTold], told: Told, language: str) -> Iterator[Entry]:
    if leg.ended_at is None or (leg.answered_at is None and _was_offered(leg, told)):
        # What became of a ringing, its offer says.
        return
    ends = [event for event in news if event.kind in ENDS]
    what = say("left" if leg.answered_at is not None else "unanswered", language)
    yield Entry(
        leg.ended_at,
        Part.LEFT,
        leg.who,
        what,
        hangup_words.cause(leg.hangup_cause, language),
        _codes(leg, language),
        (leg.id, *ids_of(ends)),
    )


def _was_offered(leg: LegTold, told: Told) -> bool:
    return any(offer.agent_id == leg.agent_id for offer in told.offers)


def _codes(leg: LegTold, language: str) -> str:
    return " · ".join(filter(None, (leg.hangup_cause, hangup_words.sip(leg.sip_code, language))))
