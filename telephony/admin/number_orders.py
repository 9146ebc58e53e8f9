"""Numbers on their way, in and out; callers whom nobody wants; addresses for emergencies."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.lib.console import LookingAdmin, OperatorAdmin, column
from telephony.models import BlockedCaller, EmergencyAddress, NumberOrder, NumberRelease
from telephony.operations.number_orders import ask_now
from telephony.views.order_words import reason_of


@admin.register(NumberOrder)
class NumberOrderAdmin(LookingAdmin):
    list_display = ("e164", "company", "state", "reason", "monthly_cost", "ordered_by", "created_at")
    list_select_related = ("company", "ordered_by")
    search_fields = ("e164", "=customer_reference", "=telnyx_order_id", "company__name")
    list_filter = (("state", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)
    actions = ("ask_telnyx_now",)

    @column(gettext_lazy("what is wrong"))
    def reason(self, order: NumberOrder) -> str:
        return reason_of(order)

    @admin.action(description=gettext_lazy("Ask Telnyx now"), permissions=["view"])
    def ask_telnyx_now(self, request: HttpRequest, chosen: QuerySet[NumberOrder]) -> None:
        amount = ask_now(list(chosen.values_list("pk", flat=True)), timezone.now())
        text = ngettext("Telnyx is asked about %(amount)d order.", "Telnyx is asked about %(amount)d orders.", amount)
        messages.info(request, text % {"amount": amount})


@admin.register(NumberRelease)
class NumberReleaseAdmin(LookingAdmin):
    list_display = ("e164", "company", "state", "led_to", "released_by", "created_at")
    list_select_related = ("company", "released_by")
    search_fields = ("e164", "label", "company__name")
    list_filter = (("state", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)


@admin.register(EmergencyAddress)
class EmergencyAddressAdmin(LookingAdmin):
    list_display = ("name", "street", "locality", "company", "telnyx_id")
    list_select_related = ("company",)
    search_fields = ("name", "street", "locality")
    list_filter = (("company", AutocompleteSelectFilter),)
    ordering = ("-id",)


@admin.register(BlockedCaller)
class BlockedCallerAdmin(OperatorAdmin):
    list_display = ("e164", "note", "company", "blocked_by", "created_at")
    list_select_related = ("company", "blocked_by")
    search_fields = ("e164", "note", "company__name")
    list_filter = (("company", AutocompleteSelectFilter),)
    autocomplete_fields = ("company",)
    fixed_fields = ("e164", "company")
    readonly_fields = ("blocked_by", "created_at")
    ordering = ("-id",)

    def get_fields(self, request: HttpRequest, obj: BlockedCaller | None = None) -> tuple[str, ...]:
        return ("e164", "company", "note", *(self.readonly_fields if obj else ()))
