"""Calls as they went, whole: legs, offers, ids, traces, events. Only the product writes them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.lib.console import LookingAdmin, LookingInline, column
from telephony.models import Call, CallIdentifier, CallLeg, Offer, RouteTrace, TelnyxEvent


def rank_in_words(offer: Offer) -> str:
    """Return what put the agent where he stood (``telephony.core.types.Rank``, in the order of comparison)."""
    if not isinstance(offer.rank, list) or len(offer.rank) != 6:
        return ""
    tier, key, skill, idle, calls, _agent = offer.rank
    values = {"tier": tier, "key": f"{key:g}", "skill": abs(skill), "idle": f"{abs(idle):.0f}", "calls": calls}
    return _("tier %(tier)s, strategy %(key)s, skill %(skill)s, idle %(idle)s s, calls today %(calls)s") % values


class LegInline(LookingInline):
    model = CallLeg
    related = ("agent__user", "quality")
    ordering = ("started_at", "id")
    fields = (
        "kind",
        "agent",
        "status",
        "end_status",
        "hangup_cause",
        "sip_code",
        "started_at",
        "answered_at",
        "ended_at",
        "sound",
    )

    def sound(self, leg: CallLeg) -> str:
        quality = getattr(leg, "quality", None)
        measured = [mos for mos in (quality.telnyx_mos, quality.mos) if mos is not None] if quality else []
        return f"MOS {min(measured):.1f}" if measured else ""

    sound.short_description = gettext_lazy("Sound")  # type: ignore[attr-defined]


class OfferInline(LookingInline):
    model = Offer
    ordering = ("id",)
    fields = ("step", "agent", "queue", "outcome", "rank_in_words", "offered_at", "expires_at", "ended_at")
    related = ("agent__user", "queue")

    def rank_in_words(self, offer: Offer) -> str:
        return rank_in_words(offer)

    rank_in_words.short_description = gettext_lazy("rank")  # type: ignore[attr-defined]


class IdentifierInline(LookingInline):
    model = CallIdentifier
    related = ("agent__user",)
    ordering = ("id",)
    fields = ("kind", "value", "agent", "learned_at")


class TraceInline(LookingInline):
    model = RouteTrace
    ordering = ("step",)
    fields = ("step", "decision", "reasons", "document", "at")


class EventInline(LookingInline):
    model = TelnyxEvent
    ordering = ("id",)
    fields = ("kind", "source", "occurred_at", "received_at", "processed_at", "attempts", "error")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("payload")


@admin.register(Call)
class CallAdmin(LookingAdmin):
    list_display = (
        "started_at",
        "direction",
        "from_number",
        "to_number",
        "company",
        "status",
        "outcome",
        "agent",
        "queue",
    )
    list_select_related = ("company", "agent__user", "queue", "number", "contact", "hangup_requested_by__user")
    search_fields = ("from_number", "to_number", "caller_name", "=id", "=root_call_sid", "=identifiers__value")
    search_help_text = gettext_lazy("Number, name, or any id of the call.")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("outcome", ChoicesDropdownFilter),
        ("direction", ChoicesDropdownFilter),
        ("company", AutocompleteSelectFilter),
    )
    inlines = (LegInline, OfferInline, IdentifierInline, TraceInline, EventInline)
    ordering = ("-id",)


@admin.register(CallLeg)
class CallLegAdmin(LookingAdmin):
    list_display = ("started_at", "kind", "agent", "status", "end_status", "hangup_cause", "sip_code", "call_sid")
    list_select_related = ("call", "agent__user")
    search_fields = ("=call_sid", "=call__id")
    list_filter = (("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    ordering = ("-id",)


@admin.register(Offer)
class OfferAdmin(LookingAdmin):
    list_display = ("offered_at", "call", "step", "agent", "queue", "shown_rank", "outcome", "ended_at")
    list_select_related = ("call", "agent__user", "queue")
    search_fields = ("agent__user__username", "agent__user__name", "=call__id")
    list_filter = (("outcome", ChoicesDropdownFilter), ("queue", AutocompleteSelectFilter))
    readonly_fields = ("shown_rank",)
    exclude = ("rank",)
    ordering = ("-id",)

    @column(gettext_lazy("rank"))
    def shown_rank(self, offer: Offer) -> str:
        return rank_in_words(offer)


@admin.register(RouteTrace)
class RouteTraceAdmin(LookingAdmin):
    list_display = ("at", "call", "step", "verb")
    list_select_related = ("call",)
    search_fields = ("=call__id",)
    ordering = ("-id",)

    @column(gettext_lazy("decision"))
    def verb(self, trace: RouteTrace) -> str:
        return str(trace.decision.get("verb", "")) if isinstance(trace.decision, dict) else ""


@admin.register(CallIdentifier)
class CallIdentifierAdmin(LookingAdmin):
    list_display = ("value", "kind", "call", "agent", "learned_at")
    list_select_related = ("call", "agent__user")
    search_fields = ("=value", "=call__id")
    list_filter = (("kind", ChoicesDropdownFilter),)
    ordering = ("-id",)
