"""Business hours while somebody edits them: what he typed, what is wrong with it, and what it means when nothing is.

The form is made on the server at every step: a row is added, taken away or copied by a button of the form that sends
all of it (``act``). So it works without a script, and nothing that was typed is lost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from typing import Final
from zoneinfo import available_timezones

from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from curbe.companies.models import Company
from telephony.core.hours import Calendar, SpecialDate, Switch
from telephony.core.hours_text import DAYS, Fault, Wrong, WrongHours, intervals_of, parse_hours, parse_weekly
from telephony.models import BusinessHours
from telephony.operations.hours import COUNTRIES, DateWanted, HoursWanted, propose_holidays, subdivisions

WEEKDAYS_ONLY: Final = DAYS[:5]
MAX_NAME: Final = 80
#: Each date is four fields, and Django takes a thousand (DATA_UPLOAD_MAX_NUMBER_FIELDS).
MAX_DATES: Final = 200
FIRST_YEAR, LAST_YEAR = 2000, 2100
#: What people write into the hours of a date on which nobody works.
CLOSED_WORDS: Final = frozenset({"closed", "cerrado"})


@dataclass(slots=True)
class Stretch:
    """One row of a day: from, until, as they were typed."""

    start: str = ""
    end: str = ""
    error: str = ""
    #: The keyboard goes here when the row has come.
    is_new: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.start and not self.end

    @property
    def text(self) -> str:
        return f"{self.start}-{self.end}"


@dataclass(slots=True)
class Day:
    """``key`` is ``mon``, ``label`` the day's name."""

    key: str
    label: str
    rows: list[Stretch] = field(default_factory=list)
    error: str = ""
    #: The keyboard goes to this day's button, because the row that had it is gone.
    has_lost_a_row: bool = False


@dataclass(slots=True)
class DateRow:
    """One special date, as it was typed. ``hours`` is ``10:00-14:00, 16:00-18:00``; empty is closed."""

    date: str = ""
    every_year: bool = False
    name: str = ""
    hours: str = ""
    error: str = ""
    hours_error: str = ""
    name_error: str = ""
    is_new: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.date and not self.name and not self.hours


@dataclass(frozen=True, slots=True)
class Proposal:
    """A holiday that may be taken into the special dates."""

    date: date
    name: str
    is_ticked: bool
    #: The date is among the special dates already.
    is_there: bool


@dataclass(slots=True)
class Holidays:
    """The holidays of a country that are being looked at, if ``is_open``."""

    country: str = ""
    region: str = ""
    year: int = 0
    is_open: bool = False
    #: ISO dates that the person left ticked; None before he could.
    ticked: frozenset[str] | None = None
    #: The keyboard goes to the button that shows them, because those it was at are gone.
    were_closed: bool = False


class HoursForm:
    """What a person has typed. ``read`` says what it means; before that nothing in it is trusted."""

    def __init__(self, today: date, *, name: str = "", timezone: str = "", switch: str = "") -> None:
        self.today = today
        self.name = name
        self.timezone = timezone
        self.switch = switch
        self.days = [Day(key, label) for key, label in labels().items()]
        self.dates: list[DateRow] = []
        self.holidays = Holidays(year=today.year)
        #: By field: ``name``, ``timezone``, ``switch``, ``dates``.
        self.errors: dict[str, str] = {}
        self.dates_have_lost_a_row = False

    # --- Where it comes from ---

    @classmethod
    def blank(cls, today: date) -> HoursForm:
        """Return the form for new hours: an office's, so that there is something to change."""
        form = cls(today)
        for day in form.days:
            if day.key in WEEKDAYS_ONLY:
                day.rows = [Stretch("09:00", "18:00")]
        return form

    @classmethod
    def of(cls, hours: BusinessHours, today: date) -> HoursForm:
        """Return the form of hours as they are kept. ``special_dates`` had better be prefetched."""
        form = cls(today, name=hours.name, timezone=hours.timezone, switch=hours.switch)
        for day in form.days:
            day.rows = [_stretch(text) for text in hours.weekly.get(day.key, ())]
        for one in sorted(hours.special_dates.all(), key=lambda one: _when_next(one.date, one.every_year, today)):
            form.dates.append(DateRow(one.date.isoformat(), one.every_year, one.name, ", ".join(one.intervals)))
        form.holidays = Holidays(country=hours.country, year=today.year)
        return form

    @classmethod
    def posted(cls, data: QueryDict, today: date) -> HoursForm:
        typed = {name: data.get(name, "") for name in ("name", "timezone", "switch")}
        form = cls(today, **typed)
        for day in form.days:
            times = zip_longest(data.getlist(f"{day.key}_from"), data.getlist(f"{day.key}_until"), fillvalue="")
            day.rows = [Stretch(start.strip(), end.strip()) for start, end in times]
        yearly = set(data.getlist("date_yearly"))
        columns = (data.getlist(name) for name in ("date", "date_name", "date_hours"))
        form.dates = [
            DateRow(day.strip(), str(index) in yearly, name.strip(), hours.strip())
            for index, (day, name, hours) in enumerate(zip_longest(*columns, fillvalue=""))
        ]
        form.holidays = _holidays(data, today)
        return form

    # --- What its buttons do ---

    def act(self, action: str, language: str) -> None:
        """Do what a button says, such as ``add mon``, ``remove mon 1``, ``copy mon``. Nonsense does nothing."""
        verb, *rest = action.split()
        match (verb, rest):
            case ("add", [day]) if day in DAYS:
                self._day(day).rows.append(Stretch(is_new=True))
            case ("remove", [day, index]) if day in DAYS:
                self._day(day).has_lost_a_row = _remove(self._day(day).rows, index)
            case ("copy", [day]) if day in DAYS:
                for other in WEEKDAYS_ONLY:
                    self._day(other).rows = [Stretch(one.start, one.end) for one in self._day(day).rows]
            case ("add-date", []):
                self.dates.append(DateRow(is_new=True))
            case ("remove-date", [index]):
                self.dates_have_lost_a_row = _remove(self.dates, index)
            case ("holidays", []):
                self.holidays.is_open = True
                self.holidays.ticked = None
            case ("take-holidays", []):
                self._take_holidays(language)
                self.holidays.were_closed = True
            case ("hide-holidays", []):
                self.holidays.is_open = False
                self.holidays.were_closed = True

    def _day(self, key: str) -> Day:
        return self.days[DAYS.index(key)]

    def _take_holidays(self, language: str) -> None:
        for one in self.proposals(language):
            if one.is_ticked and not one.is_there:
                self.dates.append(DateRow(one.date.isoformat(), name=one.name))
        self.holidays.is_open = False

    # --- What it offers ---

    def proposals(self, language: str) -> list[Proposal]:
        """Return the holidays of the chosen country and year; at first those are ticked that are still to come."""
        if not self.holidays.is_open:
            return []
        there, ticked = {row.date for row in self.dates}, self.holidays.ticked
        found = propose_holidays(
            self.holidays.country, self.holidays.region, year=self.holidays.year, language=language
        )
        return [
            Proposal(
                one.date,
                one.name,
                is_ticked=one.date >= self.today if ticked is None else one.date.isoformat() in ticked,
                is_there=one.date.isoformat() in there,
            )
            for one in found
        ]

    # --- What it means ---

    def read(self, language: str) -> HoursWanted | None:
        """Return what the hours should be, or None, and then each error stands beside its field.

        Holidays that are ticked and were not taken yet are taken: whoever ticks them wants them.
        """
        if self.holidays.is_open:
            self._take_holidays(language)
        wanted = HoursWanted(
            name=self._read_name(),
            timezone=self._read_timezone(),
            weekly=self._read_week(),
            switch=self._read_switch(),
            country=self.holidays.country if self.holidays.country in COUNTRIES else "",
            dates=self._read_dates(),
        )
        return None if self.has_errors else wanted

    @property
    def has_errors(self) -> bool:
        return any(True for _error in self._all_errors())

    @property
    def first_error(self) -> str:
        """The first error from above, with the day or date that it is about."""
        return next(iter(self._all_errors()), "")

    def _all_errors(self) -> Iterable[str]:
        yield from (self.errors[name] for name in ("name", "timezone", "switch") if name in self.errors)
        for day in self.days:
            for error in (day.error, *(row.error for row in day.rows)):
                if error:
                    yield f"{day.label}: {error}"
        yield from (self.errors[name] for name in ("dates",) if name in self.errors)
        for date_row in self.dates:
            for error in (date_row.error, date_row.name_error, date_row.hours_error):
                if error:
                    yield f"{date_row.date or _('Special date')}: {error}"

    def _read_name(self) -> str:
        name = self.name.strip()
        if not name:
            self.errors["name"] = _("Give the hours a name.")
        elif len(name) > MAX_NAME or not _is_one_line(name):
            self.errors["name"] = _("At most %(count)s characters, on one line.") % {"count": MAX_NAME}
        return name

    def _read_timezone(self) -> str:
        wanted = self.timezone.strip()
        found = zone_named(wanted) if wanted else ""
        if found is None:
            self.errors["timezone"] = _(
                "There is no time zone %(name)s. Choose one of the list, such as America/New_York."
            ) % {"name": wanted[:64]}
            return ""
        self.timezone = found
        return found

    def _read_switch(self) -> str:
        if self.switch not in BusinessHours.Switch.values:
            self.errors["switch"] = _("Choose one of the three.")
        return self.switch

    def _read_week(self) -> dict[str, list[str]]:
        rows: dict[str, list[Stretch]] = {}
        for day in self.days:
            for row in day.rows:
                if bool(row.start) != bool(row.end):
                    row.error = _("Say when it ends.") if row.start else _("Say when it begins.")
            rows[day.key] = [row for row in day.rows if not row.is_blank and not row.error]
        try:
            return parse_weekly({key: [row.text for row in of_day] for key, of_day in rows.items() if of_day})
        except WrongHours as err:
            for wrong in err.wrong:
                match wrong.path:
                    case (str(key), int(index)):
                        rows[key][index].error = sentence(wrong)
                    case (str(key),):
                        self._day(key).error = sentence(wrong)
            return {}

    def _read_dates(self) -> tuple[DateWanted, ...]:
        rows = [row for row in self.dates if not row.is_blank]
        if len(rows) > MAX_DATES:
            self.errors["dates"] = _("At most %(count)s special dates.") % {"count": MAX_DATES}
        read: list[DateWanted] = []
        seen: set[tuple[int, ...]] = set()
        for row in rows:
            day, intervals = _date(row.date), _read_hours(row)
            if len(row.name) > MAX_NAME or not _is_one_line(row.name):
                row.name_error = _("At most %(count)s characters, on one line.") % {"count": MAX_NAME}
            if day is None:
                row.error = _("Choose a date between %(first)s and %(last)s.") % {
                    "first": FIRST_YEAR,
                    "last": LAST_YEAR,
                }
                continue
            # A date may have hours of its own in one year, and others every year; twice the same it is a slip.
            keys = {(day.year, day.month, day.day), *([(day.month, day.day)] if row.every_year else [])}
            if keys & seen:
                row.error = _("This date stands here twice.")
            seen |= keys
            read.append(DateWanted(day, row.every_year, intervals, row.name))
        return tuple(sorted(read, key=lambda one: one.date))


def calendar_of(wanted: HoursWanted, company: Company) -> Calendar:
    """Return the calendar that these hours would be."""
    return Calendar(
        id=0,
        name=wanted.name,
        timezone=wanted.timezone or company.timezone,
        weekly=tuple(intervals_of(wanted.weekly.get(day, ())) for day in DAYS),
        special=tuple(
            SpecialDate(
                one.date.month,
                one.date.day,
                intervals_of(one.intervals),
                None if one.every_year else one.date.year,
                one.name,
            )
            for one in wanted.dates
        ),
        switch=Switch(wanted.switch),
    )


def sentence(wrong: Wrong) -> str:
    """Return what is wrong with hours, as a person at the form reads it."""
    match wrong.fault:
        case Fault.OVERLAP:
            return _("%(one)s overlaps %(other)s.") % {"one": wrong.value, "other": wrong.other}
        case Fault.NO_LENGTH:
            return _("It ends when it begins. The whole day is 00:00 to 00:00.")
        case Fault.TOO_MANY:
            return _("These are too many for one day.")
        case _:
            return _("Write the hours as 09:00-18:00.")


def labels() -> Mapping[str, str]:
    """Return the day's key and its name, Monday first."""
    return {key: str(WEEKDAYS[index]).capitalize() for index, key in enumerate(DAYS)}


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Return the names of the time zones that people live in. Reads files, once per process."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


@lru_cache(maxsize=1)
def _by_lower_name() -> Mapping[str, str]:
    return {name.lower(): name for name in ("UTC", *zones())}


def zone_named(text: str) -> str | None:
    """Return the time zone that somebody means: ``america/new_york``, and ``New York`` too; None if there is none."""
    known, plain = _by_lower_name(), re.sub(r"\s+", "_", text.lower())
    if plain in known:
        return known[plain]
    cities = {name for lower, name in known.items() if lower.rpartition("/")[2] == plain}
    return cities.pop() if len(cities) == 1 else None


def regions(country: str) -> tuple[tuple[str, str], ...]:
    return subdivisions(country)


def countries() -> list[tuple[str, str]]:
    """Return code and name of the countries whose holidays are known, by name."""
    return sorted(((code, str(name)) for code, name in COUNTRIES.items()), key=lambda pair: _sorted_as(pair[1]))


def _sorted_as(name: str) -> str:
    """Return the name without accents: Perú stands before Portugal, México among the M."""
    return "".join(one for one in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(one))


def _stretch(text: str) -> Stretch:
    start, _dash, end = text.partition("-")
    # A field for a time of day knows no 24:00; as an end 00:00 says the same.
    return Stretch(start, "00:00" if end == "24:00" else end)


def _when_next(day: date, every_year: bool, today: date) -> tuple[bool, date]:
    """Return what sorts dates as they come: those that are over stand at the end."""
    if every_year:
        years = range(today.year, today.year + 9)  # 29 February may be eight years off.
        day = next((one for one in (_moved(day, year) for year in years) if one and one >= today), day)
    return (day < today, day)


def _moved(day: date, year: int) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:
        return None


def _holidays(data: QueryDict, today: date) -> Holidays:
    year = data.get("year", "")
    country = data.get("country", "")
    return Holidays(
        country=country,
        # The region of another country that was chosen before is none of this one.
        region=data.get("region", "") if data.get("region_of") == country else "",
        year=int(year) if year in {str(one) for one in years(today)} else today.year,
        is_open="holidays_open" in data,
        ticked=frozenset(data.getlist("holiday")) if "holidays_open" in data else None,
    )


def years(today: date) -> tuple[int, ...]:
    return (today.year, today.year + 1, today.year + 2)


def _remove(rows: list[Stretch] | list[DateRow], index: str) -> bool:
    if not (index.isascii() and index.isdigit() and int(index) < len(rows)):
        return False
    del rows[int(index)]
    return True


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _read_hours(row: DateRow) -> tuple[str, ...]:
    if row.hours.lower() in CLOSED_WORDS:
        return ()
    try:
        return tuple(parse_hours([part for part in re.split(r"[,;]", row.hours) if part.strip()]))
    except WrongHours as err:
        row.hours_error = sentence(err.wrong[0])
        return ()


def _is_one_line(text: str) -> bool:
    return not any(unicodedata.category(one) in {"Cc", "Cs"} for one in text)
