"""The life of a conversation: every wish and every fact in every phase, and what the legs tell by themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core import call_state
from telephony.core.call_state import CONSULTED, LED, ROUTED, Effect, Fact, Happening, Phase, Standing, Wish
from telephony.core.leg_state import Leg, LegKind, LegStatus

AT = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)

#: Phase → happening → the phase after it. What is not named is refused (a wish) or changes nothing (a fact).
EXPECTED: dict[Phase, dict[Happening, Phase]] = {
    Phase.DIALLING: {
        Fact.CUSTOMER_ANSWERED: Phase.TALKING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Fact.LEAD_LEFT, Fact.LEAD_LOST, Wish.LEAVE, Wish.END), Phase.ENDED),
    },
    Phase.ROUTING: {
        **dict.fromkeys((Fact.AGENT_JOINED, Fact.ROOM_FAILED), Phase.TALKING),
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.TALKING: {
        Wish.HOLD: Phase.HELD,
        Wish.CONSULT: Phase.CONSULT_RINGING,
        Wish.TRANSFER: Phase.TRANSFERRING,
        Wish.MUTE: Phase.TALKING,
        Wish.UNMUTE: Phase.TALKING,
        Fact.LEAD_LOST: Phase.RESCUING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Fact.LEAD_LEFT, Wish.LEAVE, Wish.END), Phase.ENDED),
    },
    Phase.PROMOTING: {
        Fact.ROOM_OPENED: Phase.TALKING,
        Fact.ROOM_FAILED: Phase.TALKING,
        Wish.UNHOLD: Phase.TALKING,
        Wish.CANCEL: Phase.TALKING,
        Fact.LEAD_LOST: Phase.RESCUING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Fact.LEAD_LEFT, Wish.LEAVE, Wish.END), Phase.ENDED),
    },
    Phase.HELD: {
        Wish.UNHOLD: Phase.TALKING,
        Wish.CONSULT: Phase.CONSULT_RINGING,
        Wish.TRANSFER: Phase.TRANSFERRING,
        Wish.MUTE: Phase.HELD,
        Wish.UNMUTE: Phase.HELD,
        Fact.LEAD_LOST: Phase.RESCUING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Fact.LEAD_LEFT, Wish.LEAVE, Wish.END), Phase.ENDED),
    },
    Phase.CONSULT_RINGING: {
        Fact.TARGET_ANSWERED: Phase.CONSULTING,
        Fact.TARGET_LEFT: Phase.TALKING,
        Wish.CANCEL: Phase.TALKING,
        **dict.fromkeys((Fact.LEAD_LEFT, Fact.LEAD_LOST, Wish.LEAVE), Phase.ROUTING),
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.CONSULTING: {
        **dict.fromkeys((Wish.COMPLETE, Wish.LEAVE, Wish.CANCEL), Phase.TALKING),
        **dict.fromkeys((Fact.TARGET_LEFT, Fact.LEAD_LEFT, Fact.LEAD_LOST), Phase.TALKING),
        **dict.fromkeys((Wish.MUTE, Wish.UNMUTE), Phase.CONSULTING),
        Wish.MERGE: Phase.MERGED,
        Wish.SWAP: Phase.SWAPPED,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.SWAPPED: {
        **dict.fromkeys((Wish.COMPLETE, Wish.LEAVE, Wish.CANCEL), Phase.TALKING),
        **dict.fromkeys((Fact.TARGET_LEFT, Fact.LEAD_LEFT, Fact.LEAD_LOST), Phase.TALKING),
        **dict.fromkeys((Wish.MUTE, Wish.UNMUTE), Phase.SWAPPED),
        Wish.MERGE: Phase.MERGED,
        Wish.SWAP: Phase.CONSULTING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.MERGED: {
        **dict.fromkeys((Wish.COMPLETE, Wish.LEAVE, Wish.CANCEL), Phase.TALKING),
        **dict.fromkeys((Fact.TARGET_LEFT, Fact.LEAD_LEFT, Fact.LEAD_LOST), Phase.TALKING),
        **dict.fromkeys((Wish.MUTE, Wish.UNMUTE), Phase.MERGED),
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.TRANSFERRING: {
        Fact.AGENT_JOINED: Phase.TALKING,
        Fact.ROUTED_ON: Phase.ROUTING,
        Fact.ROOM_FAILED: Phase.TALKING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.RESCUING: {
        Fact.AGENT_JOINED: Phase.TALKING,
        Fact.ROUTED_ON: Phase.ROUTING,
        **dict.fromkeys((Fact.CUSTOMER_LEFT, Wish.END), Phase.ENDED),
    },
    Phase.ENDED: {},
}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("happening", [*Wish, *Fact])
def test_every_happening_in_every_phase(phase: Phase, happening: Happening) -> None:
    after = call_state.after(Standing(phase, in_room=True), happening)

    assert (after.phase if after else None) == EXPECTED[phase].get(happening)


@pytest.mark.parametrize(
    ("wish", "phase", "effects"),
    [
        (Wish.HOLD, Phase.HELD, (Effect.HOLD_CUSTOMER,)),
        (Wish.CONSULT, Phase.CONSULT_RINGING, (Effect.HOLD_CUSTOMER, Effect.RING_TARGET)),
        (Wish.MUTE, Phase.TALKING, (Effect.MUTE_LEAD,)),
    ],
)
def test_what_a_plain_dial_cannot_do_waits_for_a_room_and_is_done_there(
    wish: Wish, phase: Phase, effects: tuple[Effect, ...]
) -> None:
    asked = call_state.after(Standing(Phase.TALKING), wish)
    assert asked == call_state.After(Phase.PROMOTING, (Effect.OPEN_ROOM,), wish=wish)

    opened = call_state.after(Standing(Phase.PROMOTING, wish=wish, in_room=True), Fact.ROOM_OPENED)

    assert opened == call_state.After(phase, effects)


def test_a_transfer_needs_no_room() -> None:
    after = call_state.after(Standing(Phase.TALKING), Wish.TRANSFER)

    assert after == call_state.After(Phase.TRANSFERRING, (Effect.SEND_TRANSFER,))


@pytest.mark.parametrize("phase", sorted(CONSULTED))
def test_a_customer_who_leaves_ends_the_ringing_of_whoever_is_consulted_first(phase: Phase) -> None:
    after = call_state.after(Standing(phase, in_room=True), Fact.CUSTOMER_LEFT)

    assert after is not None
    assert after.effects == (Effect.DROP_TARGET, Effect.END_ALL)
    assert after.message == "caller_left"


@pytest.mark.parametrize("phase", sorted(LED - {Phase.DIALLING}))
def test_a_lost_lead_never_ends_the_customers_leg(phase: Phase) -> None:
    after = call_state.after(Standing(phase, in_room=True), Fact.LEAD_LOST)

    assert after is not None
    assert after.phase is not Phase.ENDED
    assert Effect.END_ALL not in after.effects


def leg(kind: LegKind, state: str) -> Leg | None:
    if state == "none":
        return None
    return Leg(
        call_sid=f"v3:{kind}",
        kind=kind,
        started_at=AT,
        status=LegStatus.ENDED if "ended" in state else LegStatus.IN_PROGRESS if state == "up" else LegStatus.RINGING,
        answered_at=AT if state in {"up", "ended"} else None,
        ended_at=AT if "ended" in state else None,
    )


STATES = st.sampled_from(["none", "ringing", "up", "ended", "ended unanswered"])
STANDINGS = st.builds(
    lambda phase, wish, customer, lead, target, *flags: Standing(
        phase,
        wish if phase is Phase.PROMOTING else None,
        *flags[:3],
        leg(LegKind.CALLER, customer),
        leg(LegKind.AGENT, lead),
        leg(LegKind.FORWARD, target),
        *flags[3:],
    ),
    st.sampled_from(list(Phase)),
    st.sampled_from([Wish.HOLD, Wish.CONSULT, Wish.MUTE]),
    STATES,
    STATES,
    STATES,
    *[st.booleans()] * 5,
)


@given(STANDINGS)
def test_every_fact_that_is_due_has_its_place_in_the_table(standing: Standing) -> None:
    fact = call_state.due(standing)

    assert fact is None or call_state.after(standing, fact) is not None


@given(STANDINGS)
def test_whatever_the_legs_are_the_end_of_the_customers_ends_it_and_nothing_else_is_due_then(
    standing: Standing,
) -> None:
    if standing.customer is not None and not standing.customer.is_live and standing.phase is not Phase.ENDED:
        assert call_state.due(standing) is Fact.CUSTOMER_LEFT
    if standing.phase is Phase.ENDED:
        assert call_state.due(standing) is None


DUE = [
    (Standing(Phase.TALKING, lead=leg(LegKind.AGENT, "ended")), Fact.LEAD_LEFT),
    (Standing(Phase.TALKING, lead=leg(LegKind.AGENT, "ended"), lead_was_lost=True), Fact.LEAD_LOST),
    (Standing(Phase.TALKING, lead=leg(LegKind.AGENT, "up")), None),
    (Standing(Phase.ROUTING, somebody_joined=True), Fact.AGENT_JOINED),
    # Whoever sent the customer on has left on purpose.
    (Standing(Phase.TRANSFERRING, lead=leg(LegKind.AGENT, "ended")), None),
    (Standing(Phase.DIALLING, customer=leg(LegKind.CALLED, "ringing")), None),
    (Standing(Phase.DIALLING, customer=leg(LegKind.CALLED, "up")), Fact.CUSTOMER_ANSWERED),
    (Standing(Phase.DIALLING, customer=leg(LegKind.CALLED, "ended unanswered")), Fact.CUSTOMER_LEFT),
    (Standing(Phase.PROMOTING, customer_in_room=True), None),
    (Standing(Phase.PROMOTING, customer_in_room=True, lead_in_room=True), Fact.ROOM_OPENED),
    (Standing(Phase.CONSULT_RINGING, target=leg(LegKind.AGENT, "ringing")), None),
    (Standing(Phase.CONSULT_RINGING, target=leg(LegKind.AGENT, "up")), Fact.TARGET_ANSWERED),
    (Standing(Phase.CONSULT_RINGING, target=leg(LegKind.AGENT, "ended unanswered")), Fact.TARGET_LEFT),
    # His answer and his end were told in the wrong order: he is gone all the same.
    (Standing(Phase.CONSULT_RINGING, target=leg(LegKind.AGENT, "ended")), Fact.TARGET_LEFT),
    (Standing(Phase.CONSULTING, target=leg(LegKind.AGENT, "ended")), Fact.TARGET_LEFT),
]


@pytest.mark.parametrize(("standing", "fact"), DUE)
def test_what_the_legs_tell(standing: Standing, fact: Fact | None) -> None:
    assert call_state.due(standing) is fact


def test_the_phases_in_which_somebody_leads_and_in_which_the_plan_has_the_customer_are_all_but_the_end() -> None:
    assert LED | ROUTED | {Phase.ENDED} == set(Phase)
    assert not LED & ROUTED
