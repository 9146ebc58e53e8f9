"""What comes after a call, and why one may be away, as a company's admin edits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.db.models import Max
from django.utils.functional import Promise
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import WRAP_UP_CAP_S, BreakReason, WrapUpMode
from curbe.companies.models import Company, CompanyOwned
from telephony.forms.lists import Tick, wrong_of
from telephony.models import Disposition, WrapUpPolicy

#: What each mode does, to the letter: it stands beside the drop-down.
DEFINITIONS: Final[Mapping[WrapUpMode, str | Promise]] = {
    WrapUpMode.NONE: gettext_lazy("The agent is free the moment the call ends."),
    WrapUpMode.OPTIONAL: gettext_lazy(
        "No new call until the agent presses Done. After 15 minutes it ends by itself, so that nobody is forgotten in "
        "it."
    ),
    WrapUpMode.TIMED: gettext_lazy("No new call for the time set here. Whoever is done earlier presses Done."),
    WrapUpMode.TIMED_LOCKED: gettext_lazy(
        "No new call for the time set here, and the agent cannot shorten it. A supervisor can."
    ),
    WrapUpMode.REQUIRED_DISPOSITION: gettext_lazy(
        "No new call until the agent has chosen how the call went. After 15 minutes it ends by itself and the call is "
        "marked as not said in time. Without dispositions to choose from, nobody has to."
    ),
}
_NUMBER: Final = {"class": "field field--number", "inputmode": "numeric"}


class ListedForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row of a company's list: its code is made of its name, once, and a new one stands at the end."""

    taken: ClassVar[str | Promise] = ""

    def __init__(self, data: Any, *, company: Company, instance: Any) -> None:
        super().__init__(data, instance=instance)
        self.company = company

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not name:
            raise forms.ValidationError(_("Give it a name."), code="required")
        others = self._rows().exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(str(self.taken), code="taken")
        return name

    def wrong(self) -> list[str]:
        return wrong_of(self)

    def save(self, commit: bool = True) -> Any:
        row: Any = super().save(commit=False)
        if row.pk is None:
            row.company = self.company
            row.code = self._new_code(row.name)
            row.position = (self._rows().aggregate(last=Max("position"))["last"] or 0) + 1
        row.save()
        return row

    def _rows(self) -> Any:
        model: type[CompanyOwned] = self._meta.model
        return model._default_manager.filter(company=self.company)

    def _new_code(self, name: str) -> str:
        """Return a code that nobody has; one that the product keeps for itself is nobody's to have."""
        stem = slugify(name)[:36] or self._meta.model._meta.model_name or "row"
        known = {*self._rows().values_list("code", flat=True), Disposition.TIMED_OUT}
        codes = (stem, *(f"{stem}-{number}" for number in range(2, len(known) + 3)))
        return next(code for code in codes if code not in known)


class BreakForm(ListedForm):
    taken = gettext_lazy("There is another reason of this name.")

    class Meta:
        model = BreakReason
        fields = ("name", "is_productive", "soft_limit_s", "hard_limit_s", "at_limit", "is_active")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "name": forms.TextInput({"class": "field", "autocomplete": "off"}),
            "soft_limit_s": forms.NumberInput(_NUMBER),
            "hard_limit_s": forms.NumberInput(_NUMBER),
            "at_limit": forms.Select({"class": "field"}),
            "is_productive": Tick(),
            "is_active": Tick(),
        }
        error_messages: ClassVar[dict[str, Any]] = {"name": {"required": gettext_lazy("Give it a name.")}}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        soft, hard = cleaned.get("soft_limit_s"), cleaned.get("hard_limit_s")
        if soft and hard and soft > hard:
            self.add_error("soft_limit_s", _("What it is meant to last is not more than the longest."))
        return cleaned


class DispositionForm(ListedForm):
    taken = gettext_lazy("There is another disposition of this name.")

    class Meta:
        model = Disposition
        fields = ("name", "is_active")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "name": forms.TextInput({"class": "field", "autocomplete": "off"}),
            "is_active": Tick(),
        }
        error_messages: ClassVar[dict[str, Any]] = {"name": {"required": gettext_lazy("Give it a name.")}}


class PoliciesForm(forms.Form):
    """What comes after calls that no queue speaks for: mode and time of each kind, under its own name."""

    def __init__(self, data: Any, *, company: Company) -> None:
        super().__init__(data)
        self.company = company
        known = {row.calls: row for row in WrapUpPolicy.objects.filter(company=company)}
        for kind in WrapUpPolicy.Calls:
            row = known.get(kind, WrapUpPolicy())
            self.fields[f"{kind}-mode"] = forms.ChoiceField(
                label=kind.label, choices=WrapUpMode.choices, initial=row.mode, widget=forms.Select({"class": "field"})
            )
            self.fields[f"{kind}-seconds"] = forms.IntegerField(
                label=capfirst(_("time for it (s)")),
                min_value=0,
                max_value=WRAP_UP_CAP_S,
                initial=row.seconds,
                widget=forms.NumberInput(_NUMBER),
            )

    def kinds(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"{kind}-mode"], self[f"{kind}-seconds"]) for kind in WrapUpPolicy.Calls]

    def wrong(self) -> list[str]:
        return wrong_of(self)

    def save(self) -> None:
        for kind in WrapUpPolicy.Calls:
            said = {"mode": self.cleaned_data[f"{kind}-mode"], "seconds": self.cleaned_data[f"{kind}-seconds"]}
            WrapUpPolicy.objects.update_or_create(company=self.company, calls=kind, defaults=said)
