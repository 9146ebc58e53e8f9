"""What the editors of queues, menus and numbers have in common: who may, how an edit is kept, and its preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from curbe.companies.access import company_of, membership_of
from curbe.companies.models import Company
from telephony.core.plan import Destination
from telephony.forms.rehearsals import RehearsalForm
from telephony.models import CallQueue, Menu, PhoneNumber
from telephony.operations import plan_edits
from telephony.operations.plan_edits import GoesInCircles, UnableToDelete
from telephony.queries.explain import Explanation, explain_call
from telephony.queries.history import zone_of


class PlanForm(Protocol):
    """A form that writes rows of a plan when it is saved."""

    instance: Any

    def is_valid(self) -> bool: ...
    def save(self, commit: bool = True) -> Any: ...
    def add_error(self, field: str | None, error: Any) -> None: ...


@dataclass(frozen=True)
class Preview:
    """What a call would meet: an explanation, or why there is none."""

    explanation: Explanation | None = None
    #: It is of what stands in the form, not of what was kept.
    is_of_the_form: bool = False
    errors: tuple[str, ...] = ()


def edit(
    request: HttpRequest,
    form: PlanForm,
    template: str,
    context: dict[str, Any],
    *,
    place: Callable[[Any], str | Destination],
) -> HttpResponse:
    """Show the form; keep what was posted, or show what a call would meet with it (``preview`` in what was posted).

    ``place`` says, of the form's row, what is called in the preview.
    """
    company, now = company_of(request), timezone.now()
    may_edit = membership_of(request).administers
    is_new = form.instance.pk is None
    rehearsal = RehearsalForm(request.POST if request.method == "POST" else None, company=company)
    preview, status = Preview(), 200
    if request.method == "POST":
        if not may_edit:
            raise PermissionDenied
        is_right = form.is_valid()
        if "preview" in request.POST:
            preview = _rehearse(company, form, rehearsal, place, now) if is_right else Preview(is_of_the_form=True)
        elif is_right:
            try:
                row = plan_edits.keep(company, form.save)
            except GoesInCircles as err:
                form.add_error(None, forms.ValidationError(in_circles(err), code="circle"))
            else:
                messages.success(request, _("Saved. The next call is routed by it."))
                return redirect(url_of(row))
        status = 200 if "preview" in request.POST else 422
    elif not is_new:
        preview = Preview(_explained(company, place(form.instance), "", now, now))
    return render(
        request,
        template,
        {
            **context,
            "form": form,
            "is_new": is_new,
            "may_edit": may_edit,
            "preview": preview,
            "rehearsal": rehearsal,
            "zone": zone_of(company.timezone),
        },
        status=status,
    )


def _rehearse(
    company: Company,
    form: PlanForm,
    rehearsal: RehearsalForm,
    place: Callable[[Any], str | Destination],
    now: datetime,
) -> Preview:
    if not rehearsal.is_valid():
        return Preview(is_of_the_form=True)
    at, caller = rehearsal.cleaned_data["at"] or now, rehearsal.cleaned_data["caller"]
    try:
        seen = plan_edits.look(company, form.save, lambda row: _explained(company, place(row), caller, at, now))
    except GoesInCircles as err:
        return Preview(is_of_the_form=True, errors=(in_circles(err),))
    return Preview(seen, is_of_the_form=True)


def _explained(company: Company, place: str | Destination, caller: str, at: datetime, now: datetime) -> Explanation:
    return explain_call(company, place, caller, at, now=now, language=get_language() or "es")


def url_of(row: Model) -> str:
    """Return the page of a queue, a menu or a number."""
    name = {CallQueue: "queue", Menu: "menu", PhoneNumber: "number"}[type(row)]  # type: ignore[index]
    return reverse(name, args=[row.pk])


def in_circles(err: GoesInCircles) -> str:
    """Return the refusal in words that name the circle."""
    if len(err.names) == 1:
        text = _("“%(name)s” leads back to itself: who does nothing would never arrive.")
        return text % {"name": err.names[0]}
    text = _("This leads round in a circle: %(circle)s. Who does nothing would never arrive.")
    return text % {"circle": " → ".join((*err.names, err.names[0]))}


def delete(request: HttpRequest, row: CallQueue | Menu, *, to: str) -> HttpResponse:
    """Delete a row to which nothing leads, and go to ``to``; else come back and say what leads there."""
    if not membership_of(request).administers:
        raise PermissionDenied
    try:
        plan_edits.delete(company_of(request), row)
    except UnableToDelete as err:
        text = _("%(name)s was not deleted: %(users)s still lead there.")
        messages.error(request, text % {"name": row.name, "users": ", ".join(err.used_by)})
        return redirect(url_of(row))
    messages.success(request, _("%(name)s was deleted.") % {"name": row.name})
    return redirect(to)
