"""What a browser would send back from a page of the console on which nobody has changed anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.test import Client


def form_of(console: Client, address: str) -> dict[str, Any]:
    """Return every field of the page's form and of its inlines. The page's empty new rows are left out."""
    context = console.get(address).context
    sent = dict(_fields_of(context["adminform"].form))
    for inline in context["inline_admin_formsets"]:
        formset = inline.formset
        sent |= {f"{formset.prefix}-TOTAL_FORMS": formset.initial_form_count()}
        sent |= {f"{formset.prefix}-INITIAL_FORMS": formset.initial_form_count()}
        for form in formset.initial_forms:
            sent |= dict(_fields_of(form))
    return sent


def add_row(sent: dict[str, Any], prefix: str, **row: Any) -> dict[str, Any]:
    """Return the same with a new row in an inline."""
    place = sent[f"{prefix}-TOTAL_FORMS"]
    new = {f"{prefix}-{place}-{name}": value for name, value in row.items()}
    return {**sent, **new, f"{prefix}-TOTAL_FORMS": place + 1}


def _fields_of(form: forms.BaseForm) -> Iterator[tuple[str, Any]]:
    for field in form:
        value = field.value()
        if isinstance(field.field, forms.BooleanField):
            if value:
                yield field.html_name, "on"
        elif isinstance(value, forms.Form) or value is None:
            yield field.html_name, ""
        else:
            yield field.html_name, value
