"""Teams in the operator's console: their people are of their company."""

from __future__ import annotations

from django.test import Client

from curbe.companies.models import Company, Team, TeamMembership, User
from tests import cast
from tests.admin.forms import add_row, form_of


def test_a_team_is_made_and_people_of_its_company_are_put_in(console: Client, acme: Company, bob: User) -> None:
    assert console.post("/admin/companies/team/add/", {"name": "norte", "company": acme.pk}).status_code == 302
    team = Team.objects.get()
    page = f"/admin/companies/team/{team.pk}/change/"

    sent = add_row(form_of(console, page), "people", membership=bob.memberships.get().pk)
    assert console.post(page, sent).status_code == 302

    row = TeamMembership.objects.get()
    assert (row.company, row.team, row.membership.user) == (acme, team, bob)


def test_nobody_of_another_company_is_offered_or_taken(
    console: Client, acme: Company, bob: User, mallory: User
) -> None:
    team = cast.make_team(acme, "norte", bob)
    page = f"/admin/companies/team/{team.pk}/change/"
    shown = console.get(page).content.decode()
    assert "Bob · Acme Seguros" in shown and "Mallory" not in shown

    sent = add_row(form_of(console, page), "people", membership=mallory.memberships.get().pk)

    assert console.post(page, sent).status_code == 200
    assert list(TeamMembership.objects.values_list("membership__user__username", flat=True)) == ["bob"]


def test_a_person_is_not_twice_in_a_team(console: Client, acme: Company, bob: User) -> None:
    team = cast.make_team(acme, "norte", bob)
    page = f"/admin/companies/team/{team.pk}/change/"

    answer = console.post(page, add_row(form_of(console, page), "people", membership=bob.memberships.get().pk))

    assert answer.status_code == 200
    assert TeamMembership.objects.count() == 1
