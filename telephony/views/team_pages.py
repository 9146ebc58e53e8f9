"""``/teams/``: who works together, and so whose recordings and messages a supervisor hears."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curbe.companies.access import company_of, for_company, get_for_company, membership_of, role_required
from curbe.companies.models import ADMINISTERING_ROLES, SUPERVISING_ROLES, Role, Team, TeamMembership
from curbe.companies.teams import supervisors_without_team
from telephony.forms.teams import NameTaken, TeamForm


@dataclass(frozen=True, slots=True)
class Row:
    team: Team
    supervisors: tuple[str, ...]
    others: tuple[str, ...]


@require_GET
@never_cache
@role_required(*SUPERVISING_ROLES)
def teams(request: HttpRequest) -> HttpResponse:
    people = TeamMembership.objects.select_related("membership__user").order_by("membership__user__name", "id")
    found = for_company(request, Team).prefetch_related(Prefetch("people", people)).order_by("name", "id")
    rows = [_row(team) for team in found]
    context = {
        "rows": rows,
        "alone": [str(one.user) for one in supervisors_without_team(company_of(request))] if rows else [],
        "may_edit": membership_of(request).administers,
    }
    return render(request, "telephony/teams.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ADMINISTERING_ROLES)
def new_team(request: HttpRequest) -> HttpResponse:
    return _edit(request, Team())


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SUPERVISING_ROLES)
def team(request: HttpRequest, team_id: int) -> HttpResponse:
    return _edit(request, get_for_company(request, Team, pk=team_id))


@require_POST
@role_required(*ADMINISTERING_ROLES)
def delete_team(request: HttpRequest, team_id: int) -> HttpResponse:
    row = get_for_company(request, Team, pk=team_id)
    row.delete()
    are_left = for_company(request, Team).exists()
    last = _("%(name)s was deleted. There is no team any more: who supervises hears everybody.")
    messages.success(request, (_("%(name)s was deleted.") if are_left else last) % {"name": row.name})
    return redirect("teams")


def _row(team: Team) -> Row:
    members = [one.membership for one in team.people.all()]
    return Row(
        team,
        tuple(str(one.user) for one in members if one.role == Role.SUPERVISOR),
        tuple(str(one.user) for one in members if one.role != Role.SUPERVISOR),
    )


def _edit(request: HttpRequest, row: Team) -> HttpResponse:
    may_edit, is_new, name = membership_of(request).administers, row.pk is None, row.name
    is_first = is_new and not for_company(request, Team).exists()
    form = TeamForm(request.POST if request.method == "POST" else None, company=company_of(request), instance=row)
    if request.method == "POST":
        if not may_edit:
            raise PermissionDenied
        if form.is_valid():
            try:
                form.save()
            except NameTaken:
                form.add_error("name", _("There is another team of this name."))
            else:
                messages.success(request, _("Saved. It holds at once."))
                return redirect("teams")
    context = {
        "form": form,
        "row": row,
        "name": name,
        "is_new": is_new,
        "is_first": is_first,
        "may_edit": may_edit,
    }
    return render(request, "telephony/team_edit.html", context, status=422 if form.is_bound else 200)
