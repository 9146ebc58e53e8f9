"""Contacts and their numbers, for the operator."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from curbe.contacts.models import Contact, ContactNumber
from curbe.lib.console import OperatorAdmin, OperatorInline, column


class ContactNumbers(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The numbers of the contact being edited; within his company they name nobody else."""

    def clean(self) -> None:
        super().clean()
        contact: Contact = self.instance
        written = [form for form in self.forms if form not in self.deleted_forms and form.cleaned_data.get("e164")]
        numbers = {form.cleaned_data["e164"] for form in written}
        others = ContactNumber.objects.filter(company=contact.company_id, e164__in=numbers).exclude(contact=contact.pk)
        names = {other.e164: other.contact.name for other in others.select_related("contact")}
        seen: set[str] = set()
        for form in written:
            e164 = form.cleaned_data["e164"]
            if e164 in names:
                form.add_error("e164", _("This is the number of %(name)s.") % {"name": names[e164]})
            elif e164 in seen:
                form.add_error("e164", _("This number stands twice."))
            seen.add(e164)
            form.instance.company_id = contact.company_id


class ContactNumberInline(OperatorInline):
    model = ContactNumber
    formset = ContactNumbers
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
