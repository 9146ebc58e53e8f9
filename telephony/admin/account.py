"""What we have at Telnyx."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from curbe.lib.console import LookingAdmin
from telephony.models import SipEndpoint, TelnyxAccount


@admin.register(TelnyxAccount)
class TelnyxAccountAdmin(LookingAdmin):
    """Written by ``telnyx_setup``, which finds or makes these at Telnyx; edited by nobody."""

    list_display = (
        "__str__",
        "texml_application_id",
        "credential_connection_id",
        "outbound_voice_profile_id",
        "account_sid",
        "checked_at",
    )
    list_select_related = ("company",)
    ordering = ("id",)


@admin.register(SipEndpoint)
class SipEndpointAdmin(LookingAdmin):
    list_display = ("sip_username", "agent", "company", "connection_id", "created_at")
    list_select_related = ("agent__user", "company")
    search_fields = ("=sip_username", "=telnyx_credential_id", "agent__user__username", "agent__user__name")
    list_filter = (("company", AutocompleteSelectFilter),)
    ordering = ("-id",)
