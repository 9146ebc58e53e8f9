"""The ledger: what was said of calls, what became of it, and the button that tries again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.lib.console import LookingAdmin, column
from telephony.models import TelnyxEvent
from telephony.operations import ledger

#: As many as one request can process in good time; the worker does the rest by itself.
AT_ONCE = 200


class StateFilter(SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("failed", _("Failed")), ("waiting", _("Not processed")), ("done", _("Processed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TelnyxEvent]) -> QuerySet[TelnyxEvent]:
        match self.value():
            case "failed":
                return queryset.filter(processed_at=None).exclude(error="")
            case "waiting":
                return queryset.filter(processed_at=None)
            case "done":
                return queryset.exclude(processed_at=None)
            case _:
                return queryset


@admin.register(TelnyxEvent)
class TelnyxEventAdmin(LookingAdmin):
    list_display = ("received_at", "kind", "source", "company", "call", "state", "attempts", "first_words")
    list_select_related = ("company", "call")
    search_fields = ("kind", "=dedupe_key", "=call__id")
    list_filter = (StateFilter, ("source", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)
    actions = ("process_again",)

    def has_process_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @column(
        gettext_lazy("state"),
        label={"done": "success", "failed": "danger", "waiting": "warning"},
    )
    def state(self, event: TelnyxEvent) -> tuple[str, str]:
        if event.processed_at:
            return "done", _("Processed")
        return ("failed", _("Failed")) if event.error else ("waiting", _("Not processed"))

    @column(gettext_lazy("error"))
    def first_words(self, event: TelnyxEvent) -> str:
        lines = event.error.strip().splitlines()
        return lines[-1][:120] if lines else ""

    @admin.action(description=gettext_lazy("Process again"), permissions=["process"])
    def process_again(self, request: HttpRequest, chosen: QuerySet[TelnyxEvent]) -> None:
        """Try those that failed or wait; what was processed is left alone."""
        ids = chosen.filter(processed_at=None).order_by("id").values_list("pk", flat=True)[:AT_ONCE]
        ended = Counter(ledger.process_again(event_id, timezone.now()) for event_id in ids)
        for how, amount in ended.items():
            level = messages.ERROR if how is ledger.Processing.FAILED else messages.INFO
            self.message_user(request, f"{_words(how)}: {amount}", level)
        if not ended:
            messages.info(request, _("There was nothing to process again: these events were processed."))


def _words(how: ledger.Processing) -> str:
    return {
        ledger.Processing.DONE: _("Processed"),
        ledger.Processing.FAILED: _("Failed again"),
        ledger.Processing.WAITING: _("Still waiting for their call"),
        ledger.Processing.BUSY: _("Being processed by somebody else"),
    }.get(how, str(how))
