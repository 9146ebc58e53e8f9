"""Voicemail boxes, for the operator."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from curbe.lib.console import OperatorAdmin
from telephony.models import VoicemailBox


@admin.register(VoicemailBox)
class VoicemailBoxAdmin(OperatorAdmin):
    list_display = ("__str__", "company", "queue", "agent", "transcribe", "max_length_s")
    list_select_related = ("company", "queue", "agent__user")
    search_fields = ("queue__name", "agent__user__username", "agent__user__name", "company__name", "company__slug")
    list_filter = (("company", AutocompleteSelectFilter),)
    autocomplete_fields = ("company", "queue", "agent")
    fixed_fields = ("company", "queue", "agent")
    # Where a recorded greeting lies is a path of this machine; it is recorded on the company's own pages.
    exclude = ("greeting",)
    ordering = ("-id",)
