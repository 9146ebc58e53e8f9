"""What a company's admin says of its recordings: how long they are kept, and what is announced."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curbe.companies.models import Company
from recordings import audit
from recordings.audit import Who
from recordings.models import RecordingAudit, RecordingPolicy
from recordings.policies import LONGEST_KEPT_DAYS, Kind
from telephony.forms.lists import Tick, wrong_of
from telephony.models import PhoneNumber, RecordingRule

_NUMBER: Final = {"class": "field field--number", "inputmode": "numeric"}


class KeepingForm(forms.Form):
    """How long each kind is kept, and whether Telnyx's copy goes."""

    def __init__(self, data: Any, *, company: Company) -> None:
        super().__init__(data)
        self.company = company
        known = {row.kind: row for row in RecordingPolicy.objects.filter(company=company)}
        for kind in Kind:
            row = known.get(kind, RecordingPolicy())
            self.fields[f"{kind}-keep_days"] = forms.IntegerField(
                label=f"{kind.label}: {_('kept for (days, 0: for ever)')}",
                min_value=0,
                max_value=LONGEST_KEPT_DAYS,
                initial=row.keep_days,
                widget=forms.NumberInput(_NUMBER),
            )
            self.fields[f"{kind}-delete_at_telnyx"] = forms.BooleanField(
                label=f"{kind.label}: {_('delete at Telnyx')}",
                required=False,
                initial=row.delete_at_telnyx,
                widget=Tick(),
            )

    def kinds(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"{kind}-keep_days"], self[f"{kind}-delete_at_telnyx"]) for kind in Kind]

    def wrong(self) -> list[str]:
        return wrong_of(self)

    @transaction.atomic
    def save(self, *, who: Who, now: datetime) -> None:
        """Keep what was said, with a line in the audit for each kind that changes: what is older may go by it."""
        names = ("keep_days", "delete_at_telnyx")
        for kind in Kind:
            said = {name: self.cleaned_data[f"{kind}-{name}"] for name in names}
            before = RecordingPolicy.objects.filter(company=self.company, kind=kind).first() or RecordingPolicy()
            row, _made = RecordingPolicy.objects.update_or_create(company=self.company, kind=kind, defaults=said)
            if any(getattr(before, name) != said[name] for name in names):
                reason = f"{kind.label}: {_kept(before)} → {_kept(row)}"
                audit.note_company(RecordingAudit.Action.KEEPING, self.company.pk, who=who, now=now, reason=reason)


def _kept(policy: RecordingPolicy) -> str:
    days = ngettext("%(days)d day", "%(days)d days", policy.keep_days) % {"days": policy.keep_days}
    kept = days if policy.keep_days else _("for ever")
    return f"{kept}, {_('delete at Telnyx')}" if policy.delete_at_telnyx else kept


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RecordingRule
        fields = ("direction", "number", "announces", "say_es", "say_en")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "direction": forms.Select({"class": "field"}),
            "number": forms.Select({"class": "field"}),
            "announces": Tick(),
            "say_es": forms.Textarea({"class": "field", "rows": 2, "lang": "es"}),
            "say_en": forms.Textarea({"class": "field", "rows": 2, "lang": "en"}),
        }

    def __init__(self, data: Any, *, company: Company, instance: RecordingRule) -> None:
        super().__init__(data, instance=instance)
        self.company = company
        number: Any = self.fields["number"]
        number.queryset = PhoneNumber.objects.filter(company=company).order_by("e164")
        number.empty_label = _("Every number")
        for name, field in self.fields.items():
            if name != "direction":
                field.label = capfirst(str(field.label))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        others = RecordingRule.objects.filter(
            company=self.company, direction=cleaned.get("direction") or "", number=cleaned.get("number")
        )
        if others.exclude(pk=self.instance.pk).exists():
            self.add_error("number", _("There is another announcement for these calls: change that one."))
        return cleaned

    def wrong(self) -> list[str]:
        return wrong_of(self)

    def save(self, commit: bool = True) -> Any:
        row: RecordingRule = super().save(commit=False)
        row.company = self.company
        row.save()
        return row
