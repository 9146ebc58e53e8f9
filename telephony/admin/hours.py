"""Business hours, with the dates on which others hold."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from curbe.lib.console import OperatorAdmin, OperatorInline, column
from telephony.core.hours_text import DAYS, Fault, WrongHours, parse_hours, parse_weekly
from telephony.models import BusinessHours, PhoneNumber, SpecialDate
from telephony.views.hours_words import week_in_words


class HoursField(forms.CharField):
    """``09:00-13:00, 15:00-18:00`` as a list; empty: closed."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"placeholder": gettext_lazy("closed")})
        super().__init__(**{"required": False, "widget": widget, "max_length": 200, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        try:
            return parse_hours([part for part in text.split(",") if part.strip()])
        except WrongHours as err:
            raise forms.ValidationError(_in_words(err)) from err

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial or []), data)


def _in_words(err: WrongHours) -> str:
    if any(one.fault is Fault.OVERLAP for one in err.wrong):
        return _("Some of the hours overlap.")
    return _("Write hours as 09:00-13:00, 15:00-18:00; leave it empty if closed.")


class HoursForm(forms.ModelForm):  # type: ignore[type-arg]
    mon = HoursField(label=capfirst(WEEKDAYS[0]))
    tue = HoursField(label=capfirst(WEEKDAYS[1]))
    wed = HoursField(label=capfirst(WEEKDAYS[2]))
    thu = HoursField(label=capfirst(WEEKDAYS[3]))
    fri = HoursField(label=capfirst(WEEKDAYS[4]))
    sat = HoursField(label=capfirst(WEEKDAYS[5]))
    sun = HoursField(label=capfirst(WEEKDAYS[6]))

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
        try:
            self.instance.weekly = parse_weekly({day: cleaned.get(day, []) for day in DAYS})
        except WrongHours as err:
            # Those of one day have been looked at: what overlaps now reaches over midnight.
            self.add_error(str(err.wrong[0].path[0]), _in_words(err))
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
        return "; ".join(f"{days} {texts}" for days, texts in week_in_words(hours.weekly))
