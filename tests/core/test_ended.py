"""Who ended a call, and why: every end that there is."""

from __future__ import annotations

from typing import Any

import pytest

from telephony.core import hangup_words
from telephony.core.ended import WORDS, By, How, ended_by
from telephony.core.told import Told
from tests.core.told_cast import CUSTOMER, agent, at, customer, event, moved, told

UNANSWERED: dict[str, Any] = {"answered_at": None}
OUT: dict[str, Any] = {"direction": "outbound", "answered_at": None, "outcome": "no_answer"}


def called(**fields: Any) -> Any:
    leg = customer(**fields)
    return type(leg)(**{**{name: getattr(leg, name) for name in leg.__slots__}, "kind": "called"})


def out(**fields: Any) -> Told:
    return told(legs=(called(**fields), agent(answered_at=at(0))), call=OUT)


def alone(outcome: str, **fields: Any) -> Told:
    return told(legs=(customer(**fields),), call={**UNANSWERED, "outcome": outcome})


ENDS: list[tuple[str, Told, By, How, str]] = [
    (
        "a supervisor ended it, whatever Telnyx says",
        told(
            event("call.end_requested", 60, "curbe", by=5, reason="spam"),
            event("hangup.requested", 61, "curbe", by=6),
            legs=(customer(hangup_source="caller"), agent()),
        ),
        By.SUPERVISOR,
        How.HUNG_UP,
        "Eva",
    ),
    ("the agent pressed hang up", told(event("hangup.requested", 60, by=6)), By.AGENT, How.HUNG_UP, "Ana"),
    ("a supervisor pressed it", told(event("hangup.requested", 60, by=5)), By.SUPERVISOR, How.HUNG_UP, "Eva"),
    ("the lead left", told(moved("lead_left", 70, "TALKING", "ENDED", agent=8)), By.AGENT, How.HUNG_UP, "Luis"),
    ("the lead chose the end", told(moved("end", 70, "HELD", "ENDED", agent=7)), By.AGENT, How.HUNG_UP, "Ana"),
    ("he left while dialling", told(moved("leave", 5, "DIALLING", "ENDED", agent=7)), By.AGENT, How.GAVE_UP, "Ana"),
    ("lost while dialling", told(moved("lead_lost", 5, "DIALLING", "ENDED", agent=7)), By.AGENT, How.LOST, "Ana"),
    ("the time limit", told(legs=(customer(hangup_cause="time_limit"), agent())), By.TELNYX, How.TIME_LIMIT, ""),
    ("no sound any more", told(legs=(customer(hangup_cause="timeout"), agent())), By.TELNYX, How.LOST, ""),
    ("busy", out(end_status="busy", hangup_cause="user_busy"), By.CUSTOMER, How.BUSY, ""),
    ("no answer", out(end_status="no-answer", hangup_cause="timeout"), By.CUSTOMER, How.NO_ANSWER, ""),
    ("rejected", out(end_status="failed", hangup_cause="call_rejected"), By.CUSTOMER, How.REJECTED, ""),
    ("no such number", out(end_status="failed", hangup_cause="not_found"), By.TELNYX, How.NO_SUCH_NUMBER, ""),
    ("not reached", out(end_status="failed", hangup_cause="unspecified"), By.TELNYX, How.NOT_REACHED, ""),
    ("the agent gave up", out(end_status="canceled"), By.AGENT, How.GAVE_UP, "Ana"),
    (
        "nobody told of the end",
        told(event("status.completed", 70, "reconciler", CallSid=CUSTOMER, believed={}, true={})),
        By.WE,
        How.FOUND_OVER,
        "",
    ),
    ("gave up waiting", alone("abandoned", hangup_source="caller"), By.CUSTOMER, How.GAVE_UP, ""),
    ("left a message", alone("voicemail", hangup_source="caller"), By.CUSTOMER, How.LEFT_MESSAGE, ""),
    ("the message was full", alone("voicemail", hangup_source="callee"), By.PLAN, How.LEFT_MESSAGE, ""),
    ("the plan said goodbye", alone("missed", hangup_source="callee"), By.PLAN, How.PLAN_ENDED, ""),
    ("a number of nobody", alone("unassigned"), By.PLAN, How.PLAN_ENDED, ""),
    ("nothing is known", alone("missed"), By.UNKNOWN, How.UNKNOWN, ""),
    ("the customer hung up", told(legs=(customer(hangup_source="caller"), agent())), By.CUSTOMER, How.HUNG_UP, ""),
    ("the agent's bye", told(legs=(customer(hangup_source="callee"), agent())), By.AGENT, How.HUNG_UP, "Ana"),
    (
        "the agent's leg says so",
        told(legs=(customer(), agent(hangup_source="callee", hangup_cause="normal_clearing"))),
        By.AGENT,
        How.HUNG_UP,
        "Ana",
    ),
    ("the agent was gone first", told(legs=(customer(), agent(ended_at=at(65)))), By.AGENT, How.HUNG_UP, "Ana"),
    ("both at once, and no word", told(), By.UNKNOWN, How.UNKNOWN, ""),
]


@pytest.mark.parametrize(("facts", "by", "how", "who"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_who_ended_it_and_why(facts: Told, by: By, how: How, who: str) -> None:
    ended = ended_by(facts)

    assert ended is not None
    assert (ended.verdict.by, ended.verdict.how, ended.verdict.who) == (by, how, who)
    for language in ("es", "en"):
        assert ended.in_words(language).endswith(".")
        assert "{" not in ended.in_words(language)
        assert who in ended.in_words(language)


def test_every_verdict_that_has_words_is_reached_by_some_end() -> None:
    assert {(row[2], row[3]) for row in ENDS} == set(WORDS)


def test_a_call_that_goes_on_was_ended_by_nobody() -> None:
    assert ended_by(told(call={"ended_at": None, "status": "in_progress"})) is None


def test_the_reason_of_who_supervises_is_the_why_and_the_codes_stand_beside_it() -> None:
    ended = ended_by(told(event("call.end_requested", 60, by=5, reason="Llamada de prueba")))

    assert ended is not None
    assert ended.why_in_words("es") == "Llamada de prueba"
    assert ended.codes("es") == "normal_clearing · SIP 200: correcto"


def test_an_event_of_the_conversation_without_an_agent_names_who_talked_last() -> None:
    ended = ended_by(told(moved("lead_left", 70, "TALKING", "ENDED")))

    assert ended is not None
    assert ended.verdict.who == "Ana"


@pytest.mark.parametrize("code", [*hangup_words.CAUSES, *hangup_words.SIP])
def test_every_cause_and_code_has_words_in_both_languages(code: str) -> None:
    words = {**hangup_words.CAUSES, **hangup_words.SIP}[code]

    assert words["es"]
    assert words["en"]
    assert words["es"] != words["en"]


@pytest.mark.parametrize(
    ("code", "said"),
    [("486", "SIP 486: busy"), ("699", "SIP 699"), ("", ""), ("unspecified", "")],
)
def test_a_sip_code_is_said_with_its_number(code: str, said: str) -> None:
    assert hangup_words.sip(code, "en") == said


def test_a_cause_that_nobody_knows_is_shown_as_it_came() -> None:
    assert hangup_words.cause("solar_flare", "es") == "solar_flare"
