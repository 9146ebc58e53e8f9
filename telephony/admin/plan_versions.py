"""Plans as calls were routed by them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from curbe.lib.console import LookingAdmin, column
from telephony.models import PlanVersion


@admin.register(PlanVersion)
class PlanVersionAdmin(LookingAdmin):
    list_display = ("id", "company", "created_at")
    list_display_links = ("id",)
    list_select_related = ("company",)
    search_fields = ("=id", "company__name", "company__slug")
    list_filter = (("company", AutocompleteSelectFilter),)
    readonly_fields = ("contents",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanVersion]:
        rows: QuerySet[PlanVersion] = super().get_queryset(request)
        # A page of fifty documents would be megabytes that nobody sees.
        return (
            rows if request.resolver_match and "object_id" in request.resolver_match.kwargs else rows.defer("document")
        )

    @column(gettext_lazy("contents"))
    def contents(self, version: PlanVersion) -> str:
        parts = {key: [one["name"] for one in version.document.get(key, [])] for key in ("queues", "menus", "hours")}
        return "; ".join(f"{key}: {', '.join(names)}" for key, names in parts.items() if names)
