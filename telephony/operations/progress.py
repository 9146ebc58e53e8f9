"""How a call goes on: one piece of news about one leg, and what follows from it for offers, agents and the call.

The rules are in ``telephony.core.leg_state``; here they meet the rows. Every function expects the call's row locked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from agents.models import Activity, Agent, Beat
from agents.operations import leg_answered, release, release_each
from curbe.lib import push
from curbe.lib.ids import first_id_at
from curbe.lib.phone import is_e164
from telephony.core import events, hours, leg_state
from telephony.core.events import LegProgress
from telephony.core.leg_state import CallStatus, LegKind, OfferOutcome, Outcome
from telephony.models import Call, CallIdentifier, CallLeg, CallQueue, CallWrapUp, Offer, SipEndpoint, TelnyxEvent
from telephony.operations import quality, talks, visits, wrap_ups

logger = logging.getLogger(__name__)

#: Telnyx's clock may be this far behind ours when a leg is matched to the offer that made it.
CLOCK_SKEW: Final = timedelta(seconds=5)
#: A browser that rings and has not beaten for so long (three beats in two) is not awake.
SLEEPING: Final = timedelta(seconds=15)
#: Misses in a row that make an agent "not responding" where no queue says otherwise.
MAX_MISSES: Final = 2
#: Calls per statement when many are learned of.
LEARNED_AT_ONCE: Final = 1_000

_LEG_FIELDS: Final = (
    "kind",
    "agent_id",
    "parent_call_sid",
    "status",
    "end_status",
    "hangup_cause",
    "hangup_source",
    "sip_code",
    "started_at",
    "answered_at",
    "ended_at",
)


def on_status(event: TelnyxEvent, call: Call, now: datetime) -> None:
    """Act on a status callback, or on the reconciler's word in its form."""
    news = events.leg_progress(event.payload)
    heard(call, news, heard_at=event.occurred_at, now=now, kind=talks.meet(call, news))
    quality.keep_telnyx(event, call, now)


def heard(call: Call, news: LegProgress, *, heard_at: datetime, now: datetime, kind: LegKind = LegKind.AGENT) -> None:
    """Take one piece of news about one leg of a locked call. ``kind`` is what an unknown leg is taken for.

    1. the leg climbs; 2. ids that were not known are learned; 3. everything that follows is settled.
    """
    if not news.call_sid:
        return
    legs = {leg.call_sid: leg for leg in CallLeg.objects.filter(call=call)}
    offers = list(Offer.objects.filter(call=call).order_by("step", "id"))
    row = legs.get(news.call_sid)
    if row is None:
        row = legs[news.call_sid] = CallLeg(call=call, call_sid=news.call_sid, started_at=news.started_at or heard_at)
        row.kind = kind
    was_answered = row.answered_at is not None
    _advance(row, call, news, offers, heard_at)
    learn(call, call_sid=news.call_sid, leg_id=news.leg_id, session_id=news.session_id)
    call.account_sid = call.account_sid or news.account_sid
    call.connection_id = call.connection_id or news.connection_id
    newly_answered = row if row.answered_at is not None and not was_answered else None
    settle(call, list(legs.values()), offers, now=now, newly_answered=newly_answered)


def settle_call(call: Call, now: datetime) -> None:
    """Settle a locked call from its rows as they are; for whoever changed something other than a leg."""
    offers = list(Offer.objects.filter(call=call).order_by("step", "id"))
    settle(call, list(CallLeg.objects.filter(call=call)), offers, now=now)


def settle(
    call: Call,
    legs: Sequence[CallLeg],
    offers: Sequence[Offer],
    *,
    now: datetime,
    newly_answered: CallLeg | None = None,
) -> None:
    """Bring offers, agents and the call in line with the legs, and tell whoever watches.

    An agent is put on the call by the news of his answer alone, and only while both legs are up: news that comes after
    the end describes the past, and holds nobody.
    """
    outcomes = {offer.pk: _outcome_of(offer, legs, offers) for offer in offers}
    facts = _fold(call, legs, outcomes.values())
    over = facts.status is CallStatus.COMPLETED
    # Who rang together with somebody who answered rang in vain; a forward that was answered ends every ringing.
    answered_steps = {offer.step for offer in offers if outcomes[offer.pk] is OfferOutcome.ANSWERED}
    forwarded = any(leg.kind == LegKind.FORWARD and leg.answered_at for leg in legs) and not call.phase
    outcomes = {
        offer.pk: leg_state.offer_after_answer(
            outcomes[offer.pk], is_over=over, same_step_answered=forwarded or offer.step in answered_steps
        )
        for offer in offers
    }
    queued = call.queue_id is not None
    if newly_answered is not None and newly_answered.kind == LegKind.AGENT:
        # Of a group it may not be known who it was (the callbacks of his leg were lost): the wait is over all the same.
        if queued:
            visits.answered(call.pk, newly_answered.agent_id, newly_answered.answered_at or now)
        if newly_answered.agent_id is not None and not over and not newly_answered.ended_at:
            _put_on_call(call, newly_answered.agent_id, newly_answered.answered_at or now, now)
    if over and queued and visits.call_ended(call.pk, facts.ended_at or now) and facts.outcome is Outcome.MISSED:
        facts = replace(facts, outcome=Outcome.ABANDONED)
    closed = close_offers(offers, outcomes, now)
    _release(call, legs, offers, closed, over, now)
    if newly_answered is not None:
        _take_turn(newly_answered, offers)
    _write(call, facts, now)
    talks.settle(call, legs, now)


def _fold(call: Call, legs: Sequence[CallLeg], outcomes: Iterable[OfferOutcome]) -> leg_state.CallFacts:
    facts = [_facts(leg) for leg in legs]
    if call.direction == Call.Direction.OUTBOUND:
        return leg_state.fold_outbound(facts, Outcome(call.outcome))
    return leg_state.fold(facts, outcomes, Outcome(call.outcome))


def _take_turn(answered: CallLeg, offers: Sequence[Offer]) -> None:
    """Have the queue's turn go on behind who answered, where the queue wants it so. Its row comes after the agents'."""
    offer = offer_of(answered, offers)
    if offer is not None and offer.queue_id is not None:
        follows = CallQueue.objects.filter(pk=offer.queue_id, cursor_follows_answer=True)
        follows.update(cursor_agent_id=offer.agent_id)


def _put_on_call(call: Call, agent_id: int, answered_at: datetime, now: datetime) -> None:
    """Put the agent on the call, unless he has answered another one since: then this is news of the past.

    It would take him from the call that he is on, and this one's end would free him in the middle of it.
    """
    other = Agent.objects.filter(pk=agent_id, activity=Activity.ON_CALL).exclude(busy_call_id=call.pk)
    on = other.values_list("busy_call_id", flat=True).first()
    if (
        on is not None
        and CallLeg.objects.filter(call=on, agent_id=agent_id, answered_at__gt=answered_at, ended_at=None).exists()
    ):
        return
    today = now.astimezone(hours.zone(call.company.timezone)).date()
    wrapped_up = leg_answered(agent_id=agent_id, call_id=call.pk, today=today, now=now)
    if wrapped_up is not None:
        wrap_ups.ended_by(CallWrapUp.Ended.CALL, agent_id=agent_id, now=now)


def leave_voicemail(call: Call, now: datetime) -> None:
    """Note on a locked call that a message was left. An answered or forwarded call keeps that outcome."""
    call.outcome = leg_state.later_outcome(Outcome(call.outcome), Outcome.VOICEMAIL)
    settle_call(call, now)


def take_voicemail_back(call: Call, now: datetime) -> None:
    """Note on a locked call that what was left was no message: it ends as if there had been none."""
    if call.outcome == Outcome.VOICEMAIL:
        call.outcome = Outcome.NONE
        settle_call(call, now)


# --- The leg ------------------------------------------------------------------------------------------------------


def _advance(row: CallLeg, call: Call, news: LegProgress, offers: Sequence[Offer], heard_at: datetime) -> None:
    agent_id = _agent_of(news, offers)
    row.kind = _kind_of(row, call, news, agent_id)
    if row.agent_id is None and row.kind == LegKind.AGENT:
        row.agent_id = agent_id
    # The address's word on the agent has been judged: from here on only the row's counts.
    after = leg_state.advance(_facts(row), replace(news, agent_id=row.agent_id), heard_at)
    for name in _LEG_FIELDS:
        setattr(row, name, getattr(after, name))
    if row._state.adding:
        row.save(force_insert=True)
    else:
        row.save(update_fields=_LEG_FIELDS)


def _agent_of(news: LegProgress, offers: Sequence[Offer]) -> int | None:
    """Return whose browser the leg rings, if it is somebody who was offered the call.

    The callback's address names him; nobody signs an address, so the offers have the last word. Without it (the
    application's own callback) the SIP user that is rung tells.
    """
    offered = {offer.agent_id for offer in offers}
    if news.agent_id is not None:
        if news.agent_id in offered:
            return news.agent_id
        logger.warning("Leg %s claims to ring agent %s, who was not offered the call", news.call_sid, news.agent_id)
        return None
    user = news.to.removeprefix("sip:").partition("@")[0]
    if not offered or not user or is_e164(user):
        return None
    found = SipEndpoint.objects.filter(sip_username=user, agent_id__in=offered)
    return found.values_list("agent_id", flat=True).first()


def _kind_of(row: CallLeg, call: Call, news: LegProgress, agent_id: int | None) -> LegKind:
    if row.call_sid == call.customer_sid:
        return LegKind.CALLED if call.direction == Call.Direction.OUTBOUND else LegKind.CALLER
    if agent_id is not None or row.agent_id is not None:
        return LegKind.AGENT
    return LegKind.FORWARD if is_e164(news.to) else LegKind(row.kind)


def _facts(row: CallLeg) -> leg_state.Leg:
    return leg_state.Leg(
        call_sid=row.call_sid,
        kind=LegKind(row.kind),
        started_at=row.started_at,
        agent_id=row.agent_id,
        parent_call_sid=row.parent_call_sid,
        status=leg_state.LegStatus(row.status),
        end_status=row.end_status,
        hangup_cause=row.hangup_cause,
        hangup_source=row.hangup_source,
        sip_code=row.sip_code,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
    )


def learn(call: Call, *, call_sid: str = "", leg_id: str = "", session_id: str = "") -> None:
    """Put ids that Telnyx told into the registry; one that a browser told before becomes Telnyx's word."""
    kinds = CallIdentifier.Kind
    # In this order a text that is both leg's and session's id keeps the narrower meaning.
    told = {session_id: kinds.SESSION_ID, leg_id: kinds.LEG_ID, call_sid: kinds.CALL_SID}
    _learn({(value, call.pk): kind for value, kind in told.items() if value != call.root_call_sid})


def learn_all(told: Sequence[tuple[UUID, str, str]]) -> None:
    """Do for many calls what ``learn`` does for one: each with a leg's and a session's id, which may be empty."""
    kinds = CallIdentifier.Kind
    for start in range(0, len(told), LEARNED_AT_ONCE):
        part = told[start : start + LEARNED_AT_ONCE]
        sessions = {(session_id, call_id): kinds.SESSION_ID for call_id, _leg_id, session_id in part}
        _learn({**sessions, **{(leg_id, call_id): kinds.LEG_ID for call_id, leg_id, _session_id in part}})


def _learn(told: Mapping[tuple[str, UUID], CallIdentifier.Kind]) -> None:
    values = {value for value, _call_id in told if value}
    known = CallIdentifier.objects.filter(value__in=values, agent=None).values_list("value", "call_id")
    new = sorted({named for named in told if named[0]} - set(known))
    if new:
        # In one order, whoever writes: two who learn the same ids wait for each other.
        CallIdentifier.objects.bulk_create(
            [CallIdentifier(call_id=call_id, kind=told[value, call_id], value=value) for value, call_id in new],
            update_conflicts=True,
            unique_fields=["value", "call"],
            update_fields=["kind", "agent"],
        )


# --- The offers and their agents ----------------------------------------------------------------------------------


def _outcome_of(offer: Offer, legs: Iterable[CallLeg], offers: Sequence[Offer]) -> OfferOutcome:
    outcome = OfferOutcome(offer.outcome)
    for leg in legs:
        if leg.agent_id == offer.agent_id and offer_of(leg, offers) is offer:
            outcome = leg_state.offer_after(outcome, _facts(leg))
    return outcome


def offer_of(leg: CallLeg, offers: Sequence[Offer]) -> Offer | None:
    """Return the offer that made an agent's leg: his newest that is not younger than the leg."""
    # Not by their steps: a consult's offer stands far above those of the plan that rings him later.
    his = sorted(
        (offer for offer in offers if offer.agent_id == leg.agent_id), key=lambda one: (one.offered_at, one.pk)
    )
    earlier = [offer for offer in his if offer.offered_at <= leg.started_at + CLOCK_SKEW]
    # By our own clock: a leg that we heard of before the offer was made is that of an earlier one.
    earlier = [offer for offer in earlier if leg.pk >= first_id_at(offer.offered_at)] or earlier
    return earlier[-1] if earlier else his[0] if his else None


def close_offers(offers: Sequence[Offer], outcomes: Mapping[UUID, OfferOutcome], now: datetime) -> list[Offer]:
    """Write outcomes, tell the agents, and return the offers that ended just now. One statement per outcome."""
    changed = [offer for offer in offers if offer.outcome != outcomes[offer.pk]]
    outcomes = _heard_by_nobody(changed, outcomes, now)
    ended = [offer for offer in changed if offer.outcome == OfferOutcome.PENDING]
    for offer in changed:
        offer.outcome = outcomes[offer.pk]
        offer.ended_at = offer.ended_at or now
    for outcome in sorted({offer.outcome for offer in changed}):
        ids = [offer.pk for offer in changed if offer.outcome == outcome]
        Offer.objects.filter(pk__in=ids).update(outcome=outcome, ended_at=Coalesce("ended_at", Value(now)))
    tell_ended(ended)
    return ended


def _heard_by_nobody(
    changed: Sequence[Offer], outcomes: Mapping[UUID, OfferOutcome], now: datetime
) -> Mapping[UUID, OfferOutcome]:
    """Return the outcomes with no miss of an agent whose browser has no sound, or sleeps: he heard nothing."""
    missed = [offer for offer in changed if outcomes[offer.pk] == OfferOutcome.MISSED]
    if not missed:
        return outcomes
    # A tab that sleeps, or whose microphone went, does not say that it is degraded: it says nothing, or "not ready".
    silent = Q(last_seen_at__lt=now - SLEEPING) | Q(ready=False) | Q(microphone=False) | Q(degraded=True)
    rung = Beat.objects.filter(silent, agent__in={offer.agent_id for offer in missed})
    deaf = set(rung.values_list("agent_id", flat=True))
    return {**outcomes, **{offer.pk: OfferOutcome.DEVICE_LOST for offer in missed if offer.agent_id in deaf}}


def tell_ended(offers: Iterable[Offer]) -> None:
    """Tell each agent what became of his ringing."""
    for offer in offers:
        groups = [push.agent_group(offer.agent_id)]
        push.send("offer.ended", groups=groups, call_id=str(offer.call_id), outcome=str(offer.outcome))


def _release(
    call: Call,
    legs: Sequence[CallLeg],
    offers: Sequence[Offer],
    closed: Sequence[Offer],
    over: bool,
    now: datetime,
) -> None:
    """Free whom the call no longer needs: everybody once it is over, else those who stopped ringing or talking.

    Who talked goes into the work after the call, if there is any; a call that was over before has nobody left to go.
    """
    talking = {leg.agent_id for leg in legs if leg.agent_id is not None and leg.answered_at and not leg.ended_at}
    hung_up = {leg.agent_id for leg in legs if leg.agent_id is not None and leg.answered_at and leg.ended_at}
    if over:
        was_over = call.status == CallStatus.COMPLETED
        # A plain <Dial> ends with its caller. Of a conversation each leg ends by a request of its own, and who hears
        # the busy tone is still on the line: rung now, he would have two calls at once.
        staying = talking if call.phase else set()
        going = None if not staying else {leg.agent_id for leg in legs} | {offer.agent_id for offer in offers}
        policies = {} if was_over and not call.phase else wrap_ups.policies_of(call, legs, offers)
        released = release(
            call_id=call.pk,
            agent_ids=None if going is None else sorted(one for one in going - staying if one is not None),
            reason="ended",
            wrap_ups=policies,
            now=now,
        )
    else:
        reasons = {offer.agent_id: str(offer.outcome) for offer in closed} | dict.fromkeys(hung_up, "ended")
        # Whose line was lost, or to whom a transfer came back, is rung again by the call that he left.
        staying = talking | {offer.agent_id for offer in offers if offer.outcome == OfferOutcome.PENDING}
        stopped = {agent_id: reason for agent_id, reason in reasons.items() if agent_id not in staying}
        policies = wrap_ups.policies_of(call, legs, offers) if hung_up - talking else {}
        # Whose line was lost is rung again at once: his work with this call is not over.
        for leg in legs:
            if leg.agent_id in policies and leg.agent_id not in talking and talks.was_lost(leg, call, now):
                del policies[leg.agent_id]
        misses = most_misses(closed)
        released = release_each(call_id=call.pk, reasons=stopped, most_misses=misses, wrap_ups=policies, now=now)
    wrap_ups.began(call, policies, released, now)


def most_misses(closed: Sequence[Offer]) -> dict[int, int]:
    """Return the agents who let these offers ring out, each with how many in a row make him "not responding"."""
    missed = [offer for offer in closed if offer.outcome == OfferOutcome.MISSED]
    if not missed:
        return {}
    limits = dict(CallQueue.objects.filter(pk__in={offer.queue_id for offer in missed}).values_list("id", "max_misses"))
    return {offer.agent_id: limits.get(offer.queue_id or 0, MAX_MISSES) for offer in missed}


# --- The call -----------------------------------------------------------------------------------------------------


def _write(call: Call, facts: leg_state.CallFacts, now: datetime) -> None:
    before = (call.status, call.outcome, call.agent_id, call.answered_at, call.ended_at)
    was = CallStatus(call.status)
    call.status = leg_state.later_status(was, facts.status)
    call.outcome = facts.outcome
    # Once people move it about, who leads it has the call (``talks``); before that whoever answered first.
    if facts.agent_id is not None and not call.phase:
        call.agent_id = facts.agent_id
    call.answered_at = facts.answered_at or call.answered_at
    call.ended_at = facts.ended_at or call.ended_at
    call.hangup_cause = facts.hangup_cause or call.hangup_cause
    call.last_news_at = max(call.last_news_at, now)
    call.save(
        update_fields=[
            "status",
            "outcome",
            "agent_id",
            "answered_at",
            "ended_at",
            "hangup_cause",
            "last_news_at",
            "account_sid",
            "connection_id",
        ]
    )
    if before != (call.status, call.outcome, call.agent_id, call.answered_at, call.ended_at):
        _tell(call, was)


def _tell(call: Call, was: CallStatus) -> None:
    """Push the one event that says most about the change."""
    type_ = "call.updated"
    if call.status != was:
        type_ = "call.ended" if call.status == CallStatus.COMPLETED else "call.answered"
    push.send(type_, groups=[push.company_group(call.company_id)], call_id=str(call.pk))
