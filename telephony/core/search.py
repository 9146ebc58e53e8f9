"""What a person types into the search of the history, as what a call is looked for by. Pure.

A call is found by any part of a number or name. For the parts that few calls have, the database keeps the pieces of
three characters of each call's customer (``telephony_call_grams``, migration 0011); ``grams_of_*`` name those that a
call must have. They are necessary and not sufficient: whoever asks by them compares the text as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from curbe.lib.names import plain
from curbe.lib.phone import NotANumber, is_e164, to_e164

LONGEST: Final = 64
#: A number with its area: from here on it is looked up whole. Shorter ones are parts of a number.
WHOLE_DIGITS: Final = 10
GRAM: Final = 3
#: What is dialled before a country's code, instead of the plus: from Europe and most of Latin America; from the US.
_ABROAD: Final = re.compile(r"^\s*(?:00|011)\s*(?=[1-9])")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that was typed has to fit: the number, or its part, and each word of the name."""

    #: A whole number, E.164; empty where only a part was typed.
    e164: str = ""
    digits: str = ""
    #: Parts of the name's words: lower case, without accents.
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.e164 or self.digits or self.words)


def wanted_by(text: str, *, region: str = "US") -> Wanted:
    """Return what is looked for; falsy for a text without a letter or digit that could be found."""
    text = text.replace("\x00", "").strip()[:LONGEST]
    tokens = text.split()
    words = tuple(plain(token) for token in tokens if not _is_of_a_number(token))
    number = " ".join(token for token in tokens if _is_of_a_number(token))
    digits = _digits(number)
    if not digits:
        return Wanted(words=words)
    e164 = _whole(number, digits, region)
    return Wanted(e164=e164, digits="" if e164 else digits, words=words)


def grams_of_digits(digits: str) -> tuple[str, ...]:
    """Return the pieces that a number with these digits in it has; none for fewer than three."""
    return _grams(digits)


def grams_of_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the pieces that a name with these parts in it has. Two letters are looked for where a word begins."""
    found = [gram for word in words for gram in (_grams(f" {word}") if len(word) == GRAM - 1 else _grams(word))]
    return tuple(dict.fromkeys(found))


def _is_of_a_number(token: str) -> bool:
    return any(character.isdigit() for character in token) and not any(character.isalpha() for character in token)


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def _whole(number: str, digits: str, region: str) -> str:
    if len(digits) < WHOLE_DIGITS:
        return ""
    try:
        e164 = to_e164(_ABROAD.sub("+", number), region=region)
    except NotANumber:
        return ""
    return e164 if is_e164(e164) else ""


def _grams(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text[at : at + GRAM] for at in range(len(text) - GRAM + 1)))
