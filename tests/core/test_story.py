"""The story of a call: one entry for each kind of event, in the true order, told once."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from telephony.core.call_state import TABLE, Fact, Phase, Wish
from telephony.core.story import Part, tell
from telephony.core.story_words import WORDS
from telephony.core.told import EventTold, QualityTold, RecordingTold, StepTold, Told, VisitTold
from tests.core.told_cast import AGENT, CUSTOMER, TARGET, agent, at, customer, event, moved, offer, told


def lines(facts: Told, language: str = "en") -> list[tuple[int, str, str]]:
    return [(round((entry.at - at(0)).total_seconds()), entry.who, entry.what) for entry in tell(facts, language)]


def whole() -> Told:
    """Return a call with everything: wait, ring, talk, hold, transfer, end, recording, correction, sound."""
    return told(
        event("instruction.voice", 0, CallSid=CUSTOMER),
        event("status.ringing", 4, CallSid=AGENT),
        event("status.in-progress", 10, CallSid=AGENT),
        moved("hold", 20, "TALKING", "HELD", agent=7),
        moved("unhold", 30, "HELD", "TALKING", agent=7),
        moved("transfer", 40, "TALKING", "TRANSFERRING", agent=7, target_queue=3),
        moved("agent_joined", 50, "TRANSFERRING", "TALKING"),
        moved("customer_left", 70, "TALKING", "ENDED"),
        event("status.completed", 70, CallSid=CUSTOMER),
        event("recording.completed", 72, CallSid=CUSTOMER),
        event(
            "reconciler.agent_freed", 80, "reconciler", believed={"agent": 7}, true={"call": "completed"}, did="freed"
        ),
        legs=(
            customer(hangup_source="caller"),
            agent(ended_at=at(41), hangup_cause="normal_clearing", sip_code="200"),
            replace(agent(answered_at=at(50)), id="l3", call_sid=TARGET, who="Luis", agent_id=8, started_at=at(45)),
        ),
        offers=(offer(),),
        visits=(VisitTold("v1", "ventas", "answered", at(1), at(10), "Ana"),),
        steps=(StepTold("s1", 1, at(0), "ring", ("The call comes to ventas.", "The phone of Ana rings."), 4),),
        recordings=(RecordingTold("r1", "call", "stored", at(75), 1, 2, 31, ("María", "Ana")),),
        quality=(QualityTold("l2", "Ana", at(70), 3.2, 40.0, 2.5, 90.0, (("31003", 2),)),),
    )


def test_a_whole_call_is_told_in_the_order_in_which_it_happened() -> None:
    assert lines(whole()) == [
        (0, "María", "The call comes in on +1 305-555-0100."),
        (0, "Plan", "The call comes to ventas."),
        (1, "María", "Comes to the queue ventas."),
        (3, "Ana", "The call is offered."),
        (4, "Ana", "Rings."),
        (10, "María", "Leaves the queue ventas: answered."),
        (10, "Ana", "Answers."),
        (20, "Ana", "Holds the customer."),
        (30, "Ana", "Takes the customer off hold."),
        (40, "Ana", "Transfers the call to ventas."),
        (41, "Ana", "Leaves the call."),
        (50, "Luis", "Answers."),
        (50, "Luis", "Takes over the call."),
        (70, "Luis", "Leaves the call."),
        (70, "María", "The customer hung up."),
        (70, "Ana", "Sound: poor (MOS 3.2)."),
        (75, "Curbe", "Recording kept, part 1 of 2, 0:31."),
        (80, "Correction", "Agent who was held."),
    ]


def test_the_order_in_which_events_were_read_does_not_matter() -> None:
    facts = whole()

    for events in itertools.islice(itertools.permutations(facts.events), 0, 4000, 400):
        assert lines(replace(facts, events=events)) == lines(facts)


def test_what_is_told_twice_is_one_entry_with_both_ids() -> None:
    first = event("hangup.requested", 60, "curbe", by=6)
    second = event("hangup.requested", 61, "curbe", by=6)
    later = event("hangup.requested", 66, "curbe", by=6)

    wishes = [entry for entry in tell(told(first, second, later), "en") if entry.part is Part.WISH]

    assert [entry.ids for entry in wishes] == [(first.id, second.id), (later.id,)]


def test_a_leg_is_told_once_however_many_callbacks_spoke_of_it() -> None:
    ringing = [event("status.ringing", seconds, CallSid=AGENT) for seconds in (4, 4.5, 9)]

    rang = [entry for entry in tell(told(*ringing), "en") if entry.part is Part.RANG]

    assert [(entry.at, entry.ids) for entry in rang] == [(at(4), ("l2", *(one.id for one in ringing)))]


def test_every_end_names_its_cause_and_its_sip_code() -> None:
    ended = next(entry for entry in tell(told(), "en") if entry.part is Part.ENDED)

    assert ended.why == "it was hung up normally"
    assert ended.detail == "normal_clearing · SIP 200: OK"


@pytest.mark.parametrize("happening", [*Wish, *Fact])
def test_whatever_can_happen_in_a_conversation_is_told(happening: Wish | Fact) -> None:
    """Of every move in the table something is told: by its event, by the leg's own entry, or by the end."""
    for phase, moves in TABLE.items():
        if happening not in moves:
            continue
        move = moved(str(happening), 40, str(phase), str(moves[happening].phase), agent=7, target_agent=8)
        told_by = [entry for entry in tell(told(move), "es") if move.id in entry.ids]
        by_its_leg = happening in {Fact.CUSTOMER_ANSWERED, Fact.TARGET_ANSWERED}

        assert by_its_leg or len(told_by) == 1, (phase, happening)
        assert all("{" not in entry.what for entry in told_by)


SINGLE: list[tuple[EventTold, Part, str, str]] = [
    (moved("consult", 30, "TALKING", "CONSULT_RINGING", agent=7, target_agent=8), Part.TRANSFER, "Ana", "Luis"),
    (moved("complete", 30, "CONSULTING", "TALKING", agent=7, target_number="+1555"), Part.TRANSFER, "Ana", "+1555"),
    (moved("target_left", 30, "CONSULTING", "TALKING", target_agent=8), Part.TALK, "Luis", "gone"),
    (moved("room_opened", 30, "PROMOTING", "HELD"), Part.ROOM, "Curbe", "room"),
    (event("talk.hold_failed", 30, "curbe", error="404", room=1), Part.TALK, "Telnyx", "hold"),
    (event("talk.room_failed", 30, "curbe", error="Refused.", room=1), Part.TALK, "Telnyx", "open a room"),
    (event("conference.participant-join", 30, CallSid=AGENT), Part.ROOM, "Ana", "Enters"),
    (event("conference.participant-leave", 30, CallSid=CUSTOMER), Part.ROOM, "María", "Leaves"),
    (event("hangup.failed", 30, "curbe", errors=["Telnyx did not answer."]), Part.WISH, "Curbe", "could not"),
    (event("call.end_requested", 30, "curbe", by=5, reason="spam"), Part.WISH, "Eva", "end of the call"),
    (event("agent.released", 30, "curbe", by=5, agent=8, reason="stuck"), Part.WISH, "Eva", "Releases Luis"),
    (event("status.completed", 30, "reconciler", believed={"leg": AGENT}), Part.CORRECTION, "Correction", "End that"),
    (event("reconciler.room_empty", 30, "reconciler", believed={}), Part.CORRECTION, "Correction", "Room"),
    (event("recording.completed", 30, "reconciler", believed={}), Part.CORRECTION, "Correction", "Recording that"),
    (event("voicemail.deleted", 30, "api", by=5, recording="r1"), Part.WISH, "Eva", "Deletes the message"),
    (event("transcription.completed", 30), Part.RECORDING, "Telnyx", "Writes down"),
    (event("call.cost", 30), Part.OTHER, "Telnyx", "call.cost"),
]


@pytest.mark.parametrize(("one", "part", "who", "what"), SINGLE, ids=[f"{row[0].kind}-{row[1]}" for row in SINGLE])
def test_each_kind_of_event_is_told(one: EventTold, part: Part, who: str, what: str) -> None:
    found = [entry for entry in tell(told(one), "en") if one.id in entry.ids and entry.part is part]

    assert len(found) == 1
    assert found[0].who == who
    assert what in found[0].what


@pytest.mark.parametrize(
    "kind", ["conference.participant-mute", "status.dtmf", "instruction.step", "reconciler.recording_asked"]
)
def test_what_tells_people_nothing_is_left_out(kind: str) -> None:
    one = event(kind, 30, "reconciler" if kind.startswith("reconciler") else "callback", CallSid=AGENT)

    assert [entry for entry in tell(told(one), "en") if one.id in entry.ids] == []


@pytest.mark.parametrize(
    ("outcome", "what"),
    [("declined", "Declines."), ("missed", "Does not answer."), ("withdrawn", "Stops ringing"), ("device_lost", "The")],
)
def test_an_offer_says_how_it_ended(outcome: str, what: str) -> None:
    facts = told(legs=(customer(),), offers=(offer(outcome=outcome, ended_at=at(20)),), call={"answered_at": None})

    assert any(when == 20 and who == "Ana" and said.startswith(what) for when, who, said in lines(facts))


def test_an_outbound_call_begins_with_who_placed_it() -> None:
    called = replace(customer(answered_at=at(12)), kind="called")
    facts = told(legs=(agent(answered_at=at(0), started_at=at(0)), called), call={"direction": "outbound"})

    assert lines(facts)[:2] == [
        (0, "Ana", "Calls +1 312-555-0001 from +1 305-555-0100."),
        (12, "María", "Answers."),
    ]


def test_a_correction_says_what_was_believed_what_is_true_and_what_was_done() -> None:
    facts = told(event("status.completed", 90, "reconciler", believed={"leg": AGENT}, true={}, did="told"))
    correction = next(entry for entry in tell(facts, "es") if entry.part is Part.CORRECTION)

    assert correction.why == "La línea de Ana seguía abierta → Telnyx dice que terminó → Se anotó su final."


def test_the_story_is_the_same_in_both_languages_but_for_the_words() -> None:
    facts = whole()
    spanish, english = tell(facts, "es"), tell(facts, "en")

    assert [(one.at, one.part, one.ids) for one in spanish] == [(one.at, one.part, one.ids) for one in english]
    # What is not in the words of the plan or a name differs.
    assert all(es.what != en.what for es, en in zip(spanish, english, strict=True) if es.part is not Part.DECISION)


def test_two_texts_are_the_same_in_both_languages_or_in_none() -> None:
    """What is folded in one language is folded in the other: the API tells both in one entry."""
    for one, other in itertools.combinations(WORDS.values(), 2):
        assert (one["es"] == other["es"]) is (one["en"] == other["en"]), (one, other)


def test_nonsense_in_an_event_breaks_nothing() -> None:
    odd: list[Any] = [None, [], {}, "x", 3.5, True]
    events = [
        event(
            kind, 30, "reconciler" if "reconciler" in kind else "curbe", by=value, agent=value, believed=value, to=value
        )
        for kind in ("talk.hold", "hangup.requested", "reconciler.agent_freed", "conference.participant-join")
        for value in odd
    ]

    assert tell(told(*events), "en")


def test_every_phase_is_a_phase_of_the_table() -> None:
    assert set(TABLE) == set(Phase)
