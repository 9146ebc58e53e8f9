"""How business hours stand, in words: open or closed, why, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from telephony.core.hours import Calendar, Change, Fault, Standing, next_change, problems, standing, zone
from telephony.core.hours_text import DAYS, format_weekly


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a call would find now. Sentences that have nothing to say are empty."""

    is_open: bool
    #: A person holds it so, whatever the calendar says.
    is_switched: bool
    why: str
    next: str
    #: What the clock shows there.
    clock: str
    warnings: tuple[str, ...]


def verdict(calendar: Calendar, now: datetime) -> Verdict:
    stands = standing(calendar, now)
    return Verdict(
        is_open=stands.is_open,
        is_switched=stands.why == "switch",
        why=_why(stands),
        next=_next(stands, next_change(calendar, now), calendar, now),
        clock=_clock(calendar, now),
        warnings=_warnings(calendar),
    )


def _why(stands: Standing) -> str:
    if stands.why == "switch" and stands.is_open:
        return _("Held open by hand, whatever the calendar says.")
    if stands.why == "switch":
        return _("Held closed by hand, whatever the calendar says.")
    if stands.why == "special":
        return _("Special date: %(name)s.") % {"name": stands.name} if stands.name else _("It is a special date.")
    return ""


def _next(stands: Standing, change: Change | None, calendar: Calendar, now: datetime) -> str:
    if stands.why == "switch":
        return _("So it stays until somebody sets it back.")
    if change is None:
        return _("Nothing changes in the next two weeks.")
    when = _when(change.at, calendar, now)
    return _("Opens %(when)s.") % {"when": when} if change.opens else _("Closes %(when)s.") % {"when": when}


def _when(at: datetime, calendar: Calendar, now: datetime) -> str:
    local = at.astimezone(zone(calendar.timezone))
    today = now.astimezone(zone(calendar.timezone)).date()
    time = f"{local:%H:%M}"
    if local.date() == today:
        return _("today at %(time)s") % {"time": time}
    if local.date() == today + timedelta(days=1):
        return _("tomorrow at %(time)s") % {"time": time}
    # Translators: a format of Django's date filter, such as "Monday 23 November".
    return _("on %(day)s at %(time)s") % {"day": date_format(local, _("l j F")), "time": time}


def _clock(calendar: Calendar, now: datetime) -> str:
    local = now.astimezone(zone(calendar.timezone))
    return _("Now it is %(day)s, %(time)s (%(zone)s).") % {
        "day": date_format(local, _("l j F")),
        "time": f"{local:%H:%M}",
        "zone": calendar.timezone,
    }


def _warnings(calendar: Calendar) -> tuple[str, ...]:
    found = {problem.fault for problem in problems(calendar)}
    sentences = {
        Fault.UNKNOWN_ZONE: _("Nobody knows the time zone %(zone)s; UTC is used.") % {"zone": calendar.timezone},
        Fault.OVERLAP: _("Some of the hours overlap."),
        Fault.NEVER_OPEN: _("It is never open."),
    }
    return tuple(text for fault, text in sentences.items() if fault in found)


def week_in_words(weekly: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return days and their hours, shortly: ``("Mon–Fri", "09:00–18:00")``."""
    short = {key: str(WEEKDAYS_ABBR[index]).capitalize() for index, key in enumerate(DAYS)}
    return [
        ("–".join(short[day] for day in days.split("-")), ", ".join(text.replace("-", "–") for text in texts))
        for days, texts in format_weekly(weekly).items()
    ]
