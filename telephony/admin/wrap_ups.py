"""What comes after calls, for the operator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from curbe.lib.console import KeepingAdmin, LookingAdmin, OperatorAdmin
from telephony.models import CallWrapUp, Disposition, WrapUpPolicy


class DispositionForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if code == Disposition.TIMED_OUT:
            raise forms.ValidationError(_("This code is written when nobody says anything in time. Use another."))
        return code


@admin.register(Disposition)
class DispositionAdmin(KeepingAdmin):
    """Calls name them: they are switched off, never deleted."""

    form = DispositionForm
    list_display = ("name", "code", "company", "is_active", "is_system", "position")
    list_select_related = ("company",)
    search_fields = ("name", "code", "company__name", "company__slug")
    list_filter = (("is_active", BooleanRadioFilter), ("company", AutocompleteSelectFilter))
    autocomplete_fields = ("company",)
    fixed_fields = ("company", "code")
    fields = ("name", "code", "company", "is_active", "position")
    ordering = ("-id",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What the product writes itself is nobody's to choose, or to call otherwise.
        return super().has_change_permission(request, obj) and not (obj is not None and obj.is_system)


@admin.register(WrapUpPolicy)
class WrapUpPolicyAdmin(OperatorAdmin):
    list_display = ("calls", "company", "mode", "seconds")
    list_select_related = ("company",)
    search_fields = ("company__name", "company__slug")
    list_filter = (("mode", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    autocomplete_fields = ("company",)
    fixed_fields = ("company", "calls")
    ordering = ("-id",)


@admin.register(CallWrapUp)
class CallWrapUpAdmin(LookingAdmin):
    list_display = ("started_at", "agent", "company", "call", "mode", "ended_at", "ended_how", "disposition")
    list_select_related = ("agent__user", "company", "call", "disposition")
    search_fields = ("=call__id", "agent__user__username", "agent__user__name")
    list_filter = (
        ("ended_how", ChoicesDropdownFilter),
        ("mode", ChoicesDropdownFilter),
        ("company", AutocompleteSelectFilter),
    )
    ordering = ("-id",)
