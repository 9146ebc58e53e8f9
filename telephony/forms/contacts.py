"""A contact as people of the company edit it: name, language, numbers."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company
from curbe.contacts.models import Contact, ContactNumber
from curbe.lib.phone import NotANumber, describe
from telephony.forms.lists import wrong_of

MOST_NUMBERS: Final = 20


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"class": "field field--area", "rows": 3, "inputmode": "tel"}),
    )

    class Meta:
        model = Contact
        fields = ("name", "language")
        widgets = {
            "name": forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
            "language": forms.Select(attrs={"class": "field"}),
        }

    def __init__(self, data: Any, *, company: Company, instance: Contact, numbers: str = "") -> None:
        kept = instance.numbers.order_by("id").values_list("e164", flat=True) if instance.pk else ()
        super().__init__(data, instance=instance, initial={"numbers": "\n".join(kept) or numbers})
        self.company = company

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if not name:
            raise forms.ValidationError(_("Give it a name."), code="required")
        return name

    def clean_numbers(self) -> list[str]:
        """Return the numbers as E.164, each once; within the company they name nobody else."""
        lines = str(self.cleaned_data["numbers"]).replace(",", "\n").replace(";", "\n").splitlines()
        numbers = list(dict.fromkeys(_e164(line.strip()) for line in lines if line.strip()))
        if len(numbers) > MOST_NUMBERS:
            raise forms.ValidationError(_("Write at most %(amount)d numbers.") % {"amount": MOST_NUMBERS})
        others = ContactNumber.objects.filter(company=self.company, e164__in=numbers).exclude(contact=self.instance.pk)
        for other in others.select_related("contact"):
            text = _("%(number)s is the number of %(name)s.")
            raise forms.ValidationError(text % {"number": other.e164, "name": other.contact.name}, code="taken")
        return numbers

    def wrong(self) -> list[str]:
        return wrong_of(self)

    def save(self, commit: bool = True) -> Any:
        """Write the contact and its numbers. Raises NumberTaken if somebody else was given one meanwhile."""
        contact: Contact = super().save(commit=False)
        contact.company = self.company
        numbers = self.cleaned_data["numbers"]
        try:
            with transaction.atomic():
                contact.save()
                contact.numbers.exclude(e164__in=numbers).delete()
                known = set(contact.numbers.values_list("e164", flat=True))
                for e164 in numbers:
                    if e164 not in known:
                        ContactNumber.objects.create(company=self.company, contact=contact, e164=e164)
        except IntegrityError as err:
            raise NumberTaken from err
        return contact


class NumberTaken(Exception):
    """Another contact of the company has one of the numbers since the form was checked."""


def _e164(text: str) -> str:
    try:
        return describe(text, region="US").e164
    except NotANumber:
        raise forms.ValidationError(
            _("%(number)s is not a telephone number. Write it with its country: +13055550100.") % {"number": text},
            code="invalid",
        ) from None
