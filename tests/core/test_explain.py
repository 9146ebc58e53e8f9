"""The sentences of a trace: complete in both languages, and never an error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from telephony.core import explain, routing


@pytest.mark.parametrize("code", sorted(explain.SENTENCES))
def test_every_reason_speaks_spanish_and_english_with_the_same_values(code: str) -> None:
    sentence = explain.SENTENCES[code]

    assert set(sentence) == {"es", "en"}
    assert re.findall(r"\{(\w+)\}", sentence["es"]) == re.findall(r"\{(\w+)\}", sentence["en"])


def test_every_code_that_the_routing_writes_has_a_sentence() -> None:
    source = Path(routing.__file__).read_text()
    written = set(re.findall(r'"code": "(\w+)"', source)) | set(re.findall(r'return "(\w+)"$', source, re.MULTILINE))

    assert written, "the routing writes no reasons"
    assert written <= set(explain.SENTENCES)


def test_a_reason_of_a_later_version_is_shown_by_its_code() -> None:
    assert explain.sentences([{"code": "moon_phase"}], "en") == ["Reason: moon_phase."]


def test_a_value_that_is_missing_is_a_question_mark_and_not_an_error() -> None:
    assert explain.sentences([{"code": "rung"}], "es") == ["Sonó el teléfono de ?."]
