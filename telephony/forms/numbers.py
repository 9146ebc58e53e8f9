"""Where a number leads, as a company's admin edits it. Numbers are bought elsewhere."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company, Language
from telephony.core.plan import Destination, DestinationKind
from telephony.forms.lists import wrong_of
from telephony.forms.places import PlaceField, options_of
from telephony.models import BusinessHours, PhoneNumber
from telephony.operations.places import place_for
from telephony.queries.place_choices import PlaceChoices
from telephony.queries.plans import destination_of, destination_of_number

#: The column that holds the target of each kind; the others are empty (a constraint holds it).
_COLUMNS: Final = {
    DestinationKind.USER: "agent_id",
    DestinationKind.QUEUE: "queue_id",
    DestinationKind.MENU: "menu_id",
    DestinationKind.NUMBER: "forward_to",
    DestinationKind.SAY: "words",
}


class NumberForm(forms.ModelForm):  # type: ignore[type-arg]
    leads_to = PlaceField(label=gettext_lazy("Calls go to"), nowhere=gettext_lazy("Nobody: not assigned"))
    when_closed = PlaceField(label=gettext_lazy("While it is closed, calls go to"))

    class Meta:
        model = PhoneNumber
        fields = ("label", "hours", "language")
        widgets = {
            "label": forms.TextInput({"class": "field", "autocomplete": "off"}),
            "hours": forms.Select({"class": "field"}),
            "language": forms.Select({"class": "field"}),
        }

    def __init__(self, data: Any, *, company: Company, choices: PlaceChoices, instance: PhoneNumber) -> None:
        initial = {
            "leads_to": destination_of_number(instance),
            "when_closed": destination_of(instance.when_closed),
        }
        super().__init__(data, instance=instance, initial=initial)
        self.company = company
        options = options_of(choices)
        for name in initial:
            self.fields[name].offer(choices, options)  # type: ignore[attr-defined]
        hours = self.fields["hours"]
        assert isinstance(hours, forms.ModelChoiceField)
        hours.queryset = BusinessHours.objects.filter(company=company).order_by("name")
        hours.empty_label = _("Always open")
        # The blank choice of a model's field is a row of dashes.
        languages = self.fields["language"]
        assert isinstance(languages, forms.TypedChoiceField)
        languages.choices = [("", _("the company's, until somebody chooses")), *Language.choices]

    def wrong(self) -> list[str]:
        return wrong_of(self)

    def save(self, commit: bool = True) -> PhoneNumber:
        """Write where the number leads. Part of the caller's transaction."""
        number: PhoneNumber = super().save(commit=False)
        _lead(number, self.cleaned_data["leads_to"])
        number.when_closed = place_for(self.company, self.cleaned_data["when_closed"])
        number.save()
        return number


def _lead(number: PhoneNumber, destination: Destination) -> None:
    number.destination = str(destination.kind)
    for kind, column in _COLUMNS.items():
        held = destination.text if column in {"forward_to", "words"} else destination.id
        empty = "" if column in {"forward_to", "words"} else None
        setattr(number, column, held if kind is destination.kind else empty)
