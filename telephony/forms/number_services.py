"""What stands beside a number at Telnyx: caller-ID name and emergency address; and the two forms for giving it back
and for callers whom nobody wants."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company
from curbe.lib.phone import NotANumber, to_e164
from telephony.forms.lists import wrong_of
from telephony.forms.number_purchase import COUNTRIES, clean_caller_name
from telephony.forms.places import HOME
from telephony.models import EmergencyAddress, PhoneNumber

_WIDGET = {"class": "field", "autocomplete": "off"}


def _text(label: Any, most: int, **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=most, widget=forms.TextInput({**_WIDGET, "maxlength": most, **attrs})
    )


class CallerNameForm(forms.Form):
    caller_name = _text(gettext_lazy("Caller-ID name"), 15)

    def clean_caller_name(self) -> str:
        return clean_caller_name(self.cleaned_data["caller_name"])

    def wrong(self) -> list[str]:
        return wrong_of(self)


class EmergencyForm(forms.Form):
    """An address that is known already, or a new one."""

    address = forms.ModelChoiceField(
        EmergencyAddress.objects.none(),
        label=gettext_lazy("Address"),
        required=False,
        empty_label=gettext_lazy("A new address…"),
        widget=forms.Select({"class": "field"}),
    )
    name = _text(gettext_lazy("Business, or the person's name"), 80)
    street = _text(gettext_lazy("Street and number"), 120, placeholder="1200 Brickell Avenue")
    extended = _text(gettext_lazy("Floor, suite, door"), 60)
    locality = _text(gettext_lazy("City"), 80)
    area = _text(gettext_lazy("State or province"), 60, placeholder="FL")
    postal_code = _text(gettext_lazy("Postal code"), 16)
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False, widget=forms.Select({"class": "field"}))

    NEW = ("name", "street", "extended", "locality", "area", "postal_code", "country")
    NEEDED = ("name", "street", "locality", "postal_code", "country")

    def __init__(self, data: Any, *, company: Company, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        known = EmergencyAddress.objects.filter(company=company).order_by("name", "id")
        self.fields["address"].queryset = known  # type: ignore[attr-defined]
        self.fields["country"].choices = list(COUNTRIES.items())  # type: ignore[attr-defined]

    def clean_area(self) -> str:
        area: str = self.cleaned_data["area"].strip()
        return area.upper() if len(area) == 2 else area

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "address" in cleaned and cleaned["address"] is None:
            for name in self.NEEDED:
                if name in cleaned and not cleaned[name]:
                    self.add_error(name, forms.ValidationError(_("This is needed."), code="required"))
            if cleaned.get("country") == "US" and not cleaned.get("area"):
                self.add_error("area", forms.ValidationError(_("This is needed."), code="required"))
        return cleaned

    def new_address(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.NEW}

    def wrong(self) -> list[str]:
        return wrong_of(self)


class ReleaseForm(forms.Form):
    """The number itself, typed by whoever gives it back."""

    typed = forms.CharField(
        label=gettext_lazy("Type the number"),
        max_length=32,
        widget=forms.TextInput({**_WIDGET, "type": "tel", "inputmode": "tel"}),
    )

    def __init__(self, data: Any, *, number: PhoneNumber, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.number = number

    def clean_typed(self) -> str:
        typed = _e164(self.cleaned_data["typed"])
        if typed != self.number.e164:
            raise forms.ValidationError(_("This is not the number that would be released."), code="other_number")
        return typed

    def wrong(self) -> list[str]:
        return wrong_of(self)


class BlockForm(forms.Form):
    caller = forms.CharField(
        label=gettext_lazy("Number of the caller"),
        max_length=32,
        widget=forms.TextInput({**_WIDGET, "type": "tel", "placeholder": "+1 305 555 0100"}),
    )
    note = _text(gettext_lazy("Why (for your colleagues)"), 120)

    def clean_caller(self) -> str:
        return _e164(self.cleaned_data["caller"])

    def wrong(self) -> list[str]:
        return wrong_of(self)


def _e164(text: str) -> str:
    try:
        return to_e164(text.strip(), region=HOME)
    except NotANumber as err:
        raise forms.ValidationError(
            _("Write the number with its country: +1 305 555 0100."), code="not_a_number"
        ) from err
