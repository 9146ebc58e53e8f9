"""Fields of the console that say where something leads: one select per field, whose choices come as somebody types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from curbe.companies.models import Company
from curbe.lib.console import LookingAdmin, RemoteSelect
from telephony.core.loops import find_loop
from telephony.core.plan import CompanyPlan, Destination
from telephony.models import Place
from telephony.operations.assignments import UnableToAssign, target_of
from telephony.operations.places import place_for
from telephony.queries import destinations
from telephony.queries.plans import compile_plan

REFUSALS = {
    "unknown": gettext_lazy("Nobody, and nothing, is meant by this. Choose from the list."),
    "other_company": gettext_lazy("The destination belongs to another company. Nothing was changed."),
}


def destination_select(company_id: int, current: destinations.Choice, *, by_default: bool = False) -> RemoteSelect:
    usual = "&default=1" if by_default else ""
    url = f"{reverse('admin:telephony_phonenumber_destinations')}?company={company_id}{usual}"
    return RemoteSelect(url=url, current=current)


def answer_choices(request: HttpRequest) -> JsonResponse:
    """Answer a select that asks where calls of ``company`` can lead; ``default`` if nowhere means the usual way."""
    company = request.GET.get("company", "")
    if not company.isdecimal():
        return JsonResponse({"results": []}, status=403)
    nowhere = destinations.by_default() if request.GET.get("default") else ""
    term = request.GET.get("term", "")[: destinations.MOST_WORDS]
    found = destinations.choices(int(company), term, nowhere=nowhere)
    return JsonResponse(
        {"results": [{"id": code, "text": label} for code, label in found], "pagination": {"more": False}}
    )


class PlaceField(forms.CharField):
    """A code of ``telephony.queries.destinations``, read as a Destination of one company."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": destinations.MOST_CODE, "required": False, **kwargs})
        self.company_id = 0
        self.before = ""

    def lead_from(self, company_id: int, place: Place | None) -> None:
        """Say whose places they are, and which it is now."""
        choice = destinations.of_place(place)
        self.company_id, self.before = company_id, choice.code
        self.widget = destination_select(company_id, choice, by_default=not self.required)
        self.widget.is_required = self.required

    def clean(self, value: Any) -> Destination:
        code = super().clean(value) or "none"
        if code != self.before:
            try:
                target = target_of(code)
            except UnableToAssign as err:
                raise forms.ValidationError(REFUSALS[err.reason]) from err
            if target.company_id not in {None, self.company_id}:
                raise forms.ValidationError(REFUSALS["other_company"])
        destination = destinations.destination_of_code(code)
        assert destination is not None
        if self.required and code == "none":
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return destination


class LeadingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row with columns that hold a place. Each is a PlaceField of the column's name."""

    leading: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leads: dict[str, Destination] = {}
        for name in self.leading:
            # A form has all fields that its class declares, also on pages that do not show them.
            if name not in (self._meta.fields or ()):
                self.fields.pop(name, None)
        if self.instance.pk:
            self.lead_from(self._company_id())

    def _company_id(self) -> int:
        return int(self.instance.company_id)

    def lead_from(self, company_id: int) -> None:
        for name in self.leading:
            if name in self.fields:
                field = cast("PlaceField", self.fields[name])
                column = self._meta.model._meta.get_field(name)
                place = getattr(self.instance, name) if getattr(self.instance, f"{name}_id") else None
                field.lead_from(company_id, place)
                field.label, field.help_text = capfirst(str(column.verbose_name)), str(column.help_text)
                self.initial[name] = field.before

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self.leading:
            if name in cleaned:
                self.leads[name] = cleaned.pop(name)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() | set(self.leading)  # type: ignore[misc, no-any-return]

    def save(self, commit: bool = True) -> Any:
        for name, destination in self.leads.items():
            setattr(self.instance, name, place_for(self._company(), destination))
        return super().save(commit=commit)

    def _company(self) -> Company:
        return cast("Company", self.instance.company)


def refuse_circle(form: LeadingForm, part: str, **values: Any) -> None:
    """Refuse the form if the row, a queue or menu of the plan, would then lead callers round in circles."""
    if form.errors or not form.instance.pk:
        return
    plan = compile_plan(form.instance.company)
    loop = find_loop(_with(plan, part, form.instance.pk, {**form.leads, **values}))
    if loop:
        circle = " → ".join([*loop, loop[0]])
        form.add_error(None, _("A caller who does nothing would go round in circles: %(circle)s.") % {"circle": circle})


def _with(plan: CompanyPlan, part: str, key: int, values: Mapping[str, Any]) -> CompanyPlan:
    rows: dict[int, Any] = dict(getattr(plan, part))
    rows[key] = replace(rows[key], **values)
    changed: dict[str, Any] = {part: rows}
    return replace(plan, **changed)


@admin.register(Place)
class PlaceAdmin(LookingAdmin):
    """Values that queues, menus and numbers share; they change by leading somewhere else."""

    list_display = ("__str__", "kind", "company")
    list_select_related = ("company", "agent__user", "queue", "menu")
    search_fields = ("queue__name", "menu__name", "agent__user__username", "agent__user__name", "e164", "words")
    list_filter = (("kind", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)
