"""Recordings, for the operator: what was kept, what is on its way, what was given up and why."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from curbe.lib.console import LookingAdmin, OperatorAdmin, column
from recordings import operations
from recordings.models import (
    CompanyHold,
    Message,
    PollMark,
    Recording,
    RecordingAudit,
    RecordingGap,
    RecordingPolicy,
    RemoteDeletion,
    Transcript,
    TranscriptPolicy,
)

AT_ONCE = 200


class OfACallFilter(admin.SimpleListFilter):
    """Recordings that belong to no call: nobody's page has them."""

    title = gettext_lazy("call")
    parameter_name = "call"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("none", gettext("Without a call"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recording]) -> QuerySet[Recording]:
        return queryset.filter(call=None) if self.value() == "none" else queryset


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
        OfACallFilter,
        ("is_held", BooleanRadioFilter),
        ("is_net", BooleanRadioFilter),
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
        label={"stored": "success", "pending": "warning", "failed": "danger", "deleted": "info"},
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


@admin.register(RecordingPolicy)
class RecordingPolicyAdmin(OperatorAdmin):
    list_display = ("kind", "company", "keep_days", "delete_at_telnyx")
    list_select_related = ("company",)
    search_fields = ("company__name", "company__slug")
    list_filter = (("kind", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    autocomplete_fields = ("company",)
    fixed_fields = ("company", "kind")
    ordering = ("-id",)


@admin.register(CompanyHold)
class CompanyHoldAdmin(LookingAdmin):
    """Begun and ended on the company's own page, where it leaves a line in the audit."""

    list_display = ("company", "reason", "by", "since")
    list_select_related = ("company", "by")
    search_fields = ("company__name", "company__slug", "reason")
    ordering = ("-id",)


@admin.register(RecordingAudit)
class RecordingAuditAdmin(LookingAdmin):
    list_display = ("at", "action", "by_name", "company", "recording_id", "call_id", "ip", "reason")
    list_select_related = ("company",)
    search_fields = ("=recording_id", "=call_id", "by_name")
    list_filter = (("action", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)


@admin.register(RecordingGap)
class RecordingGapAdmin(LookingAdmin):
    list_display = ("asked_at", "began_at", "ended_at", "call", "agent", "company", "error")
    list_select_related = ("call", "agent__user", "company")
    search_fields = ("=call__id",)
    list_filter = (("company", AutocompleteSelectFilter),)
    ordering = ("-id",)


@admin.register(RemoteDeletion)
class RemoteDeletionAdmin(LookingAdmin):
    list_display = (
        "telnyx_recording_id",
        "what",
        "company",
        "wanted_at",
        "attempts",
        "next_attempt_at",
        "done_at",
        "error",
    )
    list_select_related = ("company",)
    search_fields = ("=telnyx_recording_id",)
    list_filter = (("company", AutocompleteSelectFilter),)
    ordering = ("-id",)


@admin.register(PollMark)
class PollMarkAdmin(LookingAdmin):
    list_display = ("connection_id", "polled_until", "read_back_at")
    search_fields = ("=connection_id",)
    ordering = ("connection_id",)


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
