"""Business hours, with the dates on which others hold."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from curbe.lib.console import OperatorAdmin, OperatorInline, column
from telephony.core.week import DAYS, NotHours, as_ranges, interval_of, open_days
from telephony.models import BusinessHours, PhoneNumber, SpecialDate

DAY_NAMES = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}


class HoursField(forms.CharField):
    """``09:00-13:00, 15:00-18:00`` as a list; empty: closed."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"placeholder": _("closed")})
        super().__init__(**{"required": False, "widget": widget, "max_length": 200, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        try:
            return [interval_of(part) for part in text.split(",") if part.strip()]
        except NotHours as err:
            raise forms.ValidationError(
                _("Write hours as 09:00-13:00, 15:00-18:00; leave it empty if closed.")
            ) from err

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial or []), data)


class HoursForm(forms.ModelForm):  # type: ignore[type-arg]
    mon = HoursField(label=DAY_NAMES["mon"])
    tue = HoursField(label=DAY_NAMES["tue"])
    wed = HoursField(label=DAY_NAMES["wed"])
    thu = HoursField(label=DAY_NAMES["thu"])
    fri = HoursField(label=DAY_NAMES["fri"])
    sat = HoursField(label=DAY_NAMES["sat"])
    sun = HoursField(label=DAY_NAMES["sun"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({day: list(self.instance.weekly.get(day, [])) for day in DAYS})

    def clean_timezone(self) -> str:
        name: str = self.cleaned_data["timezone"]
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("There is no such time zone. Write it as America/New_York."))
        return name

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise forms.ValidationError(_("Write the two letters of the country, such as US."))
        return country

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.instance.weekly = open_days({day: cleaned.get(day, []) for day in DAYS})
        return cleaned


class SpecialDateForm(forms.ModelForm):  # type: ignore[type-arg]
    intervals = HoursField(label=gettext_lazy("Hours"))


class SpecialDateInline(OperatorInline):
    model = SpecialDate
    form = SpecialDateForm
    fields = ("date", "every_year", "intervals", "name")
    ordering = ("date",)
    extra = 1


@admin.register(BusinessHours)
class BusinessHoursAdmin(OperatorAdmin):
    form = HoursForm
    list_display = ("name", "company", "week", "timezone", "switch")
    list_select_related = ("company",)
    search_fields = ("name", "company__name", "company__slug")
    list_filter = (("switch", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    fieldsets = (
        (None, {"fields": ("name", "company", "switch", "timezone", "country")}),
        (gettext_lazy("Weekly hours"), {"fields": DAYS}),
    )
    inlines = (SpecialDateInline,)
    ordering = ("-id",)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Keep hours that a number keeps: without them it would be open at any time."""
        deletable, counts, missing, protected = super().get_deleted_objects(objs, request)
        keeping = PhoneNumber.objects.filter(hours__in=objs).order_by("id")[:20]
        return deletable, counts, missing, [*protected, *(_("Number %(number)s") % {"number": one} for one in keeping)]

    @column(gettext_lazy("weekly hours"))
    def week(self, hours: BusinessHours) -> str:
        days = {day: str(DAY_NAMES[day])[:3].lower() for day in DAYS}
        words = []
        for key, its_hours in as_ranges(hours.weekly).items():
            first, _dash, last = key.partition("-")
            words.append(f"{days[first]}{f'–{days[last]}' if last else ''} {' '.join(its_hours)}")
        return ", ".join(words)
