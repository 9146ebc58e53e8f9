"""Reads everything that is known of one call, for its story, its picture and its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Prefetch, QuerySet

from agents.models import Agent
from curbe.companies.models import User
from curbe.lib.phone import for_people, is_e164
from telephony.core import call_bar, channels, explain, hangup_words, quality, story, told
from telephony.core.call_bar import Picture
from telephony.core.ended import Ended, ended_by
from telephony.core.quality import TelnyxQuality
from telephony.core.story import Entry
from telephony.core.story_words import say
from telephony.core.told import Told
from telephony.models import Call, CallLeg, CallQueue, LegQuality, Offer, QueueVisit, RouteTrace, TelnyxEvent

#: A call's story has a few dozen events; one that was asked about for hours is cut here.
MOST_EVENTS: Final = 1_000
LANGUAGES: Final = ("es", "en")
NO_NUMBER: Final[Mapping[str, str]] = {"es": "Número oculto", "en": "Number withheld"}


@dataclass(frozen=True, slots=True)
class Segment:
    """One recording, in the order of the audio, with whom it lets one hear where."""

    #: A row of the app above: ``recordings.models.Recording``.
    recording: Any
    #: Which of so many of its kind: a message is no part of a conversation.
    place: int
    of: int
    channels: tuple[str, str] | None

    @property
    def part(self) -> int | None:
        """Which of several it is; None for one alone."""
        return self.place if self.of > 1 else None


@dataclass(frozen=True, slots=True)
class LegShown:
    leg: CallLeg
    who: str
    cause: str
    sip: str
    sound: LegQuality | None
    mos: float | None
    loss_percent: float | None
    jitter_ms: float | None
    word: str
    #: ``good``, ``note`` or ``bad``, by the word.
    tone: str
    warnings: tuple[tuple[str, int], ...]
    #: The warnings in words, each with how often it came.
    warning_words: str


@dataclass(frozen=True, slots=True)
class CallStory:
    told: Told
    entries: tuple[Entry, ...]
    ended: Ended | None
    #: Who ended it, in words; empty while it goes on.
    ended_words: str
    picture: Picture
    legs: tuple[LegShown, ...]
    segments: tuple[Segment, ...]


def with_story(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Return the calls with the rows that their page shows. The recordings' app stands above this one."""
    legs = CallLeg.objects.select_related("agent__user", "quality").order_by("started_at", "id")
    return calls.select_related("agent__user", "queue", "number", "contact").prefetch_related(
        Prefetch("legs", legs), "recordings"
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is read once, whatever the language."""

    call: Call
    events: Sequence[TelnyxEvent]
    offers: Sequence[Offer]
    visits: Sequence[QueueVisit]
    traces: Sequence[RouteTrace]
    people: Mapping[int, told.Person]
    agents: Mapping[int, str]
    queues: Mapping[int, str]


def story_of(call: Call, *, language: str, now: datetime) -> CallStory:
    """Return the story of a call of ``with_story``. Six statements at the most."""
    return _story(_read(call), language, now)


def as_json(call: Call, *, now: datetime) -> dict[str, Any]:
    """Return the story in both languages, with the ids behind it. The statements of ``story_of``."""
    rows = _read(call)
    stories = {language: _story(rows, language, now) for language in LANGUAGES}
    one = stories["en"]
    return {
        "call_id": str(call.pk),
        "direction": call.direction,
        "from": call.from_number,
        "to": call.to_number,
        "status": call.status,
        "outcome": call.outcome or None,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "ended": _ended_as_json(one.ended),
        "entries": [
            _entry_as_json({language: stories[language].entries[place] for language in LANGUAGES})
            for place in range(len(one.entries))
        ],
        "spans": [
            {"what": str(span.went), "begin": span.begin, "end": span.end, "seconds": span.seconds}
            for span in one.picture.spans
        ],
        "legs": [_leg_as_json(leg) for leg in one.legs],
        "recordings": [_segment_as_json(segment) for segment in one.segments],
        "events": [
            {
                "id": str(event.pk),
                "kind": event.kind,
                "source": event.source,
                "occurred_at": event.occurred_at,
                "received_at": event.received_at,
                "call_sid": str(event.payload.get("CallSid", "")),
            }
            for event in rows.events
        ],
    }


# --- Reading ------------------------------------------------------------------------------------------------------


def _read(call: Call) -> _Rows:
    events = list(
        TelnyxEvent.objects.filter(call=call)
        .only("id", "kind", "source", "occurred_at", "received_at", "payload")
        .order_by("occurred_at", "received_at", "id")[:MOST_EVENTS]
    )
    people, agents = _people(call, events)
    return _Rows(
        call=call,
        events=events,
        offers=list(Offer.objects.filter(call=call).select_related("agent__user", "queue").order_by("step", "id")),
        visits=list(
            QueueVisit.objects.filter(call=call).select_related("queue", "agent__user").order_by("entered_at", "id")
        ),
        traces=list(RouteTrace.objects.filter(call=call).defer("document", "walk").order_by("step")),
        people=people,
        agents=agents,
        queues=_queues(call, events),
    )


def _people(call: Call, events: Iterable[TelnyxEvent]) -> tuple[dict[int, told.Person], dict[int, str]]:
    """Return who is named by the id of his user, and of his agent: none but the company's own."""
    users = _numbers(events, "by")
    named = _numbers(events, "agent", "target_agent")
    if not users and not named:
        return {}, {}
    agents = list(Agent.objects.filter(company=call.company_id).select_related("user").filter(pk__in=named)) + list(
        Agent.objects.filter(company=call.company_id, user__in=users).select_related("user") if users else ()
    )
    people = {agent.user_id: told.Person(str(agent), agent.pk) for agent in agents}
    missing = users - people.keys()
    if missing:
        rest = User.objects.filter(pk__in=missing, memberships__company=call.company_id)
        people |= {user.pk: told.Person(user.get_full_name()) for user in rest}
    return people, {agent.pk: str(agent) for agent in agents}


def _queues(call: Call, events: Iterable[TelnyxEvent]) -> dict[int, str]:
    named = _numbers(events, "target_queue")
    rows = CallQueue.objects.filter(company=call.company_id, pk__in=named) if named else CallQueue.objects.none()
    return {queue.pk: queue.name for queue in rows}


def _numbers(events: Iterable[TelnyxEvent], *names: str) -> set[int]:
    found: set[int] = set()
    for event in events:
        believed = event.payload.get("believed")
        for said in (event.payload, believed if isinstance(believed, Mapping) else {}):
            found |= {value for name in names if isinstance(value := said.get(name), int)}
    return found


# --- Telling ------------------------------------------------------------------------------------------------------


def _story(rows: _Rows, language: str, now: datetime) -> CallStory:
    call = rows.call
    who = _who(rows, language)
    customer = customer_name(call, language)
    legs = [_leg_told(leg, who[leg.call_sid]) for leg in call.legs.all()]
    segments = _segments(call, customer, legs, language)
    shown = tuple(_leg_shown(leg, who[leg.call_sid], language) for leg in call.legs.all())
    facts = Told(
        call=told.CallTold(
            id=str(call.pk),
            direction=call.direction,
            status=call.status,
            outcome=call.outcome,
            customer=customer,
            customer_number=_number(call.customer_number, language),
            our_number=_number(call.our_number, language),
            customer_sid=call.customer_sid,
            started_at=call.started_at,
            answered_at=call.answered_at,
            ended_at=call.ended_at,
            hangup_cause=call.hangup_cause,
        ),
        events=tuple(
            told.EventTold(str(event.pk), event.kind, event.source, event.occurred_at, event.payload, event.received_at)
            for event in rows.events
        ),
        legs=tuple(legs),
        offers=tuple(_offer_told(offer) for offer in rows.offers),
        visits=tuple(_visit_told(visit) for visit in rows.visits),
        steps=tuple(_step_told(trace, language) for trace in rows.traces),
        recordings=tuple(_recording_told(segment) for segment in segments),
        quality=tuple(_quality_told(leg) for leg in shown if leg.sound is not None),
        people=rows.people,
        agents=rows.agents,
        queues=rows.queues,
    )
    ended = ended_by(facts)
    return CallStory(
        told=facts,
        entries=story.tell(facts, language),
        ended=ended,
        ended_words=ended.in_words(language) if ended else "",
        picture=call_bar.picture(facts, now),
        legs=shown,
        segments=segments,
    )


def customer_name(call: Call, language: str) -> str:
    """Return what the customer is called: by name, else by number."""
    return call.caller_name or _number(call.customer_number, language)


def _number(number: str, language: str) -> str:
    shown = for_people(number) if is_e164(number) else ""
    return shown or NO_NUMBER.get(language, NO_NUMBER["en"])


def _who(rows: _Rows, language: str) -> dict[str, str]:
    """Return whose line each leg is: an agent's name, the customer's, the number that was rung."""
    called = {str(event.payload.get("CallSid", "")): str(event.payload.get("To", "")) for event in rows.events}
    names = {}
    for leg in rows.call.legs.all():
        if leg.agent is not None:
            names[leg.call_sid] = str(leg.agent)
        elif leg.call_sid == rows.call.customer_sid or leg.kind in {CallLeg.Kind.CALLER, CallLeg.Kind.CALLED}:
            names[leg.call_sid] = customer_name(rows.call, language)
        elif is_e164(number := called.get(leg.call_sid, "")):
            names[leg.call_sid] = for_people(number)
        else:
            names[leg.call_sid] = say("who.agent" if leg.kind == CallLeg.Kind.AGENT else "somebody", language)
    return names


def _leg_told(leg: CallLeg, who: str) -> told.LegTold:
    return told.LegTold(
        id=str(leg.pk),
        kind=leg.kind,
        call_sid=leg.call_sid,
        who=who,
        started_at=leg.started_at,
        agent_id=leg.agent_id,
        answered_at=leg.answered_at,
        ended_at=leg.ended_at,
        end_status=leg.end_status,
        hangup_cause=leg.hangup_cause,
        hangup_source=leg.hangup_source,
        sip_code=leg.sip_code,
    )


def _offer_told(offer: Offer) -> told.OfferTold:
    return told.OfferTold(
        id=str(offer.pk),
        agent_id=offer.agent_id,
        who=str(offer.agent),
        outcome=offer.outcome,
        offered_at=offer.offered_at,
        ended_at=offer.ended_at,
        queue=offer.queue.name if offer.queue else "",
    )


def _visit_told(visit: QueueVisit) -> told.VisitTold:
    return told.VisitTold(
        id=str(visit.pk),
        queue=visit.queue.name,
        outcome=visit.outcome,
        entered_at=visit.entered_at,
        ended_at=visit.ended_at,
        who=str(visit.agent) if visit.agent else "",
    )


def _step_told(trace: RouteTrace, language: str) -> told.StepTold:
    return told.StepTold(
        id=str(trace.pk),
        step=trace.step,
        at=trace.at,
        verb=str(trace.decision.get("verb", "")),
        sentences=tuple(explain.sentences(trace.reasons, language)),
        plan_version=trace.plan_version,
    )


def _segments(call: Call, customer: str, legs: Iterable[told.LegTold], language: str) -> tuple[Segment, ...]:
    recordings = sorted(call.recordings.all(), key=lambda one: (one.started_at or one.created_at, one.pk))
    voices = [
        channels.Voice(leg.who, leg.answered_at, leg.ended_at)
        for leg in legs
        if not leg.is_customers and leg.answered_at is not None
    ]
    kinds = [recording.kind for recording in recordings]
    return tuple(
        Segment(
            recording,
            kinds[:place].count(recording.kind),
            kinds.count(recording.kind),
            channels.names(
                recording.layout,
                customer=customer,
                voices=voices,
                begins_at=recording.started_at,
                ends_at=_ends_at(recording),
                language=language,
            ),
        )
        for place, recording in enumerate(recordings, start=1)
    )


def _ends_at(recording: Any) -> datetime | None:
    if recording.started_at is None or recording.duration_s is None:
        return None
    ends_at: datetime = recording.started_at + timedelta(seconds=recording.duration_s)
    return ends_at


def _recording_told(segment: Segment) -> told.RecordingTold:
    recording = segment.recording
    return told.RecordingTold(
        id=str(recording.pk),
        kind=recording.kind,
        state=recording.state,
        at=recording.deleted_at or recording.stored_at or recording.created_at,
        place=segment.place,
        of=segment.of,
        duration_s=recording.duration_s,
        channels=segment.channels,
        error=recording.error,
    )


_TONES: Final = {
    quality.Sound.EXCELLENT: "good",
    quality.Sound.GOOD: "good",
    quality.Sound.FAIR: "note",
    quality.Sound.POOR: "bad",
    quality.Sound.BAD: "bad",
}


def _leg_shown(leg: CallLeg, who: str, language: str) -> LegShown:
    sound: LegQuality | None = getattr(leg, "quality", None)
    measured = [one for one in (sound.telnyx_mos, sound.mos) if one is not None] if sound else []
    mos = min(measured, default=None)
    by_telnyx = TelnyxQuality(packets=sound.telnyx_packets, lost=sound.telnyx_lost) if sound else TelnyxQuality()
    codes = [str(warning["code"]) for warning in sound.warnings] if sound else []
    warnings = tuple((code, codes.count(code)) for code in dict.fromkeys(codes))
    return LegShown(
        leg=leg,
        who=who,
        cause=hangup_words.cause(leg.hangup_cause, language),
        sip=hangup_words.sip(leg.sip_code, language),
        sound=sound,
        mos=mos,
        loss_percent=_most(by_telnyx.loss_percent, sound.loss_percent if sound else None),
        jitter_ms=_most(sound.telnyx_jitter_ms, sound.jitter_ms) if sound else None,
        word=quality.sound_in_words(mos, language) if mos is not None else "",
        tone=_TONES[quality.sound_of(mos)] if mos is not None else "",
        warnings=warnings,
        warning_words=", ".join(f"{quality.warning_in_words(code, language)} ×{times}" for code, times in warnings),
    )


def _most(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _quality_told(shown: LegShown) -> told.QualityTold:
    leg, sound = shown.leg, shown.sound
    if sound is None:
        raise ValueError("nobody measured this leg")
    return told.QualityTold(
        leg_id=str(leg.pk),
        who=shown.who,
        at=leg.ended_at or sound.updated_at,
        mos=shown.mos,
        jitter_ms=shown.jitter_ms,
        loss_percent=shown.loss_percent,
        rtt_ms=sound.rtt_ms,
        warnings=shown.warnings,
    )


# --- As the API writes it -----------------------------------------------------------------------------------------


def _entry_as_json(told_in: Mapping[str, Entry]) -> dict[str, Any]:
    one = told_in["en"]
    return {
        "at": one.at,
        "part": str(one.part),
        **{
            name: {language: getattr(entry, name) for language, entry in told_in.items()}
            for name in ("who", "what", "why", "detail")
        },
        "ids": list(one.ids),
    }


def _ended_as_json(ended: Ended | None) -> dict[str, Any] | None:
    if ended is None:
        return None
    return {
        "by": str(ended.verdict.by),
        "how": str(ended.verdict.how),
        "who": ended.verdict.who or None,
        "reason": ended.verdict.reason or None,
        "cause": ended.cause or None,
        "sip_code": ended.sip_code or None,
        "words": {language: ended.in_words(language) for language in LANGUAGES},
    }


def _leg_as_json(shown: LegShown) -> dict[str, Any]:
    leg, sound = shown.leg, shown.sound
    return {
        "id": str(leg.pk),
        "call_sid": leg.call_sid,
        "kind": leg.kind,
        "who": shown.who,
        "started_at": leg.started_at,
        "answered_at": leg.answered_at,
        "ended_at": leg.ended_at,
        "hangup_cause": leg.hangup_cause or None,
        "hangup_source": leg.hangup_source or None,
        "sip_code": leg.sip_code or None,
        "quality": None
        if sound is None
        else {
            "mos": shown.mos,
            "sound": str(quality.sound_of(shown.mos)) if shown.mos is not None else None,
            "loss_percent": shown.loss_percent,
            "jitter_ms": shown.jitter_ms,
            "rtt_ms": sound.rtt_ms,
            "warnings": sound.warnings,
        },
    }


def _segment_as_json(segment: Segment) -> dict[str, Any]:
    recording = segment.recording
    left, right = segment.channels or (None, None)
    return {
        "id": str(recording.pk),
        "segment": segment.place,
        "kind": recording.kind,
        "state": recording.state,
        "started_at": recording.started_at,
        "duration_s": recording.duration_s,
        "channels": None if segment.channels is None else {"left": left, "right": right},
    }
