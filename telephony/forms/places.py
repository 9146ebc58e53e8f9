"""One field that says where a call goes: a user, a queue, a menu, a number, an announcement, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from django import forms
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.lib.phone import NotANumber, to_e164
from telephony.core.plan import NOWHERE, WITH_TARGET, Destination, DestinationKind
from telephony.forms.lists import chosen
from telephony.queries.place_choices import PlaceChoices, code_of, destination_of_code

#: Where a number without a plus is dialled from.
HOME: Final = "US"
MOST_WORDS: Final = 500

FALLBACK: Final = gettext_lazy("The company's fallback number, or voicemail")


class Typed(NamedTuple):
    """What a person entered: a code of ``queries.place_choices``, and the texts beside it, which most codes ignore."""

    code: str = ""
    number: str = ""
    words: str = ""


class PlaceWidget(forms.Widget):
    """A drop-down of all places. The fields for a number and for words show beside it when they are chosen (CSS)."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(dict(attrs or {}))
        self.options = SafeString("")
        self.nowhere: str | Promise = ""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Typed:
        return Typed(*(str(data.get(key, "")) for key in (name, f"{name}-number", f"{name}-words")))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data

    def format_value(self, value: Any) -> Typed:
        if isinstance(value, Destination):
            is_number = value.kind is DestinationKind.NUMBER
            return Typed(code_of(value), value.text if is_number else "", "" if is_number else value.text)
        return value if isinstance(value, Typed) else Typed()

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> SafeString:
        typed = self.format_value(value)
        attributes = self.build_attrs(self.attrs, dict(attrs or {}))
        context = {
            "name": name,
            "id": attributes.get("id", f"id_{name}"),
            "typed": typed,
            "options": self._options(typed.code),
            "attrs": flatatt(attributes),
            "most_words": MOST_WORDS,
        }
        return render_to_string("telephony/_plan_place.html", context)

    def _options(self, code: str) -> SafeString:
        nowhere = format_html('<option value="">{}</option>', self.nowhere) if self.nowhere else SafeString("")
        options = nowhere + self.options
        if format_html('value="{}"', code) in options:
            return chosen(options, code)
        # What it led to is gone: the drop-down must not pretend that it leads to its first choice.
        return format_html('<option value="{}" selected>{}</option>', code, _("Gone: choose anew")) + options


class PlaceField(forms.Field):
    """Yields a ``Destination``; ``NOWHERE`` for the empty choice, which is called ``nowhere``."""

    widget = PlaceWidget

    def __init__(self, *, nowhere: str | Promise = FALLBACK, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})
        self.choices: PlaceChoices | None = None
        self.widget.nowhere = nowhere

    def offer(self, choices: PlaceChoices, options: SafeString) -> None:
        """Let the field choose among the places of one company; ``options`` is ``options_of(choices)``."""
        self.choices, self.widget.options = choices, options

    def clean(self, value: Any) -> Destination:
        typed = value if isinstance(value, Typed) else Typed()
        destination = destination_of_code(typed.code)
        if destination is None or self.choices is None:
            raise forms.ValidationError(_("Choose from the list."), code="unknown")
        if destination == NOWHERE:
            if self.required:
                raise forms.ValidationError(_("Choose where it leads."), code="required")
            return NOWHERE
        if destination.kind in WITH_TARGET and not self.choices.has(destination):
            raise forms.ValidationError(_("That is not there any more. Choose from the list."), code="gone")
        if destination.kind is DestinationKind.NUMBER:
            return Destination(DestinationKind.NUMBER, text=self._number(typed.number, self.choices))
        if destination.kind is DestinationKind.SAY:
            return Destination(DestinationKind.SAY, text=_words(typed.words))
        return destination

    def _number(self, text: str, choices: PlaceChoices) -> str:
        try:
            e164 = to_e164(text.strip(), region=HOME)
        except NotANumber as err:
            raise forms.ValidationError(
                _("Write the number with its country: +1 305 555 0100."), code="not_a_number"
            ) from err
        if choices.is_own_number(e164):
            raise forms.ValidationError(
                _("%(number)s is one of your own numbers: the call would come back. Choose what it leads to."),
                code="own_number",
                params={"number": e164},
            )
        return e164


def _words(text: str) -> str:
    words = " ".join(text.replace("\x00", "").split())
    if not words:
        raise forms.ValidationError(_("Write what the caller shall hear."), code="no_words")
    if len(words) > MOST_WORDS:
        raise forms.ValidationError(_("Write 500 characters at the most."), code="too_many_words")
    return words


def options_of(choices: PlaceChoices) -> SafeString:
    """Return the drop-down's options, made once for all fields of a page: a menu has one per digit."""
    kinds = (
        (DestinationKind.VOICEMAIL, _("Voicemail")),
        (DestinationKind.COMPANY, _("Any free agent of the company")),
        (DestinationKind.NUMBER, _("Another number…")),
        (DestinationKind.SAY, _("An announcement…")),
    )
    groups = (
        # Closed, a drop-down shows one option alone: it says by itself what it is.
        (_("Queues"), DestinationKind.QUEUE, _named(choices.queues, _("Queue %(name)s"))),
        (_("Menus"), DestinationKind.MENU, _named(choices.menus, _("Menu %(name)s"))),
        (_("Users"), DestinationKind.USER, choices.users),
    )
    grouped = (
        format_html('<optgroup label="{}">{}</optgroup>', label, _as_options(kind, rows))
        for label, kind, rows in groups
        if rows
    )
    single = format_html_join("", '<option value="{}">{}</option>', ((str(kind), label) for kind, label in kinds))
    return format_html("{}{}", single, format_html_join("", "{}", ((group,) for group in grouped)))


def _named(rows: Mapping[int, str], pattern: str) -> dict[int, str]:
    return {key: pattern % {"name": name} for key, name in rows.items()}


def _as_options(kind: DestinationKind, rows: Mapping[int, str]) -> SafeString:
    pairs: Iterable[tuple[str, str]] = ((f"{kind}:{key}", label) for key, label in rows.items())
    return format_html_join("", '<option value="{}">{}</option>', pairs)
