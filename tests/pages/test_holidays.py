"""The holidays that are proposed for business hours."""

from __future__ import annotations

from datetime import date

import pytest

from telephony.core.holiday_names import in_spanish
from telephony.operations.hours import COUNTRIES, MAX_NAME, propose_holidays, subdivisions


@pytest.mark.parametrize(
    ("country", "region", "day", "spanish", "english"),
    [
        ("US", "", date(2026, 11, 26), "Día de Acción de Gracias", "Thanksgiving Day"),
        ("US", "", date(2026, 7, 3), "Día de la Independencia (trasladado)", "Independence Day (observed)"),
        ("US", "FL", date(2026, 11, 27), "Viernes después de Acción de Gracias", "Friday After Thanksgiving"),
        ("ES", "", date(2026, 1, 6), "Epifanía del Señor", "Epiphany"),
        ("ES", "MD", date(2026, 5, 2), "Comunidad de Madrid", "Madrid Day"),
        ("MX", "", date(2026, 9, 16), "Día de la Independencia", "Independence Day"),
        ("GB", "", date(2026, 4, 3), "Viernes Santo", "Good Friday"),
    ],
)
def test_a_holiday_is_named_in_both_languages(country: str, region: str, day: date, spanish: str, english: str) -> None:
    names = {
        language: {one.date: one.name for one in propose_holidays(country, region, year=2026, language=language)}
        for language in ("es", "en")
    }

    assert spanish in names["es"][day]
    assert names["en"][day] == english


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_country_has_some_in_their_order_and_with_names_that_fit(country: str, language: str) -> None:
    found = propose_holidays(country, year=2027, language=language)

    assert len(found) >= 4
    assert [one.date for one in found] == sorted({one.date for one in found})
    assert all(one.date.year == 2027 and 0 < len(one.name) <= MAX_NAME for one in found)


def test_a_region_adds_its_own() -> None:
    national = {one.date for one in propose_holidays("ES", year=2026, language="es")}
    of_madrid = {one.date for one in propose_holidays("ES", "MD", year=2026, language="es")}

    assert date(2026, 5, 2) in of_madrid - national


@pytest.mark.parametrize(("country", "region"), [("", ""), ("XX", ""), ("us", ""), ("../", "MD")])
def test_an_unknown_country_has_none(country: str, region: str) -> None:
    assert propose_holidays(country, region, year=2026, language="es") == ()
    assert subdivisions(country) == ()


def test_an_unknown_region_is_left_out() -> None:
    assert propose_holidays("ES", "FL", year=2026, language="es") == propose_holidays("ES", year=2026, language="es")


def test_regions_have_names_and_stand_in_their_order() -> None:
    names = [name for _code, name in subdivisions("ES")]

    assert ("MD", "Madrid") in subdivisions("ES")
    assert names == sorted(names)
    assert subdivisions("PE") == ()


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Christmas Day; New Year's Day (observed)", "Navidad; Año Nuevo (trasladado)"),
        ("Bennington Battle Day (observed)", "Bennington Battle Day (trasladado)"),
        ("Nobody's Day", "Nobody's Day"),
    ],
)
def test_names_are_translated_part_by_part(english: str, spanish: str) -> None:
    assert in_spanish(english) == spanish
