"""What the company file says of teams."""

from __future__ import annotations

import pytest

from curbe.companies.company_file import UnableToImport, export_company, import_company
from curbe.companies.models import Company, Team
from tests import cast

HEAD = "company: {slug: nueva, name: Nueva, language: es}\n"
FILE = (
    HEAD
    + """\
users:
  - {username: ana, role: agent}
  - {username: luis, role: agent}
  - {username: eva, role: supervisor}
teams:
  - {name: norte, people: [eva, ana]}
  - {name: sur, people: [eva, luis]}
  - {name: vacío}
"""
)


def teams_of(company: Company) -> dict[str, list[str]]:
    return {
        team.name: list(team.people.order_by("id").values_list("membership__user__username", flat=True))
        for team in Team.objects.filter(company=company).order_by("name")
    }


def signs(text: str, **how: bool) -> list[str]:
    return [str(change) for change in import_company(text, **how).changes]


def test_teams_are_made_with_their_people_and_a_second_time_nothing_is(db: None) -> None:
    told = signs(FILE)
    company = Company.objects.get(slug="nueva")

    assert teams_of(company) == {"norte": ["eva", "ana"], "sur": ["eva", "luis"], "vacío": []}
    assert [one for one in told if "team" in one] == [
        "+ team norte",
        "+ team sur",
        "+ team vacío",
        "+ team norte: eva",
        "+ team norte: ana",
        "+ team sur: eva",
        "+ team sur: luis",
    ]
    assert signs(FILE) == []


def test_what_is_exported_is_taken_without_a_change(db: None) -> None:
    company = import_company(FILE).company
    text = export_company(company)

    assert "  - {name: norte, people: [eva, ana]}\n" in text
    assert "  - {name: vacío, people: []}\n" in text
    assert signs(text, prune=True) == []


def test_what_the_file_does_not_name_is_kept_and_goes_when_pruned(db: None) -> None:
    company = import_company(FILE).company
    fewer = FILE.replace("  - {name: vacío}\n", "").replace("[eva, ana]", "[ana]")

    assert [one for one in signs(fewer) if "team" in one] == ["= team norte: eva", "= team vacío"]
    assert teams_of(company)["norte"] == ["eva", "ana"]

    assert [one for one in signs(fewer, prune=True) if "team" in one] == ["- team norte: eva", "- team vacío"]
    assert teams_of(company) == {"norte": ["ana"], "sur": ["eva", "luis"]}


def test_an_absent_section_leaves_teams_alone(db: None) -> None:
    company = import_company(FILE).company

    import_company(HEAD, prune=True)

    assert len(teams_of(company)) == 3


@pytest.mark.parametrize(
    ("section", "line", "reason"),
    [
        ("teams:\n  - {name: norte, people: [nadie]}\n", 3, "teams: nadie is nobody of nueva"),
        ("teams:\n  - {name: norte, people: [mallory]}\n", 3, "teams: mallory is nobody of nueva"),
        ("teams:\n  - {people: []}\n", 3, "teams: name is missing"),
        ("teams:\n  - {name: norte}\n  - {name: norte}\n", 4, "name norte stands twice, first on line 3"),
        ("teams:\n  - {name: norte, boss: eva}\n", 3, "teams: unknown key boss; this version knows name, people"),
        (f"teams:\n  - {{name: {'x' * 81}}}\n", 3, "teams: name must have at most 80 characters, not 81"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_changes_nothing(
    elsewhere: Company, section: str, line: int, reason: str
) -> None:
    cast.make_user(elsewhere, "mallory")

    with pytest.raises(UnableToImport) as caught:
        import_company(HEAD + section)

    assert [(one.line, one.reason) for one in caught.value.problems] == [(line, reason)]
    assert not Team.objects.exists()
