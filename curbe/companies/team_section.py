"""The section ``teams`` of the company file."""

from __future__ import annotations

from typing import Any, Final

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section
from curbe.companies.models import Company, Membership, Team, TeamMembership

FIELDS: Final = (
    Field("name", field_types.text(80), required=True),
    Field("people", field_types.names(150)),
)


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    known = set(Team.objects.filter(company=run.company).values_list("name", flat=True))
    for row in rows:
        if row["name"] not in known:
            Team.objects.create(company=run.company, name=row["name"])
            run.note("+", f"team {row['name']}")


def link(run: Import, rows: tuple[Row, ...]) -> None:
    teams = {team.name: team for team in Team.objects.filter(company=run.company)}
    members = Membership.objects.filter(company=run.company).select_related("user")
    by_username = {one.user.username: one for one in members}
    for row in rows:
        if "people" in row or run.prune:
            _set_people(run, row, teams[row["name"]], by_username)


def _set_people(run: Import, row: Row, team: Team, members: dict[str, Membership]) -> None:
    """Add the people that the file names; those that it does not name go only when pruned."""
    current = {one.membership.user.username: one for one in _people_of(team)}
    named = row.get("people", ())
    for username, line in named:
        if username not in members:
            run.refuse(line, f"teams: {username} is nobody of {run.company.slug}")
        elif username not in current:
            TeamMembership.objects.create(company=run.company, team=team, membership=members[username])
            run.note("+", f"team {team.name}: {username}")
    for username in sorted(current.keys() - {username for username, _line in named}):
        if run.left_out(f"team {team.name}: {username}"):
            current[username].delete()


def remove(run: Import, rows: tuple[Row, ...]) -> None:
    named = {row["name"] for row in rows}
    for team in _teams_of(run.company):
        if team.name not in named and run.left_out(f"team {team.name}"):
            team.delete()


def export(company: Company) -> list[dict[str, Any]]:
    return [
        {"name": team.name, "people": [one.membership.user.username for one in _people_of(team)]}
        for team in _teams_of(company)
    ]


def _teams_of(company: Company) -> list[Team]:
    return list(Team.objects.filter(company=company).order_by("name", "id"))


def _people_of(team: Team) -> list[TeamMembership]:
    return list(TeamMembership.objects.filter(team=team).select_related("membership__user").order_by("id"))


TEAMS: Final = Section("teams", "name", FIELDS, apply, export, link=link, remove=remove)
