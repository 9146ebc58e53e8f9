"""What the list of numbers asks for: which numbers to show, and where the chosen ones shall lead."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company
from telephony.core.plan import Destination
from telephony.forms.lists import wrong_of
from telephony.forms.places import PlaceField, options_of
from telephony.models import BusinessHours
from telephony.operations.assignments import HoursWish
from telephony.queries.number_list import Leads
from telephony.queries.place_choices import PlaceChoices

KEEP: Final = "keep"
ALWAYS: Final = "always"

LEADS: Final = {
    Leads.ALL: gettext_lazy("All numbers"),
    Leads.NOWHERE: gettext_lazy("Not assigned"),
    Leads.QUEUE: gettext_lazy("To a queue"),
    Leads.MENU: gettext_lazy("To a menu"),
    Leads.USER: gettext_lazy("To a user"),
    Leads.COMPANY: gettext_lazy("To any free agent"),
    Leads.OTHER: gettext_lazy("To something else"),
}


class WhereForm(forms.Form):
    """Where numbers shall lead, and by which hours."""

    leads_to = PlaceField(label=gettext_lazy("Calls go to"), nowhere=gettext_lazy("Nobody: not assigned"))
    hours = forms.ChoiceField(
        label=gettext_lazy("Business hours"), required=False, widget=forms.Select({"class": "field"})
    )

    def __init__(self, data: Any, *, company: Company, choices: PlaceChoices, keeps: bool, **kwargs: Any) -> None:
        """``keeps``: the numbers may have hours already, which can stay as they are."""
        super().__init__(data, **kwargs)
        self.fields["leads_to"].offer(choices, options_of(choices))  # type: ignore[attr-defined]
        self._hours = {row.pk: row for row in BusinessHours.objects.filter(company=company).order_by("name")}
        kept = [(KEEP, _("As they are"))] if keeps else []
        named = [(str(pk), row.name) for pk, row in self._hours.items()]
        self.fields["hours"].choices = [*kept, (ALWAYS, _("Always open")), *named]  # type: ignore[attr-defined]

    def wrong(self) -> list[str]:
        return wrong_of(self)

    @property
    def destination(self) -> Destination:
        found: Destination = self.cleaned_data["leads_to"]
        return found

    @property
    def wish(self) -> HoursWish | None:
        """Return the hours that were wished for; None: they stay as they are."""
        chosen = self.cleaned_data["hours"] or KEEP
        if chosen == KEEP:
            return None
        return HoursWish(None if chosen == ALWAYS else self._hours[int(chosen)])
