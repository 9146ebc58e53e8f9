"""Which numbers may be called, and what is dialled then."""

from __future__ import annotations

import pytest

from telephony.core.destinations import NotAllowed, checked

OURS = "+13055550100"
MADRID = "+34911234567"


@pytest.mark.parametrize(
    ("written", "our_number", "dialled"),
    [
        ("+13125550177", OURS, "+13125550177"),
        ("(312) 555-0177", OURS, "+13125550177"),
        ("312.555.0177", OURS, "+13125550177"),
        ("  +1 416 555 0177 ", OURS, "+14165550177"),
        ("912 34 56 78", MADRID, "+34912345678"),
        # Emergencies are dialled as they are, and nothing blocks them.
        ("911", OURS, "911"),
        ("9-1-1", OURS, "911"),
        ("112", MADRID, "112"),
        ("112", OURS, "112"),
        ("+13125550177\x00", OURS, "+13125550177"),
    ],
)
def test_what_is_dialled(written: str, our_number: str, dialled: str) -> None:
    assert checked(written, our_number=our_number, countries=["US", "CA", "ES"]) == dialled


@pytest.mark.parametrize("countries", [[], ["ES"]])
def test_no_list_of_countries_blocks_an_emergency(countries: list[str]) -> None:
    assert checked("911", our_number=OURS, countries=countries) == "911"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "not_a_number"),
        ("hola", "not_a_number"),
        ("12", "not_a_number"),
        ("+1", "not_a_number"),
        ("+999123456789", "not_a_number"),
        ("+13055550100", "itself"),
        ("305 555 0100", "itself"),
        ("+19005550100", "costly"),
        # A country that is not the company's, and satellites, which are nobody's.
        ("+5355512345", "country"),
        ("+34912345678", "country"),
        ("+882165551234", "country"),
        ("sip:evil@example.com", "not_a_number"),
        ("{{From}}", "not_a_number"),
    ],
)
def test_what_is_refused_and_why(written: str, code: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        checked(written, our_number=OURS, countries=["US", "CA"])

    assert refused.value.code == code
