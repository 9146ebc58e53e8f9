"""Recordings, for the operator: what was kept, what is on its way, what was given up and why."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.lib.console import LookingAdmin, OperatorAdmin, column
from recordings import operations
from recordings.models import Message, Recording, Transcript, TranscriptPolicy

AT_ONCE = 200


@admin.register(Recording)
class RecordingAdmin(LookingAdmin):
    list_display = (
        "created_at",
        "kind",
        "call",
        "company",
        "shown_state",
        "duration_s",
        "size_bytes",
        "attempts",
        "error",
    )
    list_select_related = ("call", "company")
    search_fields = ("=telnyx_recording_id", "=id", "=call__id", "call__from_number", "call__to_number")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("company", AutocompleteSelectFilter),
    )
    # Where it lies is a path of this machine, and the link to Telnyx is a key to the audio: neither is for a page.
    exclude = ("audio", "source_url")
    ordering = ("-id",)
    actions = ("fetch_again",)

    def has_fetch_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @column(
        gettext_lazy("state"),
        ordering="state",
        label={"stored": "success", "pending": "warning", "failed": "danger"},
    )
    def shown_state(self, recording: Recording) -> tuple[str, str]:
        return recording.state, recording.get_state_display()

    @admin.action(description=gettext_lazy("Fetch again"), permissions=["fetch"])
    def fetch_again(self, request: HttpRequest, chosen: QuerySet[Recording]) -> None:
        """Start over with those that were given up; the worker fetches them."""
        given_up = list(chosen.filter(state=Recording.State.FAILED).order_by("id")[:AT_ONCE])
        for recording in given_up:
            operations.try_again(recording, timezone.now())
        amount = len(given_up)
        text = ngettext("%(amount)d recording is fetched again.", "%(amount)d recordings are fetched again.", amount)
        messages.info(request, text % {"amount": amount})


@admin.register(Message)
class MessageAdmin(LookingAdmin):
    list_display = ("created_at", "company", "box", "call", "state", "dropped_why", "assigned_to", "mailed_at")
    list_select_related = (
        "company",
        "box__queue",
        "box__agent__user",
        "box__company",
        "call",
        "recording",
        "heard_by",
        "assigned_to",
    )
    search_fields = ("=id", "=call__id", "call__from_number")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("dropped_why", ChoicesDropdownFilter),
        ("company", AutocompleteSelectFilter),
    )
    ordering = ("-id",)


@admin.register(Transcript)
class TranscriptAdmin(LookingAdmin):
    list_display = ("created_at", "company", "call", "party", "state", "looks", "next_look_at")
    list_select_related = ("company", "call", "recording")
    search_fields = ("=call__id", "=telnyx_recording_id")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("party", ChoicesDropdownFilter),
        ("company", AutocompleteSelectFilter),
    )
    # Lists of words for PostgreSQL are nothing to read.
    exclude = ("search",)
    ordering = ("-id",)


@admin.register(TranscriptPolicy)
class TranscriptPolicyAdmin(OperatorAdmin):
    list_display = ("company", "of_calls")
    list_select_related = ("company",)
    search_fields = ("company__name", "company__slug")
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    ordering = ("-id",)
