"""Contacts and their numbers, for the operator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from curbe.contacts.models import Contact, ContactNumber
from curbe.lib.console import OperatorAdmin, OperatorInline, column


class ContactNumberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A number of the contact being edited; within the contact's company it names nobody else."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        contact: Contact = self.instance.contact
        same = ContactNumber.objects.filter(company=contact.company_id, e164=cleaned.get("e164"))
        other = same.exclude(pk=self.instance.pk).select_related("contact").first()
        if other is not None and other.contact_id != contact.pk:
            self.add_error("e164", _("This is the number of %(name)s.") % {"name": other.contact})
        self.instance.company_id = contact.company_id
        return cleaned


class ContactNumberInline(OperatorInline):
    model = ContactNumber
    form = ContactNumberForm
    fields = ("e164",)
    extra = 1


@admin.register(Contact)
class ContactAdmin(OperatorAdmin):
    list_display = ("name", "company", "listed_numbers", "created_at")
    list_select_related = ("company",)
    search_fields = ("name", "numbers__e164")
    list_filter = (("company", AutocompleteSelectFilter),)
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    readonly_fields = ("created_at",)
    inlines = (ContactNumberInline,)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("numbers")

    @column(gettext_lazy("numbers"))
    def listed_numbers(self, contact: Contact) -> str:
        return ", ".join(number.e164 for number in contact.numbers.all())
