"""Business hours as people write them: kept, taken away, and the holidays that they may want in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import Company
from telephony.core.holiday_names import in_spanish
from telephony.models import BusinessHours, PhoneNumber, SpecialDate
from telephony.operations.plans import publish, published_once

#: Those whose holidays are offered, with the names that people look for.
COUNTRIES: Final = {
    "AD": _("Andorra"),
    "AR": _("Argentina"),
    "BE": _("Belgium"),
    "BO": _("Bolivia"),
    "BR": _("Brazil"),
    "CA": _("Canada"),
    "CH": _("Switzerland"),
    "CL": _("Chile"),
    "CO": _("Colombia"),
    "CR": _("Costa Rica"),
    "CU": _("Cuba"),
    "DE": _("Germany"),
    "DO": _("Dominican Republic"),
    "EC": _("Ecuador"),
    "ES": _("Spain"),
    "FR": _("France"),
    "GB": _("United Kingdom"),
    "GT": _("Guatemala"),
    "HN": _("Honduras"),
    "IE": _("Ireland"),
    "IT": _("Italy"),
    "MX": _("Mexico"),
    "NI": _("Nicaragua"),
    "NL": _("Netherlands"),
    "PA": _("Panama"),
    "PE": _("Peru"),
    "PR": _("Puerto Rico"),
    "PT": _("Portugal"),
    "PY": _("Paraguay"),
    "SV": _("El Salvador"),
    "US": _("United States"),
    "UY": _("Uruguay"),
    "VE": _("Venezuela"),
}


#: What a special date's name has room for.
MAX_NAME: Final = 80


class NameTaken(ValueError):
    """Other hours of the company have this name; nothing was saved."""


class UnableToDelete(Exception):
    """The hours are in use; nothing was deleted. ``queues`` and ``numbers`` say where."""

    def __init__(self, queues: tuple[str, ...], numbers: tuple[str, ...]) -> None:
        super().__init__(f"used by {', '.join((*queues, *numbers))}")
        self.queues = queues
        self.numbers = numbers


@dataclass(frozen=True, slots=True)
class DateWanted:
    """A special date; without hours it is closed."""

    date: date
    every_year: bool = False
    intervals: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class HoursWanted:
    """What hours should be. Texts of hours are in the one form of ``telephony.core.hours_text``."""

    name: str
    #: Empty: the company's.
    timezone: str = ""
    weekly: dict[str, list[str]] = field(default_factory=dict)
    switch: str = ""
    country: str = ""
    dates: tuple[DateWanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Holiday:
    date: date
    name: str


def save_hours(*, company: Company, hours: BusinessHours | None, wanted: HoursWanted) -> BusinessHours:
    """Make or change business hours, and let calls be routed by them. Raises NameTaken."""
    hours = hours or BusinessHours(company=company)
    for name in ("name", "timezone", "weekly", "switch", "country"):
        setattr(hours, name, getattr(wanted, name))
    with transaction.atomic(), published_once():
        try:
            with transaction.atomic():
                hours.save()
        except IntegrityError as err:
            raise NameTaken(wanted.name) from err
        # Nothing refers to a special date, so what they were need not be told from what they are.
        hours.special_dates.all().delete()
        SpecialDate.objects.bulk_create(
            SpecialDate(
                hours=hours, date=one.date, every_year=one.every_year, intervals=list(one.intervals), name=one.name
            )
            for one in wanted.dates
        )
        publish(company.pk)
    return hours


def delete_hours(*, hours: BusinessHours) -> None:
    """Take business hours away. Raises UnableToDelete while a queue or a number keeps them.

    A number whose hours went would be open at any hour, and nobody would have said so.
    """
    with transaction.atomic(), published_once():
        # Whoever points a queue or a number at them just now waits, and then finds them gone.
        locked = BusinessHours.objects.select_for_update().get(pk=hours.pk)
        queues = tuple(locked.queues.order_by("name", "id").values_list("name", flat=True))
        numbers = tuple(str(one) for one in PhoneNumber.objects.filter(hours=locked).order_by("e164"))
        if queues or numbers:
            raise UnableToDelete(queues, numbers)
        locked.delete()
        publish(hours.company_id)


def propose_holidays(country: str, subdivision: str = "", *, year: int, language: str) -> tuple[Holiday, ...]:
    """Return the holidays of a country, or of one of its parts, in a year, by date; none for an unknown country.

    ``subdivision`` is a code of ``subdivisions``; one that is unknown is left out. Names are Spanish for ``es``, and
    English for everything else, where somebody knows them so; else they are in the country's own language.
    """
    if country not in COUNTRIES:
        return ()
    known = {code for code, _name in subdivisions(country)}
    found = _package().country_holidays(
        country,
        subdiv=subdivision if subdivision in known else None,
        years=year,
        language=_language_of_names(country, language),
    )
    translate = language == "es" and "es" not in _languages(country)
    return tuple(Holiday(day, _short(in_spanish(name) if translate else name)) for day, name in sorted(found.items()))


def _short(name: str) -> str:
    """Return the name as a special date can have it: two holidays on one day may say too much."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def subdivisions(country: str) -> tuple[tuple[str, str], ...]:
    """Return code and name of the parts of a country that have holidays of their own, by name."""
    if country not in COUNTRIES:
        return ()
    package = _package().country_holidays(country)
    names: dict[str, str] = {}
    for name, code in getattr(package, "subdivisions_aliases", {}).items():
        names.setdefault(code, name)
    return tuple(sorted(((code, names.get(code, code)) for code in package.subdivisions), key=lambda pair: pair[1]))


def _language_of_names(country: str, language: str) -> str | None:
    """Return the package's word for the language, or English if it lacks that; None for the country's own."""
    known = _languages(country)
    english = sorted(one for one in known if one.startswith("en"))
    # en_US before en_GB, en_CA and the like: the last of them.
    return "es" if language == "es" and "es" in known else (english[-1] if english else None)


def _languages(country: str) -> tuple[str, ...]:
    return tuple(_package().list_localized_countries().get(country, ()))


def _package() -> Any:
    # Half a second, which no process spends before somebody asks for holidays.
    import holidays

    return holidays
