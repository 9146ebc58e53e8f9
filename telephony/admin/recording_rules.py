"""What is said before calls are recorded, for the operator."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from curbe.lib.console import OperatorAdmin
from telephony.models import RecordingRule


@admin.register(RecordingRule)
class RecordingRuleAdmin(OperatorAdmin):
    list_display = ("direction", "number", "company", "announces", "say_es", "say_en")
    list_select_related = ("company", "number")
    search_fields = ("company__name", "company__slug", "number__e164")
    list_filter = (
        ("direction", ChoicesDropdownFilter),
        ("announces", BooleanRadioFilter),
        ("company", AutocompleteSelectFilter),
    )
    autocomplete_fields = ("company", "number")
    fixed_fields = ("company",)
    ordering = ("-id",)
