"""Which box a message goes to, and which greeting is heard before it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from telephony.core import render
from telephony.core.boxes import ask_for_message, box_after
from telephony.core.decision_words import in_words
from telephony.core.plan import (
    COMPANY,
    NOWHERE,
    VOICEMAIL,
    BoxPlan,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    NumberPlan,
    QueuePlan,
)
from telephony.core.plan_json import plan_as_json, plan_from_json
from telephony.core.routing import decide
from telephony.core.types import (
    DialStatus,
    Gather,
    Pool,
    Ring,
    RouteContext,
    Routed,
    Target,
    Voicemail,
    Walk,
    walk_as_json,
    walk_from_json,
)
from tests.core.routing_cast import CLOSED, MENU, MOBILE, NOW, OTHER_QUEUE, QUEUE, USER, busy


def plan(*boxes: BoxPlan, overflow: Destination = NOWHERE, **facts: Any) -> CompanyPlan:
    options = (MenuOption("1", VOICEMAIL), MenuOption("2", QUEUE))
    return CompanyPlan(
        1,
        "es",
        queues=MappingProxyType({7: QueuePlan(7, "ventas", overflow=overflow), 8: QueuePlan(8, "ayuda")}),
        menus=MappingProxyType({5: MenuPlan(5, "principal", {"es": "Marque uno."}, options)}),
        boxes=MappingProxyType({box.owner: box for box in boxes}),
        **facts,
    )


def called(number: NumberPlan, of: CompanyPlan, **facts: Any) -> Routed:
    """Return what a call meets when nobody can be rung anywhere."""
    pools = {place: Pool((busy(1),)) for place in (USER, COMPANY)} | {QUEUE: Pool(), OTHER_QUEUE: Pool()}
    routed = decide(RouteContext(step=1, now=NOW, plan=of, number=number, pools=pools, **facts))
    assert isinstance(routed, Routed)
    return routed


@pytest.mark.parametrize(
    ("number", "overflow", "box"),
    [
        (NumberPlan(USER), NOWHERE, USER),
        (NumberPlan(QUEUE), NOWHERE, QUEUE),
        (NumberPlan(QUEUE), VOICEMAIL, QUEUE),
        # Who overflowed from sales leaves his message for sales, whichever way …
        (NumberPlan(QUEUE), COMPANY, QUEUE),
        # … unless the call came to somebody else meanwhile.
        (NumberPlan(QUEUE), USER, USER),
        (NumberPlan(QUEUE), OTHER_QUEUE, OTHER_QUEUE),
        (NumberPlan(COMPANY), NOWHERE, COMPANY),
        (NumberPlan(VOICEMAIL), NOWHERE, COMPANY),
    ],
    ids=str,
)
def test_the_box_follows_from_where_the_call_stood(number: NumberPlan, overflow: Destination, box: Destination) -> None:
    decision = called(number, plan(overflow=overflow)).decision

    assert isinstance(decision, Voicemail)
    assert decision.box == box


def test_a_number_of_a_user_that_is_closed_leads_to_his_box() -> None:
    closed = NumberPlan(USER, hours_id=3, when_closed=VOICEMAIL)

    assert called(closed, replace(plan(), hours=CLOSED)).decision == Voicemail(box=USER)


def test_a_menus_voicemail_is_the_companys_and_that_of_a_queue_behind_it_the_queues() -> None:
    menu = called(NumberPlan(MENU), plan())
    assert isinstance(menu.decision, Gather)

    def pressed(digit: str) -> Routed:
        return called(NumberPlan(NOWHERE), plan(), walk=menu.walk, previous=menu.decision, digits=digit)

    assert pressed("1").decision == Voicemail()
    assert pressed("2").decision == Voicemail(box=QUEUE)


def test_a_user_who_was_rung_and_a_number_that_was_forwarded_to_keep_the_box() -> None:
    rung = Walk(USER, NOW, "es", box=USER)
    ring = Ring((Target(1, "gencred1"),), 25)
    forwarded = Walk(MOBILE, NOW, "es", box=QUEUE)

    after_ring = called(NumberPlan(NOWHERE), plan(), walk=rung, previous=ring, dial=DialStatus.NO_ANSWER)
    after_forward = called(NumberPlan(NOWHERE), plan(), walk=forwarded, previous=ring, dial=DialStatus.BUSY)

    assert after_ring.decision == Voicemail(box=USER)
    assert after_forward.decision == Voicemail(box=QUEUE)


def test_menus_numbers_and_anybody_leave_the_box_as_it_was() -> None:
    for place in (MENU, MOBILE, COMPANY, VOICEMAIL, NOWHERE):
        assert box_after(place, QUEUE) == QUEUE
    assert box_after(OTHER_QUEUE, QUEUE) == OTHER_QUEUE


def test_where_a_call_stands_is_kept_with_its_box_and_read_without_one() -> None:
    walk = Walk(VOICEMAIL, NOW, "es", box=QUEUE)

    assert walk_from_json(walk_as_json(walk)) == walk
    # Of a call that was under way when boxes came.
    assert walk_from_json({**walk_as_json(walk), "box": None}).box == COMPANY


# --- The greeting -------------------------------------------------------------------------------------------------


SALES = BoxPlan(QUEUE, say={"es": "Ventas no contesta. "}, max_length_s=90, transcribe=False)
RECORDED = BoxPlan(QUEUE, say={"es": "Ventas no contesta."}, play="/greetings/k.mp3")


@pytest.mark.parametrize(
    ("box", "language", "decision"),
    [
        (SALES, "es", Voicemail(90, QUEUE, "Ventas no contesta.", "es", transcribe=False)),
        # A text in the wrong language is no greeting: the house's own is.
        (SALES, "en", Voicemail(90, QUEUE, transcribe=False)),
        (RECORDED, "es", Voicemail(box=QUEUE, play="/greetings/k.mp3")),
        (RECORDED, "en", Voicemail(box=QUEUE, play="/greetings/k.mp3")),
        (BoxPlan(USER, say={"es": "Soy Ana."}), "es", Voicemail(box=QUEUE)),
    ],
)
def test_the_greeting_is_the_boxs_recording_else_its_text_else_the_houses(
    box: BoxPlan, language: str, decision: Voicemail
) -> None:
    assert ask_for_message(plan(box), Walk(VOICEMAIL, NOW, language, box=QUEUE)) == decision


FACTS = render.CallFacts(
    call_id="0193", company="b5325600", language="es", from_number="", to_number="", caller_name="",
    origin="https://voice.test",
)  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "has", "lacks"),
    [
        (Voicemail(play="/greetings/k.mp3"), "<Play>https://voice.test/greetings/k.mp3</Play><Record", "<Say"),
        (
            Voicemail(words="Sales & <more> is out.", language="en"),
            '<Say voice="Polly.Joanna-Neural">Sales &amp; &lt;more&gt; is out.</Say><Record',
            "<Play",
        ),
        (Voicemail(transcribe=False), "Deje su mensaje", "transcription"),
        (Voicemail(300), 'maxLength="300"', "<Play"),
    ],
)
def test_the_document_says_or_plays_it_and_records(decision: Voicemail, has: str, lacks: str) -> None:
    document = render.render(decision, FACTS, step=2)

    assert has in document
    assert lacks not in document


def test_a_plan_with_boxes_is_stored_and_read_to_the_letter() -> None:
    with_boxes = plan(SALES, replace(RECORDED, owner=Destination(DestinationKind.USER, 3)))

    assert plan_from_json(plan_as_json(with_boxes), 1) == with_boxes


def test_a_version_from_before_there_were_boxes_has_none() -> None:
    stored = plan_as_json(plan())
    del stored["boxes"]

    assert plan_from_json(stored, 1).boxes == {}


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (Voicemail(), "The caller could leave a message."),
        (
            Voicemail(words="Estamos de fiesta."),
            "The caller would hear “Estamos de fiesta.”, and could leave a message.",
        ),
        (Voicemail(play="/greetings/k.mp3"), "The caller would hear the recorded greeting, and could leave a message."),
    ],
)
def test_a_preview_says_which_greeting_would_be_heard(decision: Voicemail, sentence: str) -> None:
    assert in_words(decision, {}, spoken="es", language="en") == sentence
