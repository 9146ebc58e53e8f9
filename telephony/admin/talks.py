"""Conversations as they stand, what Telnyx was asked for, and the calls that agents announced: to look at only."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.lib.console import LookingAdmin
from telephony.models import OutboundIntent, Talk, TalkCommand


@admin.register(Talk)
class TalkAdmin(LookingAdmin):
    list_display = ("phase_at", "call", "phase", "wish", "lead", "target_agent", "target_e164", "rooms", "message")
    list_select_related = ("call", "lead__user", "former__user", "target_agent__user", "target_queue")
    search_fields = ("=call__id", "=lead_sid", "=target_sid")
    ordering = ("-call_id",)


@admin.register(TalkCommand)
class TalkCommandAdmin(LookingAdmin):
    list_display = ("created_at", "call", "kind", "state", "attempts", "next_attempt_at", "finished_at", "error")
    list_select_related = ("call",)
    search_fields = ("=call__id",)
    list_filter = (("state", ChoicesDropdownFilter),)
    ordering = ("-id",)


@admin.register(OutboundIntent)
class OutboundIntentAdmin(LookingAdmin):
    list_display = ("created_at", "company", "agent", "number", "to_e164", "state")
    list_select_related = ("company", "agent__user", "number")
    search_fields = ("=id", "to_e164", "agent__user__name")
    list_filter = (("state", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)
