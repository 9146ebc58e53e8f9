"""A team as a company's admin edits it: its name, and who is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company, Membership, Team
from curbe.companies.teams import set_people
from telephony.forms.lists import PickField, RowForm, RowSet, as_options, row_set, wrong_of


class NameTaken(Exception):
    """Another team was given this name while this one was being edited."""


class PersonForm(RowForm):
    told_by = ("person",)
    person = PickField(label=gettext_lazy("Person"))

    @property
    def who(self) -> str:
        """The person's name; empty for a row in which nobody was chosen yet."""
        membership_id = self["person"].value()
        known: Mapping[int, str] = self.fields["person"].rows  # type: ignore[attr-defined]
        return known.get(int(membership_id), "") if str(membership_id or "").isdecimal() else ""


class PersonSet(RowSet):
    key = "person"
    twice = gettext_lazy("This person is in the team already.")


PersonRows: Final = row_set(PersonForm, PersonSet)


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Team
        fields = ("name",)
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "name": forms.TextInput({"class": "field", "autocomplete": "off"})
        }
        error_messages: ClassVar[dict[str, Any]] = {"name": {"required": gettext_lazy("Give the team a name.")}}

    def __init__(self, data: Any, *, company: Company, instance: Team) -> None:
        super().__init__(data, instance=instance)
        self.company = company
        rows = Membership.objects.filter(company=company).select_related("user").order_by("user__name", "id")
        names = {one.pk: f"{one.user.get_full_name()} · {one.get_role_display()}" for one in rows}
        current = [pk for pk in self._current() if pk in names]
        active = {one.pk: names[one.pk] for one in rows if one.user.is_active}
        # Who may not log in any more is still in the team, and must not be dropped behind anybody's back.
        known = {**{pk: names[pk] for pk in current}, **active}
        offered = {"person": (known, as_options(active))}
        initial = [{"person": pk} for pk in current]
        self.people = PersonRows(data, prefix="people", initial=initial, offered=offered)

    def _current(self) -> list[int]:
        if self.instance.pk is None:
            return []
        return list(self.instance.people.order_by("id").values_list("membership_id", flat=True))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = Team.objects.filter(company=self.company).exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is another team of this name."), code="taken")
        return name

    def is_valid(self) -> bool:
        # Each is asked, so that each shows its errors.
        return all([super().is_valid(), self.people.is_valid()])

    def wrong(self) -> list[str]:
        return [*wrong_of(self), *self.people.wrong()]

    def save(self, commit: bool = True) -> Team:
        """Write the team and who is in it. Raises NameTaken, and then nothing is written."""
        team: Team = super().save(commit=False)
        team.company = self.company
        with transaction.atomic():
            try:
                team.save()
            except IntegrityError as err:
                raise NameTaken from err
            set_people(team, [row["person"] for row in self.people.rows()])
        return team
