"""What callers hear: complete in both languages, and right in number."""

from __future__ import annotations

import pytest

from telephony.core import speech


@pytest.mark.parametrize("key", sorted(speech.TEXTS))
def test_every_text_is_spoken_in_both_languages(key: str) -> None:
    assert set(speech.TEXTS[key]) == {"es", "en"}
    assert all(speech.TEXTS[key].values())


@pytest.mark.parametrize(
    ("position", "minutes", "es", "en"),
    [
        (0, 0, "", ""),
        (1, 0, "Usted es el número 1 en la cola.", "You are number 1 in the queue."),
        (10, 0, "Usted es el número 10 en la cola.", "You are number 10 in the queue."),
        (11, 0, "Hay más de diez personas en la cola.", "There are more than ten callers in the queue."),
        (
            2,
            1,
            "Usted es el número 2 en la cola. El tiempo de espera es de aproximadamente un minuto.",
            "You are number 2 in the queue. The waiting time is about one minute.",
        ),
        (
            3,
            4,
            "Usted es el número 3 en la cola. El tiempo de espera es de aproximadamente 4 minutos.",
            "You are number 3 in the queue. The waiting time is about 4 minutes.",
        ),
        (
            0,
            2,
            "El tiempo de espera es de aproximadamente 2 minutos.",
            "The waiting time is about 2 minutes.",
        ),
    ],
)
def test_a_caller_who_waits_is_told_his_place_and_the_wait(position: int, minutes: int, es: str, en: str) -> None:
    assert speech.position_text(position, minutes, "es") == es
    assert speech.position_text(position, minutes, "en") == en


def test_a_language_that_no_text_has_hears_english() -> None:
    assert speech.text("unassigned", "fr") == "Unassigned number"
    assert speech.voice("fr") == speech.voice("en")


def test_an_unknown_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        speech.text("own_words", "es")
