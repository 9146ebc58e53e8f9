"""Contacts and their numbers, for the operator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.companies.models import Membership
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


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        owner, company = cleaned.get("owner"), cleaned.get("company")
        company_id = company.pk if company else self.instance.company_id
        if owner and company_id and not Membership.objects.filter(user=owner, company=company_id).exists():
            self.add_error("owner", _("%(user)s is not a member of the contact's company.") % {"user": owner})
        return cleaned


@admin.register(Contact)
class ContactAdmin(OperatorAdmin):
    form = ContactForm
    list_display = ("name", "company", "language", "owner", "listed_numbers", "created_at")
    list_select_related = ("company", "owner")
    search_fields = ("name", "numbers__e164")
    list_filter = (
        ("language", ChoicesDropdownFilter),
        ("owner", AutocompleteSelectFilter),
        ("company", AutocompleteSelectFilter),
    )
    autocomplete_fields = ("company", "owner")
    fixed_fields = ("company",)
    readonly_fields = ("created_at",)
    inlines = (ContactNumberInline,)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("numbers")

    @column(gettext_lazy("numbers"))
    def listed_numbers(self, contact: Contact) -> str:
        return ", ".join(number.e164 for number in contact.numbers.all())
