"""A voicemail box as its admin, or its user, edits it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recordings.messages import box_for
from recordings.models import TranscriptPolicy
from telephony.forms.lists import Tick, wrong_of
from telephony.models import VoicemailBox
from telephony.models.voicemail import MOST_EMAILS
from telephony.queries.plans import owner_of


class EmailLines(forms.CharField):
    """Addresses, one a line (or with commas between them), as a list."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        written = (super().to_python(value) or "").replace(",", "\n").replace(";", "\n").splitlines()
        return list(dict.fromkeys(line.strip() for line in written if line.strip()))

    def validate(self, value: Any) -> None:
        if len(value) > MOST_EMAILS:
            raise ValidationError(_("At most %(most)s addresses.") % {"most": MOST_EMAILS}, code="many")
        for address in value:
            try:
                validate_email(address)
            except ValidationError as err:
                text = _("“%(address)s” is not an e-mail address.") % {"address": address}
                raise ValidationError(text, code="invalid") from err

    def run_validators(self, value: Any) -> None:
        """Each address was checked by itself."""


class BoxForm(forms.ModelForm):  # type: ignore[type-arg]
    emails = EmailLines(
        label=gettext_lazy("Write to"),
        required=False,
        help_text=gettext_lazy("E-mail addresses, one a line, that are told of each new message."),
        widget=forms.Textarea({"class": "field field--words", "rows": 2, "autocomplete": "off", "spellcheck": "false"}),
    )
    of_calls = forms.BooleanField(
        label=gettext_lazy("Keep what Telnyx writes down of recorded conversations"), required=False, widget=Tick()
    )

    class Meta:
        model = VoicemailBox
        fields = ("say_es", "say_en", "max_length_s", "transcribe", "emails", "attach_audio")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "say_es": forms.Textarea({"class": "field field--words", "rows": 3, "lang": "es", "data-say": "es"}),
            "say_en": forms.Textarea({"class": "field field--words", "rows": 3, "lang": "en", "data-say": "en"}),
            "max_length_s": forms.NumberInput({"class": "field field--number", "inputmode": "numeric"}),
            "transcribe": Tick(),
            "attach_audio": Tick(),
        }

    def __init__(self, data: Any, *, instance: VoicemailBox, is_of_company: bool) -> None:
        super().__init__(data, instance=instance)
        if not is_of_company:
            del self.fields["of_calls"]
        else:
            policy = TranscriptPolicy.objects.filter(company=instance.company).first()
            self.initial["of_calls"] = policy is not None and policy.of_calls

    def wrong(self) -> list[str]:
        return wrong_of(self)

    @transaction.atomic
    def save(self, commit: bool = True) -> VoicemailBox:
        box: VoicemailBox = self.instance
        if box.pk is None:
            # A message may have made it since the page was painted.
            box.pk = box_for(box.company_id, owner_of(box)).pk
        # Nothing else: a greeting may be recorded meanwhile.
        box.save(update_fields=self.Meta.fields)
        if "of_calls" in self.cleaned_data:
            wanted = {"of_calls": self.cleaned_data["of_calls"]}
            TranscriptPolicy.objects.update_or_create(company=box.company, defaults=wanted)
        return box
