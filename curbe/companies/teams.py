"""Whose work a member may look into: his own, his teams', or everybody's; and who is in a team.

A company without any team is one team. As soon as it has one, whoever supervises sees to the people of the teams that
he is in himself, and in none to nobody but himself. Owners and admins see to everybody, with teams and without.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import Final

from django.db import transaction
from django.db.models import Exists, Q

from curbe.companies.models import ADMINISTERING_ROLES, Company, Membership, Role, Team, TeamMembership

#: Who is in a team with a member, kept with him: asked once for each request.
_KNOWN: Final = "_people_of_teams"


class Reach(Enum):
    OWN = auto()
    TEAMS = auto()
    EVERYBODY = auto()


def reach_of(role: str, *, has_teams: bool) -> Reach:
    """Return how far somebody of this role sees, in a company that has teams or none."""
    if role in ADMINISTERING_ROLES:
        return Reach.EVERYBODY
    if role == Role.SUPERVISOR:
        return Reach.TEAMS if has_teams else Reach.EVERYBODY
    return Reach.OWN


def people_of(membership: Membership) -> frozenset[int] | None:
    """Return the ids of the users whose work the member may look into, himself among them. None: everybody's.

    One query, once for each request, and only for who has the role supervisor. They are ids and no subquery: those who
    ask use them in several places of one statement, which else took longer to plan than to carry out.
    """
    himself = frozenset({membership.user_id})
    mates, has_teams = _mates(membership) if membership.role == Role.SUPERVISOR else (himself, False)
    match reach_of(membership.role, has_teams=has_teams):
        case Reach.EVERYBODY:
            return None
        case Reach.TEAMS:
            return mates | himself
        case Reach.OWN:
            return himself


def _mates(membership: Membership) -> tuple[frozenset[int], bool]:
    """Return the users who are in a team with the member, himself among them, and whether the company has teams."""
    known: tuple[frozenset[int], bool] | None = getattr(membership, _KNOWN, None)
    if known is None:
        company_id = membership.company_id
        his = TeamMembership.objects.filter(membership=membership.pk).values("team")
        mates = TeamMembership.objects.filter(company=company_id, team__in=his).values("membership")
        rows = Membership.objects.filter(Q(pk=membership.pk) | Q(pk__in=mates), company=company_id)
        pairs = list(rows.values_list("user_id", Exists(Team.objects.filter(company=company_id))))
        # Who was made to leave a moment ago has no row: then there are teams, and he is in none.
        known = frozenset(user_id for user_id, _has in pairs), all(has for _user_id, has in pairs)
        setattr(membership, _KNOWN, known)
    return known


def supervisors_without_team(company: Company) -> Sequence[Membership]:
    """Return the supervisors who hear nobody but themselves once the company has teams."""
    rows = Membership.objects.filter(company=company, role=Role.SUPERVISOR, user__is_active=True)
    return list(rows.filter(team_memberships=None).select_related("user").order_by("user__name", "id"))


def set_people(team: Team, membership_ids: Collection[int]) -> tuple[tuple[Membership, ...], tuple[Membership, ...]]:
    """Let these members of the team's company be its people; return who came and who went.

    Who is no member of the company is left out, whatever the caller was told.
    """
    rows = Membership.objects.filter(company=team.company_id).select_related("user").order_by("id")
    with transaction.atomic():
        # Two who edit it wait for each other.
        Team.objects.select_for_update().get(pk=team.pk)
        now = set(TeamMembership.objects.filter(team=team).values_list("membership_id", flat=True))
        wanted = set(membership_ids)
        came, went = tuple(rows.filter(pk__in=wanted - now)), tuple(rows.filter(pk__in=now - wanted))
        TeamMembership.objects.filter(team=team).exclude(membership__in=wanted).delete()
        TeamMembership.objects.bulk_create(
            TeamMembership(company_id=team.company_id, team=team, membership=one) for one in came
        )
    return came, went
