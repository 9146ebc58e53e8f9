"""Which words are said before a call is recorded, and before which document."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from telephony.core import announcing
from telephony.core.plan import CompanyPlan, Notice
from telephony.core.plan_json import plan_as_json, plan_from_json
from telephony.core.types import Forward, Gather, Hangup, Ring, Room, Say, Voicemail, Wait

NUMBER = "+13055550100"
COMPANY = Notice(say=MappingProxyType({"es": "De todos"}))
OUT = Notice(direction="outbound", say=MappingProxyType({"es": "De salida"}))
OF_NUMBER = Notice(number=NUMBER, say=MappingProxyType({"es": "Del número"}))
SILENT = Notice(direction="inbound", number=NUMBER, announces=False)


@pytest.mark.parametrize(
    ("notices", "direction", "number", "said"),
    [
        ([], "inbound", NUMBER, ""),
        ([COMPANY], "inbound", NUMBER, "De todos"),
        ([COMPANY, OUT], "inbound", NUMBER, "De todos"),
        ([COMPANY, OUT], "outbound", NUMBER, "De salida"),
        ([OUT, OF_NUMBER, COMPANY], "outbound", NUMBER, "Del número"),
        ([OF_NUMBER], "inbound", "+13055550101", ""),
        ([COMPANY, SILENT], "inbound", NUMBER, ""),
        ([Notice()], "inbound", NUMBER, "Esta llamada puede ser grabada."),
    ],
)
def test_the_narrowest_rule_speaks(notices: list[Notice], direction: str, number: str, said: str) -> None:
    assert announcing.words(notices, direction=direction, number=number, language="es") == said


def test_a_language_without_words_of_its_own_hears_the_products() -> None:
    said = announcing.words([COMPANY], direction="inbound", number=NUMBER, language="en")

    assert said == "This call may be recorded."


def test_it_stands_before_everything_else_and_is_escaped() -> None:
    document = announcing.announced("<Response><Dial/></Response>", 'A & "B"', "es")

    expected = '<Say voice="Polly.Lupe-Neural">A &amp; &quot;B&quot;</Say>'
    assert document == f"<Response>{expected}<Dial/></Response>"
    assert announcing.announced("<Response/>", "", "es") == "<Response/>"


@pytest.mark.parametrize(
    ("decision", "leads_on"),
    [
        (Ring((), 25), True),
        (Forward(NUMBER, 25), True),
        (Wait(20), True),
        (Gather(1, "x", 5), True),
        (Room("r"), True),
        (Voicemail(), False),
        (Say("unassigned"), False),
        (Hangup(), False),
    ],
)
def test_only_what_leads_to_somebody_is_announced(decision: object, leads_on: bool) -> None:
    assert announcing.leads_on(decision) is leads_on  # type: ignore[arg-type]


def test_the_phones_ring_so_much_later() -> None:
    assert announcing.lasts("").total_seconds() == 0
    assert announcing.lasts("x" * 60).total_seconds() == 6


def test_a_plan_keeps_its_notices_and_an_old_version_has_none() -> None:
    plan = CompanyPlan(7, "es", notices=(COMPANY, SILENT))
    document = plan_as_json(plan)

    assert plan_from_json(document, 7).notices == (COMPANY, SILENT)
    del document["notices"]
    assert plan_from_json(document, 7).notices == ()
