"""What a person types into the search, and what is looked for."""

from __future__ import annotations

import pytest

from telephony.core.search import Wanted, grams_of_digits, grams_of_words, wanted_by


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("+13055550142", Wanted(e164="+13055550142")),
        ("(305) 555-0142", Wanted(e164="+13055550142")),
        ("305.555.0142", Wanted(e164="+13055550142")),
        ("1 305 555 0142", Wanted(e164="+13055550142")),
        ("011 34 911 234 567", Wanted(e164="+34911234567")),
        ("0034911234567", Wanted(e164="+34911234567")),
        # Seven digits are a part: whose area it is in, nobody said.
        ("555-0142", Wanted(digits="5550142")),
        ("0142", Wanted(digits="0142")),
        ("Fernández", Wanted(words=("fernandez",))),
        ("  MARÍA   josé ", Wanted(words=("maria", "jose"))),
        ("María 0142", Wanted(digits="0142", words=("maria",))),
        ("María +1 305 555 0142", Wanted(e164="+13055550142", words=("maria",))),
        ("o'neill", Wanted(words=("o'neill",))),
        ("100%", Wanted(digits="100")),
        ("0142\x00", Wanted(digits="0142")),
    ],
)
def test_what_people_type_is_a_number_a_part_of_one_or_a_name(typed: str, wanted: Wanted) -> None:
    assert wanted_by(typed) == wanted


@pytest.mark.parametrize("typed", ["", "   ", "\x00"])
def test_nothing_is_looked_for_by_nothing(typed: str) -> None:
    assert not wanted_by(typed)


@pytest.mark.parametrize(
    ("digits", "grams"),
    [("5550142", ("555", "550", "501", "014", "142")), ("014", ("014",)), ("14", ()), ("55555", ("555",))],
)
def test_a_number_has_all_the_pieces_of_its_part(digits: str, grams: tuple[str, ...]) -> None:
    assert grams_of_digits(digits) == grams


@pytest.mark.parametrize(
    ("words", "grams"),
    [
        (("maria",), ("mar", "ari", "ria")),
        (("li",), (" li",)),
        (("x",), ()),
        (("ana", "banana"), ("ana", "ban", "nan")),
    ],
)
def test_two_letters_are_looked_for_where_a_word_begins(words: tuple[str, ...], grams: tuple[str, ...]) -> None:
    assert grams_of_words(words) == grams
