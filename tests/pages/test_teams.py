"""``/teams/``: who is in which team, read by who supervises, changed by who administers."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, Role, Team, TeamMembership, User
from telephony.forms import teams as forms
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import errors_at, row, sent_by

PAGES = ["/teams/", "/teams/new/"]


def people_in(team: Team) -> list[str]:
    return list(team.people.order_by("id").values_list("membership__user__username", flat=True))


def pk_of(user: User) -> int:
    return user.memberships.earliest("id").pk


def test_the_empty_page_says_what_the_first_team_does(acme: Company, alice: User, sam: User) -> None:
    page = looking(alice).get("/teams/")

    assert "No teams yet" in words(page)
    assert "Without teams, who supervises hears everybody. As soon as the first team is made" in words(page)
    assert 'href="/teams/new/"' in html(page)
    assert "This is the first team" in words(looking(alice).get("/teams/new/"))
    assert 'href="/teams/new/"' not in html(looking(sam).get("/teams/"))


def test_the_page_shows_who_is_where_and_who_is_nowhere(acme: Company, bob: User, sam: User) -> None:
    cast.make_user(acme, "tim", role=Role.SUPERVISOR)
    cast.make_team(acme, "Norte", sam, bob)
    cast.make_team(acme, "Vacío")

    said = words(looking(sam).get("/teams/"))

    assert "Norte Sam Bob" in said
    assert "Vacío Nobody yet Nobody yet" in said
    assert "Supervisors in no team, who hear only their own: Tim" in said
    assert "New team" not in said, "who supervises reads it"


def test_who_supervises_finds_it_in_the_navigation(acme: Company, sam: User) -> None:
    page = html(looking(sam).get("/teams/"))

    assert '<a class="tabs__link" href="/teams/" aria-current="page">' in page
    assert "/teams/ /account/" in page


def test_a_team_is_made_with_its_people(acme: Company, alice: User, bob: User, sam: User) -> None:
    browser = looking(alice)
    sent = sent_by(browser.get("/teams/new/"), name="  Norte ")
    sent |= row("people", 0, person=pk_of(bob)) | row("people", 1, person=pk_of(sam))

    answer = browser.post("/teams/new/", {**sent, "people-TOTAL_FORMS": "2"})

    assert (answer.status_code, answer["Location"]) == (302, "/teams/")
    team = Team.objects.get()
    assert (team.company, team.name, people_in(team)) == (acme, "Norte", ["bob", "sam"])
    assert "Saved. It holds at once." in words(browser.get("/teams/"))


def test_what_the_form_shows_is_what_it_keeps(acme: Company, alice: User, bob: User, sam: User) -> None:
    browser, team = looking(alice), cast.make_team(acme, "Norte", sam, bob)
    gone = cast.make_user(acme, "gone", is_active=False)
    TeamMembership.objects.create(company=acme, team=team, membership=gone.memberships.get())
    before = list(TeamMembership.objects.order_by("id").values())

    assert browser.post(f"/teams/{team.pk}/", sent_by(browser.get(f"/teams/{team.pk}/"))).status_code == 302

    assert list(TeamMembership.objects.order_by("id").values()) == before


def test_it_is_renamed_and_people_come_and_go(acme: Company, alice: User, bob: User, sam: User) -> None:
    browser, team = looking(alice), cast.make_team(acme, "Norte", sam, bob)
    carol = cast.make_user(acme, "carol")
    sent = sent_by(browser.get(f"/teams/{team.pk}/"), name="Noroeste", **{"people-1-DELETE": "on"})

    answer = browser.post(f"/teams/{team.pk}/", {**sent, **row("people", 2, person=pk_of(carol))})

    assert answer.status_code == 302
    team.refresh_from_db()
    assert (team.name, people_in(team)) == ("Noroeste", ["sam", "carol"])


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"name": "  "}, "name", "Give the team a name."),
        ({"name": "SUR"}, "name", "There is another team of this name."),
        ({"name": "x" * 81}, "name", "at most 80 characters"),
        ({"people-0-person": "999999"}, "people-0-person", "Choose from the list."),
        ({"people-0-person": "x"}, "people-0-person", "Choose from the list."),
    ],
)
def test_what_cannot_be_comes_back_with_its_reason_and_changes_nothing(
    acme: Company, alice: User, bob: User, changes: dict[str, str], field: str, error: str
) -> None:
    browser, team = looking(alice), cast.make_team(acme, "Norte", bob)
    cast.make_team(acme, "Sur")

    answer = browser.post(f"/teams/{team.pk}/", {**sent_by(browser.get(f"/teams/{team.pk}/")), **changes})

    assert answer.status_code == 422
    assert error in errors_at(answer, field)
    assert "Nothing was saved." in words(answer)
    team.refresh_from_db()
    assert (team.name, people_in(team)) == ("Norte", ["bob"])


def test_nobody_stands_twice_and_nobody_of_elsewhere_comes_in(
    acme: Company, alice: User, bob: User, mallory: User
) -> None:
    browser, team = looking(alice), cast.make_team(acme, "Norte", bob)
    sent = sent_by(browser.get(f"/teams/{team.pk}/"))
    assert "Mallory" not in html(browser.get(f"/teams/{team.pk}/"))

    twice = browser.post(f"/teams/{team.pk}/", {**sent, **row("people", 1, person=pk_of(bob))})
    stranger = browser.post(f"/teams/{team.pk}/", {**sent, **row("people", 1, person=pk_of(mallory))})

    assert (twice.status_code, errors_at(twice, "people-1-person")) == (422, "This person is in the team already.")
    assert (stranger.status_code, errors_at(stranger, "people-1-person")) == (422, "Choose from the list.")
    assert people_in(team) == ["bob"]


def test_a_name_that_another_took_meanwhile_is_told(
    acme: Company, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = looking(alice)
    sent = sent_by(browser.get("/teams/new/"), name="Norte")
    look = forms.TeamForm.clean_name

    def look_and_lose(form: Any) -> str:
        name = look(form)
        cast.make_team(acme, name)
        return name

    monkeypatch.setattr(forms.TeamForm, "clean_name", look_and_lose)
    answer = browser.post("/teams/new/", sent)

    assert (answer.status_code, errors_at(answer, "name")) == (422, "There is another team of this name.")
    assert Team.objects.count() == 1


def test_it_is_deleted_and_the_last_one_says_what_follows(acme: Company, alice: User, bob: User) -> None:
    browser = looking(alice)
    first, last = cast.make_team(acme, "Norte", bob), cast.make_team(acme, "Sur")
    assert "who supervises hears everybody" in words(browser.get(f"/teams/{first.pk}/"))

    assert browser.post(f"/teams/{first.pk}/delete/").status_code == 302
    assert "no team any more" not in words(browser.get("/teams/"))
    browser.post(f"/teams/{last.pk}/delete/")

    said = words(browser.get("/teams/"))
    assert "Sur was deleted. There is no team any more: who supervises hears everybody." in said
    assert not Team.objects.exists() and not TeamMembership.objects.exists()
    assert bob.memberships.exists()


@pytest.mark.parametrize("path", PAGES)
def test_agents_have_no_business_there(bob: User, path: str) -> None:
    assert looking(bob).get(path).status_code == 403


def test_who_supervises_reads_and_changes_nothing(acme: Company, sam: User, bob: User) -> None:
    browser, team = looking(sam), cast.make_team(acme, "Norte", bob)

    page = browser.get(f"/teams/{team.pk}/")

    assert page.status_code == 200 and " disabled" in html(page)
    assert "Delete for good" not in words(page)
    assert browser.post(f"/teams/{team.pk}/", {"name": "x"}).status_code == 403
    assert browser.post(f"/teams/{team.pk}/delete/").status_code == 403
    assert browser.get("/teams/new/").status_code == 403
    assert browser.post("/teams/new/", {"name": "x"}).status_code == 403
    assert list(Team.objects.values_list("name", flat=True)) == ["Norte"]


def test_mallory_finds_nothing_of_acmes(acme: Company, mallory: User) -> None:
    browser, team = looking(mallory), cast.make_team(acme, "Norte")

    assert browser.get(f"/teams/{team.pk}/").status_code == 404
    assert browser.post(f"/teams/{team.pk}/", {"name": "x"}).status_code == 404
    assert browser.post(f"/teams/{team.pk}/delete/").status_code == 404
    assert "Norte" not in html(browser.get("/teams/"))
    assert Team.objects.get().name == "Norte"


def test_nobody_is_sent_to_the_log_in_and_nothing_is_deleted_by_looking(acme: Company, alice: User) -> None:
    team = cast.make_team(acme)
    assert all(cast.Client().get(path)["Location"].startswith("/login/") for path in PAGES)

    assert looking(alice).get(f"/teams/{team.pk}/delete/").status_code == 405
    assert looking(alice).put("/teams/new/").status_code == 405


@pytest.mark.parametrize("amount", [1, 12])
def test_many_teams_and_people_cost_the_same(
    acme: Company, alice: User, amount: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people = [cast.make_user(acme) for _ in range(amount)]
    teams = [cast.make_team(acme, f"team {number}", *people) for number in range(amount)]
    browser = looking(alice)

    with django_assert_num_queries(7):
        browser.get("/teams/")
    with django_assert_num_queries(7):
        browser.get(f"/teams/{teams[0].pk}/")
