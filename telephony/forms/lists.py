"""Lists inside a form: rows that are added, removed, and put in order. Without a script too, by blank rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar, cast

from django import forms
from django.forms.formsets import DELETION_FIELD_NAME, ORDERING_FIELD_NAME
from django.forms.utils import flatatt
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: More than any list has; a form that says more is nonsense.
MOST_ROWS: Final = 500


class Position(forms.NumberInput):
    """The place of a row in its list; the buttons beside it change it too."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "field rows__position", "data-position": True, "min": 1, **(attrs or {})})


class Tick(forms.CheckboxInput):
    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "tick", **(attrs or {})})


class Pick(forms.Widget):
    """A drop-down whose options were made once for all rows of a list."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(dict(attrs or {}))
        self.options = SafeString("")

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> SafeString:
        attributes = self.build_attrs({"class": "field", **self.attrs}, {**(attrs or {}), "name": name})
        options = format_html('<option value="">{}</option>', _("Choose…")) + self.options
        return format_html("<select{}>{}</select>", flatatt(attributes), chosen(options, str(value or "")))


def chosen(options: SafeString, value: str) -> SafeString:
    """Return the options with one of them chosen; as they are if it is not among them."""
    wanted = format_html('value="{}"', value)
    return mark_safe(options.replace(wanted, f"{wanted} selected", 1))


def as_options(rows: Mapping[int, str]) -> SafeString:
    return format_html_join("", '<option value="{}">{}</option>', rows.items())


class PickField(forms.Field):
    """Yields the id of one of the rows that were offered."""

    widget = Pick

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows: Mapping[int, str] = {}

    def offer(self, choices: Mapping[int, str], options: SafeString) -> None:
        self.rows, self.widget.options = choices, options

    def to_python(self, value: Any) -> int | None:
        text = str(value or "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and int(text) in self.rows):
            raise forms.ValidationError(_("Choose from the list."), code="unknown")
        return int(text)


class RowForm(forms.Form):
    """One row. Where each of the fields in ``told_by`` is empty the row is blank, and counts for nothing."""

    told_by: tuple[str, ...] = ()

    def has_changed(self) -> bool:
        values = (self[name].data for name in self.told_by)
        return any(value[0] if isinstance(value, tuple) else value for value in values)

    @property
    def is_blank(self) -> bool:
        return not (self.has_changed() if self.is_bound else any(self.initial.get(name) for name in self.told_by))

    @property
    def is_removed(self) -> bool:
        return bool(self.is_bound and self[DELETION_FIELD_NAME].data)

    def wrong(self) -> list[str]:
        return wrong_of(self)


def wrong_of(form: forms.BaseForm) -> list[str]:
    """Return each error with the label of its field before it, for the list at the head of a page."""
    return [
        f"{form[name].label}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]


class Offers(Protocol):
    """A field that chooses among rows of one company."""

    def offer(self, choices: Any, options: SafeString) -> None: ...


class RowSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """The rows of one list. No two say the same of ``key``; ``twice`` is the error of those that do.

    ``offered``: for each field that chooses among rows of the company what it may choose, and that as options.
    """

    key = ""
    twice: str | Promise = gettext_lazy("This stands here twice.")

    def __init__(self, *args: Any, offered: Mapping[str, tuple[Any, SafeString]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        for name, (choices, options) in self.offered.items():
            cast(Offers, form.fields[name]).offer(choices, options)

    def initial_form_count(self) -> int:
        # What was entered is what counts: a row that was there and was emptied is a blank one.
        return 0 if self.is_bound else super().initial_form_count()

    def get_ordering_widget(self) -> type[forms.Widget]:  # type: ignore[override]
        return Position

    def get_deletion_widget(self) -> type[forms.Widget]:  # type: ignore[override]
        return Tick

    def rows(self) -> list[dict[str, Any]]:
        """Return what the rows that stay say, in their order."""
        kept = [form for form in self.forms if form.has_changed() and not form.is_removed]
        if self.can_order:
            kept.sort(key=_position)
        return [form.cleaned_data for form in kept]

    def wrong(self) -> list[str]:
        kept = (form for form in self.forms if not form.is_removed)
        return [*map(str, self.non_form_errors()), *(error for form in kept for error in form.wrong())]

    def clean(self) -> None:
        seen: set[object] = set()
        for form in self.forms:
            value = None if form.is_removed else form.cleaned_data.get(self.key)
            if value is None:
                continue
            if value in seen:
                form.add_error(self.key, forms.ValidationError(str(self.twice), code="twice"))
            seen.add(value)


S = TypeVar("S", bound=RowSet)


def row_set(form: type[RowForm], base: type[S], *, most: int = MOST_ROWS, **options: Any) -> type[S]:
    """Return the class of a list of such rows, with one blank row for who has no script."""
    made = forms.formset_factory(form, base, extra=1, can_delete=True, max_num=most, absolute_max=most, **options)
    return cast("type[S]", made)


def _position(form: RowForm) -> int:
    # A row that was added without a place stands at the end; sorting keeps the order of equals.
    position: int | None = form.cleaned_data.get(ORDERING_FIELD_NAME)
    return MOST_ROWS if position is None else position
