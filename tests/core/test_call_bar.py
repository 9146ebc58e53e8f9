"""The picture of a call, to scale."""

from __future__ import annotations

from telephony.core.call_bar import Went, picture
from telephony.core.told import StepTold, Told
from tests.core.told_cast import agent, at, customer, moved, offer, told


def spans(facts: Told) -> list[tuple[Went, int]]:
    return [(span.went, span.seconds) for span in picture(facts, at(100)).spans]


def test_a_plain_call_waits_rings_and_talks() -> None:
    assert spans(told(offers=(offer(),))) == [(Went.WAITING, 3), (Went.RINGING, 7), (Went.TALK, 60)]


def test_holds_and_consults_are_seen_and_everything_adds_up() -> None:
    facts = told(
        moved("hold", 20, "TALKING", "PROMOTING"),
        moved("room_opened", 22, "PROMOTING", "HELD"),
        moved("unhold", 30, "HELD", "TALKING"),
        moved("consult", 40, "TALKING", "CONSULT_RINGING"),
        moved("target_answered", 45, "CONSULT_RINGING", "CONSULTING"),
        moved("merge", 55, "CONSULTING", "MERGED"),
        offers=(offer(),),
    )

    assert spans(facts)[2:] == [(Went.TALK, 12), (Went.HOLD, 8), (Went.TALK, 10), (Went.CONSULT, 15), (Went.TALK, 15)]
    drawn = picture(facts, at(100))
    assert sum(seconds for _, seconds in drawn.totals) == drawn.seconds == 70
    assert abs(sum(span.width for span in drawn.spans) - 100) < 0.1


def test_a_message_is_drawn_after_the_ringing() -> None:
    facts = told(
        legs=(customer(),),
        offers=(offer(outcome="missed", ended_at=at(28)),),
        steps=(StepTold("s", 2, at(28), "voicemail", ()),),
        call={"answered_at": None, "outcome": "voicemail"},
    )

    assert spans(facts) == [(Went.WAITING, 3), (Went.RINGING, 25), (Went.MESSAGE, 42)]


def test_a_transfer_waits_and_rings_again() -> None:
    facts = told(
        moved("transfer", 30, "TALKING", "TRANSFERRING"),
        moved("agent_joined", 50, "TRANSFERRING", "TALKING"),
        offers=(offer(), offer(offered_at=at(32), ended_at=at(50))),
    )

    assert spans(facts)[2:] == [(Went.TALK, 20), (Went.WAITING, 2), (Went.RINGING, 18), (Went.TALK, 20)]


def test_an_outbound_call_rings_until_it_is_answered() -> None:
    facts = told(legs=(agent(answered_at=at(0), started_at=at(0)), customer()), call={"direction": "outbound"})

    assert spans(facts) == [(Went.RINGING, 10), (Went.TALK, 60)]


def test_a_call_that_goes_on_reaches_to_now() -> None:
    facts = told(legs=(customer(ended_at=None), agent(ended_at=None)), call={"ended_at": None})

    assert picture(facts, at(100)).seconds == 100
    assert spans(facts)[-1] == (Went.TALK, 90)


def test_a_call_without_length_can_be_drawn() -> None:
    drawn = picture(told(legs=(), call={"ended_at": at(0), "answered_at": None}), at(0))

    assert drawn.seconds == 1
    assert drawn.rows == ()


def test_nothing_is_drawn_outside_and_everybody_has_a_line() -> None:
    late = agent(ended_at=at(500))
    drawn = picture(told(legs=(customer(), late)), at(600))

    assert [row.who for row in drawn.rows] == ["María", "Ana"]
    assert all(span.left >= 0 and span.left + span.width <= 100.5 for row in drawn.rows for span in row.spans)
