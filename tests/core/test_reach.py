"""How far somebody sees: by role, and by whether the company has teams."""

from __future__ import annotations

import pytest

from curbe.companies.models import Role
from curbe.companies.teams import Reach, reach_of

EVERYBODY, TEAMS, OWN = Reach.EVERYBODY, Reach.TEAMS, Reach.OWN


@pytest.mark.parametrize(
    ("role", "without_teams", "with_teams"),
    [
        (Role.OWNER, EVERYBODY, EVERYBODY),
        (Role.ADMIN, EVERYBODY, EVERYBODY),
        (Role.SUPERVISOR, EVERYBODY, TEAMS),
        (Role.AGENT, OWN, OWN),
        ("somebody new", OWN, OWN),  # who is not known sees least
    ],
)
def test_only_supervisors_see_otherwise_once_there_are_teams(
    role: str, without_teams: Reach, with_teams: Reach
) -> None:
    assert reach_of(role, has_teams=False) is without_teams
    assert reach_of(role, has_teams=True) is with_teams
