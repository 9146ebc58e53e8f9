"""A call that nobody has made: who calls, when, and which number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company
from curbe.lib.phone import NotANumber, for_people, to_e164
from telephony.core.hours import zone
from telephony.forms.places import HOME
from telephony.models import PhoneNumber

#: Years that a calendar is asked about; far ones would leave the range of time itself.
FIRST_YEAR, LAST_YEAR = 2000, 2099


class LocalMoment(forms.DateTimeField):
    """A moment as the company's clock shows it."""

    widget = forms.DateTimeInput(
        format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "field", "step": "60"}
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **kwargs)
        self.timezone = "UTC"

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(zone(self.timezone)):
            moment = super().to_python(value)
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise forms.ValidationError(_("Choose a nearer moment."), code="too_far")
        return moment

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(zone(self.timezone)):
            return super().prepare_value(value)


class RehearsalForm(forms.Form):
    """Who calls, and when; both may be left open: anybody, now."""

    caller = forms.CharField(
        label=gettext_lazy("Caller (empty: anybody)"),
        required=False,
        max_length=32,
        widget=forms.TextInput({"class": "field", "type": "tel", "autocomplete": "off"}),
    )
    at = LocalMoment(label=gettext_lazy("Moment (empty: now)"))

    def __init__(self, data: Any, *, company: Company) -> None:
        super().__init__(data, prefix="call")
        at = self.fields["at"]
        assert isinstance(at, LocalMoment)
        at.timezone = company.timezone

    def clean_caller(self) -> str:
        text: str = self.cleaned_data["caller"].strip()
        if not text:
            return ""
        try:
            return to_e164(text, region=HOME)
        except NotANumber as err:
            raise forms.ValidationError(
                _("Write the number with its country: +1 305 555 0100."), code="not_a_number"
            ) from err


class ExplainForm(RehearsalForm):
    to = forms.ChoiceField(label=gettext_lazy("Number called"), widget=forms.Select({"class": "field"}))

    field_order = ("to", "caller", "at")

    def __init__(self, data: Any, *, company: Company) -> None:
        super().__init__(data, company=company)
        numbers = PhoneNumber.objects.filter(company=company).order_by("e164").values_list("e164", "label")
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.choices = [(e164, f"{for_people(e164)} {label}".strip()) for e164, label in numbers]
