"""Teams: whom a member sees to, and who is in which."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, Membership, Role, Team, TeamMembership, User
from curbe.companies.teams import people_of, set_people, supervisors_without_team
from tests import cast


def member(user: User) -> Membership:
    return user.memberships.select_related("company").earliest("id")


def seen_by(user: User) -> set[str] | None:
    people = people_of(member(user))
    return None if people is None else set(User.objects.filter(pk__in=people).values_list("username", flat=True))


def people_in(team: Team) -> set[str]:
    return set(team.members.values_list("user__username", flat=True))


def test_a_company_without_teams_is_one(acme: Company, elsewhere: Company, alice: User, bob: User, sam: User) -> None:
    cast.make_team(elsewhere, "norte")

    assert seen_by(alice) is None
    assert seen_by(sam) is None
    assert seen_by(bob) == {"bob"}


def test_with_teams_a_supervisor_sees_his_and_himself(acme: Company, alice: User, bob: User, sam: User) -> None:
    carol, dave, tim = (cast.make_user(acme, name) for name in ("carol", "dave", "tim"))
    Membership.objects.filter(user=tim).update(role=Role.SUPERVISOR)
    admin = cast.make_user(acme, "ada", role=Role.ADMIN)
    cast.make_team(acme, "norte", sam, bob)
    cast.make_team(acme, "este", sam, carol, bob)
    cast.make_team(acme, "sur", dave)

    assert seen_by(sam) == {"sam", "bob", "carol"}
    assert seen_by(tim) == {"tim"}
    assert seen_by(dave) == {"dave"}
    assert seen_by(alice) is None and seen_by(admin) is None
    assert [one.user.username for one in supervisors_without_team(acme)] == ["tim"]


def test_an_empty_team_is_a_team(acme: Company, sam: User) -> None:
    cast.make_team(acme)

    assert seen_by(sam) == {"sam"}


def test_a_person_of_two_companies_is_seen_only_in_the_one(acme: Company, elsewhere: Company, sam: User) -> None:
    there = cast.make_membership(elsewhere, sam, role=Role.SUPERVISOR)
    eve = cast.make_user(elsewhere, "eve")
    cast.make_team(elsewhere, "norte", eve)
    TeamMembership.objects.create(company=elsewhere, team=Team.objects.get(), membership=there)
    cast.make_team(acme, "norte")

    assert seen_by(sam) == {"sam"}
    people = people_of(there)
    assert people is not None and set(people) == {sam.pk, eve.pk}


def test_whether_there_are_teams_is_asked_once_and_only_for_supervisors(
    acme: Company, alice: User, bob: User, sam: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    members = [member(user) for user in (alice, bob, sam)]

    for one, queries in zip(members, (0, 0, 1), strict=True):
        with django_assert_num_queries(queries):
            people_of(one)
            people_of(one)


def test_who_was_made_to_leave_a_moment_ago_sees_nobody_else(acme: Company, sam: User, bob: User) -> None:
    gone = member(sam)
    Membership.objects.filter(pk=gone.pk).delete()

    assert people_of(gone) == {sam.pk}


def test_people_come_and_go_and_who_stays_keeps_his_row(acme: Company, bob: User, sam: User) -> None:
    carol = cast.make_user(acme, "carol")
    team = cast.make_team(acme, "norte", bob, sam)
    row = TeamMembership.objects.get(membership=member(sam))

    came, went = set_people(team, [member(sam).pk, member(carol).pk])

    assert [one.user.username for one in came] == ["carol"]
    assert [one.user.username for one in went] == ["bob"]
    assert people_in(team) == {"carol", "sam"}
    assert TeamMembership.objects.get(membership=member(sam)).pk == row.pk
    assert set(TeamMembership.objects.values_list("company", flat=True)) == {acme.pk}


def test_nobody_of_another_company_comes_in(acme: Company, bob: User, mallory: User) -> None:
    team = cast.make_team(acme)

    set_people(team, [member(bob).pk, member(mallory).pk])

    assert people_in(team) == {"bob"}


def test_names_are_unique_within_a_company(acme: Company, elsewhere: Company) -> None:
    cast.make_team(acme, "norte")
    cast.make_team(elsewhere, "norte")

    with pytest.raises(IntegrityError, match="one_team_of_a_name_per_company"), transaction.atomic():
        cast.make_team(acme, "norte")


def test_who_leaves_the_company_leaves_its_teams(acme: Company, bob: User) -> None:
    team = cast.make_team(acme, "norte", bob)

    member(bob).delete()

    assert people_in(team) == set()
