"""A spoken menu as a company's admin edits it, with what each digit does."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company, Language
from telephony.core.plan import DIGITS
from telephony.forms.lists import RowForm, RowSet, row_set, wrong_of
from telephony.forms.places import PlaceField, options_of
from telephony.models import Menu, MenuOption
from telephony.operations.places import place_for
from telephony.queries.place_choices import PlaceChoices
from telephony.queries.plans import destination_of


class OptionForm(RowForm):
    told_by = ("digit", "place")
    digit = forms.ChoiceField(
        label=gettext_lazy("Digit"),
        choices=[("", "–"), *((digit, digit) for digit in DIGITS)],
        widget=forms.Select({"class": "field"}),
        error_messages={"required": gettext_lazy("Choose the digit.")},
    )
    place = PlaceField(label=gettext_lazy("leads to"), required=True, nowhere=gettext_lazy("Choose…"))
    language = forms.ChoiceField(
        label=gettext_lazy("and the caller speaks"),
        choices=[("", gettext_lazy("as before")), *Language.choices],
        required=False,
        widget=forms.Select({"class": "field"}),
    )


class OptionSet(RowSet):
    key = "digit"
    twice = gettext_lazy("This digit stands here twice.")


OptionRows: Final = row_set(OptionForm, OptionSet, most=2 * len(DIGITS))


class MenuForm(forms.ModelForm):  # type: ignore[type-arg]
    on_timeout = PlaceField(label=gettext_lazy("Who presses nothing is sent to"))
    on_wrong = PlaceField(
        label=gettext_lazy("Who presses wrong digits is sent to"),
        nowhere=gettext_lazy("The same as who presses nothing"),
    )

    class Meta:
        model = Menu
        fields = ("name", "say_es", "say_en", "timeout_s", "retries")
        widgets: dict[str, forms.Widget] = {
            "name": forms.TextInput({"class": "field", "autocomplete": "off"}),
            "say_es": forms.Textarea({"class": "field field--words", "rows": 3, "lang": "es"}),
            "say_en": forms.Textarea({"class": "field field--words", "rows": 3, "lang": "en"}),
            "timeout_s": forms.NumberInput({"class": "field field--number"}),
            "retries": forms.NumberInput({"class": "field field--number"}),
        }
        error_messages = {"name": {"required": gettext_lazy("Give the menu a name.")}}

    def __init__(self, data: Any, *, company: Company, choices: PlaceChoices, instance: Menu) -> None:
        initial = {
            "on_timeout": destination_of(instance.on_timeout),
            "on_wrong": destination_of(instance.on_wrong),
        }
        super().__init__(data, instance=instance, initial=initial)
        self.company = company
        options = options_of(choices)
        for name in initial:
            self.fields[name].offer(choices, options)  # type: ignore[attr-defined]
        self.options = OptionRows(
            data, prefix="options", initial=self._option_rows(), offered={"place": (choices, options)}
        )

    def _option_rows(self) -> list[dict[str, Any]]:
        if self.instance.pk is None:
            return []
        rows = self.instance.options.select_related("place")
        return [
            {"digit": row.digit, "place": destination_of(row.place), "language": row.language}
            for row in sorted(rows, key=lambda row: DIGITS.find(row.digit))
        ]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if Menu.objects.filter(company=self.company, name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is another menu of this name."), code="taken")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not (cleaned.get("say_es", "").strip() or cleaned.get("say_en", "").strip()):
            self.add_error("say_es", forms.ValidationError(_("Write the menu in one language at least."), "silent"))
        return cleaned

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.options.is_valid()])

    def wrong(self) -> list[str]:
        return [*wrong_of(self), *self.options.wrong()]

    def save(self, commit: bool = True) -> Menu:
        """Write the menu with its options. Part of the caller's transaction."""
        menu: Menu = super().save(commit=False)
        menu.company = self.company
        menu.on_timeout = place_for(self.company, self.cleaned_data["on_timeout"])
        menu.on_wrong = place_for(self.company, self.cleaned_data["on_wrong"])
        menu.save()
        self._set_options(menu)
        return menu

    def _set_options(self, menu: Menu) -> None:
        wanted = self.options.rows()
        menu.options.exclude(digit__in=[row["digit"] for row in wanted]).delete()
        for row in wanted:
            values = {"place": place_for(self.company, row["place"]), "language": row["language"]}
            MenuOption.objects.update_or_create(menu=menu, digit=row["digit"], defaults=values)
