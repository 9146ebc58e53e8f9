"""Menus, with what each digit does."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from curbe.companies.models import Company
from curbe.lib.console import OperatorAdmin, OperatorInline, column
from telephony.admin.places import LeadingForm, PlaceField, refuse_circle
from telephony.models import Menu, MenuOption, PhoneNumber


class OptionForm(LeadingForm):
    leading = ("place",)
    place = PlaceField(required=True)

    def _company_id(self) -> int:
        return int(self.instance.menu.company_id)

    def _company(self) -> Company:
        return cast("Company", self.instance.menu.company)


class OptionFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    def add_fields(self, form: OptionForm, index: int | None) -> None:  # type: ignore[override]
        super().add_fields(form, index)
        # A new one does not know its menu yet.
        form.lead_from(self.instance.company_id)


class OptionInline(OperatorInline):
    model = MenuOption
    form = OptionForm
    formset = OptionFormSet
    fields = ("digit", "place", "language")
    related = ("menu__company", "place__agent__user", "place__queue", "place__menu")
    tab = True
    verbose_name = gettext_lazy("digit")
    verbose_name_plural = gettext_lazy("digits")
    max_num = 12
    ordering = ("digit",)


class MenuForm(LeadingForm):
    leading = ("on_timeout", "on_wrong")
    on_timeout = PlaceField()
    on_wrong = PlaceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("say_es", "say_en"):
            self.fields[name].widget.attrs["rows"] = 3

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not any(str(cleaned.get(name) or "").strip() for name in ("say_es", "say_en")):
            self.add_error("say_es", _("Write what the menu says, in one language at least."))
        refuse_circle(self, "menus")
        return cleaned


@admin.register(Menu)
class MenuAdmin(OperatorAdmin):
    form = MenuForm
    list_display = ("name", "company", "first_words", "created_at")
    list_select_related = ("company",)
    search_fields = ("name", "say_es", "say_en", "company__name", "company__slug")
    list_filter = (("company", AutocompleteSelectFilter),)
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    ordering = ("-id",)

    def get_fieldsets(self, request: HttpRequest, obj: Menu | None = None) -> Any:
        said = (None, {"fields": ("name", "company", "say_es", "say_en")})
        if obj is None:  # Where it can lead is known once the company is.
            return (said,)
        fields = (("timeout_s", "retries"), "on_timeout", "on_wrong")
        return (said, (gettext_lazy("Without a usable digit"), {"fields": fields}))

    def get_inlines(self, request: HttpRequest, obj: Menu | None) -> list[type[OperatorInline]]:
        return [OptionInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Menu]:
        rows: QuerySet[Menu] = super().get_queryset(request)
        return rows.select_related(
            *(f"{name}__{target}" for name in MenuForm.leading for target in ("agent__user", "queue", "menu"))
        )

    def delete_model(self, request: HttpRequest, obj: Menu) -> None:
        _free_numbers([obj.pk])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Menu]) -> None:
        _free_numbers(list(queryset.values_list("pk", flat=True)))
        super().delete_queryset(request, queryset)

    @column(gettext_lazy("text"))
    def first_words(self, menu: Menu) -> str:
        return (menu.say_es or menu.say_en)[:80]


def _free_numbers(menu_ids: list[int]) -> None:
    PhoneNumber.objects.filter(menu__in=menu_ids).update(destination=PhoneNumber.Destination.NONE, menu=None)
